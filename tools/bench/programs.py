"""What the benches run on either interpreter. Portable; each function returns a dict.

The meter is imported where it is used, so that `imports` begins with nothing of ours loaded.
"""

# mypy: disable-error-code="attr-defined"
# gc and time of MicroPython have more than those of CPython.

import gc
import time

QUARTER_S = 900
DAY_QUARTERS = 96


def now_us():
    """A running microsecond count."""
    if hasattr(time, "ticks_us"):
        return time.ticks_us()
    return time.perf_counter_ns() // 1000


def took_us(began):
    """Microseconds since `began`, of now_us."""
    if hasattr(time, "ticks_diff"):
        return time.ticks_diff(time.ticks_us(), began)
    return time.perf_counter_ns() // 1000 - began


class _Idle:
    def tick(self):
        pass


def _loop_us(owner, count):
    """Microseconds for `count` calls of owner.tick()."""
    left = count
    began = now_us()
    while left:
        owner.tick()
        left -= 1
    return took_us(began)


def tick(count, rounds):
    """Microseconds of one tick, of an empty call and, on MicroPython, the bytes allocated."""
    from wattledger.tools.bench.house import House, simulated_chip

    house = House(simulated_chip())
    house.run(5)
    spent = []
    idle = []
    for _ in range(rounds):
        spent.append(_loop_us(house.agent, count))
        idle.append(_loop_us(_Idle(), count))
    found = {"tick_us": min(spent) / count, "empty_us": max(min(idle), 1) / count}
    if hasattr(gc, "mem_alloc"):
        found["allocated"] = _allocated(house.agent.tick, count)
        found["counter"] = _allocated(_one_list, 1)
    return found


def _one_list():
    return [0]


def _allocated(work, count):
    """Bytes that `count` calls take from the heap, kept or not."""
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    while count:
        work()
        count -= 1
    after = gc.mem_alloc()
    gc.enable()
    return after - before


def interval(count):
    """The most bytes that one 15-minute interval takes: rated, posted and the next one begun.

    `split` is that of an interval which crosses a block edge, `plain` of those after it. The day
    before has taken each band's register into the heap, which happens once.
    """
    from wattledger.tools.bench.house import START, House
    from wattledger.tools.bench.plain_chip import PlainChip

    house = House(PlainChip())
    account = house.agent.account
    house.run(5)
    end = START
    wh = 0
    for _ in range(DAY_QUARTERS):
        end += QUARTER_S
        wh += 281
        account.close(end, wh, 0)
        account.begin(end, wh, 0, account.trust)
        house.agent.journal.flush()
    account.used_wh = 179900  # the next interval crosses a block edge: two parts
    taken = []
    for _ in range(count + 1):
        end += QUARTER_S
        wh += 281
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        account.close(end, wh, 0)
        account.begin(end, wh, 0, account.trust)
        taken.append(gc.mem_alloc() - before)
        gc.enable()
        house.agent.journal.flush()
    return {"split": taken[0], "plain": max(taken[1:])}


def imports(names):
    """Bytes of heap that each module costs, imported in this order, garbage taken away."""
    costs = []
    for name in names:
        gc.collect()
        before = gc.mem_alloc()
        __import__(name)
        gc.collect()
        costs.append(gc.mem_alloc() - before)
    return {"costs": costs}
