"""The serial line of Linux, with pyserial as it is, on pseudo-terminals."""

import errno
import sys
import termios
import unittest

import pytest
import serial

from wattledger.hal.bus.uart_linux import LinuxUart
from wattledger.hal.errors import BusError
from wattledger.tests.both.fixtures_wires import Talker
from wattledger.tests.both.houses_buses import UartBench, UartPromises, keep_promises
from wattledger.tests.host.pty_bench import Pty


class Bench(UartBench):
    def __init__(self):
        self._pty = Pty()
        self.device = LinuxUart(self._pty.name, 4800, even=True)
        self.say = self._pty.say
        self.heard = self._pty.heard


def test_it_keeps_the_promises():
    keep_promises(unittest.TestCase(), UartPromises, Bench)


def test_a_line_that_was_unplugged_is_an_error_in_both_directions():
    pty = Pty()
    uart = LinuxUart(pty.name, 9600)
    pty.unplug()
    with pytest.raises(BusError, match=r"%s is gone \(unplugged\?\)" % pty.name):
        uart.read_into(bytearray(8))
    with pytest.raises(BusError, match="is gone"):
        uart.write(b"\x58\xaa")


def test_questions_and_answers_pass_with_the_rubbish_between_them():
    pty = Pty()
    uart = LinuxUart(pty.name, 4800)
    chip = Talker()
    uart.write(b"\x58")
    uart.write(b"\xaa")
    # Control characters that a line for people would act on.
    pty.say(b"\x03\x04\x11\x13\xff\xff")
    chip.says = b"\x55\r\n"
    pty.carry(chip)
    assert chip.heard == b"\x58\xaa"
    buffer = bytearray(23)
    assert uart.read_into(buffer) == 9
    assert buffer[:9] == b"\x03\x04\x11\x13\xff\xff\x55\r\n"


def test_a_line_that_takes_no_more_says_so_and_does_not_wait():
    pty = Pty()
    uart = LinuxUart(pty.name, 9600)
    with pytest.raises(BusError, match=r"took \d+ of 4096 bytes: it is jammed"):
        for _ in range(100):  # nobody reads the other end: some kB and it is full
            uart.write(bytes(4096))
    with pytest.raises(BusError, match="took 0 of 1 bytes"):
        for _ in range(100_000):  # the kernel moves some on behind our back
            uart.write(b"\x00")


def test_a_line_in_use_is_refused():
    pty = Pty()
    first = LinuxUart(pty.name, 9600)
    try:
        with pytest.raises(BusError, match="is used by another program"):
            LinuxUart(pty.name, 9600)
    finally:
        first.close()


def test_the_line_is_raw_and_at_its_rate():
    pty = Pty()
    uart = LinuxUart(pty.name, 4800)
    into, out, control, local, _, rate, _ = termios.tcgetattr(pty.meter)
    assert rate == termios.B4800
    assert not into & (termios.ICRNL | termios.INLCR | termios.IXON | termios.ISTRIP)
    assert not local & (termios.ICANON | termios.ECHO | termios.ISIG)
    assert not out & termios.OPOST
    assert control & termios.CSIZE == termios.CS8
    uart.close()


@pytest.mark.parametrize(("even", "parity"), [(False, "N"), (True, "E")])
def test_parity_and_timeouts_are_handed_to_the_package(monkeypatch, even, parity):
    # A pseudo-terminal has no parity to read back.
    asked = []
    monkeypatch.setattr(serial, "Serial", lambda *place, **more: asked.append((place, more)))
    LinuxUart("/dev/serial0", 4800, even)
    assert asked == [
        (
            ("/dev/serial0", 4800),
            {"parity": parity, "timeout": 0, "write_timeout": 0, "exclusive": True},
        )
    ]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOENT, "/dev/ttyUSB7 is missing: plug the adapter in"),
        (errno.EACCES, "/dev/ttyUSB7 may not be used by this user: .*-aG dialout"),
        (errno.EIO, "/dev/ttyUSB7 cannot be opened: .*it"),
    ],
)
def test_a_line_that_cannot_be_opened_says_what_to_do(monkeypatch, number, said):
    def refuse(*place, **more):
        raise serial.SerialException(number, "it")

    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(BusError, match=said):
        LinuxUart("/dev/ttyUSB7", 9600)


def test_the_real_package_gives_the_error_of_a_missing_line():
    with pytest.raises(BusError, match="/dev/ttyUSB97 is missing"):
        LinuxUart("/dev/ttyUSB97", 9600)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(BusError, match="needs the package pyserial: pip install"):
        LinuxUart("/dev/serial0", 9600)
