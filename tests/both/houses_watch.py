"""A meter of one to three phases whose chip says just what the test puts in, and its watch."""

import json

from wattledger.agent import config as configs
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.metering.meter import Meter
from wattledger.agent.metering.watch import Watch
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NEUTRAL_MA,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
    field_bit,
    new_sample,
)
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.clock import VirtualClock

EVERY_FIELD = 0b11111111111


class SampledChip:
    """Hands on `sample` and `status` as they stand; 320 counts are one Wh."""

    energy_numerator = 1
    energy_denominator = 320
    fields = EVERY_FIELD

    def __init__(self, phases, neutral_phase=None):
        self.phases = phases
        self.neutral_phase = neutral_phase
        self.sample = new_sample()
        self.status = OK
        self.register_ms = 65535 * 11250  # W ms that fill a register

    def begin(self):
        pass

    def overflow_ms(self, max_watts):
        return self.register_ms // max_watts

    def read_into(self, sample):
        if not self.status & (NO_ANSWER | CORRUPT | RESTARTED):
            for index in range(len(sample)):
                sample[index] = self.sample[index]
        return self.status


class Inputs:
    """The TamperInputs of hal/contract.py."""

    def __init__(self):
        self.bits = 0

    def read(self):
        return self.bits


class Time:
    powered_s = 1000


class Watched:
    """Meter and watch; each `run` second is a reading and a look. `told` are the events."""

    def __init__(self, phases=1, **changes):
        document = {"v": 1, "meter": "m", "tenant": "t", "board": "b", "max_amps": 60}
        document.update(changes)
        self.config = configs.load(json.dumps(document).encode())
        self.chip = SampledChip(phases)
        self.clock = VirtualClock(0)
        self.storage = MemoryStorage()
        self.inputs = Inputs()
        self.open = False
        self.told = []
        self.time = Time()
        self.time.powered_s = 1000
        for phase in range(phases):
            self.set(phase, VOLTAGE_MV, 230_000)
        self.chip.sample[FREQUENCY_MHZ] = 50_000
        self.boot()

    def boot(self):
        """A new agent's meter and watch on the same storage."""
        self.meter = Meter(self.chip, self.clock, self.config)
        self.watch = Watch(
            self.config,
            self.meter,
            self.time,
            self.storage,
            self.inputs,
            lambda: self.open,
            self.take,
        )
        self.watch.recover()

    def take(self, payload):
        code, value = readers.unpack_event(payload)
        self.told.append((code, value, readers.unpack_snapshot(payload)))

    def set(self, phase, field, value):
        self.chip.sample[phase * PHASE_FIELDS + field] = value

    def load(self, watts, phase=0, neutral_ma=None):
        """Steady power, with the counts of a second at that power (whole for 45 W and its
        multiples) and the current of 230 V; the neutral carries the same."""
        current = abs(watts) * 1000 // 230
        self.set(phase, POWER_MW, watts * 1000)
        self.set(phase, CURRENT_MA, current)
        self.set(phase, ENERGY_COUNTS, watts * 4 // 45)
        self.chip.sample[NEUTRAL_MA] = current if neutral_ma is None else neutral_ma

    def run(self, seconds, step=1):
        """`seconds` with a reading and a look every `step`."""
        for _ in range(seconds // step):
            self.clock.advance(step * 1000)
            self.time.powered_s += step
            self.meter.tick()
            self.watch.work()

    def take_told(self):
        """(code, value) told since the last call."""
        told, self.told = self.told, []
        return [entry[:2] for entry in told]


def without(field):
    """The mask of every field but this."""
    return EVERY_FIELD & ~field_bit(field)
