"""The hardware watchdog of an ESP32 (contract Watchdog): nothing stops it once it runs.

Source: docs.micropython.org/en/v1.28.0/library/machine.WDT; the chip restarts, pins and all.
"""

TIMEOUT_MS = 8000


class Esp32Watchdog:
    """`wdt_class` is machine.WDT; the first period begins here."""

    def __init__(self, wdt_class, timeout_ms=TIMEOUT_MS):
        self._wdt = wdt_class(timeout=timeout_ms)

    def feed(self):
        """The meter is well."""
        self._wdt.feed()
