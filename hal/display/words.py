"""The words of the page, as the server needs them: a few out of assets/i18n, never all.

A *message* is a text as it stands, or (key, {name: message}) whose {name}s are filled in.
"""

import json

from wattledger.hal.display.folder import FOLDER

LANGUAGES = ("en", "zh")
TAGS = {"en": "en", "zh": "zh-Hans"}
# The parts of a query that name it; the first by who has no JavaScript, and goes back to /plain.
PLAIN, LANGUAGE = "plain", "lang"
PAUSE = b""
CLOSING = "</main>\n</body>\n</html>\n"
LINES = 32  # between two pauses


def language_of(request):
    """What ?lang= or ?plain= says, else the first of the browser's languages that there is, else
    English."""
    args = request.args
    wanted = [args.get(PLAIN, ""), args.get(LANGUAGE, "")] if args else []
    wanted += (request.headers.get("Accept-Language") or "").split(",")
    for tag in wanted:
        name = tag.strip()[:2].lower()
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]


def opening(language, title, more=""):
    """The head of a page without JavaScript, and the beginning of its body."""
    return (
        '<!doctype html>\n<html lang="%s">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n%s'
        '<title>%s</title>\n<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">\n'
        '<link rel="stylesheet" href="/assets/theme.css">\n'
        '<link rel="stylesheet" href="/assets/plain.css">\n</head>\n<body>\n'
        '<main class="plain">\n<h1>%s</h1>\n'
    ) % (TAGS[language], more, title, title)


def keys_of(message, found):
    """Add the keys that a message needs to the set `found`."""
    if not isinstance(message, str):
        key, values = message
        found.add(key)
        for value in values.values():
            keys_of(value, found)


def load(language, keys, table):
    """Put those `keys` that the language has into the dict `table`: a generator of pauses.

    Each pair has a line of the file, so nothing else of it comes into the heap.
    """
    with open(FOLDER + "i18n/%s.json" % language, "rb") as file:
        for count, line in enumerate(file):
            line = line.strip()
            key = line[1 : line.find(b'":')].decode()
            if key in keys:
                line = line.rstrip(b",")
                table[key] = json.loads((b"{%s}" % line).decode())[key]
            if count % LINES == 0:
                yield PAUSE


def said(message, words):
    """The text of a message; of a key that has no words, what follows its last dot."""
    if isinstance(message, str):
        return message
    key, values = message
    text = words.get(key)
    if text is None:
        return values.get("name", key)
    for name, value in values.items():
        text = text.replace("{%s}" % name, said(value, words))
    return text


def named(prefix, name):
    """The message for a name that comes from the meter: a tariff may call its bands anything."""
    if not name:
        return "\u2013"
    name = str(name)
    return prefix + "." + name.lower().replace(" ", "_").replace("-", "_"), {"name": name}


def escaped(text):
    """Text as it may stand in HTML, between tags or in a quoted attribute."""
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return text
