"""Wi-Fi comes up, comes back, and never waits; its button and its watchdog beside it."""

import unittest

from wattledger.hal.inputs.button_esp32 import Esp32Button
from wattledger.hal.network.uplink import Uplink
from wattledger.hal.network.wifi_esp32 import ATTEMPT_MS, WifiStation
from wattledger.hal.watchdog.esp32 import Esp32Watchdog
from wattledger.host_sim import machine, wlan
from wattledger.host_sim.clock import VirtualClock


def longest(low, high):
    return high


class TestWifi(unittest.TestCase):
    def setUp(self):
        wlan.air.clear()
        self.clock = VirtualClock(0, (1 << 30) - 5000)
        self.wifi = WifiStation(wlan.WLAN(), "home", "secret", self.clock, longest)

    def work(self, ms, every=500):
        for _ in range(ms // every):
            self.clock.advance(every)
            self.wifi.work()

    def test_it_connects_and_says_so(self):
        wlan.air.name, wlan.air.password = "home", "secret"
        self.work(1000)
        self.assertTrue(self.wifi.is_up())
        self.assertEqual((self.wifi.connects, wlan.air.asked), (1, 1))

    def test_it_asks_again_after_pauses_that_grow(self):
        # Asked at once and given up after 20 s; then pauses of 2, 6, 18 ... s, three times the
        # one before as the longest draw has it, and at most 300 s.
        self.work(20_500)
        self.assertEqual(wlan.air.asked, 1)
        self.assertIn("status 201", self.wifi.fault)
        self.work(2_000)
        self.assertEqual(wlan.air.asked, 2)
        self.work(ATTEMPT_MS + 5_000)
        self.assertEqual(wlan.air.asked, 2)
        self.work(1_500)
        self.assertEqual(wlan.air.asked, 3)
        self.work(24 * 3_600_000, 5_000)
        # at least one attempt each 320 s and 5 s of granularity twice
        self.assertGreaterEqual(wlan.air.asked, 86_400 // 330)

    def test_an_access_point_that_goes_and_comes(self):
        wlan.air.name, wlan.air.password = "home", "secret"
        self.work(1000)
        wlan.air.name = None
        self.work(1000)
        self.assertFalse(self.wifi.is_up())
        self.assertEqual(self.wifi.fault, "the access point is gone")
        wlan.air.name = "home"
        self.work(30_000)
        self.assertTrue(self.wifi.is_up())
        self.assertEqual(self.wifi.connects, 2)

    def test_a_wrong_password_is_told(self):
        wlan.air.name, wlan.air.password = "home", "other"
        self.work(21_000)
        self.assertIn("status 202", self.wifi.fault)

    def test_whatever_the_driver_raises_is_a_connection_that_is_down(self):
        wlan.air.error = RuntimeError("Wifi Unknown Error 0x0101")
        self.work(60_000)
        self.assertEqual(self.wifi.fault, "Wifi Unknown Error 0x0101")
        self.assertGreater(wlan.air.asked, 1)
        wlan.air.error = None
        wlan.air.name, wlan.air.password = "home", "secret"
        self.work(300_000)
        self.assertTrue(self.wifi.is_up())


class Part:
    """Wi-Fi or link as a test wants it."""

    def __init__(self):
        self.up = False
        self.fault = ""
        self.worked = 0

    def is_up(self):
        return self.up

    def work(self):
        self.worked += 1


class TestUplink(unittest.TestCase):
    def test_each_fault_is_said_once_and_again_when_it_comes_back(self):
        lines = []
        wifi, link = Part(), Part()
        uplink = Uplink(wifi, lines.append)
        uplink.work()  # a link that cannot be made stays None
        uplink.link = link
        uplink.work()
        self.assertEqual((lines, wifi.worked), ([], 2))
        wifi.fault = "status 202"
        for _ in range(3):
            uplink.work()
        wifi.up = True
        self.assertTrue(uplink.is_up())
        link.fault = "b:8883: certificate verify failed"
        for _ in range(3):
            uplink.work()
        link.fault = "b:8883: it does not answer in 10 s"
        uplink.work()
        link.up = True
        uplink.work()
        link.up = wifi.up = False
        uplink.work()
        self.assertEqual(
            lines,
            [
                "Wi-Fi: status 202",
                "Wi-Fi: up",
                "link: b:8883: certificate verify failed",
                "link: b:8883: it does not answer in 10 s",
                "link: up",
                "Wi-Fi: status 202",
                "link: b:8883: it does not answer in 10 s",
            ],
        )


class TestButton(unittest.TestCase):
    def setUp(self):
        machine.detach_all()
        self.level = 1
        machine.attach_input(33, lambda: self.level)
        self.clock = VirtualClock(0)
        self.button = Esp32Button(machine.Pin, 33, self.clock)

    def test_held_it_is_told_four_times_a_second_and_let_go_once(self):
        self.assertIsNone(self.button.request())
        self.level = 0
        told = []
        for _ in range(10):
            told.append(self.button.request())
            self.clock.advance(100)
        # at 0, 300, 600 and 900 ms: the first call after each 250 ms
        self.assertEqual([at for at, one in enumerate(told) if one], [0, 3, 6, 9])
        self.assertEqual(told[0], ("press",))
        self.level = 1
        self.assertEqual(self.button.request(), ("release",))
        self.assertIsNone(self.button.request())


class TestWatchdog(unittest.TestCase):
    def test_it_resets_what_does_not_feed_it_and_nothing_else(self):
        machine.detach_all()
        dog = Esp32Watchdog(machine.WDT)
        for _ in range(100):
            machine.advance(7999)
            dog.feed()
        machine.advance(7999)
        with self.assertRaises(machine.Reset):
            machine.advance(1)
        self.assertEqual(machine.reset_cause(), machine.WDT_RESET)


if __name__ == "__main__":
    unittest.main()
