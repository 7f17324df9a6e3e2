"""What `bench wear` runs in MicroPython: storage operations on littlefs over a NOR flash."""

# mypy: disable-error-code="import-not-found"
# vfs is MicroPython's.

from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim.flash import NorFlash

FOLDER = "/flash"
OLD = "old"  # prefix of the files that were there before


def wear(path, blocks, held_files, held_bytes):
    """Do the operations of a file (lines `commit NAME BYTES`, `append ...`, `remove NAME`) on a
    flash of `blocks` that holds so many files of so many bytes before."""
    import vfs

    flash = NorFlash(blocks)
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), FOLDER)
    storage = VfsStorage(FOLDER)
    for number in range(held_files):
        storage.commit(OLD + str(number), bytes(held_bytes))
    before = list(flash.erases)
    programmed = flash.programmed
    count = 0
    with open(path) as file:
        for line in file:
            _do(storage, line.split())
            count += 1
    erases = [now - then for now, then in zip(flash.erases, before)]  # noqa: B905
    found = {
        "operations": count,
        "erases": sum(erases),
        "worst": max(erases),
        "worn": sum([1 for erased in erases if erased]),
        "programmed": flash.programmed - programmed,
        "free": storage.free(),
        "raised": flash.raised,
    }
    vfs.umount(FOLDER)
    return found


def _do(storage, words):
    if words[0] == "remove":
        storage.remove(words[1])
        return
    # The bytes do not matter to wear, and they are not the same twice.
    data = bytes([len(words[2]) & 255]) * int(words[2])
    if words[0] == "commit":
        storage.commit(words[1], data)
    else:
        storage.append(words[1], data)
