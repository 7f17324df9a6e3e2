"""Emulates `/dev/spidev0.0` or `/dev/i2c-1` with a simulated chip, and runs a child on it.

Run by the system's Python (it has gi) under umockdev-wrapper, as

    umockdev_parent.py CHIP BUS command of the child ...

The handler is in this process and spidev in the child: spidev holds the GIL during the ioctl that
this one answers. The child reaches the world's side of the chip over the two descriptors whose
numbers it finds in WORLD_PIPE: a line of JSON asks, `[attribute, arguments or null]`, and a line
answers, `[result, error or null]`. Ends with the child's exit code.
"""

import errno
import importlib
import json
import os
import struct
import subprocess
import sys
import traceback

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # noqa: E402

I2C_ADDRESS = 0x38  # of whichever chip is emulated

# How each chip is made: module below wattledger, what to call in it, its arguments.
CHIPS = {
    "atm90e32": ("host_sim.chip.atm90e32", "Atm90e32", (0x8F5C, 0x7C29)),
    "cells": ("tests.both.fixtures_wires", "Cells", ()),
    "mirror": ("tests.both.fixtures_wires", "Mirror", ()),
}

# Bits of an ioctl's number: size in bytes 16..29, kind 8..15, number 0..7.
SPI_KIND = ord("k")
SPI_MESSAGE, SPI_MODE, SPI_BITS, SPI_SPEED, SPI_MODE32 = 0, 1, 3, 4, 5
SPI_TRANSFER = struct.Struct("<QQIIHBBBBBB")  # tx, rx, length, speed, delay, bits, cs change, ...
READS = 0x80000000

I2C_FUNCS = 0x0705
I2C_RDWR = 0x0707
I2C_MESSAGE = struct.Struct("<HHHxxQ")  # address, flags, length, buffer
I2C_M_RD = 1
PLAIN_I2C = 1


class SpiHandler:
    """The ioctls of linux/spi/spidev.h; keeps the mode, bits and speed that were set."""

    node = "/dev/spidev0.0"
    description = "P: /devices/spi0.0\nN: spidev0.0\nE: SUBSYSTEM=spidev\nE: DEVNAME=%s\n" % node

    def __init__(self, world):
        self._world = world
        self._held = {SPI_MODE: 0, SPI_BITS: 8, SPI_SPEED: 500_000}

    def handle(self, request, argument):
        """(result, errno) of one ioctl."""
        number = request & 0xFF
        size = request >> 16 & 0x3FFF
        if request >> 8 & 0xFF != SPI_KIND:
            return -1, errno.ENOTTY
        if number == SPI_MESSAGE:
            return self._message(argument, size), 0
        number = SPI_MODE if number == SPI_MODE32 else number
        if number not in self._held:
            return -1, errno.ENOTTY
        value = argument.resolve(0, size)
        if request & READS:
            value.update(0, list(self._held[number].to_bytes(size, "little")))
        else:
            self._held[number] = int.from_bytes(bytes(value.retrieve()), "little")
        return 0, 0

    def _message(self, argument, size):
        transfers = argument.resolve(0, size)
        fields = bytes(transfers.retrieve())
        moved = 0
        for at in range(0, size, SPI_TRANSFER.size):
            _, receive, length = SPI_TRANSFER.unpack_from(fields, at)[:3]
            out = bytearray(transfers.resolve(at, length).retrieve())
            into = bytearray(length)
            self._world.chip.transfer(out, into)
            if receive:
                transfers.resolve(at + 8, length).update(0, list(into))
            moved += length
        return moved


class I2cHandler:
    """The ioctls of linux/i2c-dev.h that smbus2's `i2c_rdwr` uses."""

    node = "/dev/i2c-1"
    description = "P: /devices/i2c-1\nN: i2c-1\nE: SUBSYSTEM=i2c-dev\nE: DEVNAME=%s\n" % node

    def __init__(self, world):
        self._world = world

    def handle(self, request, argument):
        if request == I2C_FUNCS:
            argument.resolve(0, 8).update(0, list(PLAIN_I2C.to_bytes(8, "little")))
            return 0, 0
        if request != I2C_RDWR:
            return -1, errno.ENOTTY
        pair = argument.resolve(0, 16)
        count = struct.unpack_from("<QI", bytes(pair.retrieve()))[1]
        messages = pair.resolve(0, count * I2C_MESSAGE.size)
        fields = bytes(messages.retrieve())
        for index in range(count):
            at = index * I2C_MESSAGE.size
            address, flags, length, _ = I2C_MESSAGE.unpack_from(fields, at)
            data = messages.resolve(at + 8, length)
            if address != I2C_ADDRESS or not self._exchange(data, flags & I2C_M_RD, length):
                return -1, errno.EREMOTEIO
        return count, 0

    def _exchange(self, data, reads, length):
        chip = self._world.chip
        if not reads:
            return chip.i2c_write(bytearray(data.retrieve()))
        into = bytearray(length)
        acknowledged = chip.i2c_read(into)
        data.update(0, list(into))
        return acknowledged


HANDLERS = {"spi": SpiHandler, "i2c": I2cHandler}


class World:
    """The chip, and the child's questions to it."""

    def __init__(self, name):
        module, kind, self._arguments = CHIPS[name]
        self._kind = getattr(importlib.import_module("wattledger." + module), kind)
        self.renew()

    def renew(self):
        """Another chip of the kind takes its place."""
        self.chip = self._kind(*self._arguments)

    def answer(self, line):
        """[what the chip returned, what went wrong]; one of them is null."""
        try:
            return [self._call(*json.loads(line)), None]
        except Exception as error:
            return [None, repr(error)]

    def _call(self, name, arguments):
        if name == "renew":
            return self.renew()
        if name == "set":
            return setattr(self.chip, *arguments)
        found = getattr(self.chip, name)
        return found if arguments is None else found(*arguments)


def serve(handler):
    """The UMockdev testbed with one device; both must be kept alive."""
    testbed = UMockdev.Testbed.new()
    testbed.add_from_string(handler.description)
    base = UMockdev.IoctlBase()

    def handle(_, client):
        try:
            result = handler.handle(client.get_request(), client.get_arg())
        except Exception:
            traceback.print_exc()
            result = (-1, errno.EIO)
        client.complete(*result)
        return True

    base.connect("handle-ioctl", handle)
    testbed.attach_ioctl(handler.node, base)
    return testbed, base


def main(name, bus, command):
    world = World(name)
    kept = serve(HANDLERS[bus](world))
    asked, asking = os.pipe()
    told, telling = os.pipe()
    # The testbed tells its folder to the C library's environment, which os.environ does not see.
    environment = dict(os.environ, UMOCKDEV_DIR=kept[0].get_root_dir())
    environment["WORLD_PIPE"] = "%d %d" % (told, asking)
    child = subprocess.Popen(command, env=environment, pass_fds=(told, asking))
    os.close(told)
    os.close(asking)
    questions = os.fdopen(asked, "rb", buffering=0)
    loop = GLib.MainLoop()
    codes = []

    def on_question(_, condition):
        line = questions.readline()
        if line:
            os.write(telling, json.dumps(world.answer(line)).encode() + b"\n")
        return bool(line)

    def on_end(_, status):
        codes.append(os.waitstatus_to_exitcode(status))
        loop.quit()

    GLib.io_add_watch(questions, GLib.IO_IN | GLib.IO_HUP, on_question)
    GLib.child_watch_add(GLib.PRIORITY_DEFAULT, child.pid, on_end)
    loop.run()
    del kept
    return codes[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
