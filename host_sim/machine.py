"""MicroPython's module `machine` as on an ESP32, wired to simulated chips. Portable.

Where it lies on the path as `machine` it takes the place of the built-in one, so that the ESP32's
files run as they are. `attach_spi`, `attach_i2c` and `attach_uart` wire a chip to the board,
`detach_all` clears it. It behaves as the ESP32 port does where a driver can tell: OSError(ENODEV)
for a missing acknowledge, None where a UART has nothing, fewer bytes than asked for. A transfer
allocates nothing once it has seen the length. Time passes by `advance`; a reset, of the watchdog's
too, is the exception Reset, which nothing in a meter may catch.
Sources: docs.micropython.org/en/v1.28.0/library/machine, ports/esp32/machine_i2c.c.
"""

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_ENODEV = 19
_FLOATS = 0xFF  # a line that nothing drives is pulled up


class _Board:
    """What is wired to the pins and buses."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.levels = {}  # by pin number
        self.waves = {}
        self.speeds = {}  # of the I2C hosts: the last one made sets it
        self.spi = []  # _Selected
        self.i2c = {}  # bus -> {address: chip}
        self.uart = {}  # bus -> _Line
        self.matrix = ((), (), ())  # pins of rows and columns, and the keys that are down
        self.outputs = {}  # pin -> what hears its level
        self.inputs = {}  # pin -> what tells its level
        self.dog = None
        self.cause = PWRON_RESET


_board = _Board()


class Reset(BaseException):
    """The machine restarts; `reset_cause()` tells why after it."""


class _Selected:
    """A chip on an SPI bus and what selects it."""

    def __init__(self, bus, select, chip, mode):
        self.bus = bus
        self.select = select
        self.chip = chip
        self.mode = mode
        self.heard = False  # a transfer went by in this select


class _Line:
    def __init__(self, chip, room):
        self.chip = chip
        self.room = room


def attach_spi(bus, select, chip, mode=None):
    """Wire `chip` (SPI device) to a bus with its select at pin `select`; it talks in `mode` only,
    None: in any."""
    _board.spi.append(_Selected(bus, select, chip, mode))


def attach_i2c(bus, address, chip):
    """Wire `chip` (`i2c_write(data) -> bool`, `i2c_read(into) -> bool`) to a bus."""
    _board.i2c.setdefault(bus, {})[address] = chip


def attach_uart(bus, chip, room=None):
    """Wire `chip` (Uart) to a UART whose transmit buffer takes `room` bytes a write, None: any."""
    _board.uart[bus] = _Line(chip, room)


def attach_matrix(rows, columns, down):
    """Wire a keypad: while (row, column) is in the set `down`, these two pins are one."""
    _board.matrix = (rows, columns, down)


def attach_output(pin, hears):
    """`hears(level)` is called at each change of a pin that the firmware drives."""
    _board.outputs[pin] = hears


def attach_input(pin, tells):
    """`tells()` is the level of a pin that the firmware reads."""
    _board.inputs[pin] = tells


def detach_all():
    """A bare board that was just switched on."""
    _board.clear()


def power_up(cause=PWRON_RESET):
    """What is wired stays; pins float, the watchdog is gone, as after a reset."""
    _board.levels = {}
    _board.dog = None
    _board.cause = cause


def set_reset_cause(cause):
    """What reset_cause() tells from now on."""
    _board.cause = cause


def reset_cause():
    return _board.cause


def reset():
    """Restart the machine."""
    _board.cause = HARD_RESET
    raise Reset("reset")


def soft_reset():
    """Restart the interpreter."""
    _board.cause = SOFT_RESET
    raise Reset("soft reset")


def unique_id():
    return b"\x24\x0a\xc4\x00\x00\x01"


class Pin:
    """A pin by number; every Pin of a number shares its level."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_UP = 2
    PULL_DOWN = 1

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self._number = number
        if value is not None:
            self.value(value)
        elif pull == Pin.PULL_UP and number in _board.matrix[1]:
            _board.levels[number] = 1  # whatever it drove before
        elif pull == Pin.PULL_UP:
            _board.levels.setdefault(number, 1)

    def __call__(self, level=None):
        return self.value(level)

    def value(self, level=None):
        number = self._number
        if level is None:
            if number in _board.inputs:
                return _board.inputs[number]()
            return _board.levels.get(number, 0) & self._matrix()
        level = 1 if level else 0
        if number in _board.outputs and _board.levels.get(number, 0) != level:
            _board.levels[number] = level
            _board.outputs[number](level)
        _board.levels[number] = level
        for wired in _board.spi:
            if wired.select == self._number:
                wired.heard = False
        return None

    def _matrix(self):
        """0 while a pressed key holds this column to a row that is driven low."""
        rows, columns, down = _board.matrix
        for row, column in down:
            low = not _board.levels.get(rows[row], 1)
            if low and columns[column] == self._number:
                return 0
        return 1

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class SPI:
    """A host of the SPI bus `bus`.

    What goes by in one select is one frame: of a second transfer in it a chip hears nothing.
    """

    def __init__(self, bus, baudrate=1000000, polarity=0, phase=0, sck=None, mosi=None, miso=None):
        self._bus = bus
        self._mode = polarity << 1 | phase

    def write_readinto(self, out, into):
        if len(out) != len(into):
            raise ValueError("buffers must be the same length")
        answered = False
        for wired in _board.spi:
            if wired.bus != self._bus or _board.levels.get(wired.select, 1):
                continue
            if answered:
                raise RuntimeError("two chips are selected at once")
            answered = True
            if wired.heard or wired.mode is not None and wired.mode != self._mode:
                _float(into)
            else:
                wired.chip.transfer(out, into)
            wired.heard = True
        if not answered:
            _float(into)


def _float(into):
    for index in range(len(into)):
        into[index] = _FLOATS


class I2C:
    """A host of the I2C bus `bus`."""

    def __init__(self, bus, scl=None, sda=None, freq=400000, timeout=50000):
        self._bus = bus
        _board.speeds[bus] = freq
        self._messages = {}  # by length

    def scan(self):
        return sorted(_board.i2c.get(self._bus, ()))

    def readfrom_into(self, address, buffer, stop=True):
        self._need(self._chip(address).i2c_read(buffer))

    def writeto(self, address, buffer, stop=True):
        self._need(self._chip(address).i2c_write(buffer))
        return len(buffer)

    def writevto(self, address, vector, stop=True):
        return self.writeto(address, b"".join([bytes(part) for part in vector]), stop)

    def readfrom_mem_into(self, address, register, buffer, addrsize=8):
        chip = self._chip(address)
        self._need(chip.i2c_write(self._message(register, addrsize, 0)))
        self._need(chip.i2c_read(buffer))

    def writeto_mem(self, address, register, buffer, addrsize=8):
        message = self._message(register, addrsize, len(buffer))
        at = addrsize // 8
        for index in range(len(buffer)):
            message[at + index] = buffer[index]
        self._need(self._chip(address).i2c_write(message))

    def _message(self, register, addrsize, length):
        """A message that starts with the register pointer, high byte first."""
        if addrsize not in (8, 16, 24, 32):
            raise ValueError("invalid addrsize")
        size = addrsize // 8
        message = self._messages.get(size + length)
        if message is None:
            message = bytearray(size + length)
            self._messages[size + length] = message
        for index in range(size):
            message[index] = register >> (addrsize - 8 - 8 * index) & 0xFF
        return message

    def _chip(self, address):
        chips = _board.i2c.get(self._bus)
        if chips is None or address not in chips:
            raise OSError(_ENODEV)
        return chips[address]

    def _need(self, acknowledged):
        if not acknowledged:
            raise OSError(_ENODEV)


SoftI2C = I2C


class UART:
    """UART `bus`; as the ESP32's with timeout=0 it hands out what has arrived, never waits."""

    def __init__(
        self,
        bus,
        baudrate=115200,
        bits=8,
        parity=None,
        stop=1,
        tx=None,
        rx=None,
        timeout=0,
        timeout_char=0,
        txbuf=256,
        rxbuf=256,
    ):
        self._bus = bus
        self.settings = (baudrate, bits, parity, stop)

    def write(self, buffer):
        line = _board.uart.get(self._bus)
        if line is None:
            return len(buffer)
        if line.room is not None and len(buffer) > line.room:
            line.chip.write(buffer[: line.room])
            return line.room or None
        line.chip.write(buffer)
        return len(buffer)

    def readinto(self, buffer):
        line = _board.uart.get(self._bus)
        if line is None:
            return None
        return line.chip.read_into(buffer) or None


class PWM:
    """A square wave at a pin; `waves` of the board keeps (frequency, duty) by pin number."""

    def __init__(self, pin, freq=1000, duty_u16=0):
        self._number = pin._number
        self._freq = freq
        self.duty_u16(duty_u16)

    def freq(self, hertz):
        self._freq = hertz
        self._tell()

    def duty_u16(self, duty):
        self._duty = duty
        self._tell()

    def _tell(self):
        _board.waves[self._number] = (self._freq, self._duty)


def wave(number):
    """(frequency, duty of 65536) at a pin, None where no PWM ever was."""
    return _board.waves.get(number)


def speed(bus):
    """Hz of an I2C host."""
    return _board.speeds[bus]


class WDT:
    """The watchdog: not fed for `timeout` ms, it resets the machine. Made anew it takes a new
    timeout, as the port's does."""

    def __init__(self, id=0, timeout=5000):
        self._timeout = timeout
        _board.dog = self
        self.feed()

    def feed(self):
        self._left = self._timeout

    def _pass(self, ms):
        self._left -= ms
        if self._left <= 0:
            _board.cause = WDT_RESET
            raise Reset("the watchdog was not fed for %d ms" % self._timeout)


class RTC:
    """The clock of the chip, which nothing reads here."""

    def datetime(self, at=None):
        return at


def advance(ms):
    """Let milliseconds pass for the watchdog."""
    if _board.dog is not None:
        _board.dog._pass(ms)
