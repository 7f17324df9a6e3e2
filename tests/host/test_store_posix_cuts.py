"""Power cuts at every operation of PosixStorage on a disk that keeps writes in any order."""

import pytest

from wattledger.hal.storage import posix_linux
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.disk import Disk
from wattledger.tests.both.houses_store import BEFORE, Life, broken, work

LEFT = 6  # different disks that one cut may leave, at most


class Lives:
    """A recorded life: what a cut before each operation would leave, and what was promised."""

    def __init__(self, monkeypatch):
        disk = Disk()
        monkeypatch.setattr(posix_linux, "os", disk)
        life = Life(PosixStorage("/meter/"), lambda: disk.operations)
        life.begin(BEFORE)
        self.cuts = []
        life.promises = life.promises[-1:]
        first = disk.operations

        def watch():
            at = disk.operations
            self.cuts.append((at, disk.leaves(LEFT, at)))

        disk.watch = watch
        assert work(life)
        watch()
        disk.watch = None
        self.operations = disk.operations - first
        self.promised = life.promised


def boot(files, monkeypatch, promise, again=None):
    """What a meter that boots from `files` does not keep of `promise`; the list `again` takes what
    a cut of the boot itself would leave."""
    disk = Disk(files)
    monkeypatch.setattr(posix_linux, "os", disk)
    if again is not None:
        disk.watch = lambda: again.extend(disk.leaves(LEFT, disk.operations))
    try:
        return broken(PosixStorage("/meter/"), promise)
    except Exception as error:  # a boot that fails is what is looked for
        return [repr(error)]


def cut(monkeypatch, nested):
    """Cut everywhere; every `nested`th boot is cut everywhere too. (cuts, nested, failures)."""
    lives = Lives(monkeypatch)
    counts = [0, 0]
    failures = []
    for at, left in lives.cuts:
        promise = lives.promised(at)
        for files in left:
            counts[0] += 1
            again = [] if counts[0] % nested == 0 else None
            for wrong in boot(files, monkeypatch, promise, again):
                failures.append("cut %d: %s" % (at, wrong))
            for half in again or ():
                counts[1] += 1
                for wrong in boot(half, monkeypatch, promise):
                    failures.append("cut %d and again: %s" % (at, wrong))
    return lives.operations, counts, failures


def test_no_cut_loses_what_was_promised(monkeypatch, count):
    operations, (cuts, nested), failures = cut(monkeypatch, 40)
    count(cuts + nested, "power cuts on POSIX")
    assert failures == []
    assert operations > 500
    assert cuts > 2 * operations
    assert nested > 500


@pytest.mark.nightly
def test_no_two_cuts_lose_what_was_promised(monkeypatch, count):
    operations, (cuts, nested), failures = cut(monkeypatch, 1)
    count(cuts + nested, "power cuts on POSIX")
    assert failures == []
    assert nested > 20000
