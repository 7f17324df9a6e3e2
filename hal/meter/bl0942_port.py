"""What a BL0942 and its host say to each other: commands, packets, answers, checksums.

Sources: see bl0942_registers.py.
"""

from wattledger.hal.meter.bl0942_registers import (
    ANSWER_LENGTH,
    FREQUENCY_AT,
    MODE,
    PACKET,
    PACKET_HEAD,
    PACKET_LENGTH,
    READ,
    STATUS_AT,
    WRITE,
)
from wattledger.hal.meter.uart_frames import FrameReader

ANSWER_MS = 100  # 23 bytes at 4800 baud are 48 ms
TRIES = 3


class Port:
    """The chip `address` on a UART `device`; `packets` and `answers` read what it sends."""

    def __init__(self, device, address):
        self.device = device
        self._write_command = WRITE | address
        self._read_command = READ | address
        self._packet_request = bytes((READ | address, PACKET))
        self._mode_request = bytes((READ | address, MODE))
        self._register = MODE  # what an answer is to: it is in the checksum
        self.packets = FrameReader(device, PACKET_LENGTH, self._is_packet, PACKET_HEAD)
        self.answers = FrameReader(device, ANSWER_LENGTH, self._is_answer)

    def request_packet(self):
        """Ask for everything; the packet comes later. BusError."""
        self.device.write(self._packet_request)

    def request_mode(self):
        """Ask for MODE; the answer comes later. BusError."""
        self._register = MODE
        self.answers.clear()
        self.device.write(self._mode_request)

    def ask(self, register, wait_ms):
        """A register, -1 when nothing answers. Waits."""
        self._register = register
        for _ in range(TRIES):
            self.answers.clear()
            self.answers.newest()  # what was still under way
            self.answers.clear()
            self.device.write(bytes((self._read_command, register)))
            wait_ms(ANSWER_MS)
            if self.answers.newest():
                return word(self.answers.frame, 0)
        return -1

    def message(self, register, value):
        """The bytes that write 24 bits."""
        message = bytearray((self._write_command, register, value & 0xFF, value >> 8 & 0xFF))
        message.append(value >> 16)
        message.append(~sum(message) & 0xFF)
        return bytes(message)

    def _is_packet(self, frame):
        # FREQ has 16 and STATUS 10 of the 24 bits that a packet has for each.
        if frame[FREQUENCY_AT + 2] or frame[STATUS_AT + 1] > 3 or frame[STATUS_AT + 2]:
            return False
        total = self._read_command
        for index in range(PACKET_LENGTH):
            total += frame[index]
        return total & 0xFF == 0xFF

    def _is_answer(self, frame):
        total = self._read_command + self._register + frame[0] + frame[1] + frame[2] + frame[3]
        return total & 0xFF == 0xFF


def word(frame, at):
    """The 24 bits at `at` of a packet or an answer, lowest byte first."""
    return frame[at] | frame[at + 1] << 8 | frame[at + 2] << 16
