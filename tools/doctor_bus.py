"""Checks of a board's bus: is it there, and which chip is on it?

The probes only read, and nothing that a read clears. Facts of each chip: its driver in hal/meter.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace

from wattledger.firmware import chips, parts_linux
from wattledger.hal.bus.i2c_linux import LinuxI2c
from wattledger.hal.bus.spi_linux import LinuxSpi
from wattledger.hal.bus.uart_linux import LinuxUart
from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter import ade7953_registers as ade
from wattledger.hal.meter import atm90e32_registers as atm
from wattledger.hal.meter import ina228_registers as ina
from wattledger.hal.meter import mcp3208_frames as mcp
from wattledger.hal.meter.ade7953_i2c import Ade7953I2c
from wattledger.hal.meter.ade7953_spi import Ade7953Spi
from wattledger.hal.meter.atm90e32_port import LAST_SPI_DATA, Port
from wattledger.tools.findings import FAIL, OK, Finding

ATM_REGISTERS = (atm.PL_CONST_H, atm.PL_CONST_L, atm.M_MODE_0)  # never 0, none like another
ADE_ADDRESS = 0x38
INA_ADDRESSES = range(0x40, 0x50)
CLOCK_ADDRESS = 0x68
CLOCK_CONTROL, CLOCK_WEEKDAY, CLOCK_LOW_TEMPERATURE = 0x0E, 0x03, 0x12
SERIAL = (("bl0942", 4800, False), ("pzem004t", 9600, False), ("cse7766", 4800, True))
WRONG_CHIP = "name the board that is wired (wattledger board list), or wire this one"


def told(name: str, error: Exception, mark: str = ": ") -> Finding:
    """A failure whose message ends with what to do, after the last `mark`."""
    found, _, fix = str(error).rpartition(mark)
    if fix.startswith("[Errno"):
        return Finding(name, FAIL, str(error), "see in dmesg, or with lsof, what has it")
    if not found:
        return Finding(name, FAIL, fix, "as it says")
    return Finding(name, FAIL, found, fix)


def place(board: ModuleType) -> str:
    """The device file of a board's bus."""
    if board.BUS == "spi":
        return f"/dev/spidev{board.SPI_BUS}.{board.CHIP_SELECT}"
    return f"/dev/i2c-{board.I2C_BUS}" if board.BUS == "i2c" else parts_linux.uart_place(board)


def present(board: ModuleType) -> Finding:
    """Package installed, bus there, and this user may use it."""
    try:
        parts_linux.bus_device(board).close()
    except BusError as error:
        return told("bus", error)
    return Finding("bus", OK, f"{place(board)} can be used")


def identity(board: ModuleType) -> Finding:
    """Which chip is on the bus of the board: its own, another one, or none."""
    try:
        found = PROBES[board.BUS](board)
    except BusError as error:
        return told("chip", error)
    if board.CHIP in found:
        return Finding("chip", OK, f"{board.CHIP} answers on {place(board)}")
    if found:
        others = " and ".join(found)
        what = f"{others} on {place(board)}, and no {board.CHIP} as {board.NAME} has it"
        return Finding("chip", FAIL, what, WRONG_CHIP)
    wires = {"spi": "SCK, MOSI, MISO, CS", "i2c": "SDA, SCL", "uart": "RX, TX (they cross)"}
    return Finding(
        *("chip", FAIL, f"nothing that is known answers on {place(board)}"),
        f"check the chip's power and the wires {wires[board.BUS]}: "
        f"wattledger board wiring {board.NAME}",
    )


def _on_spi(board: ModuleType) -> list[str]:
    """The ATM90E32 first: a frame of the others is a write to it."""
    for name, mode, probe in (
        ("atm90e32", 3, is_atm90e32),
        ("ade7953", 3, is_ade7953),
        ("mcp3208", 0, is_mcp3208),
    ):
        spi = LinuxSpi(board.SPI_BUS, board.CHIP_SELECT, mode, board.SPI_HZ)
        try:
            if probe(spi):
                return [name]
        finally:
            spi.close()
    return []


def is_atm90e32(spi: LinuxSpi) -> bool:
    """LastSPIData repeats what was read last, of registers that are never alike."""
    port = Port(spi)
    seen = set()
    for register in ATM_REGISTERS:
        value = port.read(register)
        if port.read(LAST_SPI_DATA) != value or value in (0, 0xFFFF):
            return False
        seen.add(value)
    return len(seen) > 1


def is_ade7953(spi: LinuxSpi) -> bool:
    """LAST_ADD and LAST_OP name the read before."""
    return _repeats(Ade7953Spi(spi))


def _repeats(port: Ade7953Spi | Ade7953I2c) -> bool:
    for register in (ade.AIGAIN, ade.AVGAIN):
        port.read(register)
        if port.read(ade.LAST_ADD) != register or port.read(ade.LAST_OP) != ade.OP_READ:
            return False
    return True


def is_mcp3208(spi: LinuxSpi) -> bool:
    """Every channel has its null bit, and one at least stands between the rails."""
    answer = bytearray(mcp.FRAME_BYTES)
    codes = []
    for channel in range(mcp.CHANNELS):
        spi.transfer(mcp.conversion(channel), answer)
        codes.append(mcp.code_of(answer))
    return min(codes) >= 0 and any(0 < code < mcp.CODES - 1 for code in codes)


def _on_i2c(board: ModuleType) -> list[str]:
    found = []
    if _answers(board, ADE_ADDRESS, 2, lambda i2c: _repeats(Ade7953I2c(i2c))):
        found.append("ade7953")
    if any(_answers(board, address, 1, _is_ina228) for address in INA_ADDRESSES):
        found.append("ina228")
    if board.CHIP not in found and _answers(board, CLOCK_ADDRESS, 1, is_ds3231):
        found.append("ds3231")
    return found


def _answers(
    board: ModuleType, address: int, register_bytes: int, probe: Callable[[LinuxI2c], bool]
) -> bool:
    i2c = LinuxI2c(board.I2C_BUS, address, register_bytes)
    try:
        return probe(i2c)
    except BusError:
        return False
    finally:
        i2c.close()


def _read(i2c: LinuxI2c, register: int, count: int) -> int:
    buffer = bytearray(count)
    i2c.read_into(register, buffer)
    return int.from_bytes(buffer, "big")


def _is_ina228(i2c: LinuxI2c) -> bool:
    if _read(i2c, ina.MANUFACTURER_ID, 2) != ina.MANUFACTURER:
        return False
    return _read(i2c, ina.DEVICE_ID, 2) >> 4 == ina.DEVICE


def is_ds3231(i2c: LinuxI2c) -> bool:
    """Bits that are always 0, and a weekday of 1 to 7. BusError when nobody answers."""
    if not 1 <= _read(i2c, CLOCK_WEEKDAY, 1) <= 7:
        return False
    return _read(i2c, CLOCK_LOW_TEMPERATURE, 1) & 0x3F == 0


def _on_uart(board: ModuleType) -> list[str]:
    """Each driver's own begin: a chip of another kind has no frame that it takes."""
    own = (board.CHIP, board.BAUD, board.PARITY == "even")
    for name, baud, even in (own, *[row for row in SERIAL if row[0] != board.CHIP]):
        options = board.OPTIONS if name == board.CHIP else {}
        kind = SimpleNamespace(CHIP=name, BUS="uart", OPTIONS=options)
        line = LinuxUart(parts_linux.uart_place(board), baud, even)
        try:
            chips.driver(kind, line, parts_linux.wait_ms, [{}]).begin()
            return [name]
        except ChipError:
            continue
        finally:
            line.close()
    return []


PROBES: dict[str, Callable[[ModuleType], list[str]]] = {
    "spi": _on_spi,
    "i2c": _on_i2c,
    "uart": _on_uart,
}
