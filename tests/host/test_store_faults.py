"""Storage that refuses at any operation, once or for ever: metering goes on, nothing is promised
that is not kept."""

import errno

import pytest

from wattledger.hal.storage import posix_linux
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.disk import Disk
from wattledger.tests.both.houses_store import BEFORE, NOON, Life, broken, work

TICKS = 100  # of work()


class Faults:
    """The files of a meter before its work, and the runs of that with one fault."""

    def __init__(self, monkeypatch):
        self._patch = monkeypatch
        disk = Disk()
        monkeypatch.setattr(posix_linux, "os", disk)
        Life(PosixStorage("/meter/"), lambda: disk.operations).begin(BEFORE)
        self._files = disk.leaves(1, 0)[0]

    def mount(self, files):
        """A Disk of these files in the place of the one before."""
        disk = Disk(files)
        self._patch.setattr(posix_linux, "os", disk)
        return disk

    def run(self, at, code, ever):
        """Work with operation `at` refused. The Disk, and the Life with its fault over."""
        disk = self.mount(self._files)
        life = Life(PosixStorage("/meter/"), lambda: disk.operations, NOON + 10 * BEFORE, None)
        life.go_on()
        disk.operations = 0
        disk.fail_at, disk.fail_ever, disk.errno = at, ever, code
        self.whole = work(life)
        self.operations = disk.operations
        disk.fail_at = 0
        return disk, life


@pytest.fixture
def faults(monkeypatch):
    return Faults(monkeypatch)


def test_without_a_fault_nothing_is_refused(faults):
    faults.run(0, 0, False)
    assert faults.whole
    assert faults.operations > 500


def outcome(faults, at, code, ever):
    """What went wrong in a run: texts."""
    disk, life = faults.run(at, code, ever)
    name = "operation %d, errno %d%s" % (at, code, " ever" * ever)
    start = life.promises[0].import_wh
    life.run(12)
    wrong = []
    register = life.house.agent.meter.register.import_wh
    # What a tick meters is kept in RAM; the restart after 33 ticks may lose what came before.
    if not start + 10 * (TICKS + 12 - 33) <= register <= start + 10 * (TICKS + 12) + 10:
        wrong.append("%s: %d Wh metered" % (name, register - start))
    if not life.buy():
        wrong.append("%s: no purchase is taken after it" % name)
    if life.house.relay.operations:
        wrong.append("%s: the relay moved" % name)
    for files in disk.leaves(2, at):
        faults.mount(files)
        for text in broken(PosixStorage("/meter/"), life.promises[-1]):
            wrong.append("%s: %s" % (name, text))
    return wrong


def every(faults, step):
    """The outcomes of every `step`th operation, and their number."""
    faults.run(0, 0, False)
    wrong = []
    runs = 0
    for code in (errno.EIO, errno.ENOSPC, errno.EROFS):
        for at in range(1, faults.operations + 1, step):
            for ever in (False, True):
                runs += 1
                wrong += outcome(faults, at, code, ever)
    return runs, wrong


def test_a_refused_write_costs_nothing_that_was_promised(faults):
    runs, wrong = every(faults, 23)
    assert wrong == []
    assert runs > 100


@pytest.mark.nightly
def test_any_refused_write_costs_nothing_that_was_promised(faults):
    runs, wrong = every(faults, 1)
    assert wrong == []
    assert runs > 3000
