"""What a small screen would show of a view: the meter's own drawing code, on this computer."""

import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from wattledger.agent.display import alerts, card, glyphs_zh, words_en, words_zh
from wattledger.agent.display.layout import Layout
from wattledger.agent.display.lines import lines_of
from wattledger.agent.display.pages import Pages
from wattledger.agent.display.screens import HEIGHT, WIDTH, Screens
from wattledger.hal.display import framebuf_linux
from wattledger.hal.display.framebuf_linux import MONO_VLSB, FrameBuffer
from wattledger.tools import places
from wattledger.tools.errors import ToolError

LANGUAGES = {"en": (words_en.WORDS, None), "zh": (words_zh.WORDS, glyphs_zh)}
CHIPS = ("ssd1306", "sh1106", "hd44780")
ALERT = "alert"
TIMEOUT_S = 5
FRAME_BYTES = 1024


def read_view(path: Path | None, url: str | None) -> dict[str, Any]:
    """The view in a file, else that of a running page. ToolError says what is wrong."""
    if path is not None:
        data, place = places.read(path), str(path)
    else:
        place = f"{url}".rstrip("/") + "/view"
        try:
            with urllib.request.urlopen(place, timeout=TIMEOUT_S) as answer:
                data = answer.read()
        except (urllib.error.URLError, http.client.HTTPException, ValueError, OSError) as error:
            raise ToolError(
                f"{place}: {error}; start a page with `wattledger demo` and give its address"
            ) from None
    view = places.parse(place, places.decode(place, data))[0]
    if not isinstance(view, dict) or "supply" not in view:
        raise ToolError(f"{place}: is no view of a meter (it has no `supply`)")
    return view


def layouts(
    view: dict[str, Any], language: str, wanted: str | None, charts: bool = True
) -> list[tuple[str, Layout]]:
    """(name, layout) of what comes unasked and of every page, or of the `wanted` one."""
    words, _ = LANGUAGES[language]
    pages = Pages(words, charts=charts)
    found = [(ALERT, layout) for layout in alerts.found(view, words)[0]]
    found += [(name, pages.layout(name, view)) for name in pages.names(view)]
    if wanted is None:
        return found
    chosen = [item for item in found if item[0] == wanted]
    if not chosen:
        names = ", ".join(dict(found))
        raise ToolError(f"there is no page {wanted!r} now; there are {names}")
    return chosen


def frame_of(layout: Layout, language: str) -> bytes:
    """The 1024 bytes of a layout."""
    frame = bytearray(FRAME_BYTES)
    canvas = FrameBuffer(frame, WIDTH, HEIGHT, MONO_VLSB)
    for _ in Screens(canvas, framebuf_linux.rows_of, LANGUAGES[language][1]).draw(layout):
        pass
    return bytes(frame)


def text_of(layout: Layout) -> str:
    """The four lines of the text display, in a frame."""
    edge = "+" + "-" * 20 + "+"
    return "\n".join([edge, *(f"|{line}|" for line in lines_of(layout)), edge])


def card_frame(chip: str) -> bytes:
    """The test card of an OLED."""
    frame = bytearray(FRAME_BYTES)
    card.draw(FrameBuffer(frame, WIDTH, HEIGHT, MONO_VLSB), chip)
    return bytes(frame)


def send_card(chip: str, bus: int, address: int) -> None:
    """Put the test card on the display that hangs on this computer. HalError."""
    import time

    display: Any
    if chip == "hd44780":
        from wattledger.hal.bus.i2c_linux import LinuxI2c
        from wattledger.hal.display.lcd_pcf8574 import Lcd

        display = Lcd(LinuxI2c(bus, address))
        display.show(card.LCD_CARD)
    else:
        from wattledger.hal.display.glass import Glass
        from wattledger.hal.display.oled_luma_linux import LumaPort

        display = Glass(LumaPort(chip, bus, address), bytearray(card_frame(chip)), chip)
    display.begin()
    wait_ms: int | None = 0
    while wait_ms is not None:
        time.sleep(wait_ms / 1000)
        wait_ms = display.work()
