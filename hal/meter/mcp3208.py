"""MCP3208: 12-bit ADC on SPI that meters with a voltage adaptor and current transformers.

Source: DS21298E (datasheet). The chip has no registers and remembers nothing: a sampler
(hal/contract.py) runs behind the driver and fills blocks without a pause, and `read_into` sums
what is finished. What passes while nobody samples is estimated up to a second, and reported as
lost beyond it. For a Raspberry Pi: on an ESP32 the sums allocate, see docs/chips/mcp3208.md.
"""

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.adc_cycles import Cycles
from wattledger.hal.meter.adc_phase import Phase
from wattledger.hal.meter.constants import values
from wattledger.hal.meter.mcp3208_frames import CODES, FRAME_BYTES, code_of, conversion
from wattledger.hal.meter.waveform import MAX_PAIRS, Line
from wattledger.hal.sample import (
    APPARENT_MVA,
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_PHASE_LOSS,
    FLAG_SATURATED,
    FLAGS,
    FREQUENCY_MHZ,
    MAX_PHASES,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    RESTARTED,
    UNCONFIRMED,
    VOLTAGE_MV,
)

# name, nominal, lowest, highest: gains of a 9 V adaptor and a 100 A : 50 mA transformer as in
# docs/chips/mcp3208.md; what a sensor leads by; where the middle of its swing lies.
CONSTANTS = (
    ("voltage_gain", 195_312, 10_000, 4_000_000),  # uV a code
    ("current_gain", 49_718, 1_000, 4_000_000),  # uA a code
    ("phase", 0, -10_000, 10_000),  # 1/1000 degree by which the sensed current leads
    ("voltage_offset", 0, -8_000, 8_000),  # 1/16 code from 2048
    ("current_offset", 0, -8_000, 8_000),
)
PAIR_BYTES = 2 * FRAME_BYTES
BLOCK_LIMIT_US = 1_050_000  # with MAX_PAIRS, what keeps every sum within 62 bits
ESTIMATE_US = 1_000_000  # a longer gap is lost, and said to be
STALE_US = 500_000  # without a new block
TRIES = 3


class Block:
    """What a sampler fills: `raw` answers of all rounds, and when the last of them ended."""

    def __init__(self, size):
        self.raw = bytearray(size)
        self.ended_us = 0


class Mcp3208:
    """Driver of one chip; `pairs` holds (voltage channel, current channel) of each phase."""

    energy_numerator = 1  # a count is 1 mWh
    energy_denominator = 1000
    fields = 0x4FF  # every phase's, frequency and flags
    bidirectional = True

    def __init__(self, spi, wait_ms, calibration, sampler, pairs=((0, 1),), line=Line, mhz=50_000):
        """`sampler` samples `pairs`; `line` is the class that sums; `mhz` the nominal mains.

        ChipError, stage "calibration" or "sampler".
        """
        count = sampler.pairs
        if not 0 < count <= MAX_PAIRS or not 0 < sampler.pair_us * count <= BLOCK_LIMIT_US:
            raise ChipError("a block is at most 512 pairs and 1 s", "sampler")
        if len(calibration) != len(pairs) or not 0 < len(pairs) <= MAX_PHASES:
            raise ChipError("%d pairs, %d calibrated" % (len(pairs), len(calibration)), "sampler")
        self._spi = spi
        self._wait_ms = wait_ms
        self._sampler = sampler
        self._pairs = pairs
        self.phases = len(pairs)
        self._block = Block(count * len(pairs) * PAIR_BYTES)
        self._phases = [Phase(line(count), values(CONSTANTS, given)) for given in calibration]
        self._count = count
        self._usual_us = count * sampler.pair_us  # a block, as measured
        self._cycles = Cycles(self._phases, count, self._usual_us, mhz)
        if not self._cycles.tuned:
            raise ChipError("the phase is out of what two samples can correct", "calibration")
        self._ready = False
        self._ended_us = -1  # end of the last block that counted
        self._told = True  # the agent knows that nothing was measured since then
        self._gap = False
        self._flags = 0  # of the block checked last
        self.restarts = 0
        self.bus_errors = 0
        self.corrupt = 0  # blocks refused
        self.saturated = 0  # blocks with an input out of range
        self.estimated_ms = 0  # not sampled, taken to be like the block after it
        self.lost_ms = 0  # not sampled and not counted

    def begin(self):
        """Prove the bus channel by channel and start sampling. ChipError, stage "bus"."""
        self._ready = False
        self._sampler.stop()
        answer = bytearray(FRAME_BYTES)
        try:
            for pair in self._pairs:
                for channel in pair:
                    self._prove(channel, answer)
        except BusError as error:
            self.bus_errors += 1
            raise ChipError("MCP3208 cannot be reached: %s" % error, "bus")
        for phase in self._phases:
            phase.rest()
        self._sampler.start()
        self._ready = True

    def _prove(self, channel, answer):
        code = -1
        for _ in range(TRIES):
            self._spi.transfer(conversion(channel), answer)
            code = code_of(answer)
            if 0 < code < CODES - 1:
                return
            self._wait_ms(1)
        if code < 0:
            raise ChipError("MCP3208 does not answer: check power, wiring and chip select", "bus")
        raise ChipError(
            "MCP3208 channel %d reads %d: its bias of half the reference is missing"
            % (channel, code),
            "bus",
        )

    def overflow_ms(self, max_watts):
        """Milliseconds that the sampler's blocks last, whatever the power."""
        return self._usual_us * self._sampler.blocks // 1000

    def part(self, phase):
        """Energy of a phase below one count, as (part, of how many)."""
        return self._phases[phase].part, self._phases[phase].one

    def health(self):
        """Counters of what went wrong, and what the sampling is like."""
        return {
            "restarts": self.restarts,
            "bus_errors": self.bus_errors + self._sampler.errors,
            "corrupt": self.corrupt,
            "saturated": self.saturated,
            "estimated_ms": self.estimated_ms,
            "lost_ms": self.lost_ms,
            "overruns": self._sampler.overruns,
            "pairs_per_s": self._count * 1_000_000 // self._usual_us,
            "offsets": [(phase.v_offset, phase.i_offset) for phase in self._phases],
        }

    def read_into(self, sample):
        """Sum the blocks that are finished and fill `sample`; status bits of hal/sample.py."""
        if not self._ready or not self._sampler.alive():
            return self._restart()
        status = OK
        good = 0
        refused = 0
        flags = 0
        while self._sampler.take(self._block):
            found = self._add(self._block)
            if found & (NO_ANSWER | CORRUPT):
                refused |= found
                continue
            good += 1
            status |= found
            flags |= self._flags
        if not good:
            if not refused and self._sampler.now_us() - self._last_us() > STALE_US:
                refused = NO_ANSWER
            if refused:
                self._told = True
                return NO_ANSWER if refused & NO_ANSWER else CORRUPT
            flags = sample[FLAGS]
        elif refused:
            status |= UNCONFIRMED
        self._fill(sample)
        sample[FLAGS] = flags
        return status

    def _last_us(self):
        return self._ended_us if self._ended_us >= 0 else self._sampler.started_us

    def _fill(self, sample):
        sample[FREQUENCY_MHZ] = self._cycles.frequency_mhz
        at = 0
        for phase in self._phases:
            power = phase.power_mw
            apparent = phase.voltage_mv * phase.current_ma // 1000
            sample[at + VOLTAGE_MV] = phase.voltage_mv
            sample[at + CURRENT_MA] = phase.current_ma
            sample[at + POWER_MW] = power
            sample[at + REACTIVE_MVAR] = phase.reactive_mvar
            sample[at + APPARENT_MVA] = apparent
            factor = power * 1000 // apparent if apparent else 0
            sample[at + POWER_FACTOR] = min(max(factor, -1000), 1000)
            sample[at + ENERGY_COUNTS] = phase.held
            phase.held = 0
            at += PHASE_FIELDS

    def _restart(self):
        """The sampler ended or never began: start it again; its gap is told as a restart."""
        try:
            self.begin()
        except ChipError:
            self._told = True
            return NO_ANSWER
        self.restarts += 1
        self._told = True
        return RESTARTED

    def _add(self, block):
        """Load, check and sum one block; status bits; `_flags` when they say good."""
        elapsed_us = self._elapsed(block.ended_us)
        bad = 0
        at = 0
        for phase in self._phases:
            bad += phase.line.load(block.raw, at, PAIR_BYTES * self.phases)
            at += PAIR_BYTES
        status = self._refusal(bad)
        if status:
            self.corrupt += 1
            return status
        if self._gap:
            self._account(block.ended_us - self._ended_us, elapsed_us)
            if not self._told:
                status = UNCONFIRMED
        self._told = False
        self._ended_us = block.ended_us
        for phase in self._phases:
            phase.carry(elapsed_us)
        self._flags = self._look()
        if self._flags & FLAG_SATURATED:
            self.saturated += 1
            status = UNCONFIRMED
        self._usual_us = self._cycles.add(elapsed_us)
        return status

    def _elapsed(self, ended_us):
        """Microseconds a block stands for: from the end of the block before it.

        After a gap (told in `_gap`) the pair before the block is no neighbour and is put at rest.
        """
        usual = self._usual_us
        elapsed = usual
        self._gap = False
        if self._ended_us >= 0:
            elapsed = ended_us - self._ended_us
            if elapsed * 8 <= usual * 9:
                return elapsed
            self._gap = True
            if elapsed > usual + ESTIMATE_US:
                elapsed = usual
        for phase in self._phases:
            phase.rest()
        return elapsed

    def _account(self, passed_us, counted_us):
        self.lost_ms += (passed_us - counted_us) // 1000
        self.estimated_ms += max(counted_us - self._usual_us, 0) // 1000

    def _refusal(self, bad):
        """What makes the loaded block useless, 0 when nothing. Sums the block."""
        stuck = 0
        for phase in self._phases:
            stuck += phase.stuck()
        inputs = 2 * self.phases
        if bad == inputs * self._count or stuck == inputs:
            return NO_ANSWER  # nothing but ones, or but zeros
        return CORRUPT if bad or stuck else OK

    def _look(self):
        """Flags of the block that was carried."""
        flags = 0
        lost = FLAG_PHASE_LOSS
        for phase in self._phases:
            if phase.line.saturated:
                flags |= FLAG_SATURATED
            if not phase.live:
                flags |= lost
            lost <<= 1
        return flags
