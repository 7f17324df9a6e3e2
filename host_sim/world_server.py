"""The world as a process of its own, in lock-step with a meter over stdin and stdout.

    python -m wattledger.host_sim.world_server --state DIR --start UNIX --seed N [--load CSV]

Requests and replies are 16 bytes, little-endian: an operation and 15 bytes of argument, a status
(0 done, 1 refused) and 15 bytes of answer. Time stands still while nobody asks. What a request
changed is saved before its reply, so a killed meter or a killed world goes on from the same
energy. Only LastSPIData may be older after kill -9 of the world: a transfer that changed nothing
else is not saved.
The process ends when its stdin does.
"""

import argparse
import os
import signal
import struct
import sys

from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.errors import LoadError, SimulatorError
from wattledger.host_sim.load import Household
from wattledger.host_sim.load_csv import LoadCsv
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.world import World
from wattledger.host_sim.world_store import WorldStore

VERSION = 1
FRAME = 16
SPI_MAX = 14

HELLO = 0  # version u8 -> version u8, world time in unix ms u64
SPI = 1  # n u8, n bytes -> n bytes: one select of n * 8 clocks
ADVANCE = 2  # ms u32 -> world time in unix ms u64
RELAY = 3  # 0 open, 1 close
CONTACT = 4  # -> 0 open, 1 closed, 2 unknown
TRUTH = 5  # -> import mWs u56, export mWs u56

DONE = 0
REFUSED = 1


class WorldServer:
    """Answers frames for a world and keeps it saved. `store` has `save(state)`."""

    def __init__(self, world, store):
        self._world = world
        self._store = store
        self._frames = {length: (bytearray(length), bytearray(length)) for length in range(15)}
        self._operations = {
            HELLO: self._hello,
            SPI: self._spi,
            ADVANCE: self._advance,
            RELAY: self._relay,
            CONTACT: self._contact,
            TRUTH: self._truth,
        }

    def answer(self, request):
        """The 16-byte reply to a 16-byte request; what changed is saved by then."""
        reply = bytearray(FRAME)
        operation = self._operations.get(request[0])
        if operation is None or not operation(request, reply):
            reply[0] = REFUSED
        return reply

    def save(self):
        """Save the world as it is."""
        self._store.save(self._world.state())

    def _hello(self, request, reply):
        reply[1] = VERSION
        struct.pack_into("<Q", reply, 2, self._world.time_ms)
        return request[1] == VERSION

    def _spi(self, request, reply):
        length = request[1]
        if length > SPI_MAX:
            return False
        out, into = self._frames[length]
        out[:] = request[2 : 2 + length]
        chip = self._world.chip
        chip.transfer(out, into)
        reply[1 : 1 + length] = into
        if chip.changed:
            chip.changed = False
            self.save()
        return True

    def _advance(self, request, reply):
        (ms,) = struct.unpack_from("<I", request, 1)
        self._world.advance(ms)
        self.save()
        struct.pack_into("<Q", reply, 1, self._world.time_ms)
        return True

    def _relay(self, request, reply):
        if request[1] > 1:
            return False
        if request[1]:
            self._world.relay.close()
        else:
            self._world.relay.open()
        self.save()
        return True

    def _contact(self, request, reply):
        contact = self._world.relay.contact()
        reply[1] = 2 if contact is None else int(contact)
        return True

    def _truth(self, request, reply):
        reply[1:8] = self._world.import_mws.to_bytes(7, "little")
        reply[8:15] = self._world.export_mws.to_bytes(7, "little")
        return True


def serve(server, source, sink):
    """Answer frames read from file descriptor `source` on `sink` until either end closes."""
    while True:
        request = os.read(source, FRAME)
        while 0 < len(request) < FRAME:
            more = os.read(source, FRAME - len(request))
            if not more:
                return
            request += more
        if not request:
            return
        try:
            os.write(sink, server.answer(request))
        except BrokenPipeError:
            return


def build(arguments, store):
    """The world of the command line, or the one `store` holds, at the time it had reached."""
    saved = store.load()
    start_ms = arguments.start * 1000 if saved is None else saved["start_ms"]
    if arguments.load is None:
        load = Household(arguments.seed)
    else:
        load = LoadCsv(arguments.load, start_ms)
    chip = Atm90e32(arguments.voltage_gain, arguments.current_gain)
    world = World(start_ms, chip, load, Mains(arguments.seed), LatchingRelay())
    if saved is not None:
        world.restore(saved)
    return world


def parse(argv):
    """The command line as an object; ends the process with code 2 when it is wrong."""
    parser = argparse.ArgumentParser(prog="world_server", description="A simulated house.")
    parser.add_argument("--state", required=True, help="folder the world is kept in")
    parser.add_argument("--start", required=True, type=_count, help="unix s a new world starts at")
    parser.add_argument("--seed", type=int, default=1, help="number that makes this house")
    parser.add_argument("--load", help="CSV to replay instead of the made-up household")
    parser.add_argument("--voltage-gain", type=_gain, default=0x8000, help="Ugain of the board")
    parser.add_argument("--current-gain", type=_gain, default=0x8000, help="Igain of the board")
    return parser.parse_args(argv)


def _count(text):
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


def _gain(text):
    number = int(text, 0)
    if not 1 <= number <= 0xFFFF:
        raise argparse.ArgumentTypeError("use 1 to 0xFFFF; 0x8000 is 1.0")
    return number


def main(argv=None):
    """Serve a world; 0 at the end of stdin, 1 when its state fails, 2 for an unusable load."""
    arguments = parse(argv)
    # Ctrl-C goes to the whole group; the meter ends first and then closes our stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        store = WorldStore(arguments.state)
        server = WorldServer(build(arguments, store), store)
        server.save()
        serve(server, 0, 1)
        server.save()
    except SimulatorError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, LoadError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
