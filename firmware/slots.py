"""Which of the two application slots is started: a record that every start reads and writes.

Two files of one record each, written in turn, so that a power cut leaves the old or the new one;
small enough for littlefs to keep inline. A new application has three starts to prove itself: the
count goes down durably before the start that it pays for, so a start that never comes back is
counted too.

    version u8 | generation u32 | slot u8 | tries u8 | sequence u32 | floor u32 | digest 32 B |
    the slot before: u8 | its sequence u32 | its digest 32 B | failed u32 | since u32 | linked u8 |
    crc32 u32
"""

import binascii
import struct

FILES = ("app.a", "app.b")
SLOTS = ("a", "b")
TRIES = 3
PROVEN = 255  # in place of the tries that are left
VERSION = 1
FORMAT = "<BIBBII32sBI32sIIB"
LENGTH = struct.calcsize(FORMAT) + 4
EMPTY = 255  # no slot
NO_DIGEST = b"\0" * 32


class Selection:
    """`slot` and `before` are "a", "b" or None; `tries` left, or PROVEN.

    `sequence` is the application's, `digest` (SHA-256) that of its manifest, `floor` the highest
    sequence that ever proved itself: none up to it is installed again. `failed` is the sequence of
    the last one that did not, `since` the powered seconds at which the present one did, `linked`
    whether the link was up when it was installed.
    """

    def __init__(self):
        self.generation = 0
        self.slot = None
        self.tries = PROVEN
        self.sequence = 0
        self.floor = 0
        self.digest = NO_DIGEST
        self.before = None
        self.before_sequence = 0
        self.before_digest = NO_DIGEST
        self.failed = 0
        self.since = 0
        self.linked = False


def load(storage):
    """The newest whole Selection; an empty one when there is none."""
    found = [_read(storage, name) for name in FILES]
    newest = Selection()
    for selection in found:
        if selection and selection.generation > newest.generation:
            newest = selection
    return newest


def choose(storage, is_whole):
    """The slot to start, "a" or "b", or None: the core alone.

    `is_whole(slot, digest)` says whether a slot holds what its manifest lists. A start of an
    application that has not proven itself is counted durably before this returns; where that
    cannot be done the one before it is started.
    """
    selection = load(storage)
    while selection.slot is not None:
        whole = is_whole(selection.slot, selection.digest)
        if whole and selection.tries == PROVEN:
            return selection.slot
        if whole and selection.tries:
            selection.tries -= 1
            if _store(storage, selection):
                return selection.slot
        elif whole:
            selection.failed = selection.sequence
        selection = _back(selection)
        _store(storage, selection)  # if it is not stored, the next start finds the same
    return None


def install(storage, slot, sequence, digest, linked=False):
    """Start `slot` from the next start on; what runs now is kept for the way back. OSError.

    `linked`: the link is up now, so the new one has to bring it up too.
    """
    now = load(storage)
    if now.tries == PROVEN and now.slot is not None:
        now.before, now.before_sequence, now.before_digest = now.slot, now.sequence, now.digest
    now.slot, now.sequence, now.digest = slot, sequence, digest
    now.tries = TRIES
    now.linked = linked
    _write(storage, now)


def good(storage, powered_s=0):
    """What runs has proven itself at `powered_s`: no older one is installed any more. OSError."""
    selection = load(storage)
    if selection.slot is not None and selection.tries != PROVEN:
        selection.tries = PROVEN
        selection.floor = max(selection.floor, selection.sequence)
        selection.since = powered_s
        _write(storage, selection)


def revert(storage, even_proven=False):
    """What runs has not proven itself in its time, or a person does not want it `even_proven`:
    the one before is started next. OSError."""
    selection = load(storage)
    if selection.slot is not None and (even_proven or selection.tries != PROVEN):
        selection.failed = selection.sequence
        _write(storage, _back(selection))


def release(storage):
    """Forget the way back, so that its slot may be written over. OSError."""
    selection = load(storage)
    if selection.before is not None and selection.tries == PROVEN:
        selection.before, selection.before_sequence = None, 0
        selection.before_digest = NO_DIGEST
        _write(storage, selection)


def _back(selection):
    """What ran before is started again, and needs no more proof."""
    selection.slot, selection.sequence = selection.before, selection.before_sequence
    selection.digest = selection.before_digest
    selection.tries = PROVEN
    selection.before, selection.before_sequence = None, 0
    selection.before_digest = NO_DIGEST
    return selection


def _store(storage, selection):
    try:
        _write(storage, selection)
    except OSError:
        return False
    return True


def _write(storage, selection):
    selection.generation += 1
    data = bytearray(LENGTH)
    struct.pack_into(
        FORMAT,
        data,
        0,
        VERSION,
        selection.generation,
        _number(selection.slot),
        selection.tries,
        selection.sequence,
        selection.floor,
        selection.digest,
        _number(selection.before),
        selection.before_sequence,
        selection.before_digest,
        selection.failed,
        selection.since,
        selection.linked,
    )
    struct.pack_into("<I", data, LENGTH - 4, binascii.crc32(memoryview(data)[: LENGTH - 4]))
    storage.commit(FILES[selection.generation % 2], data)


def _read(storage, name):
    data = bytearray(LENGTH + 1)
    try:
        if storage.read_from(name, 0, data) != LENGTH or data[0] != VERSION:
            return None
    except OSError:
        return None  # there, and not readable: the other file has the say
    body = memoryview(data)[: LENGTH - 4]
    if struct.unpack_from("<I", data, LENGTH - 4)[0] != binascii.crc32(body):
        return None
    fields = struct.unpack_from(FORMAT, data, 0)
    selection = Selection()
    selection.generation = fields[1]
    selection.slot = _name(fields[2])
    selection.tries, selection.sequence, selection.floor = fields[3:6]
    selection.digest = fields[6]
    selection.before = _name(fields[7])
    selection.before_sequence, selection.before_digest = fields[8:10]
    selection.failed, selection.since = fields[10:12]
    selection.linked = fields[12] == 1
    return selection


def _number(slot):
    return EMPTY if slot is None else SLOTS.index(slot)


def _name(number):
    return SLOTS[number] if number < len(SLOTS) else None
