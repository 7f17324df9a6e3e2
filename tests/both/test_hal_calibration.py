"""The calibration file: read back as written, refused when anything in it is not right."""

import binascii
import json
import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter import calibration

TABLE = (("voltage_gain", 0x8000, 1, 0xFFFF), ("phase", 0, -255, 255))
# The CRC's text by hand: names in alphabetical order, whatever order JSON has them in.
TEXT = (
    "wattledger calibration 1\nchip=atm90e32\nagainst=Fluke 435\nby=A. Tech\nwhen=1800000000\n"
    "0.phase=-12\n0.voltage_gain=36700\n1.phase=7"
)


def document(**changes):
    found = {
        "v": 1,
        "chip": "atm90e32",
        "constants": [{"voltage_gain": 36700, "phase": -12}, {"phase": 7}],
        "when": 1800000000,
        "against": "Fluke 435",
        "by": "A. Tech",
        "crc": binascii.crc32(TEXT.encode()),
    }
    found.update(changes)
    return found


class TestLoad(unittest.TestCase):
    def load(self, found):
        return calibration.load(json.dumps(found).encode(), "atm90e32", TABLE)

    def refused(self, *words, **changes):
        found = document(**changes)
        if "crc" not in changes:
            try:
                found["crc"] = calibration.crc_of(found)
            except (TypeError, ValueError, AttributeError):
                pass  # refused before its CRC is asked for
        with self.assertRaises(ChipError) as caught:
            self.load(found)
        self.assertEqual(caught.exception.stage, "calibration")
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_constants_come_back(self):
        self.assertEqual(
            self.load(document()), [{"voltage_gain": 36700, "phase": -12}, {"phase": 7}]
        )

    def test_the_crc_is_of_a_text_written_by_rule(self):
        self.assertEqual(calibration.text_of(document()), TEXT)

    def test_another_layout_of_the_same_facts_is_the_same_file(self):
        data = json.dumps(document()).replace(",", " ,\n\t").encode()
        self.assertEqual(len(calibration.load(data, "atm90e32", TABLE)), 2)

    def test_a_changed_number_is_found(self):
        self.refused("crc", "changed by hand", crc=binascii.crc32(TEXT.encode()) ^ 1)
        other = [{"voltage_gain": 36701, "phase": -12}, {"phase": 7}]
        self.refused("crc", constants=other, crc=binascii.crc32(TEXT.encode()))

    def test_who_and_when_are_covered(self):
        self.refused("crc", by="B. Tech", crc=binascii.crc32(TEXT.encode()))
        self.refused("crc", when=1800000001, crc=binascii.crc32(TEXT.encode()))

    def test_each_fault_names_key_value_and_range(self):
        self.refused("constants[0]", "voltage_gain", "0", "65535", constants=[{"voltage_gain": 0}])
        self.refused("constants[1]", "phase", "256", "-255", constants=[{}, {"phase": 256}])
        self.refused("constants[0]", "phase", "'x'", constants=[{"phase": "x"}])
        self.refused("constants[0]", "phase", "True", constants=[{"phase": True}])
        self.refused("constants[0]", "gain", "no constant", constants=[{"gain": 1}])
        self.refused("1 to 3", constants=[])
        self.refused("1 to 3", constants=[{}] * 4)
        self.refused("constants[0]", "object", constants=[5])
        self.refused("v must be 1", "2", v=2)
        self.refused("when", "-1", when=-1)
        self.refused("by", "7", by=7)
        self.refused("ade7953", "atm90e32", chip="ade7953")

    def test_a_file_that_is_none(self):
        for data, word in ((b"", "JSON"), (b"{", "JSON"), (b"[]", "object"), (b"{}", "lacks v")):
            with self.assertRaises(ChipError) as caught:
                calibration.load(data, "atm90e32", TABLE)
            self.assertIn(word, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
