"""A meter with application slots and a utility that sends it an application. Portable."""

import json
import struct

from wattledger.firmware import slots
from wattledger.firmware.slot_files import SlotFiles, Wholeness
from wattledger.firmware.updates import Updates
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.both.houses_updates import (
    KEYS,
    NEW_FILES,
    OLD_FILES,
    Release,
    hexadecimal,
    mkdtemp,
)


class Mirror:
    """The number in NVS."""

    def __init__(self):
        self.sequence = 0

    def read(self):
        return self.sequence

    def write(self, sequence):
        self.sequence = sequence


class Device(House):
    """A house that runs sequence 7 in slot a, proven, whose utility offers 8."""

    public_keys = KEYS

    def __init__(self, **more):
        self.files = SlotFiles(mkdtemp())
        self.mirror = Mirror()
        self.updates = None
        self.answers = True  # the utility answers questions and acknowledges entries
        self.release = Release(8, NEW_FILES)
        self.restarts = 0
        House.__init__(self, linked=True, **more)
        old = Release(7, OLD_FILES)
        old.lay(self.files, "a")
        slots.install(self.storage, "a", 7, old.digest())
        slots.choose(self.storage, Wholeness(self.files))
        slots.good(self.storage)
        self.boot()

    def boot(self, tariff=None, cold=True):
        wholeness = Wholeness(self.files)
        self.running = slots.choose(self.storage, wholeness)
        House.boot(self, tariff, cold)
        self.updates = Updates(
            self.agent,
            self.storage,
            self.files,
            self.public_keys,
            "esp32",
            self.running,
            wholeness.damaged,
            self.mirror,
            self.link,
            self.link_clock,
        )

    def want(self, version, firmware):
        """The utility says what this meter shall have."""
        text = '{"m":"%s","v":%d,"id":"plain","n":1,"group":"homes","fw":%d}'
        message = es256.sign(text % (jws.METER, version, firmware))
        self.link.inbox.append(("wl/1/demo/m/%s/want" % jws.METER, message, True))
        self.talk(90)

    def once(self, ms=1000):
        House.once(self, ms)
        if self.updates is not None and self.updates.work():
            self.restarts += 1
            self.agent.stop()
            self.boot(cold=False)
        if self.answers and self.updates is not None:
            self._serve()

    def _serve(self):
        asked = False
        for topic, data, _ in self.link.out:
            leaf = topic.split("/")[-1]
            if leaf == "fetch":
                question = json.loads(data)
                if question["seq"] == self.release.sequence:
                    place = (question["seq"], question["file"], question["at"])
                    part = struct.pack(">IHI", *place) + self.release.read(*place[1:])
                    self.link.inbox.append((topic[:-5] + "part", part, False))
            asked = asked or leaf == "journal"
        self.link.out = []
        journal = self.agent.journal
        if asked and journal.durable > self.agent.sender.acknowledged:
            self.link.put(jws.journal_ack(journal.durable, hexadecimal(journal.durable_hash)))

    def live(self, seconds, watts=360):
        """Seconds of a small load."""
        self.run(seconds, watts)
