"""The golden pictures of the small screens. Made anew, after looking at every change, with

python -m wattledger.tests.host.screen_pictures
"""

from wattledger.agent.display import card
from wattledger.hal.display.glass import OFFSETS, Glass
from wattledger.host_sim.chip.oled import Oled
from wattledger.tests.both import fixtures_views as views
from wattledger.tests.both.fixtures_canvas import Easel, canvas, digest
from wattledger.tests.both.fixtures_oled import Wired
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import panel_picture

LANGUAGES = ("en", "zh")
GOLDEN = ROOT / "tests" / "host" / "golden"
IMAGES = ROOT / "docs" / "images"
DIGESTS = ROOT / "tests" / "both" / "golden_screens.py"
# Those of docs/panel.md, with their captions.
SHOWN = {
    "home": "balance",
    "price": "price now and next",
    "power": "power now",
    "chart": "today, by hour",
    "token-typing": "a token",
    "message": "a message",
    "low2": "credit nearly used up",
    "offer": "emergency credit",
    "going-off": "off in minutes",
    "off-credit": "off, why, what to do",
    "ready": "ready",
    "ready-held": "held",
}


def frames(language):
    """name -> its 1024 bytes, of every state."""
    easel = Easel(language)
    return {state[0]: bytes(easel.draw(easel.layout(state))) for state in views.states()}


def on_glass(chip, configured):
    """What the glass of `chip` shows of the test card sent as for another one."""
    frame, drawn = canvas()
    card.draw(drawn, configured)
    oled = Oled(chip)
    glass = Glass(Wired(oled), frame, configured)
    glass.begin()
    while glass.work() is not None:
        pass
    return bytes(oled.frame())


def pictures():
    """path -> content of every file that is made of frames."""
    found = {}
    lines = [
        '"""What each screen of fixtures_views.py looks like: digests of its 1024 bytes."""',
        "",
    ]
    lines += ["DIGESTS = {"]
    for language in LANGUAGES:
        drawn = frames(language)
        found[GOLDEN / f"screens-{language}.pbm"] = panel_picture.pbm(list(drawn.values()))
        named = [(caption, drawn[name]) for name, caption in SHOWN.items()]
        text = panel_picture.sheet(f"Small screen, {language}", named)
        found[IMAGES / f"panel-{language}.svg"] = text.encode()
        lines.append(f'    "{language}": {{')
        lines += [f'        "{name}": "{digest(frame)}",' for name, frame in drawn.items()]
        lines.append("    },")
    found[DIGESTS] = ("\n".join([*lines, "}"]) + "\n").encode()
    cards = [
        (f"an {chip} taken for an {configured}", on_glass(chip, configured))
        for configured in OFFSETS
        for chip in OFFSETS
    ]
    text = panel_picture.sheet("Test cards on both chips", cards, 2)
    found[IMAGES / "panel-card.svg"] = text.encode()
    return found


def main():
    GOLDEN.mkdir(exist_ok=True)
    for path, content in pictures().items():
        path.write_bytes(content)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
