"""Settings of device.json that the utility may change in the field, in a file of their own."""

import struct

from wattledger.agent.config import NUMBERS

STORE = "settings"
KEYS = ("state_s", "snapshot_s", "load_limit_w", "load_limit_s", "load_reclose_s", "load_tries")
FORMAT = "<BI"  # place in KEYS, value
LENGTH = 5


def load(storage):
    """{key: value} of what was changed."""
    buffer = bytearray(LENGTH * len(KEYS))
    try:
        size = storage.read_from(STORE, 0, buffer)
    except OSError:
        size = 0
    found = {}
    for at in range(0, size - LENGTH + 1, LENGTH):
        place, value = struct.unpack_from(FORMAT, buffer, at)
        if place < len(KEYS):
            _, low, high = NUMBERS[KEYS[place]]
            if low <= value <= high:  # otherwise rot: device.json has the last word
                found[KEYS[place]] = value
    return found


def keep(storage, key, value):
    """Keep one more change. OSError: not kept."""
    found = load(storage)
    found[key] = value
    data = b""
    for key in sorted(found):
        data += struct.pack(FORMAT, KEYS.index(key), found[key])
    storage.commit(STORE, data)


def apply(agent, key, value):
    """Put one change in force."""
    setattr(agent.config, key, value)
    agent.control.limits.take_config(agent.config)
    agent.control.take_config(agent.config)
    agent.keeper.take_config(agent.config)
    if agent.sender:
        agent.sender.take_config(agent.config)
    if agent.tokens:
        agent.tokens.apply_limits()  # a token's power limit goes before the file's


def restore(agent):
    """Put everything that was changed in force, after a boot."""
    for key, value in load(agent.storage).items():
        apply(agent, key, value)
