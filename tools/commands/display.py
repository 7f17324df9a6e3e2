"""Commands about small screens: what one would show, its test card, its glyphs."""

from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools.commands.options import Json
from wattledger.tools.errors import ToolError

app = typer.Typer(help="Small screens of a meter.", rich_markup_mode=None)
Language = Annotated[str, typer.Option("--language", metavar="en|zh", help="en or zh.")]
Picture = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw it there.")]
Chip = Annotated[str, typer.Option("--chip", help="ssd1306, sh1106 or hd44780.")]


def _known(value: str, allowed: tuple[str, ...], option: str) -> None:
    if value not in allowed:
        raise typer.BadParameter(f"{option} is one of {', '.join(allowed)}, not {value!r}")


@app.command("show")
def display_show(
    view: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A view as JSON (GET /view of a page).")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="A running page, as the demo prints it.")
    ] = None,
    page: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this page; `alert` what comes unasked."),
    ] = None,
    language: Language = "en",
    lcd: Annotated[bool, typer.Option("--lcd", help="As the text display of 20x4.")] = False,
    svg: Picture = None,
) -> None:
    """Show in this terminal what a small screen shows: every page, or one."""
    from wattledger.tools import panel_picture, panel_show

    _known(language, tuple(panel_show.LANGUAGES), "--language")
    if lcd and language != "en":
        raise typer.BadParameter("the text display has no hanzi: --lcd is for --language en")
    if (view is None) == (url is None):
        raise typer.BadParameter("give one of --view FILE and --url http://HOST:PORT")
    told = panel_show.read_view(view, url)
    try:
        found = panel_show.layouts(told, language, page, charts=not lcd)
        frames = [] if lcd else [panel_show.frame_of(layout, language) for _, layout in found]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise ToolError(f"{view or url}: is no whole view ({why}); take it from a page") from None
    for index, (name, layout) in enumerate(found):
        print(name)
        print(panel_show.text_of(layout) if lcd else panel_picture.blocks(frames[index]))
    if svg is not None and not lcd:
        named = [(name, frame) for (name, _), frame in zip(found, frames, strict=True)]
        svg.write_text(panel_picture.sheet("Small screen", named), encoding="utf-8")


@app.command("card")
def display_card(
    chip: Chip = "ssd1306",
    send: Annotated[
        bool, typer.Option("--send", help="To the display that hangs on this Raspberry Pi.")
    ] = False,
    bus: Annotated[int, typer.Option(help="Its I2C bus.")] = 1,
    address: Annotated[
        int | None, typer.Option(help="Its I2C address, decimal; else the usual one.")
    ] = None,
    svg: Picture = None,
) -> None:
    """The test card of a chip: its edges are numbered, so that another chip shows."""
    from wattledger.agent.display import card
    from wattledger.agent.display.settings import LCD_ADDRESS, OLED_ADDRESS
    from wattledger.tools import output, panel_picture, panel_show

    _known(chip, panel_show.CHIPS, "--chip")
    if send:
        usual = LCD_ADDRESS if chip == "hd44780" else OLED_ADDRESS
        panel_show.send_card(chip, bus, usual if address is None else address)
        output.note("the card is sent; docs/panel.md says what to look at")
    elif chip == "hd44780":
        print("\n".join(card.LCD_CARD))
    else:
        frame = panel_show.card_frame(chip)
        print(panel_picture.blocks(frame))
        if svg is not None:
            text = panel_picture.sheet("Test card", [(chip, frame)], 1)
            svg.write_text(text, encoding="utf-8")


@app.command("glyphs")
def display_glyphs(
    unifont: Annotated[
        Path, typer.Argument(metavar="FILE", help="unifont.hex, of Debian's package unifont.")
    ],
    as_json: Json = False,
) -> None:
    """Cut the glyphs of the screens' words out of a font anew, after a word has changed."""
    from wattledger.tools import glyphs, output

    written = [path.relative_to(glyphs.ROOT).as_posix() for path in glyphs.write(unifont)]
    if as_json:
        output.result({"written": written})
    else:
        print("\n".join(written))
