"""An application is fetched, verified, hashed and installed, or refused."""

import os
import unittest

from wattledger.firmware import manifest as manifests
from wattledger.firmware import slots
from wattledger.firmware.slot_files import SlotFiles, Wholeness
from wattledger.firmware.update import Updater
from wattledger.hal.storage import vfs
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.houses_storage import BreakingStorage
from wattledger.tests.both.houses_updates import (
    KEYS,
    NEW_FILES,
    OLD_FILES,
    ROOT_KEY,
    Line,
    Release,
    flipped,
    mkdtemp,
)

HEAP = "1M"
REFUSED, INSTALLED = 89, 86  # events
PAUSE_MS = 900_000


class Bench:
    """A meter that runs sequence 7 in slot a, proven, and is sent sequence 8."""

    def __init__(self, release=None, floor=0, **changes):
        self.storage = BreakingStorage()
        self.files = SlotFiles(mkdtemp())
        self.clock = VirtualClock(0)
        self.events = []
        self.old = Release(7, OLD_FILES)
        self.old.lay(self.files, "a")
        slots.install(self.storage, "a", 7, self.old.digest())
        slots.choose(self.storage, Wholeness(self.files))
        slots.good(self.storage)
        self.new = release or Release(8, NEW_FILES, **changes)
        self.line = Line(self.new)
        self.floor = floor
        self.boot()

    def boot(self):
        """Start: which slot runs, and a new Updater."""
        self.wholeness = Wholeness(self.files)
        self.running = slots.choose(self.storage, self.wholeness)
        self.updater = Updater(
            self.storage,
            self.files,
            KEYS,
            "esp32",
            self.running,
            self.floor,
            self.line,
            self.clock,
            lambda code, value: self.events.append((code, value)),
        )
        return self.running

    def run(self, wanted=8, turns=400):
        """Turns without time, until it is ready or rests."""
        for _ in range(turns):
            if not self.updater.work(wanted) and not self.updater.busy:
                break
        return self.updater.ready is not None

    def reasons(self):
        """Why applications were refused so far."""
        return [value for code, value in self.events if code == REFUSED]

    def content(self, slot, path):
        """A file of a slot, None when it is not there."""
        size = self.files.size(slot, path)
        if size < 0:
            return None
        data = bytearray(size)
        self.files.read_from(slot, path, 0, data)
        return bytes(data)


class TestInstalling(unittest.TestCase):
    def test_a_wanted_application_is_fetched_and_started(self):
        bench = Bench()
        self.assertTrue(bench.run())
        for path in NEW_FILES:
            self.assertEqual(bench.content("b", path), NEW_FILES[path])
        self.assertEqual(slots.load(bench.storage).slot, "a")
        bench.updater.install(True)
        self.assertEqual(bench.events, [(INSTALLED, 8)])
        self.assertEqual(bench.boot(), "b")
        self.assertTrue(slots.load(bench.storage).linked)
        # 8 has begun its first start of three; 7 is the way back.
        selection = slots.load(bench.storage)
        self.assertEqual((selection.sequence, selection.tries), (8, 2))
        self.assertEqual((selection.before, selection.before_sequence), ("a", 7))

    def test_the_first_application_of_a_meter(self):
        bench = Bench()
        bench.storage.files.clear()
        bench.boot()
        self.assertTrue(bench.run())
        bench.updater.install(False)
        self.assertEqual(bench.boot(), "a")  # over what nothing vouched for any more
        self.assertEqual(bench.content("a", "display/page.mpy"), NEW_FILES["display/page.mpy"])

    def test_the_root_key_signs_too(self):
        self.assertTrue(Bench(private=ROOT_KEY, kid="root.1").run())

    def test_a_manifest_of_several_parts(self):
        files = {"f%02d" % number: b"%d" % number for number in range(60)}
        bench = Bench(Release(8, files))
        self.assertTrue(len(bench.new.message) > 2 * 4096)
        self.assertTrue(bench.run(turns=1000))

    def test_a_restart_goes_on_where_it_ended(self):
        bench = Bench()
        turns = [1, 20] + list(range(66, 100))  # the signature takes 64, and is checked again
        while turns and not bench.run(turns=turns.pop(0)):
            bench.boot()
        self.assertTrue(len(turns) < 30)
        self.assertTrue(bench.updater.ready is not None)
        self.assertEqual(len(bench.line.asked), len(set(bench.line.asked)))  # nothing twice

    def test_what_runs_and_the_way_back_are_never_written_over(self):
        bench = Bench()
        bench.run()
        bench.updater.install(True)
        bench.boot()
        bench.line = Line(Release(9, NEW_FILES))
        bench.boot()
        self.assertFalse(bench.run(9))  # 8 has proven nothing yet
        slots.good(bench.storage)
        bench.boot()
        self.assertFalse(bench.run(9))  # 7 is the way back
        self.assertEqual((bench.line.asked, bench.reasons()), ([], []))
        slots.release(bench.storage)
        bench.boot()
        self.assertTrue(bench.run(9))
        self.assertEqual(bench.content("a", "network/link.mpy"), b"a new link")

    def test_another_want_begins_anew(self):
        bench = Bench()
        bench.run(turns=70)
        bench.line.release = Release(9, OLD_FILES)
        self.assertTrue(bench.run(9))
        self.assertEqual(bench.updater.ready.sequence, 9)
        self.assertEqual(bench.content("b", "network/__init__.mpy"), None)
        self.assertEqual(bench.reasons(), [])

    def test_what_else_lies_in_the_slot_goes(self):
        bench = Bench()
        bench.files.append("b", "display/page/__init__.mpy", b"stale")  # it would win an import
        bench.files.append("b", "manifest.7", b"half")
        self.assertTrue(bench.run())
        self.assertEqual(sorted(bench.files.names("b")), sorted(list(NEW_FILES) + ["manifest"]))


class TestRefusals(unittest.TestCase):
    def refused(self, bench, reason, wanted=8):
        self.assertFalse(bench.run(wanted))
        self.assertEqual(bench.reasons(), [reason])
        self.assertTrue(bench.updater.why)
        self.assertEqual(bench.boot(), "a")

    def test_a_wrong_key(self):
        self.refused(Bench(private=ROOT_KEY), manifests.NOT_SIGNED)
        self.refused(Bench(private=7, kid="tariff.1"), manifests.NOT_SIGNED)

    def test_a_bit_changed_in_the_manifest(self):
        for part in range(3):
            bench = Bench()
            bench.new.contents[0] = flipped(bench.new.message, part)
            self.refused(bench, manifests.NOT_SIGNED)

    def test_a_truncated_manifest(self):
        bench = Bench()
        bench.new.contents[0] = bench.new.message[:300]
        self.refused(bench, manifests.NOT_SIGNED)

    def test_a_manifest_that_never_ends(self):
        bench = Bench()
        bench.line.bend = lambda file, at, data: b"x" * 4096
        self.refused(bench, manifests.TOO_LONG)

    def test_other_hardware_and_a_newer_core(self):
        self.refused(Bench(hw_class="pi"), manifests.OTHER_HARDWARE)
        self.refused(Bench(min_core=2), manifests.OTHER_CORE)

    def test_an_older_one_under_the_wanted_number(self):
        bench = Bench(Release(6, OLD_FILES))
        bench.line.release.sequence = 8  # it answers for 8 with what was signed as 6
        self.refused(bench, manifests.OLD_SEQUENCE)

    def test_a_newer_one_than_is_wanted(self):
        bench = Bench(Release(9, NEW_FILES))
        bench.line.release.sequence = 8
        self.refused(bench, manifests.NOT_WANTED)

    def test_a_path_out_of_the_slot(self):
        bench = Bench(Release(8, {"../a/display/page.mpy": b"evil"}))
        self.refused(bench, manifests.BAD_PATH)
        self.assertEqual(bench.content("a", "display/page.mpy"), OLD_FILES["display/page.mpy"])

    def test_more_than_there_is_room_for(self):
        bench = Bench()
        # Of whole blocks: 8192, 4096, 0 and 4096 bytes, and 64 KiB stay for the journal.
        bench.files.free = lambda: 65536 + 16383
        self.refused(bench, manifests.NO_ROOM)
        bench = Bench()
        bench.files.free = lambda: 65536 + 16384
        self.assertTrue(bench.run())

    def test_a_littlefs_that_is_more_than_full_has_no_room(self):
        class MoreThanFull:
            def statvfs(self, folder):
                return (4096, 4096, 64, 4294967293, 4294967293, 0, 0, 0, 0, 255)

        bench = Bench()
        kept = vfs.os
        vfs.os = MoreThanFull()
        try:
            self.refused(bench, manifests.NO_ROOM)
        finally:
            vfs.os = kept

    def test_no_sequence_up_to_the_highest_that_was_good(self):
        bench = Bench(Release(7, NEW_FILES))
        self.assertFalse(bench.run(7))
        bench = Bench()
        slots.install(bench.storage, "b", 9, b"n" * 32)
        slots.choose(bench.storage, lambda slot, digest: True)
        slots.good(bench.storage)
        slots.release(bench.storage)
        bench.boot()
        self.assertFalse(bench.run(8))
        self.assertEqual(bench.line.asked, [])

    def test_a_lost_store_lets_no_older_one_in(self):
        bench = Bench(floor=8)  # as NVS has kept it
        bench.storage.files.clear()
        bench.boot()
        self.assertFalse(bench.run(8))
        self.assertEqual(bench.line.asked, [])
        bench.line.release = Release(9, NEW_FILES)
        self.assertTrue(bench.run(9))

    def test_one_that_has_not_proven_itself_is_not_tried_again(self):
        bench = Bench()
        bench.run()
        bench.updater.install(True)
        self.assertEqual([bench.boot() for _ in range(4)], ["b", "b", "b", "a"])
        self.assertFalse(bench.run(8))
        self.assertEqual(slots.load(bench.storage).failed, 8)
        bench.line.release = Release(9, NEW_FILES)
        self.assertTrue(bench.run(9))


class TestWire(unittest.TestCase):
    def test_a_file_that_was_changed_on_the_way_is_fetched_again(self):
        bench = Bench()
        bent = []

        def bend(file, at, data):
            if file == 2 and not bent:
                bent.append(at)
                return bytes([data[0] ^ 1]) + data[1:]
            return data

        bench.line.bend = bend
        self.assertTrue(bench.run())
        self.assertEqual(len([1 for ask in bench.line.asked if ask[1] == 2]), 2)
        self.assertEqual(bench.content("b", "display/page.mpy"), NEW_FILES["display/page.mpy"])

    def test_one_that_is_changed_each_time_is_refused_and_goes(self):
        bench = Bench()
        bench.line.bend = lambda file, at, data: data[:-1] + b"!" if file == 4 else data
        self.assertFalse(bench.run())
        self.assertEqual(bench.reasons(), [manifests.BAD_FILE])
        bench.clock.advance(PAUSE_MS)
        bench.line.bend = lambda file, at, data: None
        bench.run(turns=20)
        self.assertEqual(bench.files.names("b"), [])

    def test_more_than_a_file_has_is_refused(self):
        bench = Bench()
        bench.line.bend = lambda file, at, data: data + b"x" if file == 4 else data
        self.assertFalse(bench.run())
        self.assertEqual(bench.reasons(), [manifests.BAD_FILE])

    def test_a_part_that_is_missing_is_waited_for(self):
        bench = Bench()
        bench.line.bend = lambda file, at, data: None if file == 3 or at else data
        self.assertFalse(bench.run())
        self.assertEqual(bench.reasons(), [])
        bench.line.bend = lambda file, at, data: data
        self.assertTrue(bench.run())

    def test_a_refusal_is_followed_by_a_pause_that_doubles(self):
        bench = Bench(private=ROOT_KEY)
        bench.run()
        asked = len(bench.line.asked)
        for pause in (PAUSE_MS, 2 * PAUSE_MS, 4 * PAUSE_MS):
            bench.clock.advance(pause - 1)
            bench.run()
            self.assertEqual(len(bench.line.asked), asked)
            bench.clock.advance(1)
            bench.run()
            asked += 1
            self.assertEqual(len(bench.line.asked), asked)


class TestStorage(unittest.TestCase):
    def test_a_full_store_is_waited_out(self):
        bench = Bench()
        append = bench.files.append

        def full(slot, path, data):
            if path == "display/page.mpy":
                raise OSError(28)
            append(slot, path, data)

        bench.files.append = full
        self.assertFalse(bench.run())
        self.assertEqual(bench.reasons(), [manifests.NO_ROOM])
        bench.files.append = append
        bench.clock.advance(PAUSE_MS)
        self.assertTrue(bench.run())

    def test_a_selector_that_cannot_be_written_changes_nothing(self):
        bench = Bench()
        bench.run()
        bench.storage.fail = 30
        self.assertRaises(OSError, bench.updater.install, True)
        bench.storage.fail = None
        self.assertEqual((bench.boot(), bench.events), ("a", []))


class TestStarts(unittest.TestCase):
    """What is started is what was signed, whatever became of it since."""

    def installed(self):
        bench = Bench()
        bench.run()
        bench.updater.install(True)
        return bench

    def spoilt(self, spoil):
        bench = self.installed()
        spoil(bench.files)
        self.assertEqual((bench.boot(), bench.wholeness.damaged), ("a", ["b"]))
        self.assertEqual(slots.load(bench.storage).failed, 0)  # it may come once more

    def test_a_whole_one_is(self):
        self.assertEqual(self.installed().boot(), "b")

    def test_a_changed_byte(self):
        def spoil(files):
            with open(files.path("b", "display/page.mpy"), "r+b") as file:
                file.seek(100)
                file.write(b"!")

        self.spoilt(spoil)

    def test_a_missing_file(self):
        self.spoilt(lambda files: files.wipe_one("b", "network/__init__.mpy"))

    def test_a_longer_file(self):
        self.spoilt(lambda files: files.append("b", "network/link.mpy", b"!"))

    def test_a_file_that_is_not_listed(self):
        self.spoilt(lambda files: files.append("b", "network/more.mpy", b""))

    def test_an_empty_folder_that_is_not_listed(self):
        self.spoilt(lambda files: os.mkdir(files.path("b", "network/more")))

    def test_no_manifest(self):
        self.spoilt(lambda files: files.wipe_one("b", "manifest"))

    def test_the_manifest_of_another_application(self):
        def spoil(files):
            for path in files.names("b"):
                files.wipe_one("b", path)
            Release(9, NEW_FILES).lay(files, "b")

        self.spoilt(spoil)

    def test_neither_is_whole(self):
        bench = self.installed()
        bench.files.wipe_one("a", "manifest")
        bench.files.wipe_one("b", "manifest")
        self.assertEqual((bench.boot(), bench.wholeness.damaged), (None, ["b", "a"]))


if __name__ == "__main__":
    unittest.main()
