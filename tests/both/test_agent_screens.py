"""The screens of every state in both languages: the same bytes on both interpreters."""

import unittest

from wattledger.agent.display import glyphs, glyphs_zh
from wattledger.agent.display.layout import Layout, cells, cut, wrap
from wattledger.tests.both import fixtures_views as views
from wattledger.tests.both.fixtures_canvas import WORDS, Easel, canvas, digest
from wattledger.tests.both.golden_screens import DIGESTS

HEAP = "320K"


def lit(frame, x, y):
    return frame[(y >> 3) * 128 + x] >> (y & 7) & 1


def picture(frame, x, y, width, height):
    """Rows of # and . out of a frame."""
    return [
        "".join(["#" if lit(frame, x + i, y + j) else "." for i in range(width)])
        for j in range(height)
    ]


class TestGolden(unittest.TestCase):
    """A frame that changed shall be looked at: tests/host/test_screen_pictures.py says how."""

    def check(self, language):
        easel = Easel(language)
        for state in views.states():
            with self.subTest(state=state[0]):
                frame = easel.draw(easel.layout(state))
                self.assertEqual(digest(frame), DIGESTS[language][state[0]])

    def test_english(self):
        self.check("en")

    def test_chinese(self):
        self.check("zh")

    def test_no_two_states_look_alike(self):
        for language in ("en", "zh"):
            found = list(DIGESTS[language].values())
            self.assertEqual(len(found), len(set(found)))
            self.assertEqual(len(found), len(views.states()))


class TestDrawing(unittest.TestCase):
    def setUp(self):
        self.easel = Easel("zh")

    def test_a_letter_is_unifonts(self):
        # U+0041 of unifont.hex: 0000000018242442427E424242420000, drawn in the first row.
        frame = self.easel.draw(Layout("", "", (("A", ""),)))
        rows = picture(frame, 0, 16, 8, 16)
        self.assertEqual(rows[4:8], ["...##...", "..#..#..", "..#..#..", ".#....#."])
        self.assertEqual(rows[8:10], [".#....#.", ".######."])
        self.assertEqual(rows[:4] + rows[14:], ["........"] * 6)

    def test_a_hanzi_is_unifonts(self):
        # U+4E00, one stroke: row 7 is FFFE, all else is empty.
        frame = self.easel.draw(Layout("", "", (("\u4e00", ""),)))
        rows = picture(frame, 0, 16, 16, 16)
        self.assertEqual(rows.pop(7), "###############.")
        self.assertEqual(rows, ["." * 16] * 15)

    def test_a_title_is_dark_on_bright(self):
        frame = self.easel.draw(Layout("A"))
        self.assertEqual(picture(frame, 0, 4, 8, 1), ["###..###"])
        self.assertEqual(picture(frame, 8, 0, 120, 16), ["#" * 120] * 16)

    def test_a_big_number_has_every_pixel_twice(self):
        frame = self.easel.draw(Layout("", "", big="A"))
        # 16 wide in the middle: from 56; row 9 of the letter (7E) at 16 + 2 * 9.
        self.assertEqual(picture(frame, 56, 34, 16, 2), ["..############.."] * 2)

    def test_a_number_too_long_for_that_is_whole_and_smaller(self):
        frame = self.easel.draw(Layout("", "", big="123456789"))
        # 9 letters of 8 in the middle: 28 to 99, and nothing beside them.
        rows = picture(frame, 0, 16, 28, 48) + picture(frame, 100, 16, 28, 48)
        self.assertEqual(rows, ["." * 28] * 96)

    def test_a_letter_nobody_drew_is_a_box(self):
        frame = self.easel.draw(Layout("", "", (("\u9f98", ""),)))
        self.assertEqual(picture(frame, 0, 18, 16, 1), [".##############."])

    def test_a_bar_is_as_long_as_what_is_done(self):
        frame = self.easel.draw(Layout("", "", progress=500))
        # 124 pixels inside the frame, half of them lit, from x = 2.
        self.assertEqual(picture(frame, 2, 56, 124, 1), ["#" * 62 + "." * 62])

    def test_the_highest_hour_has_the_whole_height(self):
        frame = self.easel.draw(Layout("", bars=(0, 100, 50)))
        columns = [sum([lit(frame, 4 + 5 * hour, y) for y in range(16, 63)]) for hour in range(3)]
        self.assertEqual(columns, [0, 44, 22])

    def test_drawing_stops_after_each_piece(self):
        rows = (("a", ""), ("b", ""), ("c", ""))
        self.assertEqual(len(list(self.easel.screens.draw(Layout("t", "", rows)))), 4)


class TestText(unittest.TestCase):
    def test_every_word_has_its_glyphs(self):
        known = {"en": glyphs.CHARACTERS, "zh": glyphs.CHARACTERS + glyphs_zh.CHARACTERS}
        for language, words in WORDS.items():
            letters = set("".join(words.values()))
            missing = [letter for letter in letters if letter not in known[language]]
            self.assertEqual(missing, [], "make them anew: wattledger display glyphs")

    def test_both_languages_have_the_same_keys(self):
        self.assertEqual(set(WORDS["en"]), set(WORDS["zh"]))
        for key, text in WORDS["en"].items():
            self.assertEqual(text.count("%s"), WORDS["zh"][key].count("%s"), key)

    def test_every_screen_fits(self):
        for language in WORDS:
            easel = Easel(language)
            for state in views.states():
                with self.subTest(language=language, state=state[0]):
                    layout = easel.layout(state)
                    gap = 1 if layout.corner else 0
                    self.assertLessEqual(cells(layout.title) + gap + cells(layout.corner), 16)
                    self.assertLessEqual(len(layout.rows), 1 if layout.big else 3)
                    for left, right in layout.rows:
                        gap = 1 if left and right else 0
                        self.assertLessEqual(cells(left) + gap + cells(right), 16)

    def test_what_became_of_a_token_is_never_cut(self):
        for words in WORDS.values():
            for result in range(1, 18):
                text = words["said_%d" % result]
                self.assertFalse(wrap(text, 16, 3)[-1].endswith(".."), text)

    def test_a_row_breaks_at_a_space_and_anywhere_in_hanzi(self):
        self.assertEqual(wrap("one two three", 8, 3), ["one two", "three"])
        self.assertEqual(wrap("\u4e00" * 5, 8, 3), ["\u4e00" * 4, "\u4e00"])
        self.assertEqual(wrap("abcdefghij", 4, 3), ["abcd", "efgh", "ij"])
        self.assertEqual(wrap("a b c d e f", 1, 2), ["a", ".."])

    def test_a_hanzi_is_cut_whole(self):
        self.assertEqual(cut("\u4e00\u4e00", 3), "\u4e00")
        self.assertEqual(cut("abc", -1), "")


class TestCanvas(unittest.TestCase):
    """The calls of framebuf that the Pi's own one must do to the pixel."""

    def test_what_lies_outside_is_cut_off(self):
        frame, drawn = canvas()
        drawn.fill_rect(-2, -2, 4, 4, 1)
        drawn.hline(126, 63, 9, 1)
        drawn.rect(120, 60, 20, 20, 1)
        drawn.pixel(128, 0, 1)
        self.assertEqual([drawn.pixel(1, 1), drawn.pixel(2, 1), drawn.pixel(0, 2)], [1, 0, 0])
        self.assertEqual([drawn.pixel(127, 63), drawn.pixel(127, 60)], [1, 1])
        self.assertEqual(digest(frame), "051b8491f78e")

    def test_letters_of_the_small_font(self):
        frame, drawn = canvas()
        drawn.text("".join([chr(code) for code in range(0x20, 0x30)]), 0, 0)
        drawn.text("ABCxyz~\x7f\u4e00", 60, 30)
        drawn.text("at", 125, 60)
        self.assertEqual(digest(frame), "c63d5c1770db")
