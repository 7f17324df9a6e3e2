"""M6, M3: floods of good and of bad commands, and twenty thousand that are nearly good."""

import json

from wattledger.agent import events
from wattledger.agent.journal import record as records
from wattledger.firmware.runtime import Runtime
from wattledger.tests.both import fixtures_fuzz as fuzz
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.host import fault_bench
from wattledger.tests.host.fault_bench import GATE, Everything

MINUTE_MS = 60_000
WATTS = 3_600  # one Wh a second
STEP_MS = 20  # what a step costs at least
FUZZED = 20_000
MONEY = 16  # of the state: a wrong token counts in the memory behind


class Flooded(Everything):
    """A house under its event loop, with messages that come at a steady pace."""

    def minute(self, messages):
        """One minute in which they arrive; the longest time between two ticks, in ms."""
        self.link.room = 1_000_000
        runtime = Runtime(self.agent, self.clock, None, lambda line: None)
        ticks = []
        tick = self.agent.tick

        def note():
            ticks.append(self.clock.true_ms())
            # The load of the time that passed since the tick before: 3600 W are 320 counts a s.
            passed = ticks[-1] - (ticks[-2] if len(ticks) > 1 else ticks[-1] - 1_000)
            self.chip.feed(320 * passed // 1_000)
            tick()

        self.agent.tick = note
        began = self.clock.true_ms()
        sent = 0
        while self.clock.true_ms() - began < MINUTE_MS:
            now = self.clock.true_ms() - began
            while sent < len(messages) and sent * MINUTE_MS // len(messages) <= now:
                self.put(messages[sent])
                sent += 1
            self.pass_ms(max(min(runtime.turn(), 1_000), STEP_MS))
        self.agent.tick = tick
        for message in messages[sent:]:
            self.put(message)
        return max(later - sooner for sooner, later in zip(ticks, ticks[1:], strict=False))


def test_a_thousand_good_commands_in_a_minute_are_limited_and_the_tick_is_never_late():
    house = Flooded(credit=500)
    before = house.agent.meter.register.import_wh
    balance = house.agent.journal.balance
    sold = [
        house.command("credit.add", {"n": n, "amount": 1}, fresh=False) for n in range(1, 1_001)
    ]
    gap = house.minute(sold)
    print("tick gap %d ms" % gap)
    assert gap < 1_500
    assert 59 <= house.agent.meter.register.import_wh - before <= 61
    while house.link.inbox:
        house.talk(50)
    house.talk(50)
    results = [answer["result"] for answer in house.answers()]
    assert len(results) == 1_000  # each of them is told
    done = results.count("ok")
    assert done == len(house.entries(records.CREDIT)) <= 120  # 60 a minute, and a minute's turn
    assert results.count("rate") == 1_000 - done
    assert house.agent.journal.balance == balance + done * 1_000
    assert len(house.entries(records.COMMAND)) <= done + 16
    # What was put off is taken later, once.
    house.pass_ms(MINUTE_MS)
    assert house.ask(sold[-1])[0]["result"] == "ok"
    assert house.ask(sold[-2])[0]["result"] in ("ok", "duplicate")


def test_ten_thousand_bad_commands_in_a_minute_are_silenced_and_the_tick_is_never_late():
    house = Flooded(credit=500)
    before = house.agent.meter.register.import_wh
    written = len(house.entries())
    gap = house.minute([b"garbage %d" % number for number in range(10_000)])
    assert gap < 1_500
    assert 59 <= house.agent.meter.register.import_wh - before <= 61
    house.agent.keeper.now()
    assert house.told(events.COMMANDS_SILENCED)[0] == 10
    assert len(house.answers()) <= 20
    assert len(house.entries()) - written <= 30
    while house.agent.desk.is_silent() or house.link.inbox:
        house.pass_ms(1_000)
        house.talk(100)
    good = house.command("credit.add", {"n": 1, "amount": 1}, fresh=False)
    assert house.ask(good)[0]["result"] == "ok"


def test_twenty_thousand_fuzzed_payloads_crash_nothing_and_change_nothing(monkeypatch):
    # Of other seeds than test_command_fuzz.py's, and signed quickly. That the heap comes back is
    # tests/both/test_agent_fuzz.py's to show, on MicroPython.
    monkeypatch.setattr(jws, "sign", fault_bench.sign)
    monkeypatch.setattr(jws, "wrap", lambda data: fault_bench.sign(data, "gate.1", GATE))
    house = Everything()
    desk = house.agent.desk
    challenge = house.challenge()
    tally = {}
    for seed in range(10_000, 10_000 + FUZZED):
        desk._bad_at, desk._silent_since, desk._taken = [], None, 0
        message, payload, _ = fuzz.command(seed, challenge)
        before = house.state()[:MONEY] if seed % 20 == 0 else None
        answer = desk.handle(message, False)
        tally[answer["result"]] = tally.get(answer["result"], 0) + 1
        if answer["result"] in ("ok", "scheduled", "duplicate"):
            assert set(json.loads(payload)) <= {"m", "op", "ch", "ctr", "a"}
        elif before is not None:
            assert house.state()[:MONEY] == before
    print(tally)
    assert tally["range"] > FUZZED // 2
    house.run(2, WATTS)
    assert house.agent.meter.quality & ~1 == 0
