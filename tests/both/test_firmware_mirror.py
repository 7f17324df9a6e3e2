"""The number in NVS that a lost file system leaves."""

import unittest

from wattledger.firmware.mirror_esp32 import NvsMirror


class Nvs:
    """Blobs of an esp32.NVS; what was not committed goes with the power."""

    def __init__(self):
        self.kept = {}
        self.pending = {}

    def set_blob(self, key, value):
        assert len(key) <= 15  # NVS_KEY_NAME_MAX_SIZE less the end
        self.pending[key] = bytes(value)

    def get_blob(self, key, buffer):
        if key not in self.kept:
            raise OSError(-0x1102)  # ESP_ERR_NVS_NOT_FOUND
        buffer[: len(self.kept[key])] = self.kept[key]
        return len(self.kept[key])

    def commit(self):
        self.kept.update(self.pending)


class TestNvsMirror(unittest.TestCase):
    def test_a_new_meter_has_none(self):
        self.assertEqual(NvsMirror(Nvs()).read(), 0)

    def test_it_is_kept_up_to_the_highest_number(self):
        nvs = Nvs()
        for sequence in (1, 8, 2**31, 2**32 - 1):
            NvsMirror(nvs).write(sequence)
            self.assertEqual(NvsMirror(nvs).read(), sequence)

    def test_what_is_no_number_counts_as_none(self):
        nvs = Nvs()
        nvs.kept["app_floor"] = b"x"
        self.assertEqual(NvsMirror(nvs).read(), 0)


if __name__ == "__main__":
    unittest.main()
