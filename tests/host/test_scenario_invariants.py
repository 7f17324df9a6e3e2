"""Each of the ten promises is kept by a run, and broken by evidence or a meter that lies."""

import copy

import pytest

from wattledger.agent import events
from wattledger.agent.comms.sender import Sender
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.supply.credit import CreditRule
from wattledger.host_sim.network import Network
from wattledger.tests.host.scenario_bench import play
from wattledger.tools.invariants import judge
from wattledger.tools.sim_faults import Faults

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("scenario_invariants")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A run that sells, refuses, cuts the credit, jumps the clock and has a standing charge."""
    return play(
        tmp_path_factory.mktemp("kept"),
        days=2,
        tick_s=10,
        credit="3.00",
        start="2027-01-19 06:00",
        load={"watts": 1500},
        events=[
            {"at": "1h", "credit": "2.00"},
            {"at": "2h", "command": "out of range"},
            {"at": "3h", "clock": {"jump_s": 300, "for": "1h"}},
            {"at": "4h", "cut": {"for": "10 min"}},
            {"at": "5h", "command": "retained"},
            {"at": "12h", "credit": "40.00"},
            {"at": "13h", "press": 5},
        ],
    )


@pytest.fixture
def evidence(kept):
    return copy.deepcopy(kept.evidence)


def broken(evidence):
    return [name for name, problems in judge(evidence).items() if problems]


def first(evidence, kind, where=lambda entry: True):
    return next(e for e in evidence.entries if e.kind == kind and where(e))


def event(entry, code):
    """The same entry as another event."""
    changed = copy.copy(entry)
    changed.kind = records.EVENT
    changed.payload = payloads.pack_event(code, 1)
    changed.amount = 0
    return changed


def test_all_ten_are_kept_by_an_eventful_run(kept):
    assert {name for name, found in kept.problems.items() if found} == set()
    assert kept.report["relay_ops"] == 2
    assert len(kept.problems) == 10


def test_i1_breaks_when_registers_fall(evidence):
    entry = [e for e in evidence.entries if e.kind == records.INTERVAL][-1]
    interval = readers.unpack_interval(entry.payload)
    interval.import_wh = 0
    entry.payload = bytes(interval.pack())
    assert "I1" in broken(evidence)


def test_i1_breaks_when_more_is_lost_than_the_bound(evidence):
    allowed = evidence.loss_bound_mws + 2 * 11_250
    net = evidence.truth[0] - evidence.registers[0]
    evidence.truth = (evidence.truth[0] + allowed - net, evidence.truth[1])
    assert broken(evidence) == []
    evidence.truth = (evidence.truth[0] + 1, evidence.truth[1])
    assert broken(evidence) == ["I1"]


def test_i2_breaks_when_one_nano_is_wrong(evidence):
    first(evidence, records.CREDIT).balance += 1
    assert broken(evidence) == ["I2"]


def test_i2_breaks_with_the_chain(evidence):
    evidence.chain_ok = False
    assert broken(evidence) == ["I2"]


def test_i2_breaks_when_the_utility_holds_another_entry(evidence):
    evidence.copy[5] = evidence.copy[5][:-1] + bytes([evidence.copy[5][-1] ^ 1])
    assert broken(evidence) == ["I2"]


def test_i3_breaks_when_a_credit_is_posted_twice(evidence):
    second = copy.copy(first(evidence, records.CREDIT))
    evidence.entries.append(second)
    assert "I3" in broken(evidence)


def test_i3_breaks_when_a_credit_was_never_sold(evidence):
    for command in evidence.commands:
        command.n = 0
    assert broken(evidence) == ["I3"]


def test_i3_breaks_when_an_acknowledged_credit_is_gone(evidence):
    evidence.entries.remove(first(evidence, records.CREDIT))
    assert "I3" in broken(evidence)


def test_i4_breaks_when_the_opening_is_not_there(evidence):
    opening = first(evidence, records.RELAY)
    index = evidence.entries.index(opening)
    # Without the opening, the next closed interval ends with debt and a closed relay.
    evidence.entries.pop(index)
    for entry in evidence.entries[index : index + 12]:
        if entry.kind == records.INTERVAL:
            entry.balance = min(entry.balance, -1)
    assert "I4" in broken(evidence)


def test_i4_breaks_when_the_meter_does_not_open(tmp_path, monkeypatch):
    monkeypatch.setattr(CreditRule, "_cut", lambda self, above, connected: None)
    outcome = play(tmp_path, hours=2, tick_s=5, credit="0.10", start="2027-01-19 08:00")
    assert outcome.report["invariants"]["I4"] is False
    assert any("the supply is on" in line for line in outcome.problems["I4"])


def test_i5_breaks_when_the_relay_moves_by_itself(evidence):
    evidence.movements.append(False)
    assert broken(evidence) == ["I5"]


def test_i5_breaks_without_a_cause(evidence):
    entry = first(evidence, records.RELAY)
    operation, reasons, _, powered_s = readers.unpack_relay(entry.payload)
    entry.payload = payloads.pack_relay(operation, reasons, 0, powered_s)
    assert broken(evidence) == ["I5"]


def test_i6_breaks_when_a_step_fails(evidence):
    evidence.entries.append(event(evidence.entries[-1], events.STEP_FAILED))
    assert "I6" in broken(evidence)


def test_i6_breaks_in_a_run_whose_step_raises(tmp_path, monkeypatch):
    def fall(self, *_):
        raise ValueError("a fault in the sender")

    monkeypatch.setattr(Sender, "_send_state", fall)
    outcome = play(tmp_path, hours=1, tick_s=10)
    assert outcome.report["invariants"]["I6"] is False


def test_i6_breaks_when_the_memory_grows(evidence):
    assert evidence.growth is not None
    evidence.growth = evidence.growth_limit
    assert broken(evidence) == []
    evidence.growth += 1
    assert broken(evidence) == ["I6"]


def test_i6_breaks_in_a_run_that_leaks(tmp_path, monkeypatch):
    kept = []
    work = Sender.work

    def leak(self, *views):
        self.kept = kept
        kept.append(bytes(20))
        return work(self, *views)

    monkeypatch.setattr(Sender, "work", leak)
    outcome = play(tmp_path, hours=2, tick_s=10)
    assert outcome.report["memory_growth_bytes"] > 360 * 53  # a byte string of 20 is 53
    assert outcome.report["invariants"]["I6"] is False


def test_i7_breaks_with_a_late_tick(evidence):
    evidence.entries.append(event(evidence.entries[-1], events.LATE_TICK))
    assert "I7" in broken(evidence)


def test_i8_breaks_when_a_refusal_is_not_journalled(evidence):
    refused = next(c for c in evidence.commands if c.results == ["range"])
    assert refused.taken_ms
    entry = first(evidence, records.COMMAND, lambda e: e.payload[:8].hex() == refused.of)
    entry.payload = bytes(8) + entry.payload[8:]
    assert broken(evidence) == ["I8"]


def test_i8_breaks_when_a_refusal_is_not_answered(evidence):
    next(c for c in evidence.commands if c.results == ["range"]).results.clear()
    assert broken(evidence) == ["I8"]


def test_i8_breaks_when_a_retained_command_is_not_reported(evidence):
    dropped = first(
        evidence,
        records.EVENT,
        lambda e: readers.unpack_event(e.payload)[0] == events.RETAINED_COMMAND,
    )
    dropped.payload = payloads.pack_event(events.STARTED, 9)
    assert broken(evidence) == ["I8"]


def test_i9_breaks_when_what_was_spent_changes(evidence):
    sequence, head, balance = evidence.marks[0]
    evidence.marks[0] = (sequence, head, balance + 1)
    assert broken(evidence) == ["I9"]


def test_i9_breaks_when_a_day_is_charged_twice(evidence):
    evidence.entries.append(copy.copy(first(evidence, records.STANDING)))
    assert "I9" in broken(evidence)


def test_i9_breaks_when_a_wh_is_rated_twice(evidence):
    entry = first(evidence, records.INTERVAL, lambda e: e.amount != 0)
    interval = readers.unpack_interval(entry.payload)
    interval.parts[0].wh += 1
    entry.payload = bytes(interval.pack())
    assert "I9" in broken(evidence)


def test_i10_breaks_when_the_meter_never_comes_back(tmp_path, monkeypatch):
    connect = Network.connect

    def once(self):
        if not self.session:
            connect(self)

    monkeypatch.setattr(Network, "connect", once)
    outage = [{"at": "20 min", "broker": {"down": "5 min"}}]
    outcome = play(tmp_path, hours=1, tick_s=10, events=outage)
    assert outcome.report["invariants"]["I10"] is False


def test_i10_breaks_when_the_chip_stays_silent(tmp_path, monkeypatch):
    brown_out = Faults._brown_out

    def kill(self, value):
        brown_out(self, value)
        self._world.chip.silent = True

    monkeypatch.setattr(Faults, "_brown_out", kill)
    outcome = play(tmp_path, hours=1, tick_s=10, events=[{"at": "20 min", "brown_out": True}])
    assert outcome.report["invariants"]["I10"] is False
