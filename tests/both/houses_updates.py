"""The utility's side of an update, apart from the device's own code. Portable.

An application is a dict of paths and bytes; its manifest is written here as text.
"""

import hashlib
import json
import os

from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both.fixtures_jws import letters, unletters

try:
    from tempfile import mkdtemp
except ImportError:  # MicroPython's tests run in a folder of their own

    def mkdtemp():
        number = 0
        while True:
            try:
                name = "slots%d" % number
                os.mkdir(name)
                return name
            except OSError:
                number += 1


FIRMWARE_KEY = 13  # test key
ROOT_KEY = 17  # test key
KEYS = {
    "firmware.1": es256.public(FIRMWARE_KEY),
    "root.1": es256.public(ROOT_KEY),
    "tariff.1": es256.public(es256.TARIFF_KEY),
}
# Two applications of a few files: one over two parts, one empty, one below two folders.
OLD_FILES = {"display/page.mpy": b"old page" * 40, "network/link.mpy": b"old link"}
NEW_FILES = {
    "display/assets/page.css.gz": bytes(range(256)) * 20,
    "display/page.mpy": b"new page" * 50,
    "network/__init__.mpy": b"",
    "network/link.mpy": b"a new link",
}


def hexadecimal(data):
    """Lower-case hex digits."""
    return "".join(["%02x" % byte for byte in data])


def listing(files):
    """The list of a manifest's files, sorted."""
    return [
        {"path": path, "sha256": hexadecimal(hashlib.sha256(files[path]).digest()),
         "size": len(files[path])}
        for path in sorted(files)
    ]  # fmt: skip


def manifest(sequence, contents, **changes):
    """The payload (text) of a manifest."""
    document = {
        "app": "wattledger",
        "files": listing(contents),
        "hw_class": "esp32",
        "min_core": 1,
        "seq": sequence,
        "version": "0.%d" % sequence,
    }
    document.update(changes)
    return json.dumps(document)


class Release:
    """A signed application; `read(file, at)` is what the utility sends of it."""

    def __init__(self, sequence, files, private=FIRMWARE_KEY, kid="firmware.1", **changes):
        self.sequence = sequence
        self.files = files
        self.message = es256.sign(manifest(sequence, files, **changes), private, kid)
        self.contents = [self.message] + [files[path] for path in sorted(files)]

    def read(self, file, at):
        return self.contents[file][at : at + 4096]

    def digest(self):
        return hashlib.sha256(self.message).digest()

    def lay(self, files, slot):
        """Put it into a slot as it is when its download has ended."""
        for path in self.files:
            files.append(slot, path, self.files[path])
        files.append(slot, "manifest", self.message)


class Line:
    """Stands for a Fetcher: answers from a Release at once. `bend(file, at, data)` is what the
    wire makes of it, `asked` counts."""

    def __init__(self, release):
        self.release = release
        self.asked = []
        self.bend = lambda file, at, data: data

    def ask(self, sequence, file, offset):
        self.asked.append((sequence, file, offset))
        if sequence != self.release.sequence:
            return None
        return self.bend(file, offset, self.release.read(file, offset))


def flipped(message, part):
    """A JWS with the lowest bit of the middle of one of its parts (0 to 2) flipped."""
    parts = message.decode().split(".")
    data = bytearray(unletters(parts[part]))
    data[len(data) // 2] ^= 1
    parts[part] = letters(bytes(data))
    return ".".join(parts).encode()
