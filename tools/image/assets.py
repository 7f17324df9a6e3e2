"""The page's files as a device holds them: compressed, but for what the server reads itself."""

import gzip
import re
from pathlib import Path

from wattledger.tools.mpy import ROOT

FOLDER = Path("hal/display/assets")
READ_BY_SERVER = ("i18n/",)  # it looks words up in them
LEFT_OUT = ("vendor/", "long.js")  # for years of days, which a device does not keep
LEVEL = 9


def stage(target: Path, source: Path = ROOT / FOLDER) -> dict[str, int]:
    """Put the assets into the folder `target`; bytes on flash by name.

    The same sources give the same bytes, for an image is compared by its hash.
    """
    sizes = {}
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        name = path.relative_to(source).as_posix()
        if name.startswith(LEFT_OUT):
            continue
        content = lean(name, path.read_bytes())
        if name.startswith(READ_BY_SERVER):
            sizes[name] = _write(target / name, content)
        packed = gzip.compress(content, LEVEL, mtime=0)
        sizes[name + ".gz"] = _write(target / (name + ".gz"), packed)
    return sizes


def lean(name: str, content: bytes) -> bytes:
    """A script, style or table of words without what only its readers need: comments, and blanks
    before a line.

    Comments are whole lines of a script, and no text of one goes over a line's end.
    """
    if name.endswith(".css"):
        content = re.sub(rb"/\*.*?\*/", b"", content, flags=re.S)
    elif not name.endswith((".js", ".json")):
        return content
    lines = [line.strip() for line in content.split(b"\n")]
    return b"\n".join(line for line in lines if line and not line.startswith(b"//"))


def _write(path: Path, content: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_bytes(content)
