"""Generations of a meter's keys: `key.rotate`, and what a boot finds of it.

Every key of generation g is derived from the device's secret, so a rotation carries no key: it
names a generation, and for how many hours of powered time the one before stays good. Loaded on a
meter whose keys were rotated, and when they are.

Two files of the same content, against rot. The first is written first, so it is never the older.

    version u8 | generation u32 | former u32 (0: none) | since u32 (powered s) | hours u16 | crc32
"""

import binascii
import struct

from wattledger.agent import events
from wattledger.agent.comms import commands, root
from wattledger.agent.comms.commands import GATE, PURPOSES
from wattledger.agent.comms.envelope import Mac
from wattledger.agent.errors import EnvelopeError, RefusalError

VERSION = 1
STORES = ("keys.a", "keys.b")
FORMAT = "<BIIIH"
LENGTH = struct.calcsize(FORMAT) + 4
FIRST = 1  # the generation a meter is made with
MOST_GENERATION = 999999999  # as many digits as a key id has
MOST_HOURS = 720
HOUR_S = 3600


class Former(Mac):
    """A key of the generation before, until its time is over."""

    def __init__(self, key, is_live):
        super().__init__(key)
        self._is_live = is_live

    def digest(self, data):
        """32 bytes; EnvelopeError once the time is over."""
        if not self._is_live():
            raise EnvelopeError("of a generation that is over")
        return super().digest(data)


def pack(generation, former, since, hours):
    """The bytes of a file."""
    data = struct.pack(FORMAT, VERSION, generation, former, since, hours)
    return data + struct.pack("<I", binascii.crc32(data))


def load(storage):
    """(generation, former, since, hours) of the first whole file; None when there is none."""
    for name in STORES:
        buffer = bytearray(LENGTH + 1)
        try:
            data = bytes(buffer[: storage.read_from(name, 0, buffer)])
        except OSError:
            continue
        body = data[: LENGTH - 4]
        if len(data) != LENGTH or data[0] != VERSION:
            continue
        if struct.unpack("<I", data[LENGTH - 4 :])[0] == binascii.crc32(body):
            return struct.unpack(FORMAT, body)[1:]
    return None


def restore(agent):
    """Put the stored generation in force, at a boot."""
    found = load(agent.storage)
    if found is None:
        # Which generation is too old cannot be told, so none is taken; the root key remains.
        agent.keyring.begin(agent.secrets[0], (), FIRST)
        agent.report(events.KEYS_LOST, 0)
        return
    _apply(agent, found)


def _apply(agent, found):
    generation, former, since, hours = found
    device_key, gate_key = agent.secrets
    keyring, time = agent.keyring, agent.time

    def is_live():
        # Powered time that went back is of a lost snapshot: then nothing old is good any more.
        return since <= time.powered_s < since + hours * HOUR_S

    def make(key):
        return Former(key, is_live)

    keyring.begin(device_key, PURPOSES, generation)
    if gate_key:
        keyring.add(GATE, gate_key, generation)
    if former:
        for purpose in PURPOSES:
            keyring.add(purpose, device_key, former, make)
        if gate_key:
            keyring.add(GATE, gate_key, former, make)


def key_rotate(agent, arguments):
    """generation: above the present one; hours: how long that one stays good beside it. With
    credit, want and balance a lost ledger begins anew as well (root.py)."""
    for key in arguments:
        if key not in ("generation", "hours") and key not in root.FLOORS:
            raise RefusalError(commands.RANGE, "a has an unknown key")
    lost = {key: arguments[key] for key in arguments if key in root.FLOORS}
    known = load(agent.storage)
    # A meter that has lost its generation keeps none beside the new one.
    unknown = known is None and any(agent.storage.size(name) for name in STORES)
    present = FIRST if known is None else known[0]
    generation = commands.whole(arguments, "generation", present + 1, MOST_GENERATION)
    hours = commands.whole(arguments, "hours", 0, MOST_HOURS)
    floors = root.floors(agent, lost) if lost else None
    former = present if hours and not unknown else 0
    # The powered time it begins at first: a boot must not find itself before it.
    if not agent.keeper.now():
        raise RefusalError(commands.NO_SPACE, "storage does not take writes")
    found = (generation, former, agent.time.powered_s, hours)
    try:
        for name in STORES:
            agent.storage.commit(name, pack(*found))
    except OSError:
        if load(agent.storage) != found:
            raise RefusalError(commands.NO_SPACE, "storage does not take writes")
    _apply(agent, found)
    agent.sender.ask_hello()  # under the new key
    try:
        if floors:
            return root.begin_anew(agent, floors)
    finally:
        agent.report(events.KEYS_ROTATED, generation)
        agent.keeper.urgent = True
    return commands.OK, "generation %d" % generation
