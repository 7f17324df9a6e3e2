"""The clock of an ESP32 (contract Clock): its ticks, a DS3231 if there is one, and SNTP.

The port counts from 2000 and its clock restarts there without a battery; here all is 1970. The
modules of the port are arguments: nothing is imported that only a device has.
"""

from wattledger.hal.clock.wall import TICKS_MASK, Wall

EPOCH_2000 = 946_684_800


class Esp32Clock:
    """`time` is the port's module (ticks_ms, ticks_diff, time, gmtime), `machine_rtc` a
    machine.RTC or None (kept right for TLS), `sntp` an SntpClient or None, `rtc` a Ds3231."""

    def __init__(self, time, machine_rtc=None, sntp=None, rtc=None):
        self._time = time
        self._machine_rtc = machine_rtc
        self._sntp = sntp
        self._epoch_s = EPOCH_2000 if time.gmtime(0)[0] == 2000 else 0
        self.wall = Wall(self.ticks_ms, (time.time() + self._epoch_s) * 1000, rtc)

    def ticks_ms(self):
        return self._time.ticks_ms() & TICKS_MASK

    def elapsed_ms(self, since):
        return (self.ticks_ms() - since) & TICKS_MASK

    def unix_s(self):
        return self.wall.now_ms() // 1000

    def trust(self):
        return self.wall.trust

    def offer(self):
        offer = self.wall.offer_rtc()
        if offer is None and self._sntp is not None:
            unix_ms = self._sntp.poll(self.wall.up_ms())
            if unix_ms is not None:
                offer = self.wall.offer_server(unix_ms)
        return offer

    def set(self, unix_s, trust):
        self.wall.set(unix_s, trust)
        if self._machine_rtc is not None:
            at = self._time.gmtime(self.unix_s() - self._epoch_s)
            self._machine_rtc.datetime((at[0], at[1], at[2], at[6], at[3], at[4], at[5], 0))
