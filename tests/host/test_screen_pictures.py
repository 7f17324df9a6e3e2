"""The golden pictures: what is committed is what the screens draw now, and every state is there.

When one of these fails, look at the pictures before making them anew (screen_pictures.py).
"""

import pytest

from wattledger.agent.display import words_zh
from wattledger.tests.both import fixtures_views as views
from wattledger.tests.host import screen_pictures
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import glyphs, panel_picture

PICTURES = screen_pictures.pictures()


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_what_is_committed_is_what_is_drawn(path):
    remedy = "look at it, then: python -m wattledger.tests.host.screen_pictures"
    assert path.read_bytes() == PICTURES[path], remedy


def test_a_portable_bitmap_is_the_frame():
    frame = bytearray(1024)
    frame[0] = 0b00000101  # (0, 0) and (0, 2) are lit
    found = panel_picture.pbm([bytes(frame)])
    head, pixels = found[:10], found[10:]
    assert head == b"P4\n128 64\n"
    # 16 bytes a row, dark is 1: the first pixel of rows 0 and 2 is bright.
    assert pixels[:48:16] == bytes((0x7F, 0xFF, 0x7F))


def test_half_blocks_stand_for_two_rows():
    frame = bytearray(1024)
    frame[:4] = bytes((0, 1, 2, 3))
    lines = panel_picture.blocks(bytes(frame)).split("\n")
    assert lines[1][1:6] == " ▀▄█ "
    assert len(lines) == 34


def test_every_state_of_the_supply_and_of_a_token_has_a_picture():
    names = {state[0] for state in views.states()}
    wanted = {"low1", "low2", "offer", "emergency", "off-credit", "ready", "ready-held"}
    assert wanted | {"token-typing", "token-refused", "token-locked", "message"} <= names
    assert set(screen_pictures.SHOWN) <= names


def test_glyphs_are_those_of_the_words():
    from wattledger.agent.display import glyphs_zh

    assert glyphs.wide_characters() == glyphs_zh.CHARACTERS, "wattledger display glyphs FILE"
    assert len(glyphs_zh.BITS) == 32 * len(glyphs_zh.CHARACTERS)


def test_a_word_with_an_unknown_hanzi_is_missed(monkeypatch):
    from wattledger.agent.display import glyphs_zh

    monkeypatch.setitem(words_zh.WORDS, "new", "\u9f98")
    assert set(glyphs.wide_characters()) - set(glyphs_zh.CHARACTERS) == {"\u9f98"}


def test_the_small_letters_are_micropythons():
    from wattledger.hal.display import font8x8_linux

    if glyphs.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    assert b"".join(glyphs.letters()) == font8x8_linux.BITS


def test_a_font_file_is_cut_and_what_it_lacks_is_named(tmp_path):
    font = tmp_path / "unifont.hex"
    font.write_text("0041:0000000018242442427E424242420000\n4E00:" + "00" * 32 + "\n")
    assert glyphs.read_hex(font, "A")["A"][4] == 0x18
    with pytest.raises(glyphs.ToolError, match="has no glyph for B"):
        glyphs.read_hex(font, "AB")
    font.write_text("not a font\n")
    with pytest.raises(glyphs.ToolError, match=r"is no Unifont .hex file"):
        glyphs.read_hex(font, "A")


def test_the_licences_of_the_glyphs_are_told():
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE\n\nVersion 1.1" in notice
    assert "MicroPython" in notice and "MIT" in notice
