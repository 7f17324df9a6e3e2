"""Our MQTT client in a process of its own, asked by lines of JSON (tests/host/link_bench.py)."""

# mypy: disable-error-code="attr-defined"

import binascii
import gc
import json
import select
import sys
import time

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


def make(arguments, options):
    from wattledger.hal.network.mqtt.client import MqttLink

    names = options.pop("files", None)
    if names:
        import ssl

        from wattledger.hal.network import tls

        contents = []
        for name in names:
            with open(name, "rb") as file:
                contents.append(file.read())
        options["tls"] = tls.context(ssl, contents[0], contents[1], contents[2])
    options = {key: unpacked(value) for key, value in options.items()}
    return MqttLink(*arguments, clock=Clock(), **options)


def answer(link, words):
    if words[0] == "call":
        return getattr(link, words[1])(*[unpacked(one) for one in words[2]])
    if words[0] == "get":
        return getattr(link, words[1])
    gc.collect()
    return gc.mem_alloc()


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
            if words[0] == "new":
                link = make(words[1], words[2])
            else:
                value = answer(link, words)
            print(json.dumps(packed(value)))
        if link is not None:
            link.turn()
