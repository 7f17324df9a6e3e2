"""The interfaces between the rooms, written down once. Nothing imports this on a device.

Everything is duck-typed: an implementation has these methods and keeps these promises; one
contract test per interface runs on every implementation, the simulator's included.

Which to pick: a chip driver takes a *device* (one chip select, one address), never a bus. `agent/`
takes the objects below by constructor argument and imports none of them.
"""


class SpiDevice:
    def transfer(self, out, into):
        """Clock `out` (bytes-like) out and the answer into `into` (bytearray, same length).

        Chip select is held for exactly this transfer. Never retries. Raises BusError.
        """


class I2cDevice:
    """One address on an I2C bus; `register_bytes` (1 or 2) is set at construction."""

    def read_into(self, register, buffer):
        """Write the register pointer, repeated start, fill `buffer`. BusError on NACK."""

    def write(self, register, buffer):
        """Write the register pointer and `buffer` in one message. BusError on NACK."""


class Uart:
    """A serial line; baud rate, parity and stop bits are set at construction. Never waits."""

    def write(self, buffer):
        """Hand bytes to the line; returns at once. BusError when it is gone."""

    def read_into(self, buffer):
        """Bytes that have arrived already, at most len(buffer); how many. BusError."""


class MeteringChip:
    """A driver of one metering chip: `Driver(device, wait_ms, calibration, ...)`.

    `calibration` is a list with a dict of integer constants for each phase in use, by the names of
    the driver's table `CONSTANTS`; a name left out has its nominal value.
    `energy_numerator / energy_denominator` is the Wh of one count, in lowest terms.
    """

    energy_numerator = 0
    energy_denominator = 1
    phases = 1
    fields = 0  # bits of hal/sample.py's `field_bit`: what this chip can give
    # The phase index (after those of `phases`) at which a second channel in the neutral puts its
    # own ENERGY_COUNTS, in the same counts; None or absent: it measures no energy there.
    # sample[NEUTRAL_MA] holds its current either way. Wanted for `bill_on: larger`.
    neutral_phase = None
    bidirectional = True  # False: no sign, so export would count as import or not at all
    delayed = False  # True: a reading is the one asked for a tick ago; a serial driver never waits

    def begin(self):
        """Set the chip up and prove the bus; ChipError names the stage. May be called again.

        A chip found running with our own set-up is left alone, so the energy it holds is kept.
        """

    def read_into(self, sample):
        """Fill `sample` (hal/sample.py); returns status bits. The good path allocates nothing."""

    def overflow_ms(self, max_watts):
        """Milliseconds until an energy register overflows at `max_watts` on one phase."""

    def health(self):
        """dict of counters and set-up read back, for people; may allocate."""


class AdcSampler:
    """Converts all the time behind the driver of a raw ADC, in rounds of V and I of each pair.

    Conversions are evenly spaced. `pairs` rounds are a block of `pairs * pair_us` microseconds,
    `blocks` of them are kept. `errors` counts failed transfers, `overruns` blocks nobody took.
    """

    pairs = 0
    pair_us = 0
    blocks = 0
    errors = 0
    overruns = 0
    started_us = 0  # of `now_us`, at the last start()

    def start(self):
        """Begin to sample."""

    def stop(self):
        """End sampling; what is not taken is forgotten. The SPI device is free after this."""

    def alive(self):
        """False when it never started, was stopped, or died."""

    def now_us(self):
        """Monotonic microseconds, the clock of the blocks' stamps."""

    def take(self, block):
        """Put the oldest finished block into `block.raw`, its end into `block.ended_us`.

        False when none is finished; never waits. `raw` has 3 bytes a conversion and is good until
        the next call. A block that could not be sampled or kept makes the next one's end later.
        """


class Relay:
    """The supply relay. Never moves on construction; ends its own pulse; coils inactive first."""

    def open(self):
        """Start opening (cuts the supply)."""

    def close(self):
        """Start closing."""

    def contact(self):
        """True closed, False open, None where the hardware cannot tell."""


class Clock:
    def ticks_ms(self):
        """Monotonic milliseconds, wrapping at 2**30."""

    def elapsed_ms(self, since):
        """Milliseconds from `since` (a ticks_ms value, at most 2**29 ago) to now."""

    def unix_s(self):
        """UTC seconds since 1970. Called from step() only: exceeds 31 bits and allocates."""

    def trust(self):
        """TRUST_UNKNOWN, TRUST_RESTORED or TRUST_SYNCED (hal/sample.py)."""

    def offer(self):
        """(unix_s, source) once for each new fix of a time source ("ntp", "rtc"), else None."""

    def set(self, unix_s, trust):
        """Set the wall clock; ticks do not move."""


class TamperInputs:
    """Switches that tell of an opened cover or a magnet. May be absent."""

    def read(self):
        """Bits, debounced by the hardware or here: 1 the cover is open, 2 a magnet is near.

        Called once a step; allocates nothing and raises nothing: one that cannot be read says
        what it said last.
        """


class Entropy:
    def fill(self, buffer):
        """Fill a bytearray with random bytes."""


class Storage:
    """Names are short: [a-z0-9._-]. Errors are StorageError (an OSError). Empty means absent."""

    def commit(self, name, data):
        """Replace the file: atomic, and durable when this returns."""

    def append(self, name, data):
        """Append; durable only after sync()."""

    def sync(self, name):
        """Make what was appended durable."""

    def read_from(self, name, offset, into):
        """Read at `offset` into a buffer; bytes read, 0 at the end or when absent."""

    def size(self, name):
        """Bytes, 0 when absent."""

    def remove(self, name):
        """Remove; absent is not an error."""

    def names(self):
        """Sorted list of the names present."""

    def free(self):
        """Bytes free."""


class Book:
    """A copy of the journal for queries; only where there is room for one. May be absent."""

    def head(self):
        """(sequence, 16 hex digits of its hash or None) of the last record copied; 0 for none."""

    def clear(self):
        """Forget everything: the journal fills it again."""

    def add(self, table, document):
        """Add a document (dict of numbers and texts) to purchases, messages, events, tariffs."""

    def advance(self, sequence, hash):
        """All up to this record is copied."""

    def find(self, table, since, until):
        """Documents with since <= time < until (unix seconds, None: open), oldest first."""

    def save(self, now=False):
        """Make it durable, at most once a minute unless `now`. OSError: later."""


class Link:
    """An MQTT connection. Called from step() only; threads and sockets stay behind it."""

    def subscribe(self, topic):
        """Subscribe at QoS 1, kept over reconnects."""

    def send(self, topic, data, retain):
        """Queue a QoS 1 message; a token > 0, or 0 when the queue is full or the link is down.
        `data` are bytes, or a list of them: a small heap may have no room for all in one piece."""

    def sent(self, token):
        """True once the broker has acknowledged it; forgotten when the session changes."""

    def receive(self):
        """(topic str, data bytes, retain bool) or None."""

    def is_up(self):
        """True while connected."""

    def session(self):
        """A number that rises at each connect; 0 before the first."""


class Page:
    """A display that shows `view` and hands back what a person asked for. May be absent."""

    def show(self, view):
        """Take a new view model (agent/display/view.py); returns at once. None, in place of the
        method, at a button, which shows nothing: no view is made for it."""

    def request(self):
        """The next request of a person, or None: ("press",), ("release",), ("accept",),
        ("token", digits), ("key", a digit, "erase" or "enter"), ("assist", True or False), or
        ("tell", a span of history or "tariff")."""

    def answer(self, name, text):
        """Take the JSON that ("tell", name) asked for, "" when it could not be told. Only a
        display that asks needs it."""


class SmallDisplay:
    """A screen that is sent a few milliseconds of bus at a time (hal/display/glass.py, lcd).

    Its driver is handed a frame or lines, and given time only from where no tick waits for it.
    """

    def begin(self):
        """Set it up, or begin to; BusError when nobody is there. May be called again."""

    def work(self):
        """Send one slice. The ms until the next is wanted, None when all is shown. BusError: it
        is gone, or has lost its set-up; begin() comes next."""


class KeyMatrix:
    """Keys between rows and columns."""

    rows = 0

    def read(self, row):
        """Bits of the columns that pressed keys hold to `row`; rows are read in order from 0."""


class Watchdog:
    def feed(self):
        """Called by the tick only, and only while every slow task reports in time."""
