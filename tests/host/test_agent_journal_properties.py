"""The journal under random flushes, failures, cuts and damage: a prefix survives, unchanged."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal, segment_name, segments, walk
from wattledger.agent.journal.slots import HotState, unpack
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut

METER = "demo-0001"
FIRST = records.first_hash(METER)
SEGMENT = 300

amounts = st.integers(-(10**15), 10**15)
signed64 = st.integers(-(1 << 63), (1 << 63) - 1)
u32 = st.integers(0, (1 << 32) - 1)


def stored(storage):
    return [data for data, _ in walk(storage, FIRST)]


class JournalMachine(RuleBasedStateMachine):
    """`written` is every record ever appended in the present history, `durable` how many of
    them a flush has acknowledged."""

    def __init__(self):
        super().__init__()
        self.storage = BreakingStorage()
        self.written = []
        self.durable = 0
        self.boot()

    def boot(self):
        self.journal = Journal(self.storage, METER, SEGMENT)
        self.journal.open(lambda entry: None)
        found = stored(self.storage)
        # Nothing acknowledged is lost, nothing that was not written appears.
        assert len(found) >= self.durable
        assert found == self.written[: len(found)]
        self.written = found
        self.durable = len(found)
        assert self.journal.sequence == len(found)
        total = sum(records.decode(data).amount for data in found)
        assert self.journal.balance == total

    @rule(amount=amounts, payload=st.binary(max_size=60))
    def append(self, amount, payload):
        previous = self.journal.hash
        self.journal.append(records.EVENT, 1799704800, 2, amount, payload)
        self.written.append(
            records.encode(
                records.EVENT,
                self.journal.sequence,
                1799704800,
                2,
                amount,
                self.journal.balance,
                payload,
                previous,
            )
        )

    @rule()
    def flush(self):
        self.journal.flush()
        self.durable = len(self.written)

    @rule(after=st.integers(1, 2), late=st.booleans())
    def flush_fails(self, after, late):
        self.storage.late = late
        self.storage.fail_at = self.storage.operations + after
        try:
            self.journal.flush()
            self.durable = len(self.written)
        except OSError:
            pass
        self.storage.fail_at = 0

    @rule(after=st.integers(1, 2), late=st.booleans())
    def cut_in_a_flush(self, after, late):
        self.storage.late = late
        self.storage.cut_at = self.storage.operations + after
        try:
            self.journal.flush()
            self.durable = len(self.written)
        except PowerCut:
            pass
        self.storage.power_cut()
        self.boot()

    @rule()
    def cut(self):
        self.storage.power_cut()
        self.boot()

    @precondition(lambda self: self.durable)
    @rule(source=st.data())
    def torn(self, source):
        """A tail half written, as an interrupted append leaves it."""
        name = segment_name(segments(self.storage)[-1])
        self.storage.power_cut()
        rest = b"".join(self.written[self.durable :])
        end = source.draw(st.integers(0, len(rest)))
        self.storage.files[name].extend(rest[:end])
        self.boot()

    @precondition(lambda self: self.durable)
    @rule(source=st.data())
    def read(self, source):
        n = source.draw(st.integers(1, self.durable))
        assert self.journal.read(n) == self.written[n - 1]
        before = self.written[n - 2][-8:] if n > 1 else FIRST
        assert self.journal.hash_before(n) == before

    @precondition(lambda self: self.durable)
    @rule()
    def read_all(self):
        for n in range(1, self.durable + 1):
            assert self.journal.read(n) == self.written[n - 1]

    @invariant()
    def acknowledged_records_are_there(self):
        found = stored(self.storage)
        assert found[: self.durable] == self.written[: self.durable]


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


@given(
    st.sampled_from(sorted(records.KINDS)),
    u32,
    st.integers(0, (1 << 40) - 1),
    st.integers(0, 255),
    signed64,
    signed64,
    st.binary(max_size=470),
    st.binary(min_size=8, max_size=8),
)
def test_record_round_trip(kind, sequence, time, trust, amount, balance, payload, previous):
    data = records.encode(kind, sequence, time, trust, amount, balance, payload, previous)
    entry = records.decode(data)
    found = (entry.kind, entry.sequence, entry.time, entry.trust, entry.amount, entry.balance)
    assert found == (kind, sequence, time, trust, amount, balance)
    assert entry.payload == payload
    assert entry.hash == records.chain(previous, data)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_record_or_a_record_error(data):
    try:
        records.decode(data)
    except RecordError:
        pass


@given(
    u32,
    u32,
    st.integers(0, 10**6),
    st.integers(0, 255),
    u32,
    st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), u32, signed64), max_size=30),
)
def test_interval_round_trip(imported, exported, duration, quality, n, rows):
    parts = [payloads.Part(*row) for row in rows]
    packed = readers.Interval(imported, exported, duration, quality, n, parts).pack()
    found = readers.unpack_interval(packed)
    assert (found.import_wh, found.export_wh, found.quality) == (imported, exported, quality)
    assert (found.duration_s, found.tariff_n) == (min(duration, 65535), n)
    assert [(part.band, part.block, part.wh, part.price) for part in found.parts] == rows


@given(st.data())
@settings(max_examples=200)
def test_damage_anywhere_leaves_an_unchanged_prefix(source):
    storage = MemoryStorage()
    journal = Journal(storage, METER, 200)
    for _ in range(8):
        journal.append(
            records.EVENT, 5, 2, source.draw(amounts), source.draw(st.binary(max_size=20))
        )
        journal.flush()
    before = stored(storage)
    name = segment_name(source.draw(st.sampled_from(segments(storage))))
    data = storage.files[name]
    at = source.draw(st.integers(0, len(data) - 1))
    what = source.draw(st.sampled_from(["flip", "drop", "insert", "zero", "cut"]))
    if what == "flip":
        data[at] ^= source.draw(st.integers(1, 255))
    elif what == "drop":
        del data[at : at + source.draw(st.integers(1, 60))]
    elif what == "insert":
        data[at:at] = source.draw(st.binary(min_size=1, max_size=60))
    elif what == "zero":
        data[at:] = bytes(len(data) - at)
    else:
        del data[at:]
    found = stored(storage)
    assert found == before[: len(found)]
    again = Journal(storage, METER, 200)
    again.open(lambda entry: None)
    assert again.sequence == len(found)


@given(st.binary(min_size=100, max_size=120))
def test_any_bytes_are_no_slot(data):
    assert unpack(data) is None


@given(st.integers(0, 109), st.integers(1, 255), signed64)
def test_a_changed_byte_is_no_slot(at, mask, balance):
    state = HotState()
    state.balance = balance
    data = state.pack()
    data[at] ^= mask
    assert unpack(data) is None
