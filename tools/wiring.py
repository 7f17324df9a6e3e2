"""The wires of a board, worked out from its constants, so that table and drawing agree."""

import importlib
import pkgutil
from types import ModuleType

from wattledger import board as boards
from wattledger.board import sim
from wattledger.tools.errors import ToolError

# Header pin of each BCM number: the 40-pin header is the same from the Pi 2 to the Pi 5.
_BCM_BY_PIN = (
    "- - - 2 - 3 - 4 14 - 15 17 18 27 - 22 23 - 24 10 - 9 25 11 8 - 7 0 1 5 - 6 12 13 - 19 16 "
    "26 20 - 21"
)
HEADER = {int(word): pin for pin, word in enumerate(_BCM_BY_PIN.split()) if word != "-"}
# What the Pi's own buses lie on, BCM numbers.
PI_SPI = {"SCLK": 11, "MOSI": 10, "MISO": 9, "CS": (8, 7)}  # CE0, CE1
PI_I2C = {"SDA": 2, "SCL": 3}
PI_UART = {"TX": 14, "RX": 15}
# One supply and one ground pin for each group, so that no pin takes two wires.
PI_SUPPLY = {
    "meter": (1, 6),
    "relay": (2, 14),
    "clock": (17, 20),
    "person": (None, 39),
    "tamper": (None, 34),
    "display": (17, 9),
    "signals": (None, 25),
}
# What a WROVER's PSRAM lies on (its datasheet, "Pin Definitions").
PSRAM = ("GPIO16", "GPIO17")
NO_WROVER = "not on a WROVER: its PSRAM is there"
CHIPS = {
    "ade7953": "ADE7953 board",
    "atm90e32": "ATM90E32 board",
    "bl0942": "BL0942 board",
    "mcp3208": "MCP3208 and transformers",
}


class Wire:
    """One wire: `group` is a key of `far_ends`; `here` the pin, `there` its far end."""

    def __init__(self, group: str, here: str, there: str, note: str = "") -> None:
        self.group = group
        self.here = here
        self.there = there
        self.note = note


def names() -> list[str]:
    """The boards with wires, in order."""
    found = (module.name for module in pkgutil.iter_modules(boards.__path__))
    return sorted(name for name in found if hasattr(_module(name), "PLATFORM"))


def load(name: str) -> ModuleType:
    """The constants of a board with wires; ToolError when there is none of that name."""
    board = _module(name) if name.isidentifier() else None
    if board is None or not hasattr(board, "PLATFORM"):
        raise ToolError(
            f"there is no board {name!r} with wires; `wattledger board list` names those there are"
        )
    return board


def any_board(name: str) -> ModuleType:
    """The constants of a board, the simulated one included; ToolError when there is none."""
    return sim if name == sim.NAME else load(name)


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"wattledger.board.{name}")
    except ModuleNotFoundError:
        return None


def far_ends(board: ModuleType) -> dict[str, str]:
    """What each group of wires leads to."""
    ends = {"meter": CHIPS[board.CHIP], "relay": f"{board.RELAY_KIND} relay"}
    if hasattr(board, "CLOCK"):
        ends["clock"] = f"{board.CLOCK.upper()} clock with battery"
    ends["person"] = "button"
    if hasattr(board, "COVER"):
        ends["tamper"] = "cover and magnet"
    if hasattr(board, "DISPLAY"):
        ends["display"] = "OLED and I2C keypad"
        ends["signals"] = "lamp and buzzer"
        if "rows" in board.DISPLAY:
            ends["keypad"] = "keypad, if not on I2C"
    return ends


def wires(board: ModuleType) -> list[Wire]:
    """Every wire of a board, group by group."""
    found = _bus(board)
    low, high = board.RELAY_OPEN, board.RELAY_CLOSE
    pulse = f"a pulse of {board.RELAY_PULSE_MS} ms, active high"
    found += [
        Wire("relay", _pin(board, low), "driver, open coil", pulse),
        Wire("relay", _pin(board, high), "driver, close coil", pulse),
        Wire("relay", _pin(board, board.CONTACT), "auxiliary contact", "low while closed"),
        *_supply(board, "relay", "5 V", "driver"),
    ]
    if hasattr(board, "CLOCK"):
        sda, scl = _i2c(board)
        found += [
            Wire("clock", _pin(board, sda), "SDA"),
            Wire("clock", _pin(board, scl), "SCL"),
            *_supply(board, "clock", "3.3 V", "VCC"),
        ]
    found.append(Wire("person", _pin(board, board.BUTTON), "button", "to ground while pressed"))
    found += _supply(board, "person", "", "button")
    if hasattr(board, "COVER"):
        found += [
            Wire("tamper", _pin(board, board.COVER), "cover switch", "to ground while it is on"),
            Wire("tamper", _pin(board, board.MAGNET), "magnet sensor", "to ground near a magnet"),
            *_supply(board, "tamper", "", "both"),
        ]
    if hasattr(board, "DISPLAY"):
        found += _panel(board)
    for wire in found:
        if board.PLATFORM == "esp32" and wire.here in PSRAM:
            wire.note = f"{wire.note}; {NO_WROVER}" if wire.note else NO_WROVER
    return found


def _panel(board: ModuleType) -> list[Wire]:
    """The wires of a small screen, all optional."""
    sda, scl = _i2c(board)
    pins = board.DISPLAY
    found = [
        Wire("display", _pin(board, sda), "SDA", "the clock's bus too"),
        Wire("display", _pin(board, scl), "SCL", "the clock's bus too"),
        *_supply(board, "display", "3.3 V", "VCC"),
        Wire("signals", _pin(board, pins["lamp"]), "LED, through 470 ohm", "high: lit"),
        Wire("signals", _pin(board, pins["buzzer"]), "passive buzzer, by a transistor"),
        *_supply(board, "signals", "", "both"),
    ]
    for kind in ("rows", "columns"):
        for index, pin in enumerate(pins.get(kind, ()), 1):
            found.append(Wire("keypad", _pin(board, pin), f"{kind[:-1]} {index}"))
    return found


def _bus(board: ModuleType) -> list[Wire]:
    if board.BUS == "spi":
        pins = _spi(board)
        far = {"SCLK": "SCK", "MOSI": "SDI", "MISO": "SDO", "CS": "CS"}
        if board.CHIP == "mcp3208":
            far = {"SCLK": "CLK", "MOSI": "DIN", "MISO": "DOUT", "CS": "CS/SHDN"}
        found = [Wire("meter", _pin(board, pins[name]), far[name]) for name in far]
    elif board.BUS == "i2c":
        sda, scl = _i2c(board)
        found = [
            Wire("meter", _pin(board, sda), "isolator, SDA", "the clock's bus too"),
            Wire("meter", _pin(board, scl), "isolator, SCL", "the clock's bus too"),
        ]
    else:
        tx, rx = _uart(board)
        found = [
            Wire("meter", _pin(board, tx), "isolator, to the chip's RX"),
            Wire("meter", _pin(board, rx), "isolator, to the chip's TX"),
        ]
    far_supply = "VCC" if board.BUS == "spi" else "isolator, low-voltage side"
    return found + _supply(board, "meter", "3.3 V", far_supply)


def _spi(board: ModuleType) -> dict[str, int]:
    if board.PLATFORM == "pi":
        return {**PI_SPI, "CS": PI_SPI["CS"][board.CHIP_SELECT]}  # type: ignore[dict-item,index]
    return {"SCLK": board.SCK, "MOSI": board.MOSI, "MISO": board.MISO, "CS": board.CHIP_SELECT}


def _i2c(board: ModuleType) -> tuple[int, int]:
    if board.PLATFORM == "pi":
        return PI_I2C["SDA"], PI_I2C["SCL"]
    return board.SDA, board.SCL


def _uart(board: ModuleType) -> tuple[int, int]:
    if board.PLATFORM == "pi":
        return PI_UART["TX"], PI_UART["RX"]
    return board.TX, board.RX


def _supply(board: ModuleType, group: str, volts: str, far: str) -> list[Wire]:
    if board.PLATFORM == "pi":
        supply, ground = PI_SUPPLY[group]
        found = [Wire(group, f"pin {supply} ({volts})", far)] if supply else []
        return [*found, Wire(group, f"pin {ground} (GND)", "GND")]
    found = [Wire(group, {"5 V": "VIN (5 V)"}.get(volts, "3V3"), far)] if volts else []
    return [*found, Wire(group, "GND", "GND")]


def _pin(board: ModuleType, number: int) -> str:
    if board.PLATFORM == "pi":
        return f"pin {HEADER[number]} (GPIO{number})"
    return f"GPIO{number}"


WARNING = """\
> **Mains voltage kills.** The metering side of this board is built, isolated, enclosed and
> connected by people licensed for it. Between mains and everything drawn here stands reinforced
> isolation: transformers, or a digital isolator with its own supply. Never connect a computer, a
> programmer or a scope to a metering chip whose ground is the mains. The relay in the supply line
> is an electrician's work.
"""


def page(name: str) -> str:
    """The page of a board in docs/boards: drawing, table, what to know."""
    board = load(name)
    purpose = (board.__doc__ or "").strip().split("\n")[0].rstrip(".")
    detail = " ".join((board.__doc__ or "").split("\n\n", 1)[1].split())
    ends = far_ends(board)
    lines = [f"# {name}", "", purpose + ".", "", WARNING, f"![Wires of {name}]({name}.svg)", ""]
    lines += ["| from | to | at its | |", "|---|---|---|---|"]
    lines += [f"| {w.here} | {ends[w.group]} | {w.there} | {w.note} |" for w in wires(board)]
    most = f"{board.MAX_AMPS} A and {board.MAX_VOLTS} V"
    lines += ["", detail, ""]
    lines += [f"Beyond {most} a reading is refused and never billed."]
    lines += ["", "Simulated; **not tried on hardware yet.** Constants: "]
    lines[-1] += f"[board/{name}.py](../../board/{name}.py)."
    return "\n".join(lines) + "\n"
