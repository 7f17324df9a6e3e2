"""Wi-Fi as a station: connects, and connects again with growing and uneven pauses. Never waits.

`wlan` is a network.WLAN of the station. Its own reconnection is switched off: it tries without a
pause, and the stations of a street would come back in step.
Source: docs.micropython.org/en/v1.28.0/library/network.WLAN
"""

import random

from wattledger.hal.network.backoff import next_delay

ATTEMPT_MS = 20_000  # associate, and get an address
LOWEST_S, HIGHEST_S = 2, 300
OFF, ASKED, UP = range(3)


class WifiStation:
    """`work()` once a turn; `fault` says why it was last down, `connects` how often it came up."""

    def __init__(self, wlan, ssid, password, clock, uniform=random.uniform):
        self._wlan = wlan
        self._ssid = ssid
        self._password = password
        self._clock = clock
        self._uniform = uniform
        self._state = OFF
        self._since = clock.ticks_ms()
        self._wait_ms = 0
        self._delay_s = 0
        self.connects = 0
        self.fault = ""
        wlan.active(True)
        wlan.config(reconnects=0)

    def is_up(self):
        """True while there is an address."""
        return self._state == UP

    def address(self):
        """The address that the network gave, "" without one."""
        return self._wlan.ifconfig()[0] if self._state == UP else ""

    def work(self):
        """Do what is due. Whatever the port raises is a connection that is down."""
        try:
            self._look()
        except Exception as error:  # OSError of the driver, RuntimeError of a busy radio
            self._down(str(error) or type(error).__name__)

    def _look(self):
        passed = self._clock.elapsed_ms(self._since)
        if self._state == UP:
            if not self._wlan.isconnected():
                self._delay_s = 0
                self._down("the access point is gone")
        elif self._state == ASKED:
            if self._wlan.isconnected():
                self._enter(UP)
                self.connects += 1
                self._delay_s = 0
            elif passed >= ATTEMPT_MS:
                self._down(
                    "no connection in %d s, status %s" % (ATTEMPT_MS // 1000, self._wlan.status())
                )
        elif passed >= self._wait_ms:
            self._enter(ASKED)
            self._wlan.connect(self._ssid, self._password)

    def _enter(self, state):
        self._state = state
        self._since = self._clock.ticks_ms()

    def _down(self, why):
        self.fault = why
        self._delay_s = next_delay(self._delay_s, LOWEST_S, HIGHEST_S, self._uniform)
        self._wait_ms = int(self._delay_s * 1000)
        self._enter(OFF)
        self._wlan.disconnect()
