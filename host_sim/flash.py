"""A NOR flash: a program only clears bits, an erase sets a whole block. Portable.

A block device as MicroPython's file systems use one (extended protocol, ioctl). It keeps a log of
what was programmed and erased, so that the flash of any instant can be made again, also one at
which the power went in the middle of an operation.
"""

from array import array

from wattledger.host_sim.errors import SimulatorError

BLOCK_BYTES = 4096
ERASED = 0xFF
# Operations of ioctl that a file system asks for.
_SYNC, _COUNT, _SIZE, _ERASE = 3, 4, 5, 6


class NorFlash:
    """`blocks` of 4096 bytes, all erased, or those of `image` (a bytearray, not copied).

    `erases` counts by block, `programmed` bytes, `operations` programs and erases. A program that
    would set a bit is done as flash does it and counted in `raised`. `fail_at` is the operation
    (from 1) that is refused with `errno`, and all after it when `fail_ever`. With `dead` set
    nothing is taken any more, as after a power cut.
    """

    def __init__(self, blocks, image=None):
        self.image = bytearray(b"\xff" * (blocks * BLOCK_BYTES)) if image is None else image
        if len(self.image) != blocks * BLOCK_BYTES:
            raise SimulatorError(
                "an image of %d blocks has %d bytes" % (blocks, blocks * BLOCK_BYTES)
            )
        self._blocks = blocks
        self.erases = array("i", [0] * blocks)
        self.programmed = 0
        self.operations = 0
        self.raised = 0
        self.log = None  # a list takes (offset, bytes), or (offset, None) for an erase
        self.fail_at = 0
        self.fail_ever = False
        self.errno = 5
        self.dead = False

    def readblocks(self, block, buffer, offset=0):
        """Fill `buffer` from `offset` within `block`."""
        if _lacks_heap(self.image, block * BLOCK_BYTES + offset, buffer):
            # The collector closes a forgotten file: nothing may be allocated.
            _copy_bytes(self.image, block * BLOCK_BYTES + offset, buffer)
        return 0

    def writeblocks(self, block, buffer, offset=0):
        """Program `buffer` at `offset` within `block`; without an offset the block is erased
        first."""
        if self.dead or self._fails():
            return -self.errno
        start = block * BLOCK_BYTES + offset
        if self.log is not None:
            self.log.append((start, bytes(buffer)))
        self.raised += program(self.image, start, buffer)
        self.programmed += len(buffer)
        return 0

    def ioctl(self, operation, argument):
        """What a file system asks of a device: 4 the blocks, 5 their size, 6 erase one."""
        if operation == _COUNT:
            return self._blocks
        if operation == _SIZE:
            return BLOCK_BYTES
        if operation == _ERASE:
            if self.dead or self._fails():
                return -self.errno
            if self.log is not None:
                self.log.append((argument * BLOCK_BYTES, None))
            erase(self.image, argument * BLOCK_BYTES)
            self.erases[argument] += 1
        return 0

    def _fails(self):
        self.operations += 1
        if not self.fail_at:
            return False
        return self.operations == self.fail_at or (
            self.fail_ever and self.operations > self.fail_at
        )


# A file system reads 32 bytes at a time. MicroPython keeps a frame of more than eleven words on
# the heap, and looks for what is allocated meanwhile from there on: half of a run, before the
# frames on this way were made small.
def _lacks_heap(image, start, buffer):
    """Fill `buffer` from `start`; True when it could not."""
    try:
        return _copy(image, start, buffer)
    except:  # noqa: E722 - MemoryError, whose name would be a word too many
        return True


def _copy(image, start, buffer):
    buffer[:] = memoryview(image)[start : start + len(buffer)]


def _copy_bytes(image, start, buffer):
    for at in range(len(buffer)):
        buffer[at] = image[start + at]


def program(image, start, data):
    """Clear the bits of `image` that are 0 in `data`; how many bytes wanted a bit set."""
    raised = 0
    for at in range(len(data)):
        held = image[start + at]
        if data[at] & ~held:
            raised += 1
        image[start + at] = held & data[at]
    return raised


def erase(image, start, count=BLOCK_BYTES):
    """Set every bit of `count` bytes."""
    try:
        image[start : start + count] = b"\xff" * count
    except MemoryError:
        for at in range(start, start + count):
            image[at] = ERASED


def redo(image, operation):
    """One operation of a log, done on `image`."""
    start, data = operation
    if data is None:
        erase(image, start)
    else:
        program(image, start, data)


def tear(image, operation):
    """The operation with the power gone half way: the first half of its bytes is done, and of the
    byte in the middle only some bits."""
    start, data = operation
    if data is None:
        erase(image, start, BLOCK_BYTES // 2)
        image[start + BLOCK_BYTES // 2] |= 0x55
    else:
        half = len(data) // 2
        program(image, start, data[:half])
        image[start + half] &= data[half] | 0xAA
