"""A simulated PZEM-004T v3 behind its serial pins, Modbus RTU. Portable, integers only.

Sources: ESPHome `components/pzemac`, mandulaj/PZEM-004T-v30; no datasheet.
Modelled: function 4 on the ten registers and their parts, functions 3 and 6 on alarm and address,
0x42 (energy to 0), exceptions, the general address, CRC. Energy survives a loss of supply, less
than a Wh does not. It turns over at 9 999 990 Wh, a choice: its range is stated, what happens at
its end is not. Not modelled: calibration (0x41), the second that a value takes to be refreshed.
"""

from wattledger.host_sim.chip.serial_chip import SerialChip
from wattledger.host_sim.chip.single_phase import PPM, RATE, SinglePhase, nearest
from wattledger.host_sim.chip.uart_line import UartLine

EVERYBODY = 0xF8
INPUTS = 10
FULL_WH = 9_999_990
WH = 3_600_000_000  # mW ms
RESET_ENERGY = 0x42
ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3


class Pzem004t(SerialChip):
    """One module."""

    def __init__(self, baud=0, address=1):
        """`baud` 0: answers arrive at once."""
        super().__init__(UartLine(baud), SinglePhase(WH))
        self.address = address
        self.alarm_w = 23_000
        self._wh = 0
        self._values = [0] * INPUTS
        self._message = bytearray(8)
        self._heard = 0
        self._out = bytearray(64)
        self._measure()

    # The driver's side.

    def write(self, buffer):
        """Bytes from the host. A message starts where a write does: the pause between them."""
        if self.line.silent:
            return
        self._heard = 0
        for byte in buffer:
            if self._heard < 8:
                self._message[self._heard] = byte
                self._heard += 1
                length = 4 if self._heard > 1 and self._message[1] == RESET_ENERGY else 8
                if self._heard == length:
                    self._obey(length)
                    self._heard = 0

    def read_into(self, buffer):
        """Bytes that have arrived at the host; how many."""
        return self.line.read_into(buffer)

    def _obey(self, length):
        message = self._message
        if message[0] != self.address and message[0] != EVERYBODY:
            return
        if crc16(message, length - 2) != message[length - 2] | message[length - 1] << 8:
            return
        function = message[1]
        first = message[2] << 8 | message[3]
        value = message[4] << 8 | message[5]
        if function == RESET_ENERGY:
            self._wh = 0
            self._phase.forget()
            self._taken = self._phase.made
            self._echo(2)
        elif function == 3 or function == 4:
            self._read(function, first, value)
        elif function == 6:
            self._set(first, value)
        else:
            self._refuse(ILLEGAL_FUNCTION)

    def _read(self, function, first, count):
        start = 0 if function == 4 else 1
        end = INPUTS if function == 4 else 3
        if first < start or count < 1 or first + count > end:
            self._refuse(ILLEGAL_ADDRESS)
            return
        out = self._out
        out[0] = self._message[0]
        out[1] = function
        out[2] = 2 * count
        for index in range(count):
            value = self._register(function, first + index)
            out[3 + 2 * index] = value >> 8
            out[4 + 2 * index] = value & 0xFF
        self._send(3 + 2 * count)

    def _register(self, function, register):
        if function == 3:
            return self.alarm_w if register == 1 else self.address
        if register == 5:
            self._taken = self._phase.made
            return self._wh & 0xFFFF
        if register == 6:
            return self._wh >> 16
        return self._values[register]

    def _set(self, register, value):
        if register == 1:
            self.alarm_w = value
        elif register == 2 and 1 <= value <= 0xF7:
            self.address = value
        else:
            self._refuse(ILLEGAL_VALUE if register == 2 else ILLEGAL_ADDRESS)
            return
        self._echo(6)

    def _echo(self, length):
        for index in range(length):
            self._out[index] = self._message[index]
        self._send(length)

    def _refuse(self, code):
        self._out[0] = self._message[0]
        self._out[1] = self._message[1] | 0x80
        self._out[2] = code
        self._send(3)

    def _send(self, length):
        check = crc16(self._out, length)
        self._out[length] = check & 0xFF
        self._out[length + 1] = check >> 8
        self.line.send(self._out, length + 2)

    # The world's side. These may allocate.

    def feed(self, ms):
        """Let `ms` milliseconds pass."""
        counts = self._phase.feed(ms)
        self._phase.made += counts
        self._wh = (self._wh + counts) % FULL_WH
        self.line.feed(ms)

    def _measure(self):
        phase = self._phase
        values = self._values
        values[0] = nearest(phase.voltage, 100 * PPM)
        current = nearest(phase.current, PPM)
        values[1] = current & 0xFFFF
        values[2] = current >> 16
        power = nearest(abs(phase.rate), 100 * RATE)
        values[3] = power & 0xFFFF
        values[4] = power >> 16
        values[7] = nearest(phase.frequency_mhz, 100)
        values[8] = nearest(phase.factor, 10)
        values[9] = 0xFFFF if power > 10 * self.alarm_w else 0

    def brown_out(self):
        """The supply dipped: whole Wh are kept in the module, the rest of one is not."""
        self._phase.forget()
        self._heard = 0

    # Faults for tests.

    def peek(self, register):
        """The content of an input register (0 to 9), without a message."""
        if 5 <= register <= 6:
            return self._wh >> 16 * (register - 5) & 0xFFFF
        return self._values[register]

    def poke(self, register, value):
        """Change an input register; 5 sets the Wh, 32 bits."""
        if register == 5:
            self._wh = value
        else:
            self._values[register] = value

    def state(self):
        """Everything that makes it this module, for JSON."""
        state = super().state()
        state.update({"address": self.address, "alarm_w": self.alarm_w, "wh": self._wh})
        return state

    def restore(self, state):
        """Be the module `state` was taken from."""
        super().restore(state)
        self.address = state["address"]
        self.alarm_w = state["alarm_w"]
        self._wh = state["wh"]
        self._measure()


def crc16(data, length):
    """CRC of Modbus over the first `length` bytes, from a table of 16 values a nibble each."""
    crc = 0xFFFF
    for index in range(length):
        crc ^= data[index]
        crc = NIBBLES[crc & 15] ^ crc >> 4
        crc = NIBBLES[crc & 15] ^ crc >> 4
    return crc


def _nibble(value):
    for _ in range(4):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


NIBBLES = tuple(_nibble(value) for value in range(16))
