"""N1: seven days without a broker, then all of it in order, quickly, with the state live."""

import json

import pytest

from wattledger.agent.journal import record
from wattledger.agent.journal.payload_read import unpack_interval
from wattledger.firmware.runtime import Runtime
from wattledger.tests.both.fixtures_agent import UNIT, House, tariff_of
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER
from wattledger.tests.host.virtual_wire import VirtualBroker, VirtualLink
from wattledger.tools.keys import MeterKeys
from wattledger.tools.replica import Replica
from wattledger.tools.utility import Utility

DAYS = 7
DAY_S = 86_400
ONE_WAY_MS = 100  # 200 ms there and back
TICK_S = 20
WATTS = 450  # 2.5 Wh in a tick of 20 s: 800 counts of 1/320 Wh
STEP_MS = 5  # what a step costs at least; a device may take more


class Far(House):
    """A house whose link leads to a broker in virtual time; the head end stands beside it."""

    def __init__(self):
        # 1.00 a kWh, so that a week is paid for: 450 W make 75.60 in seven days.
        super().__init__(credit=500, tariff=tariff_of(price=[[UNIT]], export=[UNIT]))
        self.broker = VirtualBroker(lambda: self.clock.true_ms())
        self.link = VirtualLink(self.broker, ONE_WAY_MS)
        self.boot()
        self.clock.online = False  # time comes by the same line
        self.runtime = Runtime(self.agent, self.clock, None, lambda line: pytest.fail(line))
        self.utility = None

    def live(self, until, most_s):
        """Real turns of the event loop until `until()`; seconds that took."""
        began = self.clock.true_ms()
        while not until():
            passed = self.clock.true_ms() - began
            assert passed < most_s * 1000, "not within %d s" % most_s
            wait = max(self.runtime.turn(), STEP_MS)
            due = self.broker.next_ms()
            self.pass_ms(min(wait, due) if due else wait)
            self.broker.run()
            self.utility.step()
        return (self.clock.true_ms() - began) / 1000

    def week(self):
        """Seven days at a constant load, the line cut."""
        self.link.disconnect()
        self.chip.power_mw[0] = WATTS * 1000
        for _ in range(DAYS * DAY_S // TICK_S):
            self.chip.feed(WATTS * TICK_S * 320 // 3600)
            self.once(TICK_S * 1000)
        self.broker.run()

    def head_end(self, folder):
        """A new head end with what copy it finds in `folder`."""
        if self.utility:
            self.broker.links.remove(self.utility_link)
            self.replica.close()
        self.replica = Replica(folder, METER)
        self.utility_link = VirtualLink(self.broker)
        keys = MeterKeys(METER, DEVICE_KEY)
        self.lines = []
        self.utility = Utility(keys, self.replica, self.utility_link, self.lines.append)

    def is_caught_up(self):
        """The head end has all, and the meter knows it."""
        durable = self.agent.journal.durable
        return self.replica.entries == self.agent.sender.acknowledged == durable

    def spans(self, since_ms):
        """(first, count) of the journal messages that reached the broker."""
        found = []
        for at, topic, data in self.link.log:
            if topic.endswith("/journal") and at >= since_ms:
                message = json.loads(data)
                found.append((message["from"], len(message["e"])))
        return found

    def states(self, since_ms):
        """Seconds since then at which a state reached the broker."""
        found = [at for at, topic, _ in self.link.log if topic.endswith("/state")]
        return [(at - since_ms) / 1000 for at in found if at >= since_ms]


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    """A house after its week, and where its head end keeps the copy."""
    house = Far()
    folder = tmp_path_factory.mktemp("copy")
    house.head_end(folder)
    house.live(house.is_caught_up, 30)
    house.before = house.agent.journal.durable
    house.week()
    yield house, folder
    house.replica.close()


def test_a_week_without_a_broker_is_delivered_in_order_within_thirty_seconds(away):
    house, _ = away
    register = house.agent.meter.register
    assert register.import_wh == 75_600  # 450 W x 168 h
    waiting = house.agent.journal.durable - house.before
    assert waiting >= DAYS * 96  # an interval a quarter of an hour
    house.link.connect()
    began = house.clock.true_ms()
    took = house.live(house.is_caught_up, 30)
    print("%d entries in %.1f s" % (waiting, took))
    spans = house.spans(began)
    assert spans[0][0] == house.before + 1
    for (first, count), (following, _) in zip(spans, spans[1:], strict=False):
        assert following == first + count  # each once, none out of order
    assert house.lines == [METER + " is online"] * house.lines.count(METER + " is online")
    # The utility's own verifier: each entry chained to the one before, and the end signed.
    assert house.replica.hash_of(house.replica.entries) == house.agent.journal.durable_hash
    assert house.replica.wrong_sum == 0
    states = house.states(began)
    assert states[0] < 1
    assert longest_silence(states, took) < 11  # every 10 s, and the way


def test_the_money_of_the_week_is_what_the_meter_charged(away):
    house, _ = away
    house.live(lambda: house.utility.proven >= house.before + 7 * 96, 700)
    entries = [record.decode(block) for block in blocks(house.replica)]
    intervals = [entry for entry in entries if entry.kind == record.INTERVAL]
    # 450 W are 112.5 Wh a quarter of an hour, at 1.00 a kWh 0.1125.
    week = intervals[-DAYS * 96 :]
    used = unpack_interval(week[-1].payload).import_wh - unpack_interval(week[0].payload).import_wh
    assert used * UNIT == -sum(entry.amount for entry in week[1:])
    assert 75_000 < used <= 75_600


def longest_silence(times, end):
    """The longest time without a state, in seconds."""
    times = [0, *times, end]
    return max(later - sooner for sooner, later in zip(times, times[1:], strict=False))


def blocks(replica):
    data = replica.path.read_bytes()
    while data:
        size = record.length_of(data[:4])
        yield data[:size]
        data = data[size:]


def test_a_head_end_that_lost_its_copy_asks_for_all_again(away, tmp_path):
    house, _ = away
    house.head_end(tmp_path)
    assert house.replica.entries == 0
    house.agent.report(12, 0)  # something new, for the meter to send
    house.agent.keeper.now()
    began = house.clock.true_ms()
    took = house.live(house.is_caught_up, 60)
    print("all %d entries again in %.1f s" % (house.replica.entries, took))
    assert house.replica.hash_of(house.replica.entries) == house.agent.journal.durable_hash
    assert longest_silence(house.states(began), took) < 11
