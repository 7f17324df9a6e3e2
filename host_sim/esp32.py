"""MicroPython's module `esp32` as far as the firmware uses it: NVS and partitions. Portable.

`attach_partition` gives it a flash, `detach_all` clears it. What was not committed to an NVS is
gone with `power_up`.
Source: docs.micropython.org/en/v1.28.0/library/esp32
"""

_NOT_FOUND = -0x1102  # ESP_ERR_NVS_NOT_FOUND, as the port raises it
_SIZES = (-(1 << 31), (1 << 31) - 1)


class _Chip:
    def __init__(self):
        self.clear()

    def clear(self):
        self.partitions = []
        self.kept = {}  # (namespace, key) -> value
        self.pending = {}


_chip = _Chip()


def detach_all():
    """A chip whose flash is erased and that has no partitions."""
    _chip.clear()


def attach_partition(label, flash):
    """A data partition on `flash` (host_sim/flash.py)."""
    _chip.partitions.append(Partition(label, flash))


def power_up():
    """What was not committed is gone."""
    _chip.pending = {}


class NVS:
    """A namespace of the non-volatile storage: integers of 32 bits and bytes."""

    def __init__(self, namespace):
        self._space = namespace

    def _get(self, key, kind):
        place = (self._space, key)
        value = _chip.pending.get(place, _chip.kept.get(place))
        if not isinstance(value, kind):
            raise OSError(_NOT_FOUND)
        return value

    def _set(self, key, value):
        if len(key) > 15:
            raise OSError(-0x1109)  # ESP_ERR_NVS_KEY_TOO_LONG
        _chip.pending[self._space, key] = value

    def get_i32(self, key):
        return self._get(key, int)

    def set_i32(self, key, value):
        if not _SIZES[0] <= value <= _SIZES[1]:
            raise OverflowError("not 32 bits")
        self._set(key, value)

    def get_blob(self, key, buffer):
        value = self._get(key, bytes)
        if len(value) > len(buffer):
            raise OSError(-0x110C)  # ESP_ERR_NVS_INVALID_LENGTH
        buffer[: len(value)] = value
        return len(value)

    def set_blob(self, key, value):
        self._set(key, bytes(value))

    def erase_key(self, key):
        self._get(key, (int, bytes))
        _chip.kept.pop((self._space, key), None)
        _chip.pending.pop((self._space, key), None)

    def commit(self):
        _chip.kept.update(_chip.pending)
        _chip.pending = {}


class Partition:
    """A partition as a block device."""

    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, label, flash):
        self._label = label
        self._flash = flash
        self.readblocks = flash.readblocks
        self.writeblocks = flash.writeblocks
        self.ioctl = flash.ioctl

    @staticmethod
    def find(type=TYPE_APP, subtype=255, label=None):
        """The data partitions, of one label or all."""
        if type != Partition.TYPE_DATA:
            return []
        return [found for found in _chip.partitions if label in (None, found._label)]
