"""Publishers of numbered messages, 20 a second, each by the client it names. Portable.

Every one keeps its messages until its client says that the broker has them, as a meter's journal
does. Prints one line of JSON at the end: messages offered and confirmed, faults, the longest time
in which the loop that would tick stood still.
"""

# mypy: disable-error-code="attr-defined, import-not-found, assignment, var-annotated"

import gc
import json
import sys
import time

EVERY_MS = 50
TOPIC = "bench/journal"
IN_FLIGHT = 8
DRAIN_MS = 120_000  # after the last message was offered
TICKS_MASK = (1 << 30) - 1


def ticks_ms():
    """Milliseconds of the interpreter's monotonic clock."""
    if hasattr(time, "ticks_ms"):
        return time.ticks_ms()
    return time.monotonic_ns() // 1_000_000


class Clock:
    """Contract Clock, ticks alone."""

    def ticks_ms(self):
        return ticks_ms() & TICKS_MASK

    def elapsed_ms(self, since):
        return (ticks_ms() - since) & TICKS_MASK


class Run:
    """The count of messages and the longest gap between two turns of a loop."""

    def __init__(self, seconds):
        self.total = seconds * 1000 // EVERY_MS
        self.began = self.last = ticks_ms()
        self.confirmed = 0
        self.faults = 0
        self.gap_ms = 0

    def offered(self):
        """Messages that are due by now; marks a turn of the loop."""
        now = ticks_ms()
        self.gap_ms = max(self.gap_ms, now - self.last)
        self.last = now
        return min((now - self.began) // EVERY_MS, self.total)

    def is_over(self):
        """True when all is confirmed, or the time for that is over."""
        late = ticks_ms() - self.began >= self.total * EVERY_MS + DRAIN_MS
        return late or self.confirmed >= self.total

    def found(self):
        """What is printed."""
        gc.collect()
        return {
            "offered": self.total,
            "confirmed": self.confirmed,
            "faults": self.faults,
            "gap_ms": self.gap_ms,
            "heap": gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0,
        }


def message(number):
    """A payload as long as a journal message of one entry."""
    return b"%08d" % number + b"x" * 120


def number_of(payload):
    """The number in a payload."""
    return int(payload[:8])


def by_link(link, seconds):
    """A Link of hal/contract.py, with a cursor as agent/comms/sender.py has it."""
    run = Run(seconds)
    session = sending = 0
    flying = []
    while not run.is_over():
        link.receive()
        offered = run.offered()
        if link.session() != session:
            run.faults += 1 if session else 0
            session = link.session()
            sending, flying = run.confirmed, []
        while flying and link.sent(flying[0]):
            flying.pop(0)
            run.confirmed += 1
        while sending < offered and len(flying) < IN_FLIGHT:
            token = link.send(TOPIC, message(sending), False)
            if not token:
                break
            flying.append(token)
            sending += 1
        time.sleep(0.005)
    link.close(0.5)
    return run.found()


def own(host, port, seconds):
    """Our client."""
    from wattledger.hal.network.mqtt.client import MqttLink

    return by_link(MqttLink(host, port, "bench", clock=Clock(), backoff_s=(1, 60)), seconds)


def paho(host, port, seconds):
    """The link of a Raspberry Pi."""
    from wattledger.hal.network.link_paho_linux import PahoLink

    return by_link(PahoLink(host, port, "bench", backoff_s=(1, 60)), seconds)


def heap(host, port):
    """Bytes that our client takes when imported, and with a connection and a subscription."""
    gc.collect()
    before = gc.mem_alloc()
    from wattledger.hal.network.mqtt.client import MqttLink

    gc.collect()
    imported = gc.mem_alloc() - before
    clock = Clock()
    gc.collect()
    before = gc.mem_alloc()
    link = MqttLink(host, port, "bench", "bench/status", b"offline", clock=clock)
    link.subscribe("bench/down")
    while not link.is_up():
        link.turn()
        time.sleep(0.002)
    for _ in range(20):
        link.send(TOPIC, message(1), False)
        time.sleep(0.01)
        link.turn()
    gc.collect()
    return {"imported": imported, "connected": gc.mem_alloc() - before}


def umqtt(host, port, seconds):
    """umqtt.robust as its README has it: publish() reconnects by itself."""
    from umqtt.robust import MQTTClient

    client = MQTTClient("bench", host, port, keepalive=30)
    client.connect()
    run = Run(seconds)
    while not run.is_over():
        if run.confirmed < run.offered():
            try:
                client.publish(TOPIC, message(run.confirmed), qos=1)
                run.confirmed += 1
            except Exception:
                run.faults += 1
                time.sleep(0.1)
                try:
                    client.connect()
                except Exception:
                    run.faults += 1
        time.sleep(0.005)
    return run.found()


def mqtt_as(host, port, seconds):
    """mqtt_as with a clean session; `network` and `machine` of a computer are two stand-ins."""
    import asyncio

    class Machine:
        @staticmethod
        def unique_id():
            return b"bench"

    class Wlan:
        STA_IF, STAT_CONNECTING, STAT_IDLE = 0, 1, 0

        def __init__(self, *_):
            pass

        @staticmethod
        def WLAN(*_):  # noqa: N802
            return Wlan()

        def active(self, *_):
            return True

        def isconnected(self):
            return True

        def status(self, *_):
            return 2

        def connect(self, *_):
            pass

        def disconnect(self):
            pass

        def config(self, *_, **__):
            pass

    sys.modules["machine"], sys.modules["network"] = Machine, Wlan
    from mqtt_as import MQTTClient, config

    config.update(server=host, port=port, client_id="bench", keepalive=30, clean=True)
    run = Run(seconds)

    async def publish(client):
        while not run.is_over():
            if run.confirmed < min((ticks_ms() - run.began) // EVERY_MS, run.total):
                await client.publish(TOPIC, message(run.confirmed), qos=1)
                run.confirmed += 1
            await asyncio.sleep(0.005)

    async def main():
        client = MQTTClient(config)
        await client.connect()
        run.began = run.last = ticks_ms()
        task = asyncio.create_task(publish(client))
        while not run.is_over() and not task.done():
            run.offered()
            await asyncio.sleep(0.005)

    asyncio.run(main())
    return run.found()


def main(words):
    """NAME HOST PORT SECONDS"""
    name, host, port, seconds = words
    subjects = {"own": own, "paho": paho, "umqtt": umqtt, "mqtt_as": mqtt_as}
    print(json.dumps(subjects[name](host, int(port), int(seconds))))


if __name__ == "__main__":
    main(sys.argv[1:])
