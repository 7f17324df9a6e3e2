"""Power cuts at every operation of a NOR flash under real littlefs, for MicroPython alone."""

import gc

import vfs

from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim import flash as nor
from wattledger.tests.both.houses_store import BEFORE, Life, broken, is_older, is_told, work

BLOCKS = 64
FOLDER = "/flash"
ERASED = b"\xff" * nor.BLOCK_BYTES


class Mounted:
    """A littlefs on a flash, for one `with`."""

    def __init__(self, flash):
        self._flash = flash

    def __enter__(self):
        vfs.mount(vfs.VfsLfs2(self._flash), FOLDER)
        return VfsStorage(FOLDER)

    def __exit__(self, kind, error, traceback):
        vfs.umount(FOLDER)
        self._flash.dead = True  # what the collector closes later changes nothing


class Recording:
    """One life: the flash at its start, every operation after that, and what was promised."""

    def __init__(self):
        flash = nor.NorFlash(BLOCKS)
        vfs.VfsLfs2.mkfs(flash)
        with Mounted(flash) as storage:
            life = Life(storage, lambda: len(flash.log or ()))
            life.begin(BEFORE)
            life.promises = life.promises[-1:]
            life.promises[0].operations = 0
            self.base = bytearray(flash.image)
            flash.log = []
            assert work(life)
        self.log = flash.log
        self.life = life
        self.raised = flash.raised


def cut(first, step, nested):
    """Cut the power at every `step`th operation from `first` on, clean and torn, and boot; with
    `nested` > 0 the boot too at each of its operations, for every so manyth cut.

    A dict of the number of cuts, of operations, and the failures as texts.
    """
    recording = Recording()
    log = recording.log
    image = bytearray(recording.base)
    copy = bytearray(len(image))
    found = {"operations": len(log), "cuts": 0, "nested": 0, "raised": recording.raised}
    failures = []
    for at in range(len(log)):
        if at % step == first:
            promise = recording.life.promised(at)
            for torn in (False, True):
                copy[:] = image
                if torn:
                    nor.tear(copy, log[at])
                logged = [] if nested and (at // step) % nested == 0 else None
                again = bytearray(copy) if logged is not None else None
                _boot(copy, logged, promise, failures, "cut %d%s" % (at, " torn" * torn))
                found["cuts"] += 1
                if logged is not None:
                    found["nested"] += _cut_boot(again, logged, promise, failures, at)
        nor.redo(image, log[at])
    found["failures"] = failures[:10]
    return found


def _cut_boot(image, log, promise, failures, at):
    copy = bytearray(len(image))
    for again in range(len(log)):
        for torn in (False, True):
            copy[:] = image
            if torn:
                nor.tear(copy, log[again])
            _boot(copy, None, promise, failures, "cut %d, then %d" % (at, again))
        nor.redo(image, log[again])
    return 2 * len(log)


def _boot(image, log, promise, failures, name):
    flash = nor.NorFlash(BLOCKS, image)
    flash.log = log
    try:
        with Mounted(flash) as storage:
            for wrong in broken(storage, promise):
                failures.append("%s: %s" % (name, wrong))
    except Exception as error:  # a boot that fails is what is looked for
        failures.append("%s: %r" % (name, error))
    gc.collect()


def flip(count, seed):
    """Flip one bit of what a life wrote, `count` times at drawn places, and boot.

    A dict of how many were `unseen`, `told` (an event or a fault of the ledger), `unmounted`,
    or made the meter `older` (littlefs went back to what a block held before), and what else
    broke, as texts.
    """
    recording = Recording()
    image = recording.base
    for operation in recording.log:
        nor.redo(image, operation)
    promise = recording.life.promises[-1]
    del recording
    copy = bytearray(len(image))
    found = {"unseen": 0, "told": 0, "older": 0, "unmounted": 0}
    wrong = []
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        at = (seed >> 8) % len(image)
        copy[:] = image
        copy[at] ^= 1 << seed % 7
        texts = []
        try:
            with Mounted(nor.NorFlash(BLOCKS, copy)) as storage:
                texts = broken(storage, promise)
        except OSError:
            found["unmounted"] += 1
            continue
        finally:
            gc.collect()
        found[_kind(texts)] += 1
        for text in texts:
            if not is_told(text) and not is_older(text):
                wrong.append("bit flipped in byte %d: %s" % (at, text))
    found["wrong"] = wrong[:10]
    return found


def _kind(texts):
    if any(is_told(text) for text in texts):
        return "told"
    return "older" if texts else "unseen"
