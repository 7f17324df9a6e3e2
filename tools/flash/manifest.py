"""What MicroPython's build and its installer read: manifest.py to freeze, package.json for mip."""

import json

from wattledger.tools.errors import FlashError
from wattledger.tools.mpy import ROOT

BOOT = "firmware/frozen_esp32.py"
# What the core and the application import from outside: asyncio lies in MicroPython, ssl and
# ssd1306 in micropython-lib, all else is built in.
LIBRARIES = b"""include("$(MPY_DIR)/extmod/asyncio")
require("ssl")
require("ssd1306")
"""
HEAD = b"# Build: make -C ports/esp32 FROZEN_MANIFEST=%s\n"
APP = "app/a/"  # where mip puts the application, below the target


def frozen() -> dict[str, bytes]:
    """The manifests and the file that they freeze in MicroPython's `_boot.py`'s place.

    manifest.py freezes the core; manifest-rom.py only the start, for a core in a ROMFS.
    """
    start = b'freeze("frozen", "_boot.py")\n'
    return {
        "frozen/_boot.py": (ROOT / BOOT).read_bytes(),
        "manifest.py": HEAD % b"manifest.py" + LIBRARIES + start + b'freeze("core")\n',
        "manifest-rom.py": HEAD % b"manifest-rom.py" + LIBRARIES + start,
    }


def package(app: dict[str, bytes]) -> bytes:
    """The application as a mip package, its addresses relative to the file. Sorted."""
    urls = [[APP + path, "app/" + path] for path in sorted(app)]
    text = json.dumps({"v": 1, "version": "0", "urls": urls, "deps": []}, indent=1)
    return (text + "\n").encode()


def check_package(package: bytes, files: dict[str, bytes]) -> None:
    """FlashError when a package.json names a file that is not there, or one twice."""
    urls = json.loads(package)["urls"]
    for place, url in urls:
        if url not in files:
            raise FlashError(f"package.json: {url} is not in the image")
        if place.startswith("/") or ".." in place.split("/"):
            raise FlashError(f"package.json: {place} is no place in a slot")
    if len({place for place, _ in urls}) < len(urls):
        raise FlashError("package.json: a file has two sources")
