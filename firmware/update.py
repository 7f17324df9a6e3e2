"""An application from its manifest to the selector: fetched, hashed, installed. Portable.

Steps, each of which a power cut may end, and which go on from what lies in the slot: the manifest
is fetched, its signature verified, each file fetched, all of them hashed, then the selector names
the slot. What is started next, and the way back, is of firmware/slots.py.
"""

from wattledger.agent import events
from wattledger.firmware import manifest as manifests
from wattledger.firmware import slots
from wattledger.firmware.errors import UpdateError
from wattledger.firmware.fetch import PART_BYTES
from wattledger.firmware.manifest import CORE, Manifest, Signature, limits
from wattledger.firmware.slot_files import NAME, inspect, read_manifest

UNFINISHED = "manifest.%d"  # of this sequence, until all of it is there
RESERVE = 65536  # bytes of the file system that stay free for the journal
BLOCK = 4096  # a file takes whole ones
MOST_BAD = 3  # times that files are fetched again
LOOK_MS = 60000  # while there is nothing to do
FIRST_PAUSE_MS = 900000  # after a refusal, and each time twice as long
LONGEST_PAUSE_MS = 86400000


class Updater:
    """`work(wanted)` once a turn; `ready` is the Manifest of a whole application that waits.

    `files` is a SlotFiles, `running` the slot that was started or None, `floor` the highest
    sequence known elsewhere to have proven itself, `fetcher` a Fetcher, `report(code, value)`
    writes an event down. `why` says for people why the last one was refused.
    """

    def __init__(
        self, storage, files, public_keys, hw_class, running, floor, fetcher, clock, report
    ):
        self._storage = storage
        self._files = files
        self._keys = public_keys
        self._hw_class = hw_class
        self._most = limits(hw_class)
        self._running = running
        self._floor = floor
        self._fetcher = fetcher
        self._clock = clock
        self._report = report
        self.why = None
        self._wanted = 0
        self._rests_since = None
        self._rest_ms = 0
        self._pause_ms = 0
        self._slot = None
        self._begin(self._look)

    def _begin(self, step):
        """Forget what is known of the slot, and go on with `step`."""
        self.ready = None
        self._manifest = self._message = self._digest = None
        self._check = None  # a Signature, then the generator of an inspection
        self._is_old = False  # the manifest lay in the slot already
        self._bad = 0
        self._next = 0
        self._step = step

    def least(self):
        """The lowest sequence that is taken."""
        return max(slots.load(self._storage).floor, self._floor) + 1

    def work(self, wanted):
        """A slice for the sequence `wanted`; True when there is more to do at once."""
        if wanted != self._wanted:
            self._wanted = wanted
            self.why = None
            self._rests_since = None
            self._pause_ms = 0
            self._begin(self._look)
        if self.ready or self._rests():
            return False
        try:
            return self._step()
        except UpdateError as error:
            if self._is_old:
                self._begin(self._wipe)  # of another time: it is in the way of the one wanted
                return True
            self._refuse(error, self._wipe if self._slot else self._look)
        except OSError as error:
            # A full or failing store: what is there stays, and is gone on with later.
            self._refuse(UpdateError(manifests.NO_ROOM, "storage: %s" % error), self._look)
        return False

    def install(self, linked):
        """Name the slot that is ready in the selector: the next start is its. OSError."""
        slots.install(self._storage, self._slot, self.ready.sequence, self._digest, linked)
        self._report(events.APP_INSTALLED, self.ready.sequence)

    @property
    def busy(self):
        """True while there is more to do at once."""
        return not self.ready and not self._rests()

    def _rest(self, ms):
        self._rests_since = self._clock.ticks_ms()
        self._rest_ms = ms

    def _rests(self):
        at = self._rests_since
        if at is not None and self._clock.elapsed_ms(at) >= self._rest_ms:
            self._rests_since = at = None
        return at is not None

    def _refuse(self, error, step):
        self.why = str(error)
        self._report(events.APP_REFUSED, error.reason)
        self._pause_ms = min(max(2 * self._pause_ms, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
        self._rest(self._pause_ms)
        self._begin(step)

    # The steps. Each is called once a turn and says whether it wants the next at once.

    def _look(self):
        """Which slot is free, and what lies in it already."""
        self._slot = self._free_slot()
        if self._slot is None:
            self._rest(LOOK_MS)
            return False
        self._message, self._digest = read_manifest(self._files, self._slot)
        self._step = self._fetch_manifest
        if self._digest is not None:
            self._is_old = True
            self._verify()
        return True

    def _free_slot(self):
        selection = slots.load(self._storage)
        if self._wanted <= max(selection.floor, self._floor):
            return None
        if self._wanted in (selection.sequence, selection.failed):
            return None  # held already, or known not to prove itself
        if selection.slot is not None and selection.tries != slots.PROVEN:
            return None
        for slot in slots.SLOTS:
            # The one before is the way back, and stays for a day.
            if slot not in (selection.slot, selection.before, self._running):
                return slot
        return None

    def _fetch_manifest(self):
        files, slot, unfinished = self._files, self._slot, UNFINISHED % self._wanted
        for name in files.names(slot):
            if name != unfinished:
                return files.wipe_one(slot, name)
        at = max(files.size(slot, unfinished), 0)
        if at % PART_BYTES:
            return files.wipe_one(slot, unfinished)  # its last write was cut
        data = self._fetcher.ask(self._wanted, 0, at)
        if data is None or not (data or at):
            return False
        if at + len(data) > self._most[0]:
            raise UpdateError(
                manifests.TOO_LONG, "manifest is longer than %d bytes" % self._most[0]
            )
        files.append(slot, unfinished, data)
        if len(data) < PART_BYTES:
            files.rename(slot, unfinished, NAME)
            self._message, self._digest = read_manifest(files, slot)
            self._verify()
        return True

    def _verify(self):
        self._check = Signature(self._message, self._keys, self._most[0])
        self._step = self._verify_more

    def _verify_more(self):
        good = self._check.work()
        if good is None:
            return True
        if not good:
            raise UpdateError(manifests.NOT_SIGNED, "manifest: wrong signature")
        found = Manifest(manifests.payload_of(self._message), self._most)
        self._check = self._message = None
        found.check(self._hw_class, CORE, self.least())
        if found.sequence != self._wanted:
            raise UpdateError(
                manifests.NOT_WANTED,
                "sequence %d is wanted, this is %d" % (self._wanted, found.sequence),
            )
        self._manifest = found
        self._check_room()
        self._is_old = False
        self._step = self._fetch_files
        return True

    def _check_room(self):
        needed = 0
        for file in self._manifest.files:
            held = max(self._files.size(self._slot, file.path), 0)
            needed += max(_blocks(file.size) - _blocks(held), 0)
        room = self._files.free() - RESERVE
        if needed > room:
            raise UpdateError(manifests.NO_ROOM, "needs %d bytes, %d are free" % (needed, room))

    def _fetch_files(self):
        files, slot = self._files, self._slot
        if self._next == len(self._manifest.files):
            files.sync()
            self._check = inspect(files, slot, self._manifest)
            self._step = self._inspect_more
            return True
        file = self._manifest.files[self._next]
        at = files.size(slot, file.path)
        if at == file.size:
            self._next += 1
            return True
        if at > file.size:
            return files.wipe_one(slot, file.path)
        if not file.size:
            files.append(slot, file.path, b"")
            return True
        at = max(at, 0)
        data = self._fetcher.ask(self._wanted, 1 + self._next, at)
        if not data:
            return False
        if len(data) > file.size - at:
            raise UpdateError(manifests.BAD_FILE, "%s is longer than listed" % file.path)
        files.append(slot, file.path, data)
        return True

    def _inspect_more(self):
        wrong = next(self._check)
        if wrong is None:
            return True
        self._check = None
        if not wrong:
            self.ready = self._manifest
            self.why = None
            return False
        self._bad += 1
        if self._bad > MOST_BAD:
            raise UpdateError(manifests.BAD_FILE, "%s is not as it was signed" % wrong)
        self._next = 0
        self._step = self._fetch_files
        return self._files.wipe_one(self._slot, wrong)

    def _wipe(self):
        names = self._files.names(self._slot)
        if names:
            # The manifest first: without it the slot is nothing any more.
            return self._files.wipe_one(self._slot, NAME if NAME in names else names[0])
        self._begin(self._look)
        return True


def _blocks(size):
    return (size + BLOCK - 1) // BLOCK * BLOCK
