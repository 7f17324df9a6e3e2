"""SNTP: the packets of a time query (RFC 4330, RFC 5905), bytes in and bytes out, and its client.

An answer is not authenticated. It is believed only when it carries our random request number,
and agent/timekeeping.py bounds what a false one could do.
"""

PORT = 123
LENGTH = 48
CLIENT = 0x23  # version 4, mode 3
SERVER_MODE = 4
ALARM = 3  # leap indicator: the server itself has no time
ERA_0 = 2_208_988_800  # seconds from 1900 to 1970
ERA = 1 << 32
ANSWER_MS = 3_000
FIRST_RETRY_MS = 16_000
LAST_RETRY_MS = 1_024_000
DEFAULT_EVERY_MS = 3_600_000


class SntpError(Exception):
    """An answer that is not to be used; `denied` when the server asks to be left alone."""

    def __init__(self, message, denied=False):
        super().__init__(message)
        self.denied = denied


def request(number):
    """The 48 bytes of a query; `number` (8 random bytes) comes back as its originate time."""
    packet = bytearray(LENGTH)
    packet[0] = CLIENT
    packet[40:48] = number
    return packet


def answer(packet, number):
    """Unix milliseconds a server sent in answer to `number`. SntpError says why not."""
    if len(packet) < LENGTH:
        raise SntpError("%d bytes are no answer" % len(packet))
    if bytes(packet[24:32]) != bytes(number):
        raise SntpError("it answers another query")
    if packet[0] & 7 != SERVER_MODE:
        raise SntpError("mode %d is not a server's" % (packet[0] & 7))
    stratum = packet[1]
    if stratum == 0:
        raise SntpError("kiss of death %r" % bytes(packet[12:16]), True)
    if stratum > 15 or packet[0] >> 6 == ALARM:
        raise SntpError("the server has no time itself")
    seconds = 0
    for at in range(40, 44):
        seconds = seconds << 8 | packet[at]
    fraction = packet[44] << 8 | packet[45]
    if not seconds and not fraction:
        raise SntpError("no transmit time")
    if seconds < 1 << 31:  # era 1, from 2036-02-07 06:28:16 on; era 0 had its upper half by 1968
        seconds += ERA
    return (seconds - ERA_0) * 1000 + (fraction * 1000 >> 16)


class SntpClient:
    """Asks one server over UDP and never waits: `poll` from step() does what is due.

    `socket` is the port's module, `entropy` an Entropy (hal/contract.py), `address` what its
    getaddrinfo made of the server's name. The socket is connected, so that nobody else's packets
    come through. `last_error` tells people why there is no time.
    """

    def __init__(self, socket, entropy, address, every_ms=DEFAULT_EVERY_MS):
        self._module = socket
        self._entropy = entropy
        self._address = address
        self._every_ms = every_ms
        self._number = bytearray(8)
        self._socket = None
        self._sent_ms = 0
        self._due_ms = 0
        self._retry_ms = FIRST_RETRY_MS
        self.refused = 0
        self.last_error = ""

    def poll(self, now_ms):
        """Unix milliseconds of a new fix, or None; `now_ms` rises and does not wrap."""
        if self._socket is None:
            if now_ms >= self._due_ms:
                self._ask(now_ms)
            return None
        try:
            packet = self._socket.recv(LENGTH + 20)
        except OSError as error:
            if now_ms - self._sent_ms >= ANSWER_MS:
                self._give_up(now_ms, "no answer: %s" % error)
            return None
        try:
            unix_ms = answer(packet, self._number)
        except SntpError as error:
            self.refused += 1
            if error.denied:
                self._retry_ms = LAST_RETRY_MS
                self._give_up(now_ms, str(error))
            elif now_ms - self._sent_ms >= ANSWER_MS:
                self._give_up(now_ms, str(error))
            else:
                self.last_error = str(error)  # the true answer may be on its way
            return None
        travelled = now_ms - self._sent_ms
        self._close()
        if travelled >= ANSWER_MS:
            self._give_up(now_ms, "the answer took %d ms" % travelled)
            return None
        self._retry_ms = FIRST_RETRY_MS
        self._due_ms = now_ms + self._every_ms
        self.last_error = ""
        return unix_ms + travelled // 2

    def _ask(self, now_ms):
        try:
            self._entropy.fill(self._number)
            module = self._module
            self._socket = module.socket(module.AF_INET, module.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.connect(self._address)
            self._socket.send(request(self._number))
            self._sent_ms = now_ms
        except OSError as error:
            self._give_up(now_ms, "cannot ask: %s" % error)

    def _give_up(self, now_ms, why):
        self._close()
        self.last_error = why
        self._due_ms = now_ms + self._retry_ms
        self._retry_ms = min(2 * self._retry_ms, LAST_RETRY_MS)

    def _close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None
