"""Our MQTT client in a process of its own, asked by lines of JSON (tests/host/link_bench.py)."""

# mypy: disable-error-code="attr-defined"

import binascii
import gc
import json
import select
import sys
import time

from wattledger.hal.errors import HalError
from wattledger.hal.network import tls
from wattledger.hal.network.mqtt.client import MqttLink

TICKS_MASK = (1 << 30) - 1


class Clock:
    """Ticks of the interpreter (contract Clock)."""

    def ticks_ms(self):
        return time.ticks_ms() & TICKS_MASK

    def elapsed_ms(self, since):
        return (time.ticks_ms() - since) & TICKS_MASK


def packed(value):
    if isinstance(value, (bytes, bytearray)):
        return {"hex": binascii.hexlify(value).decode()}
    if isinstance(value, (tuple, list)):
        return [packed(one) for one in value]
    return value


def unpacked(value):
    if isinstance(value, dict):
        return binascii.unhexlify(value["hex"])
    return value


def content(name):
    if name is None:
        return None
    with open(name, "rb") as file:
        return file.read()


def make(arguments, options):
    names = options.pop("files", None)
    verify = options.pop("verify", None)
    options = {key: unpacked(value) for key, value in options.items()}
    if names and names[1] and verify is None:
        return as_a_device(arguments, names, options)
    if names:
        import ssl

        made = tls.context(ssl, *[content(name) for name in names])
        if verify is not None:
            made.verify_mode = verify
        options["tls"] = made
    return MqttLink(*arguments, clock=Clock(), **options)


def as_a_device(arguments, names, options):
    """The link as firmware/link.py builds it from a meter's files."""
    import ssl

    from wattledger.firmware import link

    files = {link.AUTHORITY: names[0], link.CERTIFICATE: names[1], link.KEY: names[2]}
    config = Config()
    host, port, config.meter = arguments
    return link.build(
        config, host, port, Clock(), lambda name: content(files[name]), ssl, **options
    )[0]


class Config:
    tenant = "demo"
    meter = ""


def answer(link, words):
    if words[0] == "call":
        return getattr(link, words[1])(*[unpacked(one) for one in words[2]])
    if words[0] == "get":
        return getattr(link, words[1])
    if words[0] == "metered":
        return metered(link, words[1])
    gc.collect()
    return gc.mem_alloc()


def metered(link, seconds):
    """Wh that a meter with that link registers in `seconds` at 3600 W, 2 ms of wall time each."""
    from wattledger.tests.both.fixtures_agent import House

    house = House(credit=1000)
    house.link = link
    house.boot()
    before = house.agent.meter.register.import_wh
    for _ in range(seconds):
        house.run(1, 3600)
        time.sleep(0.002)
    return house.agent.meter.register.import_wh - before


def main():
    link = None
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    while True:
        if poll.poll(2):
            line = sys.stdin.readline()
            if not line:
                return
            words = json.loads(line)
            value = None
            try:
                if words[0] == "new":
                    link = make(words[1], words[2])
                else:
                    value = packed(answer(link, words))
            except HalError as error:
                value = {"error": str(error)}
            print(json.dumps(value))
        if link is not None:
            link.turn()
