"""A simulated ATM90E32 behind its SPI pins, register by register. Portable, integers only.

It is an SPI device (`transfer`) for a driver on one side and a body in the mains (`set_phase`,
`set_mains`, `feed`) for the world on the other. `transfer` allocates nothing, so a driver's tick
can be proven under a locked heap with it.

What the wire does (Atmel-46003B datasheet, SPI interface):
- a select of exactly 32 clocks, or nothing happens; a write takes effect when the select ends;
- energy registers clear when read, and LastSPIData keeps what was read, for a host that misheard;
- registers 0x00-0x6F take writes only while 0x55AA stands in CfgRegAccEn;
- configuration and energy are volatile.
Not modelled: the 5 to 40 ms a real chip needs after a reset, and the value of the CRC
(CRCErrStatus is: see `poke`). While the host clocks its address out, a real chip drives nothing;
here that reads 0.
"""

from array import array

from wattledger.host_sim.chip.atm90e32_metrology import Metrology
from wattledger.host_sim.chip.atm90e32_registers import (
    CFG_REG_ACC_EN,
    CONFIG_END,
    CRC_ERR_STATUS,
    DEFAULTS,
    EMM_INT_EN0,
    EMM_INT_EN1,
    EMM_INT_STATE0,
    EMM_INT_STATE1,
    ENERGY,
    ENERGY_END,
    FORWARD_ACTIVE,
    LAST_SPI_DATA,
    RESET_KEY,
    REVERSE_ACTIVE,
    SIZE,
    SOFT_RESET,
    UNLOCK_KEY,
)

FRAME = 4  # bytes in 32 clocks
READ = 0x80


class Atm90e32:
    """One chip. The gains are those its board's sensors need, see `Metrology`."""

    def __init__(self, voltage_gain=0x8000, current_gain=0x8000):
        self.framing_faults = 0
        self.silent = False  # set: the bus is dead, every answer is 0xFF and nothing arrives
        self.changed = False  # a transfer changed what must survive a restart; reset by the owner
        self._registers = array("H", [0] * SIZE)
        self._metrology = Metrology(self._registers, voltage_gain, current_gain)
        self._flip_mask = 0
        self._flip_first = 0
        self._flip_last = 0
        self._config_state = None
        self._reset()

    # The driver's side.

    def transfer(self, out, into):
        """One select: clock `out` in and the answer into `into` (bytearrays of 4).

        Any other length has no effect, answers 0xFF and counts as a framing fault.
        """
        if self.silent or len(out) != FRAME or len(into) != FRAME:
            self._answer_nothing(into)
            return
        registers = self._registers
        address = (out[0] & 0x03) << 8 | out[1]
        if out[0] & READ:
            value = registers[address]
            if ENERGY <= address < ENERGY_END and value:
                registers[address] = 0
                self.changed = True
            registers[LAST_SPI_DATA] = value
            if self._flip_mask and self._flip_first <= address <= self._flip_last:
                value ^= self._flip_mask
                self._flip_mask = 0
        else:
            value = out[2] << 8 | out[3]
            registers[LAST_SPI_DATA] = value
            self._write(address, value)
            value = 0
        into[0] = 0
        into[1] = 0
        into[2] = value >> 8
        into[3] = value & 0xFF

    def _answer_nothing(self, into):
        if not self.silent:
            self.framing_faults += 1
        for index in range(len(into)):
            into[index] = 0xFF

    def _write(self, address, value):
        registers = self._registers
        self.changed = True
        if address < CONFIG_END:
            if registers[CFG_REG_ACC_EN] == UNLOCK_KEY:
                registers[address] = value
                self._configured()
        elif address == SOFT_RESET:
            if value == RESET_KEY:
                self._reset()
        elif address == CFG_REG_ACC_EN:
            registers[address] = value
            if value != UNLOCK_KEY:
                registers[CRC_ERR_STATUS] = 0  # closing latches a new golden CRC
            self._configured()
        elif EMM_INT_STATE0 <= address <= EMM_INT_STATE1:
            registers[address] &= ~value & 0xFFFF
        elif EMM_INT_EN0 <= address <= EMM_INT_EN1:
            registers[address] = value
            self._configured()

    def _configured(self):
        self._metrology.stale = True
        self._config_state = None

    def _reset(self):
        registers = self._registers
        for address in range(SIZE):
            registers[address] = 0
        for address, value in DEFAULTS:
            registers[address] = value
        self._metrology.forget()
        self._configured()

    # The world's side. These may allocate.

    def set_phase(self, phase, voltage_mv, current_ma, power_mw, reactive_mvar=0):
        """True values of phase 0..2 from now on; power is negative when the house exports."""
        self._metrology.set_phase(phase, voltage_mv, current_ma, power_mw, reactive_mvar)

    def set_mains(self, frequency_mhz, temperature_dc=250):
        """Frequency in mHz and chip temperature in 0.1 C from now on."""
        self._metrology.set_mains(frequency_mhz, temperature_dc)

    def set_front_end(self, phase, voltage_ppm=0, current_ppm=0, angle_mdeg=0):
        """Errors of the sensors of phase 0..2: gains in 1e-6, and the current's further lag."""
        self._metrology.set_front_end(phase, voltage_ppm, current_ppm, angle_mdeg)

    def set_sequence(self, is_reversed):
        """Whether the phases follow each other the wrong way round."""
        self._metrology.set_sequence(is_reversed)

    def feed(self, ms):
        """Let `ms` milliseconds of these mains pass: energy counts, measurements follow."""
        self._metrology.feed(ms)

    def brown_out(self):
        """The supply dipped: configuration and uncollected energy are gone, metering is off."""
        self._reset()
        self.changed = True

    # Faults for tests.

    def corrupt_next(self, mask, address=None):
        """Flip the bits of `mask` (16) in the next answer, or the next one of `address`.

        Only the wire is wrong: LastSPIData holds the right value, and an energy register is
        cleared.
        """
        self._flip_mask = mask
        self._flip_first = 0 if address is None else address
        self._flip_last = SIZE - 1 if address is None else address

    def peek(self, address):
        """The content of a register, without a transfer."""
        return self._registers[address]

    def poke(self, address, value):
        """Change a register behind the host's back, as a disturbance does.

        In the locked configuration it raises bit 0 of CRCErrStatus.
        """
        self._registers[address] = value
        if address < CONFIG_END and self._registers[CFG_REG_ACC_EN] != UNLOCK_KEY:
            self._registers[CRC_ERR_STATUS] |= 1
        self._configured()

    # The truth, for tests and for the demo's check of itself.

    @property
    def true_import(self):
        """Energy that entered through all phases together, in mW ms; sign taken each moment."""
        return self._metrology.true_import

    @property
    def true_export(self):
        """Energy that left, in mW ms."""
        return self._metrology.true_export

    @property
    def overflows(self):
        """Times an energy register wrapped: 65 536 counts lost each time."""
        return self._metrology.overflows

    def total_counts(self, phase):
        """Counts ever made on phase 0..2, forward less reverse; reads and resets leave it."""
        produced = self._metrology.produced
        return produced[FORWARD_ACTIVE + 1 + phase] - produced[REVERSE_ACTIVE + 1 + phase]

    def held_counts(self, phase):
        """Counts of phase 0..2 that wait in the registers, forward less reverse."""
        first = ENERGY + 1 + phase
        return self._registers[first + FORWARD_ACTIVE] - self._registers[first + REVERSE_ACTIVE]

    # Restarts of the simulator: the chip itself goes on.

    def state(self):
        """Everything that makes it this chip, as a dict of ints and lists for JSON."""
        registers = self._registers
        if self._config_state is None:  # kept: it is saved often and changes seldom
            self._config_state = [registers[address] for address in range(CONFIG_END)]
        state = self._metrology.state()
        state["config"] = self._config_state
        state["control"] = [registers[a] for a in range(CONFIG_END, ENERGY_END)]
        return state

    def restore(self, state):
        """Be the chip `state` was taken from, its measurements included."""
        self._reset()
        registers = self._registers
        for address in range(CONFIG_END):
            registers[address] = state["config"][address]
        for index in range(ENERGY_END - CONFIG_END):
            registers[CONFIG_END + index] = state["control"][index]
        self._metrology.restore(state)
        self._metrology.refresh()
