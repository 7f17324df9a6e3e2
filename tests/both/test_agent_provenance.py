"""A new calibration ends the rest of a Wh that the old one left, and stands in the journal."""

import unittest

from wattledger.tests.both.fixtures_agent import House

HEAP = "512K"
CHANGED = 70  # the event


class Calibrated(House):
    calibration = 0


class TestChange(unittest.TestCase):
    def setUp(self):
        self.house = Calibrated()
        self.house.chip.feed(330)  # 1 Wh and 10/320
        self.house.run(15)
        self.assertEqual(self.rest(), 10)

    def rest(self):
        return self.house.agent.meter.register.import_rest

    def boot(self, id):
        self.house.calibration = id
        self.house.boot()
        self.house.agent.keeper.now()

    def test_the_boards_own_constants_are_no_change(self):
        self.boot(0)
        self.assertEqual((self.rest(), self.house.told(CHANGED)), (10, []))

    def test_a_calibration_drops_the_rest_once_and_says_which(self):
        self.boot(0xCAFE0001)
        register = self.house.agent.meter.register
        self.assertEqual((register.import_wh, register.import_rest), (1, 0))
        self.assertEqual(self.house.told(CHANGED), [0xCAFE0001])
        self.house.chip.feed(5)
        self.house.run(15)
        self.boot(0xCAFE0001)
        self.assertEqual((self.rest(), self.house.told(CHANGED)), (5, [0xCAFE0001]))
        self.boot(0)
        self.assertEqual((self.rest(), self.house.told(CHANGED)), (0, [0xCAFE0001, 0]))

    def test_a_cut_before_it_is_kept_tells_it_again(self):
        commit = self.house.storage.commit

        def fail(name, data):
            if name == "calibration":
                raise OSError(5)
            commit(name, data)

        self.house.storage.commit = fail
        self.boot(7)
        self.assertEqual((self.rest(), self.house.told(CHANGED)), (0, [7]))
        self.house.storage.commit = commit
        self.boot(7)
        self.boot(7)
        self.assertEqual(self.house.told(CHANGED), [7, 7])


if __name__ == "__main__":
    unittest.main()
