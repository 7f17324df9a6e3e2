"""A canvas of 128x64 on either interpreter, and the digest that a picture is known by."""

import binascii
import hashlib

try:
    import framebuf
except ImportError:  # CPython
    import sys

    from wattledger.hal.display import framebuf_linux as framebuf

    sys.modules["framebuf"] = framebuf  # for the ESP32's files

from wattledger.agent.display import alerts, words_en, words_zh
from wattledger.agent.display.pages import Pages
from wattledger.agent.display.screens import Screens
from wattledger.tests.both import fixtures_views as views

WORDS = {"en": words_en.WORDS, "zh": words_zh.WORDS}
ABOUT = "pi 0.1.0"


def wide_of(language):
    """The module of its wide letters or None, as firmware/panel.py hands it on."""
    wide = None
    if language == "zh":
        from wattledger.agent.display import glyphs_zh as wide
    return wide


def rows_of(buffer, width, height):
    return framebuf.FrameBuffer(buffer, width, height, framebuf.MONO_HLSB)


def canvas():
    """(its 1024 bytes, the canvas)."""
    frame = bytearray(1024)
    return frame, framebuf.FrameBuffer(frame, 128, 64, framebuf.MONO_VLSB)


class Easel:
    """Draws the screens of a language one after the other into `frame`."""

    def __init__(self, language):
        self.words = WORDS[language]
        self.frame, self.canvas = canvas()
        self.screens = Screens(self.canvas, rows_of, wide_of(language))
        self.pages = Pages(self.words, ABOUT)
        self.pages.hours = views.HOURS

    def layout(self, state):
        """The layout of an entry of fixtures_views.states()."""
        _, page, view, index = state
        if page:
            return self.pages.layout(page, view)
        return alerts.found(view, self.words)[0][index]

    def draw(self, layout):
        for _ in self.screens.draw(layout):
            pass
        return self.frame


def digest(frame):
    return binascii.hexlify(hashlib.sha256(frame).digest()[:6]).decode()
