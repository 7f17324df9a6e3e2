"""Many selects in one ioctl: the request as the kernel reads it, with a kernel of our own."""

import ctypes
import struct

import pytest

from wattledger.hal.bus import spi_batch_linux
from wattledger.hal.bus.spi_batch_linux import SpiBatch, message_request
from wattledger.hal.errors import BusError
from wattledger.hal.meter.mcp3208_frames import code_of, conversion, round_of
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip

# struct spi_ioc_transfer of include/uapi/linux/spi/spidev.h
FIELDS = ("tx", "rx", "len", "hz", "delay", "bits", "change", "tx_n", "rx_n", "word", "pad")


class Kernel:
    """Answers SPI_IOC_MESSAGE with a chip, from the addresses in the request."""

    def __init__(self, chip):
        self.chip = chip
        self.seen = []
        self.returns = None

    def ioctl(self, descriptor, number, request, mutate):
        assert descriptor == 7 and mutate is True
        size = number >> 16 & 0x3FFF
        assert len(request) == size and number & 0xC000FFFF == 0x40006B00
        moved = 0
        for at in range(0, size, 32):
            fields = struct.unpack_from("=QQIIHBBBBBB", request, at)
            transfer = dict(zip(FIELDS, fields, strict=True))
            self.seen.append(transfer)
            into = bytearray(transfer["len"])
            self.chip.transfer(ctypes.string_at(transfer["tx"], transfer["len"]), into)
            ctypes.memmove(transfer["rx"], bytes(into), len(into))
            moved += transfer["len"]
        return moved if self.returns is None else self.returns


@pytest.fixture
def kernel(monkeypatch):
    chip = Chip(((0, 1), (2, 7)))
    for channel in range(8):
        chip.stick(channel, 0x100 * channel + 0x42)
    made = Kernel(chip)
    monkeypatch.setattr(spi_batch_linux.fcntl, "ioctl", made.ioctl)
    return made


def test_the_request_number_is_the_kernel_s():
    # _IOW('k', 0, 32 bytes) and of two of them
    assert message_request(1) == 0x40206B00
    assert message_request(2) == 0x40406B00


def test_each_frame_is_a_select_with_its_answer(kernel):
    batch = SpiBatch(7, round_of(((0, 1), (2, 7))) * 2, 3, 1_000_000, 90)
    into = bytearray(24)
    for _ in range(2):
        batch.transfer_into(into)
        codes = [code_of(into[at : at + 3]) for at in range(0, 24, 3)]
        assert codes == [0x042, 0x142, 0x242, 0x742] * 2
    assert [t["change"] for t in kernel.seen[:8]] == [1] * 7 + [0]
    assert [t["delay"] for t in kernel.seen[:8]] == [90] * 7 + [0]
    assert {(t["len"], t["hz"], t["bits"]) for t in kernel.seen} == {(3, 1_000_000, 8)}
    assert {(t["tx_n"], t["rx_n"], t["word"], t["pad"]) for t in kernel.seen} == {(0, 0, 0, 0)}


def test_a_view_of_a_ring_is_filled_in_place(kernel):
    ring = bytearray(9)
    SpiBatch(7, conversion(3), 3, 1_000_000).transfer_into(memoryview(ring)[3:6])
    assert ring == b"\0\0\0\xff\xe3\x42\0\0\0"


def test_failures_are_bus_errors(kernel, monkeypatch):
    batch = SpiBatch(7, conversion(0), 3, 1_000_000)
    kernel.returns = 2
    with pytest.raises(BusError, match="2 bytes of 3"):
        batch.transfer_into(bytearray(3))

    def fail(*arguments):
        raise OSError(90, "Message too long")

    monkeypatch.setattr(spi_batch_linux.fcntl, "ioctl", fail)
    with pytest.raises(BusError, match="Message too long"):
        batch.transfer_into(bytearray(3))


def test_more_frames_than_a_request_holds_are_refused():
    SpiBatch(7, conversion(0) * 511, 3, 1_000_000)
    for frames in (0, 512):
        with pytest.raises(BusError, match="1 to 511"):
            SpiBatch(7, conversion(0) * frames, 3, 1_000_000)
