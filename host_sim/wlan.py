"""MicroPython's module `network` as far as the firmware uses it: a station. Portable.

`air` says what there is to connect to; a connection is made at once or not at all.
Source: docs.micropython.org/en/v1.28.0/library/network.WLAN
"""

STAT_IDLE = 1000
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202


class _Air:
    """`name` and `password` of the access point, None for none; `error` is raised by connect;
    `station` is the newest WLAN, which may be connected or not."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.name = None
        self.password = ""
        self.address = "192.0.2.7"  # what it gives to a station
        self.error = None
        self.hostname = "mpy-esp32"  # the port's own
        self.asked = 0
        self.station = None


air = _Air()


def hostname(name=None):
    """The name that the network knows the station by."""
    if name is not None:
        air.hostname = name
    return air.hostname


class WLAN:
    IF_STA = 0
    IF_AP = 1

    def __init__(self, interface=IF_STA):
        self._joined = None
        self._active = False
        self._status = STAT_IDLE
        air.station = self

    def active(self, on=None):
        if on is not None:
            self._active = on
        return self._active

    def config(self, **settings):
        pass

    def connect(self, name, password=None):
        air.asked += 1
        if air.error is not None:
            raise air.error
        if not self._active:
            raise OSError("Wifi Not Started")
        if name != air.name:
            self._status = STAT_NO_AP_FOUND
        elif password != air.password:
            self._status = STAT_WRONG_PASSWORD
        else:
            self._status = STAT_GOT_IP
            self._joined = name

    def isconnected(self):
        return self._joined is not None and self._joined == air.name

    def ifconfig(self):
        address = air.address if self.isconnected() else "0.0.0.0"
        return (address, "255.255.255.0", "192.0.2.1", "192.0.2.1")

    def status(self):
        return self._status

    def disconnect(self):
        self._joined = None
        self._status = STAT_IDLE
