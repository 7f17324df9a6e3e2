"""What an ESP32 runs first, in place of MicroPython's `_boot.py`: mount, choose the application.

MicroPython's own loops for ever on a file system that it cannot mount, and makes a new one where
the flash reads erased. Here nothing loops, and nothing is made anew once the meter was
commissioned: the partition stays as it is, as evidence, and the meter starts without it. What was
found is in `found`. Nothing here raises.
"""

from wattledger.firmware.build import SAFE_PIN

SPACE = "wattledger"  # of the NVS
MADE = "made"  # 1: commissioned, its store holds money
LABEL = "vfs"
FOLDER = "/"
APP = "app"
MANIFEST = "manifest"
ROM = "app.rom"
MOUNTED = "/slot"  # where an application of one file is seen
BLOCK = 4096
PIECE = 256
ERASED = 0xFF
SAFE_READS = 5000  # of the pin, some 20 ms
# Rooms that an application brings; in the core they are empty.
ROOMS = (
    "agent.comms.discovery",
    "agent.display",
    "agent.tokens",
    "hal.display",
    "hal.network",
)


class Found:
    """`place` of the file system; `folder` is the same, None without one: `fault` says why;
    `made`: this meter was commissioned; `new`: the file system was made just now; `safe`: a
    person held the pin; `slot` of the application, None: the core alone; `damaged` are the slots
    that were to be started and are not what was installed; `spoilt` the site's files that are not
    what they were and could not be mended."""

    def __init__(self):
        self.folder = None
        self.place = FOLDER
        self.fault = ""
        self.made = False
        self.new = False
        self.safe = False
        self.slot = None
        self.damaged = ()
        self.spoilt = ()


found = Found()


def start(machine, esp32, vfs, folder=FOLDER, found=found):
    """Look, mount and choose; the Found. The arguments are the port's modules."""
    try:
        found.place = folder
        found.made = is_made(esp32)
        found.safe = _is_held(machine.Pin(SAFE_PIN, machine.Pin.IN, machine.Pin.PULL_UP))
        _mount(esp32, vfs, folder, found)
        if found.folder is not None and not found.safe:
            # Here and below, so that they leave the heap again: the core keeps what it imports.
            from wattledger.firmware import slots
            from wattledger.firmware.slot_files import SlotFiles, Wholeness
            from wattledger.hal.storage.vfs import VfsStorage

            # Each file is hashed: the meter is without measurement for the 0.3 s that 190 kB take.
            wholeness = Wholeness(SlotFiles(found.folder.rstrip("/") + "/" + APP))
            found.damaged = wholeness.damaged
            found.slot = slots.choose(VfsStorage(found.folder), wholeness)
    except Exception as error:  # whatever it is: the core starts
        found.fault = found.fault or "%s: %s" % (type(error).__name__, error)
    return found


def is_made(esp32):
    """True for a meter that was commissioned."""
    try:
        return esp32.NVS(SPACE).get_i32(MADE) == 1
    except OSError:
        return False  # the key was never written


def set_made(esp32):
    """From now on no start makes a new file system."""
    nvs = esp32.NVS(SPACE)
    nvs.set_i32(MADE, 1)
    nvs.commit()


def partition(esp32):
    """The partition of the file system, a block device; OSError without one."""
    places = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=LABEL)
    if not places:
        raise OSError("no partition named %s" % LABEL)
    return places[0]


def make(esp32, vfs, folder=FOLDER):
    """A new, empty file system, mounted. What the partition held is gone."""
    place = partition(esp32)
    vfs.VfsLfs2.mkfs(place)
    vfs.mount(vfs.VfsLfs2(place), folder)


def _is_held(pin):
    """True for a line that stays low: one on a long cable takes milliseconds to rise."""
    return not any(pin.value() for _ in range(SAFE_READS))


def _mount(esp32, vfs, folder, found):
    place = partition(esp32)
    try:
        vfs.mount(vfs.VfsLfs2(place), folder)
    except Exception as error:
        # Erased and never commissioned: fresh from the factory, and nothing else is.
        if found.made or not _is_erased(place):
            found.fault = "cannot be mounted: %s" % error
            return
        make(esp32, vfs, folder)
        found.new = True
    found.folder = folder


def _is_erased(place):
    """True when the two blocks of the superblock hold nothing."""
    piece = bytearray(PIECE)
    for block in (0, 1):
        for at in range(0, BLOCK, PIECE):
            place.readblocks(block, piece, at)
            for byte in piece:
                if byte != ERASED:
                    return False
    return True


def enter(found, modules, load, mount=None):
    """Point the application's rooms into its slot. `modules` is sys.modules, `load` __import__.

    An application that is one ROMFS is mounted by `mount` (vfs.mount); one of files lies there.
    False when there is none; then the rooms hold what the core has of them.
    """
    if found.slot is None:
        return False
    tree = found.folder.rstrip("/") + "/" + APP + "/" + found.slot + "/"
    if mount is not None:
        from wattledger.hal.storage.archive import Archive

        try:
            mount(Archive(tree + ROM), MOUNTED)
            tree = MOUNTED + "/"
        except OSError:
            pass  # its files lie there
    for room in ROOMS:
        name = "wattledger." + room
        load(name)
        modules[name].__path__ = tree + room.replace(".", "/")
    return True
