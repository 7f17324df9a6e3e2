"""Releases on a Raspberry Pi: the same slots, selector and trial as on an ESP32.

    ROOT/releases/a  ROOT/releases/b   the two trees, each with its signed manifest
    ROOT/current                       a link to the one that runs; none: what is installed runs

    python -I -m wattledger.firmware.release_linux show ROOT --state DIR
    python -I -m wattledger.firmware.release_linux install ROOT --state DIR --site SITE RELEASE
    python -I -m wattledger.firmware.release_linux back ROOT --state DIR [--installed]

Each start of the meter goes through launch_linux.py.
"""

import argparse
import contextlib
import hashlib
import os
import shutil
import sys

from wattledger.firmware import manifest as manifests
from wattledger.firmware import slots
from wattledger.firmware.errors import FirmwareError, UpdateError
from wattledger.firmware.manifest import CORE, Manifest, Signature
from wattledger.firmware.site import Site
from wattledger.firmware.slot_files import NAME, SlotFiles, Wholeness, inspect
from wattledger.hal.storage.posix_linux import PosixStorage

HW_CLASS = "pi"
RELEASES = "releases"
CURRENT = "current"
FLOOR = "floor"
FAILED = 1


class FileMirror:
    """The highest sequence that proved itself, in a file beside the releases: a lost state folder
    leaves it."""

    def __init__(self, root):
        self._storage = PosixStorage(_folder(root))

    def read(self):
        """The sequence, 0 for none."""
        data = bytearray(16)
        try:
            return int(bytes(data[: self._storage.read_from(FLOOR, 0, data)]) or b"0")
        except (OSError, ValueError):
            return 0

    def write(self, sequence):
        """Keep it. OSError."""
        self._storage.commit(FLOOR, b"%d" % sequence)


class Files(SlotFiles):
    """What a running meter writes is durable at once: to sync the whole system at the end, with
    what others wrote, could take longer than the watchdog waits."""

    def __init__(self, folder):
        SlotFiles.__init__(self, folder)
        self._all = folder

    def append(self, slot, path, data):
        SlotFiles.append(self, slot, path, data)
        _sync(self.path(slot, path))

    def sync(self):
        for folder, _, _ in os.walk(self._all):
            _sync(folder)


def files_of(root):
    """The Files of the releases below `root`; their folder is made."""
    return Files(_folder(root))


def _folder(root):
    folder = os.path.join(root, RELEASES)
    os.makedirs(folder, exist_ok=True)
    return folder


def tree(root, slot):
    """The folder of a slot, by its real path: a link that is switched later does not change what
    a process imports."""
    return os.path.join(os.path.realpath(root), RELEASES, slot)


def linked(root):
    """The slot that `current` names, or None."""
    try:
        slot = os.path.basename(os.readlink(os.path.join(root, CURRENT)))
    except OSError:
        return None
    return slot if slot in slots.SLOTS else None


def running(root, file=__file__):
    """The slot that this code lies in, None for the installed code."""
    for slot in slots.SLOTS:
        if os.path.realpath(file).startswith(tree(root, slot) + os.sep):
            return slot
    return None


def start(root, storage, log):
    """Count this start, and let `current` name what starts: (its slot or None, those that are
    not as they were signed)."""
    wholeness = Wholeness(files_of(root))
    slot = slots.choose(storage, wholeness)
    for damaged in wholeness.damaged:
        log("release in slot %s is not as it was signed; it is not started" % damaged)
    switch(root, slot)
    return slot, wholeness.damaged


def switch(root, slot):
    """Point `current` to a slot's tree, or remove it: a reader sees the old or the new."""
    current = os.path.join(root, CURRENT)
    new = current + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    if slot is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(current)
    else:
        os.symlink(os.path.join(RELEASES, slot), new)
        os.replace(new, current)
    _sync(root)


def install(root, storage, source, public_keys):
    """Verify the release folder `source`, copy it into the free slot, name it for the next start.

    The sequence; UpdateError says why it is refused.
    """
    files = SlotFiles(_folder(root))  # nobody watches this process: it syncs once, at the end
    with open(os.path.join(source, NAME), "rb") as file:
        message = file.read()
    most = manifests.limits(HW_CLASS)
    signature = Signature(message, public_keys, most[0])
    good = None
    while good is None:
        good = signature.work()
    if not good:
        raise UpdateError(manifests.NOT_SIGNED, "manifest: wrong signature")
    found = Manifest(manifests.payload_of(message), most)
    selection = slots.load(storage)
    floor = max(selection.floor, FileMirror(root).read())
    found.check(HW_CLASS, CORE, floor + 1)
    if selection.slot is not None and selection.tries != slots.PROVEN:
        raise UpdateError(manifests.NOT_WANTED, "the one before is on trial yet")
    # After a way back the link still names the one that the service runs until it is restarted.
    used = (selection.slot, linked(root))
    free = [slot for slot in slots.SLOTS if slot not in used]
    if not free:
        raise UpdateError(manifests.NO_ROOM, "both slots are in use; restart the meter first")
    slot = free[0]
    if slot == selection.before:
        slots.release(storage)  # before its tree changes
    shutil.rmtree(files.path(slot), ignore_errors=True)
    for path in [file.path for file in found.files] + [NAME]:
        with open(os.path.join(source, path), "rb") as file:
            files.append(slot, path, file.read())
    files.sync()
    inspection = inspect(files, slot, found)
    wrong = None
    while wrong is None:
        wrong = next(inspection)
    if wrong:
        raise UpdateError(manifests.BAD_FILE, "%s is not as it was signed" % wrong)
    slots.install(storage, slot, found.sequence, hashlib.sha256(message).digest())
    return found.sequence


def back(storage, installed=False):
    """Start the one before next, or the installed code; the sequence that is left."""
    left = slots.load(storage).sequence
    if installed:
        slots.release(storage)
    slots.revert(storage, True)
    if installed:  # one on trial had the one before as its way back
        slots.revert(storage, True)
    return left


def clear(root):
    """No release is left, nor half of one; the floor stays."""
    switch(root, None)
    for slot in slots.SLOTS:
        shutil.rmtree(tree(root, slot), ignore_errors=True)


def shown(root, storage):
    """What a person asks about the releases, in lines."""
    selection = slots.load(storage)
    if selection.slot is None:
        yield "started next: the installed code"
    else:
        proof = "proven"
        if selection.tries != slots.PROVEN:
            proof = "on trial, %d starts left" % selection.tries
        yield "started next: sequence %d in slot %s, %s" % (
            selection.sequence,
            selection.slot,
            proof,
        )
    if selection.before is not None:
        yield "way back: sequence %d in slot %s" % (selection.before_sequence, selection.before)
    yield "only taken: a sequence above %d" % max(selection.floor, FileMirror(root).read())
    if selection.failed:
        yield "given up: sequence %d" % selection.failed


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def parse(words):
    """The command line; argparse ends the process with 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="release_linux", description="Releases of this meter.")
    actions = parser.add_subparsers(dest="action", required=True)
    for name, text in (
        ("show", "what is started next"),
        ("install", "take a signed release"),
        ("back", "start the one before next"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("root", help="folder of releases/ and current")
        action.add_argument("--state", required=True, help="folder of the meter's own files")
        if name == "install":
            action.add_argument("--site", required=True, help="folder with public_keys.json")
            action.add_argument("release", help="folder that `wattledger update sign` made")
        elif name == "back":
            action.add_argument("--installed", action="store_true", help="the installed code")
    return parser.parse_args(words)


def main(words=None):
    """Entry point; the exit code."""
    options = parse(words)

    def log(line):
        print(line, file=sys.stderr, flush=True)

    try:
        storage = PosixStorage(options.state)
        if os.stat(options.state).st_uid != os.geteuid():
            raise FirmwareError(
                "%s is another user's: run this as the one the meter runs as" % options.state
            )
        if options.action == "show":
            for line in shown(options.root, storage):
                print(line)
        elif options.action == "back":
            log("sequence %d is left; restart the meter" % back(storage, options.installed))
        else:
            keys = Site(options.site).public_keys or {}
            sequence = install(options.root, storage, options.release, keys)
            log("sequence %d is started next; restart the meter at a quiet time" % sequence)
    except (FirmwareError, OSError) as error:
        log("release: %s" % error)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
