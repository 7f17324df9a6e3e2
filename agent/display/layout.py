"""What one screen says, before anybody has decided how it is drawn."""

ROWS = 3  # below the title; `big` takes two of them
FINE_CELLS = 16  # of a row of the smallest letters
FINE_ROWS = 5


class Layout:
    """`title` and `corner` stand on top, then `big` or nothing, then `rows`: (left, right) texts.

    `sentence` is text to be broken into the rows; `fine` is up to five rows of small letters;
    `progress` is 0..1000, `level` 0..3 steps of a gauge, `bars` numbers for a chart.
    """

    def __init__(
        self,
        title,
        corner="",
        rows=(),
        big=None,
        sentence=None,
        fine=None,
        progress=None,
        level=None,
        bars=None,
    ):
        self.title = title
        self.corner = corner
        self.rows = rows
        self.big = big
        self.sentence = sentence
        self.fine = fine
        self.progress = progress
        self.level = level
        self.bars = bars

    def same(self, other):
        """True when `other` looks the same."""
        return other is not None and self._all() == other._all()

    def _all(self):
        return (
            self.title,
            self.corner,
            self.rows,
            self.big,
            self.sentence,
            self.fine,
            self.progress,
            self.level,
            self.bars,
        )


def cells(text):
    """How many cells a text takes: two for a hanzi."""
    return sum([2 if letter > "\u2fff" else 1 for letter in text])


def cut(text, most):
    """The text, cut to `most` cells."""
    while text and cells(text) > most:
        text = text[:-1]
    return text


def wrap(text, most, rows):
    """At most `rows` rows of at most `most` cells; breaks at spaces, and anywhere in hanzi."""
    found = []
    row = ""
    for word in words_of(text):
        if cells(row) + cells(word.rstrip()) > most and row:
            found.append(row.rstrip())
            row = ""
        row += word
        while cells(row.rstrip()) > most:
            head = cut(row, most)
            found.append(head)
            row = row[len(head) :]
    if row.strip():
        found.append(row.rstrip())
    if len(found) > rows:
        found = found[:rows]
        found[-1] = cut(found[-1], most - 2) + ".."
    return found


def words_of(text):
    """What may stand at the end of a row: words with the space behind them, single hanzi."""
    found = []
    word = ""
    for letter in text:
        if letter > "\u2fff" and word:
            found.append(word)
            word = ""
        word += letter
        if letter == " " or letter > "\u2fff":
            found.append(word)
            word = ""
    return found + [word] if word else found
