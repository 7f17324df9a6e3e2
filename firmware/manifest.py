"""What an application is made of: a manifest that the utility's firmware key signed (ES256).

A compact JWS. Its payload is JSON, taken as it was signed and never written anew:

    {"app": name, "files": [{"path", "sha256": 64 hex digits, "size"}, ...], "hw_class": name,
     "min_core": n, "seq": n, "version": name}

Nothing of it is parsed before the signature holds. RFC 9124 names what such a manifest needs.
"""

import hashlib
from binascii import unhexlify

from wattledger.agent.comms.documents import HEADERS, decoded
from wattledger.agent.comms.envelope import base64url
from wattledger.agent.errors import AgentError, EnvelopeError
from wattledger.agent.values import is_integer, is_name, parse_object
from wattledger.firmware.errors import UpdateError
from wattledger.firmware.slot_files import NAME

CORE = 1  # what this core offers to applications; rises with what they can call
SIGNERS = ("firmware", "root")
LIMIT = 16384  # bytes of the JWS
MOST_FILES = 128
LIMITS = {"pi": (131072, 1024)}  # there an application is the whole program
MOST_PATH = 96
MOST_NUMBER = 0xFFFFFFFF
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_./-"
KEYS = ("app", "files", "hw_class", "min_core", "seq", "version")
FILE_KEYS = ("path", "sha256", "size")
# Why an application is refused: the value of the event, for good.
NOT_SIGNED = 1
TOO_LONG = 2
MALFORMED = 3
BAD_PATH = 4
OLD_SEQUENCE = 5
OTHER_HARDWARE = 6
OTHER_CORE = 7
NO_ROOM = 8
BAD_FILE = 9  # what arrived is not what was signed
NOT_WANTED = 10


def limits(hw_class):
    """(bytes of the JWS, files) that a manifest may have on this hardware."""
    return LIMITS.get(hw_class, (LIMIT, MOST_FILES))


class File:
    """One file: its `path` in the slot, `size` in bytes, `digest` (SHA-256, 32 bytes)."""

    def __init__(self, path, size, digest):
        self.path = path
        self.size = size
        self.digest = digest


class Manifest:
    """`app`, `version`, `sequence`, `min_core`, `hw_class`, `files`, sorted by path."""

    def __init__(self, payload, most=(LIMIT, MOST_FILES)):
        """From the payload (bytes) of a signature that holds; UpdateError says what is wrong.
        `most` is of limits()."""
        try:
            document = parse_object(payload, most[0], _NotJsonError)
        except _NotJsonError as error:
            raise UpdateError(MALFORMED, "manifest %s" % error)
        if sorted(document) != list(KEYS):
            raise UpdateError(MALFORMED, "manifest must have %s" % ", ".join(KEYS))
        for key in ("app", "hw_class", "version"):
            if not is_name(document[key]):
                raise UpdateError(MALFORMED, "%s must be a name" % key)
        for key in ("min_core", "seq"):
            if not _is_number(document[key]) or not document[key]:
                raise UpdateError(MALFORMED, "%s must be a whole number from 1" % key)
        self.app = document["app"]
        self.hw_class = document["hw_class"]
        self.version = document["version"]
        self.min_core = document["min_core"]
        self.sequence = document["seq"]
        self.files = _files(document["files"], most[1])

    def check(self, hw_class, core, least):
        """UpdateError unless it is for this hardware and core and its sequence is at least
        `least`."""
        if self.hw_class != hw_class:
            raise UpdateError(OTHER_HARDWARE, "is for %s, this is %s" % (self.hw_class, hw_class))
        if self.min_core > core:
            raise UpdateError(OTHER_CORE, "needs core %d, this is %d" % (self.min_core, core))
        if self.sequence < least:
            raise UpdateError(OLD_SEQUENCE, "sequence %d is below %d" % (self.sequence, least))


class _NotJsonError(AgentError):
    def __init__(self, path, message):
        super().__init__(message)


class Signature:
    """Checks who signed `message` (bytes of a JWS): `work()` until it says True or False.

    UpdateError for what cannot be signed by one of `public_keys` (kid: point of 64 bytes).
    """

    def __init__(self, message, public_keys, limit=LIMIT):
        if len(message) > limit:
            raise UpdateError(TOO_LONG, "manifest is longer than %d bytes" % limit)
        first, last = message.find(b"."), message.rfind(b".")
        point = _points(public_keys).get(message[:first]) if 0 < first < last else None
        if point is None:
            raise UpdateError(NOT_SIGNED, "manifest has no header of a firmware key")
        try:
            signature = decoded(message[last + 1 :])
            self._check = _verification(point, message[:last], signature)
        except EnvelopeError as error:
            raise UpdateError(NOT_SIGNED, "manifest: %s" % error)

    def work(self):
        """A slice; True, False or None: not done."""
        return self._check.work()


def payload_of(message):
    """The payload (bytes) of a JWS that is known to be good; UpdateError."""
    try:
        return decoded(message[message.find(b".") + 1 : message.rfind(b".")])
    except EnvelopeError as error:
        raise UpdateError(NOT_SIGNED, "manifest: %s" % error)


def _verification(point, signed, signature):
    from wattledger.agent.comms.p256 import Verification  # 3 kB, wanted once in a while

    return Verification(point, hashlib.sha256(signed).digest(), signature)


def _points(public_keys):
    """Encoded protected header: point, of the keys that may sign applications."""
    found = {}
    for kid in public_keys:
        if kid.split(".")[0] in SIGNERS:
            for header in HEADERS:
                found[base64url((header % kid).encode())] = public_keys[kid]
    return found


def _files(listed, most):
    if not isinstance(listed, list) or not 1 <= len(listed) <= most:
        raise UpdateError(MALFORMED, "files must be a list of 1 to %d" % most)
    found = []
    folders = set()
    before = ""
    for item in listed:
        if not isinstance(item, dict) or sorted(item) != list(FILE_KEYS):
            raise UpdateError(MALFORMED, "a file must have %s" % ", ".join(FILE_KEYS))
        path = item["path"]
        if not is_path(path):
            raise UpdateError(
                BAD_PATH, "a path must be of a-z, 0-9, _, -, . and /, below the slot"
            )
        if path <= before:
            raise UpdateError(MALFORMED, "files must be sorted, each path once")
        if not _is_number(item["size"]):
            raise UpdateError(MALFORMED, "%s: size must be a whole number" % path)
        found.append(File(path, item["size"], _digest(item["sha256"], path)))
        before = path
        parts = path.split("/")
        for count in range(1, len(parts)):
            folders.add("/".join(parts[:count]))
    for file in found:
        if file.path in folders:
            raise UpdateError(BAD_PATH, "%s is a file and a folder" % file.path)
    return found


def is_path(path):
    """True for a path that stays in its slot and is not the manifest's own."""
    if not isinstance(path, str) or not 1 <= len(path) <= MOST_PATH:
        return False
    for letter in path:
        if letter not in LETTERS:
            return False
    parts = path.split("/")
    for part in parts:
        if part in ("", ".") or ".." in part:
            return False
    return parts[0].split(".")[0] != NAME


def _digest(text, path):
    try:
        # In its one form: a second spelling would be a second manifest for the same files.
        if isinstance(text, str) and len(text) == 64 and text == text.lower():
            return unhexlify(text)
    except ValueError:
        pass
    raise UpdateError(MALFORMED, "%s: sha256 must be 64 hex digits" % path)


def _is_number(value):
    return is_integer(value) and 0 <= value <= MOST_NUMBER
