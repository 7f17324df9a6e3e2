"""A little program on the image bench: its sources and what an image makes of them."""

import subprocess
import sys

from wattledger.tools.image import build
from wattledger.tools.image.arguments import shorten
from wattledger.tools.image.bundle import bundle
from wattledger.tools.image.constants import inline
from wattledger.tools.image.program import Program


def sources(**files):
    """Sources by path from keyword arguments: `agent__a="X = 1"` is p/agent/a.py."""
    found = {"p/" + name.replace("__", "/") + ".py": text for name, text in files.items()}
    for path in list(found):
        parts = path.split("/")[1:-1]
        for depth in range(1, len(parts) + 1):
            found["/".join(["p", *parts[:depth], "__init__.py"])] = ""
    return {path: text.encode() for path, text in found.items()}


def inlined(**files):
    """The text of each file after the constants are written out."""
    program = Program(sources(**files))
    inline(program)
    return {path[2:-3]: text.decode() for path, text in program.sources().items()}


def merged(roots, **files):
    """The text of each file after `roots` and what they import became p/core.py."""
    program = Program(sources(**files))
    bundle(program, ["p." + name for name in roots], "p.core")
    return {path[2:-3]: text.decode() for path, text in program.sources().items()}


def says(tree, folder, module="root"):
    """What running p.<module> from these sources prints."""
    for path, content in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-B", "-c", f"import p.{module}"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def compared(folder, monkeypatch, **files):
    """What the sources and their image print; the image's files by path. p/root.py is started."""
    monkeypatch.setattr(build, "CORE", "p.core")
    monkeypatch.setattr(build, "APP", ("p.app",))
    lying = sources(**files)
    image = build.compose(lying, ["p.root"])
    return (
        says(lying, folder / "lying"),
        says(image, folder / "image"),
        {path[2:-3]: text.decode() for path, text in image.items()},
    )


def shortened(text):
    """The text of a file after its arguments got short names."""
    program = Program(sources(a=text))
    shorten(program, ["p.a"])
    return program.sources()["p/a.py"].decode()
