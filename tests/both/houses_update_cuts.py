"""Power cuts at every operation of an update under real littlefs, for MicroPython alone.

The meter runs on while it fetches, and its money is counted as in houses_store.py. What checks the
signature is left out: it touches no storage.
"""

import gc

import vfs

from wattledger.firmware import slots, update
from wattledger.firmware.slot_files import SlotFiles, Wholeness
from wattledger.firmware.update import Updater
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim import flash as nor
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.houses_store import Life, broken
from wattledger.tests.both.houses_updates import Line, Release

BLOCKS = 64
FOLDER = "/flash"
SEVEN = Release(7, {"page.mpy": b"seven" * 300, "net/link.mpy": b"7"})
EIGHT = Release(8, {"net/link.mpy": b"eight", "net/new.mpy": b"", "page.mpy": b"8" * 5000})
NINE = Release(9, {"page.mpy": b"nine" * 200})
RELEASES = {7: SEVEN, 8: EIGHT, 9: NINE}


class Believed:
    """Stands for a Signature."""

    def __init__(self, message, public_keys, limit):
        self._good = message in [release.message for release in RELEASES.values()]

    def work(self):
        return self._good


update.Signature = Believed


class CutFlash(nor.NorFlash):
    """A flash whose power goes at operation `cut_at`, which is half done when `torn`."""

    cut_at = 0
    torn = False
    cut = False
    why = None

    def writeblocks(self, block, buffer, offset=0):
        if self._is_cut((block * nor.BLOCK_BYTES + offset, buffer)):
            return -self.errno
        return nor.NorFlash.writeblocks(self, block, buffer, offset)

    def ioctl(self, operation, argument):
        if operation == 6 and self._is_cut((argument * nor.BLOCK_BYTES, None)):
            return -self.errno
        return nor.NorFlash.ioctl(self, operation, argument)

    def is_dead(self):
        return self.dead

    def _is_cut(self, operation):
        if not self.dead and self.operations + 1 == self.cut_at:
            self.dead = self.cut = True
            if self.torn:
                nor.tear(self.image, operation)
        return self.dead


class Mounted:
    """A littlefs on a flash, for one `with`: its storage and its slots."""

    def __init__(self, flash):
        self._flash = flash

    def __enter__(self):
        vfs.mount(vfs.VfsLfs2(self._flash), FOLDER)
        return VfsStorage(FOLDER), SlotFiles(FOLDER + "/app")

    def __exit__(self, kind, error, traceback):
        vfs.umount(FOLDER)
        self._flash.dead = True


def start(storage, files):
    """The slot that starts."""
    return slots.choose(storage, Wholeness(files))


def updater(storage, files, release, running):
    """An Updater that is sent `release`."""
    return Updater(
        storage,
        files,
        {},
        "esp32",
        running,
        0,
        Line(release),
        VirtualClock(0),
        lambda code, value: None,
    )


def lay_seven(flash):
    """Sequence 7 in slot a, proven, on a new file system."""
    vfs.VfsLfs2.mkfs(flash)
    with Mounted(flash) as (storage, files):
        SEVEN.lay(files, "a")
        slots.install(storage, "a", 7, SEVEN.digest())
        start(storage, files)
        slots.good(storage)
        life = Life(storage, lambda: len(flash.log or ()))
        life.begin(30)
    flash.dead = False
    return life


class Recording:
    """An update that proves itself and one that does not: 7, then 8, then 9 and back to 8.

    `log` of the flash, `life` with what the meter promised, `allowed`: (operations, sequences that
    may run if the power goes after them).
    """

    def __init__(self):
        flash = nor.NorFlash(BLOCKS)
        lay_seven(flash)
        self.allowed = [(0, (7,))]
        with Mounted(flash) as (storage, files):
            self.life = Life(storage, lambda: len(flash.log or ()), opening=None)
            self.life.go_on()
            self.life.promises = self.life.promises[-1:]
            self.life.promises[0].operations = 0
            self.base = bytearray(flash.image)
            self._flash = flash
            flash.log = []
            self._take(storage, files, EIGHT, "a")
            self._allow((8,))
            assert start(storage, files) == "b"
            self.life.run(2)
            slots.good(storage)
            slots.release(storage)
            self._take(storage, files, NINE, "b")
            self._allow((9,))
            for _ in range(2):
                assert start(storage, files) == "a"
            self._allow((8, 9))  # its third start may have been counted
            assert start(storage, files) == "a"
            self._allow((8,))  # the third was not proven, so whatever comes next is 8
            assert start(storage, files) == "b"
            self.life.run(2)
        self.log = flash.log
        self.raised = flash.raised

    def _take(self, storage, files, release, running):
        """Fetch and install; the meter ticks, and sells, in between."""
        work = updater(storage, files, release, running)
        turns = 0
        while work.ready is None:
            work.work(release.sequence)
            turns += 1
            if turns % 8 == 0:
                self.life.run(1)
            assert turns < 200
        self.life.buy()
        self._allow((release.sequence - 1, release.sequence))
        work.install(True)

    def _allow(self, sequences):
        self.allowed.append((len(self._flash.log), sequences))

    def may_run(self, operations):
        """Sequences that may run when the power goes in the operation with this number."""
        found = ()
        for since, sequences in self.allowed:
            if since <= operations:
                found = sequences
        return found


def found_wrong(storage, files, may_run):
    """What is not as it must be at a start: a list of texts."""
    wrong = []
    running = start(storage, files)
    selection = slots.load(storage)
    if not selection.generation or selection.slot not in slots.SLOTS:
        wrong.append("no selector")
    if running is None:
        return wrong + ["nothing runs"]
    sequence = selection.sequence
    if running != selection.slot:
        sequence = selection.before_sequence
    if sequence not in may_run:
        wrong.append("sequence %d runs" % sequence)
    # What runs, byte for byte, apart from the code under test.
    release = RELEASES[sequence]
    expected = dict(release.files)
    expected["manifest"] = release.message
    for path in expected:
        with open("%s/app/%s/%s" % (FOLDER, running, path), "rb") as file:
            if file.read() != expected[path]:
                wrong.append("%s of %d is mixed" % (path, sequence))
    if sorted(files.names(running)) != sorted(expected):
        wrong.append("slot of %d has %s" % (sequence, files.names(running)))
    return wrong


def cut(first, step, nested, money):
    """Cut the power at every `step`th operation from `first` on, clean and torn, and start; every
    `money`th of these the ledger is looked at too. With `nested` > 0 what follows on every so
    manyth cut, the update to its end, is cut at each of its operations.

    A dict of the number of cuts, of operations, and the failures as texts.
    """
    recording = Recording()
    log = recording.log
    image = bytearray(recording.base)
    copy = bytearray(len(image))
    found = {"operations": len(log), "cuts": 0, "nested": 0, "raised": recording.raised}
    found["money"] = 0
    failures = []
    for at in range(len(log)):
        if at % step == first:
            may_run = recording.may_run(at)
            promise = recording.life.promised(at)
            for torn in (False, True):
                copy[:] = image
                if torn:
                    nor.tear(copy, log[at])
                again = bytearray(copy) if nested and at // step % nested == 0 else None
                asked = promise if (at // step + torn) % money == 0 else None
                name = "cut %d%s" % (at, " torn" * torn)
                _start(copy, may_run, asked, failures, name)
                found["cuts"] += 1
                found["money"] += asked is not None
                if again is not None:
                    found["nested"] += _cut_recovery(again, may_run, promise, failures, name)
        nor.redo(image, log[at])
    found["failures"] = failures[:10]
    return found


def _start(image, may_run, promise, failures, name, log=None, wanted=0):
    flash = nor.NorFlash(BLOCKS, image)
    flash.log = log
    try:
        with Mounted(flash) as (storage, files):
            wrong = found_wrong(storage, files, may_run)
            if promise is not None:
                wrong += broken(storage, promise)
            if wanted:
                wrong += go_on(storage, files, wanted)
        for text in wrong:
            failures.append("%s: %s" % (name, text))
    except Exception as error:  # a start that fails is what is looked for
        failures.append("%s: %r" % (name, error))
    gc.collect()


def _cut_recovery(image, may_run, promise, failures, name):
    """Go on after a cut until 8 is proven, or 9 once 8 is, and cut that at each operation; what
    follows on one in sixteen of these goes on to its end again."""
    log = []
    wanted = 8 if 7 in may_run else 9
    _start(bytearray(image), may_run, None, failures, name, log, wanted)
    may_run = (wanted - 1, wanted)
    if _selection(image).floor < 8:
        may_run = (7,) + may_run  # 8 is on trial: what follows may use its last start up
    copy = bytearray(len(image))
    for again in range(len(log)):
        for torn in (False, True):
            copy[:] = image
            if torn:
                nor.tear(copy, log[again])
            asked = promise if (again + torn) % 16 == 0 else None
            to_end = wanted if (again + torn) % 16 == 8 else 0
            again_name = "%s, then %d" % (name, again)
            _start(copy, may_run, asked, failures, again_name, None, to_end)
        nor.redo(image, log[again])
    return 2 * len(log)


def go_on(storage, files, wanted, is_dead=lambda: False):
    """Starts, fetching and proofs until the application that is wanted has proven itself or was
    given up for good, or the power has gone. A list of texts."""
    for _ in range(6):
        running = start(storage, files)
        if is_dead():
            return []
        selection = slots.load(storage)
        if running is None or selection.slot != running:
            return ["%s starts" % running]
        if selection.tries != slots.PROVEN:
            slots.good(storage)
            slots.release(storage)
            continue
        if selection.floor >= wanted or selection.failed == wanted:
            return []
        slots.release(storage)
        work = updater(storage, files, RELEASES[wanted], running)
        for _ in range(200):
            work.work(wanted)
            if work.ready is not None or is_dead():
                break
        if is_dead():
            return []
        if work.ready is None:
            return ["%d is not ready: %s" % (wanted, work.why)]
        work.install(True)
    return ["%d is not proven" % wanted]


def _cut_update(image, at, torn):
    """The flash after an update from 7 to 8 whose power went at operation `at`, if it came so far;
    `why` is what it ended with."""
    flash = CutFlash(BLOCKS, bytearray(image))
    flash.cut_at, flash.torn = at, torn
    try:
        with Mounted(flash) as (storage, files):
            go_on(storage, files, 8, flash.is_dead)
    except OSError as error:
        flash.why = error
    gc.collect()
    return flash


def random_cuts(runs, cuts, seed):
    """`runs` updates from 7 to 8, each with the power cut `cuts` times, at drawn operations and
    half of them torn; each must end with 8 proven, or given up after three starts that were cut,
    and the money right. A dict of counts and failures."""
    base = nor.NorFlash(BLOCKS)
    life = lay_seven(base)
    promise = life.promises[-1]
    found = {"cuts": 0, "runs": runs, "given_up": 0}
    failures = []
    for run in range(runs):
        image = bytearray(base.image)
        for number in range(cuts):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            flash = _cut_update(image, 1 + (seed >> 8) % 40, bool(seed & 0x80))
            while not flash.cut and flash.operations:  # it came to its end before: cut it there
                flash = _cut_update(image, 1 + (seed >> 8) % flash.operations, flash.torn)
            if flash.why is not None and not flash.cut:
                failures.append("run %d, cut %d: %r" % (run, number, flash.why))
            found["cuts"] += flash.cut
            image = flash.image
        asked = promise if run % 8 == 0 else None
        _start(image, (7, 8), asked, failures, "run %d" % run, None, 8)
        if _selection(image).failed == 8:
            found["given_up"] += 1  # three of the cuts fell into its three starts
        else:
            _ends_with(image, failures, "run %d" % run)
    found["failures"] = failures[:10]
    return found


def _ends_with(image, failures, name):
    if _selection(image).floor != 8:
        failures.append("%s: 8 is not proven" % name)


def _selection(image):
    with Mounted(nor.NorFlash(BLOCKS, image)) as (storage, files):
        return slots.load(storage)


def fail(first, step, errno, ever):
    """Refuse an operation with `errno`, once or from there `ever` on, at every `step`th; then the
    store is well again. What runs must be whole, and the update must come to its end."""
    base = nor.NorFlash(BLOCKS)
    lay_seven(base)
    found = {"failed": 0}
    failures = []
    at = 1 + first
    while True:
        flash = nor.NorFlash(BLOCKS, bytearray(base.image))
        flash.fail_at, flash.fail_ever, flash.errno = at, ever, errno
        name = "error %d at %d" % (errno, at)
        try:
            with Mounted(flash) as (storage, files):
                go_on(storage, files, 8)
        except OSError:
            pass  # the root tries again at its next turn, and after a start
        if flash.operations < at:
            break
        found["failed"] += 1
        gc.collect()
        _start(flash.image, (7, 8), None, failures, name, None, 8)
        _ends_with(flash.image, failures, name)
        gc.collect()
        at += step
    found["failures"] = failures[:10]
    return found


def flip(count, seed):
    """Flip one bit of the flash at drawn places, with 8 on trial and 7 to go back to, and start.

    A dict of how often `eight`, `seven` and `core` (alone) ran, `unmounted`, and what else broke.
    """
    flash = nor.NorFlash(BLOCKS)
    lay_seven(flash)
    with Mounted(flash) as (storage, files):
        EIGHT.lay(files, "b")
        slots.install(storage, "b", 8, EIGHT.digest())
    image = flash.image
    used = [block for block in range(BLOCKS) if _is_used(image, block)]
    copy = bytearray(len(image))
    found = {"eight": 0, "seven": 0, "core": 0, "unmounted": 0}
    failures = []
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        at = used[(seed >> 8) % len(used)] * nor.BLOCK_BYTES
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        at += (seed >> 8) % nor.BLOCK_BYTES
        copy[:] = image
        copy[at] ^= 1 << seed % 7
        try:
            with Mounted(nor.NorFlash(BLOCKS, copy)) as (storage, files):
                wrong = found_wrong(storage, files, (7, 8))
                name = "eight" if slots.load(storage).slot == "b" else "seven"
        except OSError:
            found["unmounted"] += 1
            continue
        if wrong[-1:] == ["nothing runs"]:
            found["core"] += 1
        else:
            found[name] += 1
            failures += ["bit in byte %d: %s" % (at, text) for text in wrong]
        gc.collect()
    found["failures"] = failures[:10]
    return found


def _is_used(image, block):
    start = block * nor.BLOCK_BYTES
    return image[start : start + nor.BLOCK_BYTES] != b"\xff" * nor.BLOCK_BYTES
