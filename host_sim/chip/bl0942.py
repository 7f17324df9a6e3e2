"""A simulated BL0942 behind its UART pins, register by register. Portable, integers only.

Sources: ESPHome `components/bl0942`, RobTillaart/BL0942_SPI, Tasmota `xnrg_14_bl09xx.ino`; no
datasheet. A packet is 21 bytes of registers between 0x55 and a checksum, 24 bits each.
Modelled: packet, register read and write with checksums, write protection, soft reset, the
counting of energy with sign or absolute (CNT_ADD_SEL), read-to-clear (CNT_CLR_SEL), direction in
STATUS. Not modelled: waveforms, the fast RMS, creep, the over-current and the CF pin, the refresh
of 400 or 800 ms, and a change of the speed through MODE.
"""

from wattledger.host_sim.chip.serial_chip import SerialChip
from wattledger.host_sim.chip.single_phase import RATE, SinglePhase, nearest
from wattledger.host_sim.chip.uart_line import UartLine

READ = 0x58
WRITE = 0xA8
EVERYTHING = 0xAA
I_RMS = 0x03
V_RMS = 0x04
I_FAST_RMS = 0x05
WATT = 0x06
CF_CNT = 0x07
FREQ = 0x08
STATUS = 0x09
MODE = 0x19
SOFT_RESET = 0x1C
USR_WRPROT = 0x1D
CLEAR_SELECT = 0x40
ADD_SELECT = 0x80
REGISTERS = 0x20
WRITABLE = 0x12  # and up
PACKET = 23
WORD = 1 << 24
DEFAULTS = (
    (FREQ, 20_000),
    (0x14, 0x0B),
    (0x15, 0xFFFF),
    (0x16, 1),
    (0x17, 3),
    (0x18, 0x24),
    (MODE, 0x87),
    (0x1A, 2),
)


class Bl0942(SerialChip):
    """One chip on a board with this shunt, divider and reference."""

    def __init__(
        self,
        baud=0,
        address=0,
        shunt_uohm=1_000,
        divider_low=510,
        divider_high=1_950_000,
        vref_uv=1_218_000,
    ):
        """`baud` 0: answers arrive at once."""
        self.inverted_add_select = False  # set: CNT_ADD_SEL means the opposite of what is known
        self._address = address
        self._vref = vref_uv
        self._shunt = shunt_uohm
        self._low = divider_low
        self._whole = divider_low + divider_high
        # One bit of WATT is Vref^2 / 3537 of mV x mV at the inputs; a count is 419 430.4 s of it.
        self._watt_top = 3_537 * shunt_uohm * divider_low * 10**9
        self._watt_bottom = vref_uv * vref_uv * self._whole
        phase = SinglePhase(419_430_400 * self._watt_bottom, self._watt_top)
        super().__init__(UartLine(baud), phase)
        self._registers = [0] * REGISTERS
        self._message = bytearray(6)
        self._heard = 0
        self._out = bytearray(PACKET)
        self._reset()

    # The driver's side.

    def write(self, buffer):
        """Bytes from the host."""
        if self.line.silent:
            return
        for byte in buffer:
            self._hear(byte)

    def read_into(self, buffer):
        """Bytes that have arrived at the host; how many."""
        return self.line.read_into(buffer)

    def _hear(self, byte):
        message = self._message
        if not self._heard and byte & 0xFC != READ and byte & 0xFC != WRITE:
            return
        message[self._heard] = byte
        self._heard += 1
        is_read = message[0] & 0xFC == READ
        if self._heard < (2 if is_read else 6):
            return
        self._heard = 0
        if message[0] & 3 != self._address:
            return
        if is_read:
            self._answer(message[1])
            return
        total = 0
        for byte in message:
            total += byte
        if total & 0xFF == 0xFF:
            self._write(message[1], message[2] | message[3] << 8 | message[4] << 16)

    def _answer(self, register):
        out = self._out
        total = READ | self._address
        if register == EVERYTHING:
            out[0] = 0x55
            total += 0x55
            length = 1
            for number in range(I_RMS, STATUS + 1):
                total += self._lay(length, number)
                length += 3
        else:
            length = 3
            total += register + self._lay(0, register)
        out[length] = ~total & 0xFF
        self.line.send(out, length + 1)

    def _lay(self, at, register):
        """Put a register into the answer; the sum of its bytes."""
        value = self._registers[register] if register < REGISTERS else 0
        if register == CF_CNT:
            self._taken = self._phase.made
            if self._registers[MODE] & CLEAR_SELECT:
                self._registers[CF_CNT] = 0
        out = self._out
        out[at] = value & 0xFF
        out[at + 1] = value >> 8 & 0xFF
        out[at + 2] = value >> 16
        return out[at] + out[at + 1] + out[at + 2]

    def _write(self, register, value):
        registers = self._registers
        if register == USR_WRPROT:
            registers[USR_WRPROT] = value & 0xFF
        elif registers[USR_WRPROT] != 0x55:
            return
        elif register == SOFT_RESET:
            if value == 0x5A5A5A:
                self._reset()
        elif WRITABLE <= register < REGISTERS:
            registers[register] = value

    def _reset(self):
        self._registers = [0] * REGISTERS
        for register, value in DEFAULTS:
            self._registers[register] = value
        self._heard = 0
        self._phase.forget()
        self._taken = self._phase.made
        self._measure()

    # The world's side. These may allocate.

    def feed(self, ms):
        """Let `ms` milliseconds pass."""
        registers = self._registers
        phase = self._phase
        absolute = bool(registers[MODE] & ADD_SELECT) != self.inverted_add_select
        counts = phase.feed(ms, not absolute)
        if counts:
            registers[CF_CNT] = (registers[CF_CNT] + counts) % WORD
            if absolute and phase.rate < 0:
                counts = -counts
            registers[STATUS] = registers[STATUS] & ~1 | (1 if counts < 0 else 0)
            phase.made += counts
        self.line.feed(ms)

    def _measure(self):
        phase = self._phase
        registers = self._registers
        # 305 978 x mV / Vref in V, mV being mA x uOhm / 10^6; 73 989 x mV / Vref, 3537 likewise.
        current = nearest(305_978 * phase.current * self._shunt, 10**6 * self._vref)
        voltage = nearest(73_989 * phase.voltage * self._low, self._vref * self._whole)
        registers[I_RMS] = min(current, WORD - 1)
        registers[V_RMS] = min(voltage, WORD - 1)
        watt = nearest(phase.rate * self._watt_top, RATE * self._watt_bottom)
        registers[WATT] = min(max(watt, -(WORD // 2)), WORD // 2 - 1) % WORD
        if phase.frequency_mhz:
            registers[FREQ] = min(nearest(10**9, phase.frequency_mhz), 0xFFFF)

    def brown_out(self):
        """The supply dipped: set-up and energy are gone."""
        self._reset()

    # Faults for tests.

    def peek(self, register):
        """The content of a register, without a message."""
        return self._registers[register]

    def poke(self, register, value):
        """Change a register behind the host's back."""
        self._registers[register] = value

    def state(self):
        """Everything that makes it this chip, for JSON."""
        state = super().state()
        state["registers"] = list(self._registers)
        return state

    def restore(self, state):
        """Be the chip `state` was taken from."""
        super().restore(state)
        self._registers = list(state["registers"])
