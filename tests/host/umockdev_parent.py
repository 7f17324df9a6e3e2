"""Emulates `/dev/spidev0.0` and `/dev/i2c-1` with simulated chips, and runs a child on them.

Run by the system's Python (it has gi) under umockdev-wrapper, as

    umockdev_parent.py CHIP:BUS[,CHIP:BUS ...] command of the child ...

The handler is in this process and spidev in the child: spidev holds the GIL during the ioctl that
this one answers. The child reaches the world's side of the chips over the two descriptors whose
numbers it finds in WORLD_PIPE: a line of JSON asks, `[chip or null for the first, attribute,
arguments or null]`, and a line answers, `[result, error or null]`. Ends with the child's exit
code.
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

# How each chip is made: module below wattledger, what to call in it, its arguments; and where it
# stands on I2C.
CHIPS = {
    "ade7953": ("host_sim.chip.ade7953", "Ade7953", (), 0x38),
    "atm90e32": ("host_sim.chip.atm90e32", "Atm90e32", (0x8F5C, 0x7C29), None),
    "cells": ("tests.both.fixtures_wires", "Cells", (), 0x38),
    "ds3231": ("host_sim.chip.ds3231", "Ds3231", (), 0x68),
    "ina228": ("host_sim.chip.ina228", "Ina228", (625,), 0x40),
    "mcp3208": ("host_sim.chip.mcp3208", "Mcp3208", (), None),
    "mirror": ("tests.both.fixtures_wires", "Mirror", (), None),
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
        chip = self._world.on_spi()
        for at in range(0, size, SPI_TRANSFER.size):
            _, receive, length, speed, delay = SPI_TRANSFER.unpack_from(fields, at)[:5]
            out = bytearray(transfers.resolve(at, length).retrieve())
            into = bytearray(length)
            chip.transfer(out, into)
            if hasattr(chip, "now_us"):  # a converter's world moves while it is asked
                hertz = speed or self._held[SPI_SPEED]
                chip.now_us += 8 * length * 1_000_000 // hertz + delay
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
            chip = self._world.at(address)
            if chip is None or not self._exchange(chip, data, flags & I2C_M_RD, length):
                return -1, errno.EREMOTEIO
        return count, 0

    def _exchange(self, chip, data, reads, length):
        if not reads:
            return chip.i2c_write(bytearray(data.retrieve()))
        into = bytearray(length)
        acknowledged = chip.i2c_read(into)
        data.update(0, list(into))
        return acknowledged


HANDLERS = {"spi": SpiHandler, "i2c": I2cHandler}


class World:
    """The chips, and the child's questions to them. `places` are pairs of a name and its bus."""

    def __init__(self, places):
        self._places = places
        self._chips = {}
        for name, _ in places:
            self._renew(name)

    def _renew(self, name):
        """Another chip of the kind takes its place."""
        module, kind, arguments, _ = CHIPS[name]
        make = getattr(importlib.import_module("wattledger." + module), kind)
        self._chips[name] = make(*arguments)

    def on_spi(self):
        """The chip on SPI."""
        return next(self._chips[name] for name, bus in self._places if bus == "spi")

    def at(self, address):
        """The chip at that I2C address, or None."""
        for name, bus in self._places:
            if bus == "i2c" and CHIPS[name][3] == address:
                return self._chips[name]
        return None

    def answer(self, line):
        """[what the chip returned, what went wrong]; one of them is null."""
        try:
            return [self._call(*json.loads(line)), None]
        except Exception as error:
            return [None, repr(error)]

    def _call(self, name, attribute, arguments):
        name = name or self._places[0][0]
        if attribute == "renew":
            return self._renew(name)
        if attribute == "set":
            return setattr(self._chips[name], *arguments)
        found = getattr(self._chips[name], attribute)
        return found if arguments is None else found(*arguments)


def serve(handlers):
    """The UMockdev testbed with a device for each handler; all of it must be kept alive."""
    testbed = UMockdev.Testbed.new()
    bases = []
    for handler in handlers:
        testbed.add_from_string(handler.description)
        base = UMockdev.IoctlBase()
        base.connect("handle-ioctl", answer_with(handler))
        testbed.attach_ioctl(handler.node, base)
        bases.append(base)
    return testbed, bases


def answer_with(handler):
    """The signal's handler: completes each ioctl with what `handler` says."""

    def handle(_, client):
        try:
            result = handler.handle(client.get_request(), client.get_arg())
        except Exception:
            traceback.print_exc()
            result = (-1, errno.EIO)
        client.complete(*result)
        return True

    return handle


def main(places, command):
    places = [tuple(place.split(":")) for place in places.split(",")]
    world = World(places)
    kept = serve([HANDLERS[bus](world) for bus in sorted({bus for _, bus in places})])
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
    sys.exit(main(sys.argv[1], sys.argv[2:]))
