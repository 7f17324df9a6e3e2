"""A whole meter in a process of its own, with our MQTT client, told by lines what to do.

The first line is the broker's port. Then `busy` writes 20 events a second, `rest` ends it, and
`tell` prints a line of JSON (tests/host/wire_bench.py).
"""

# mypy: disable-error-code="attr-defined"

import binascii
import json
import select
import sys

from wattledger.firmware.runtime import Runtime
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.both.fixtures_link_program import Clock

BACKOFF_S = (0.05, 0.2)
EVERY_MS = 50
DRILL = 12  # the event that stands for anything: its value counts


class Program:
    """`turn()` again and again."""

    def __init__(self, port):
        self.clock = Clock()
        self.link = MqttLink("127.0.0.1", port, "device", clock=self.clock, backoff_s=BACKOFF_S)
        self.house = House(credit=10)
        self.house.link = self.link
        self.house.boot()
        self.tick = self.house.agent.tick
        self.house.agent.tick = self.note
        self.problems = []
        self.runtime = Runtime(self.house.agent, self.house.clock, None, self.problems.append)
        self.busy = False
        self.written = 0
        self.due = self.last = self.ticked = self.clock.ticks_ms()
        self.worst_ms = 0

    def note(self):
        self.worst_ms = max(self.worst_ms, self.clock.elapsed_ms(self.ticked))
        self.ticked = self.clock.ticks_ms()
        self.tick()

    def turn(self):
        passed = self.clock.elapsed_ms(self.last)
        self.last = (self.last + passed) & 0x3FFFFFFF
        self.house.pass_ms(passed)
        if self.busy and self.clock.elapsed_ms(self.due) >= EVERY_MS:
            self.due = (self.due + EVERY_MS) & 0x3FFFFFFF
            self.written += 1
            self.house.agent.report(DRILL, self.written)
            self.house.agent.keeper.now()
        self.runtime.turn()

    def hear(self, word):
        if word in ("busy", "rest"):
            self.busy = word == "busy"
            self.due = self.clock.ticks_ms()
        journal = self.house.agent.journal
        found = {
            "up": self.link.is_up(),
            "sessions": self.link.session(),
            "written": self.written,
            "durable": journal.durable,
            "hash": binascii.hexlify(journal.durable_hash).decode(),
            "worst_ms": self.worst_ms,
            "problems": self.problems,
        }
        print(json.dumps(found))


def main():
    program = Program(int(sys.stdin.readline()))
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)
    while True:
        if poll.poll(5):
            word = sys.stdin.readline()
            if not word:
                return
            program.hear(word.strip())
        program.turn()
