"""The words and colours of the page: complete in both languages, readable in both schemes."""

import gzip
import json
import re
from pathlib import Path

import pytest

ASSETS = Path(__file__).parents[2] / "hal" / "display" / "assets"
ENGLISH = json.loads((ASSETS / "i18n" / "en.json").read_text(encoding="utf-8"))
CHINESE = json.loads((ASSETS / "i18n" / "zh.json").read_text(encoding="utf-8"))
SCRIPTS = "".join(path.read_text(encoding="utf-8") for path in sorted(ASSETS.glob("*.js")))
HTML = (ASSETS / "index.html").read_text(encoding="utf-8")
# What the server writes for a browser without JavaScript.
SERVER = "".join(
    path.read_text(encoding="utf-8") for path in sorted(ASSETS.parent.glob("plain*.py"))
)
# Names the meter sends, which the scripts join to a prefix.
SENT = {
    "supply": ["connected", "ready", "disconnected"],
    "zone": ["low1", "low2", "emergency", "zero", "untariffed"],
    "reason": ["no_credit", "safety", "load_limit", "remote", "time_is_up"],
    "alarm": ["ledger", "storage", "meter", "relay", "tamper"],
    "power": ["none", "low", "mid", "high", "export"],
    "quality": ["estimated", "stale", "rejected"],
    "trust": ["unknown", "restored"],
    "token_said": [str(number) for number in range(1, 18)],
    "band": [
        *("valley", "flat", "peak", "sharp", "day", "night"),
        *("all_day", "evening", "midday", "usual"),
    ],
    "todo": ["no_credit", "safety", "load_limit", "remote", "time_is_up"],
    "source": ["keypad", "remote"],
    "cycle": ["month", "year"],
}
SPANS = ["day", "week", "month", "year", "long"]
# What a script joins to a word of its own.
JOINED = {
    "tab": ["now", *SPANS],
    "span": SPANS,
    "before": SPANS[:-1],
    "solar": ["day", "month"],
}


def used_keys():
    keys = set(re.findall(r'\bt\("([a-z0-9_.]*[a-z0-9_])"', SCRIPTS))
    keys |= set(re.findall(r'data-i18n(?:-label)?="([^"]+)"', HTML))
    keys |= set(re.findall(r'\? t\("[^"]+"[^)]*\) : t\("([^"]+)"', SCRIPTS))
    keys |= set(re.findall(r'"((?:plain|pin|supply)\.[a-z_]+)"', SERVER))
    for prefix, names in [*SENT.items(), *JOINED.items()]:
        keys |= {"%s.%s" % (prefix, name) for name in names}
    # A row of the tariff's charges is called by its key.
    return keys | set(re.findall(r'"(charge\.[a-z_]+)"', SCRIPTS))


def test_both_languages_have_the_same_keys():
    assert set(ENGLISH) == set(CHINESE)


def test_every_key_used_exists_and_every_key_is_used():
    assert used_keys() == set(ENGLISH)


def test_every_key_of_the_server_exists():
    keys = set(re.findall(r'"([a-z]+\.[a-z0-9_.]+)"', SERVER))
    assert len(keys) > 40
    files = {"index.html", "pin.py"}
    assert {key for key in keys if not key.endswith("%d") and key[-1] != "."} - files <= set(
        ENGLISH
    )


def test_every_prefix_joined_by_a_script_is_known_here():
    joined = set(re.findall(r'named\("([a-z_]+)"', SCRIPTS + SERVER))
    assert joined == set(SENT)
    joined = set(re.findall(r'\bt\("([a-z]+)\."', SCRIPTS))
    assert joined == set(JOINED)


@pytest.mark.parametrize("key", sorted(ENGLISH))
def test_both_languages_fill_in_the_same_values(key):
    assert ENGLISH[key].strip() and CHINESE[key].strip()
    values = [sorted(re.findall(r"\{(\w+)\}", table[key])) for table in (ENGLISH, CHINESE)]
    assert values[0] == values[1]


def test_what_the_first_paint_needs_is_small_on_the_wire():
    # The page, its styles and scripts, one language: what a browser fetches before it shows all.
    later = {"long.js"}  # with the library of vendor/, when somebody looks at years
    files = [ASSETS / "index.html", ASSETS / "icon.svg", ASSETS / "i18n" / "zh.json"]
    files += [path for path in ASSETS.glob("*.*s*") if path.suffix in (".js", ".css")]
    files = [path for path in files if path.name not in later]
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)
    assert size < 45_000, size


def test_the_page_asks_nothing_of_the_internet():
    styles = "".join(path.read_text(encoding="utf-8") for path in ASSETS.glob("*.css"))
    addresses = set(re.findall(r"https?://[^\"' )]+", HTML + SCRIPTS + styles))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, never fetched


def luminance(colour):
    """Relative luminance by WCAG 2.1, 0 to 1, of #rrggbb."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def schemes():
    css = (ASSETS / "theme.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)
    colours = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in blocks[:4]]
    light, dark, more, more_dark = colours
    return {
        "light": light,
        "dark": {**light, **dark},
        "more contrast": {**light, **more},
        "more contrast, dark": {**light, **dark, **more, **more_dark},
    }


@pytest.mark.parametrize("scheme", sorted(schemes()))
@pytest.mark.parametrize(
    "text, ground",
    [
        ("ink", "card"),
        ("ink", "ground"),
        ("soft", "card"),
        ("soft", "ground"),
        ("accent-ink", "accent"),
        ("hero-ink", "hero"),
        ("hero-ink", "hero-low"),
        ("hero-ink", "hero-bad"),
        ("hero-ink", "hero-none"),
        ("ok", "ok-ground"),
        ("ok", "card"),
        ("warn", "warn-ground"),
        ("warn", "card"),
        ("bad", "bad-ground"),
        ("bad", "card"),
        ("calm", "calm-ground"),
    ],
)
def test_text_stands_out_from_its_ground(scheme, text, ground):
    colours = schemes()[scheme]
    light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= (7 if "more" in scheme else 4.5)
