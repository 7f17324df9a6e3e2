"""The smallest head end: keeps a proven copy of one meter's journal and acknowledges it.

`python -m wattledger.tools.utility --broker URL --keys DIR --meter ID --state DIR` writes
DIR/<meter>.journal (the copy) and DIR/<meter>.summary.json, and one line on stderr for each
thing that does not fit. The journal itself is unsigned; what the meter signs is its head (sequence
and hash), in hello and in each ack, and a head that fits proves every entry before it.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wattledger.firmware.stop_linux import Stop
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.tools import child, durable, jws, keys, mqtt, orders
from wattledger.tools.errors import GapError, JournalError, JwsError, ReplicaError, ToolError
from wattledger.tools.replica import Replica

CONFIG_KID = "config.1"
TOPICS = ("journal", "hello", "ack", "status")
MOST_READ = 4096  # entries a meter sends for one read.journal
HEADS_KEPT = 64  # signed heads waiting for their entries; a meter that runs ahead drops the oldest


class Utility:
    """Answers one meter over `link`; `log` takes the lines for a person."""

    def __init__(
        self,
        meter_keys: keys.MeterKeys,
        replica: Replica,
        link: PahoLink,
        log: Callable[[str], None] | None = None,
        renewed: Callable[[], keys.MeterKeys] | None = None,
    ) -> None:
        """`renewed` reads the keys once more: another tool may have rotated them."""
        self.meter = meter_keys.meter
        self.replica = replica
        self.proven = 0  # entries up to here are covered by a head the meter signed
        self._keys = meter_keys
        self._config_kid = meter_keys.present(CONFIG_KID)
        self._tenant = meter_keys.tenant
        self._renewed = renewed
        self._link = link
        self._log = log or _print
        self._heads: dict[int, bytes] = {}
        self._said = ""
        self._status = b""
        self._session = 0
        self._ack_due = False
        self._challenge = ""
        self._gap = 0  # the entry that came where an earlier one is missing; 0: none
        self._asked = ""  # how answers name the last command that asked for what is missing
        for leaf in TOPICS:
            link.subscribe(mqtt.topic(self.meter, leaf, self._tenant))
        if replica.torn:
            self._say(f"cut {replica.torn} bytes of an unfinished write off {replica.path}")
        self._write_summary()

    def serve(self, stop: Stop) -> None:
        """Answer until `stop` is set."""
        while not stop.is_set():
            self._link.wait(0.2)
            self.step()

    def step(self) -> None:
        """Take every message that waits, and send the acknowledgement that is due."""
        if self._link.session() != self._session:
            self._session = self._link.session()
            self._ack_due = True  # what was on its way in the session before is forgotten
        message = self._link.receive()
        while message is not None:
            self._take(*message)
            self._acknowledge()
            message = self._link.receive()
        self._acknowledge()

    def _take(self, topic: str, data: bytes, retained: bool) -> None:
        leaf = topic.rsplit("/", 1)[-1]
        if leaf == "journal":
            self._take_journal(data)
        elif leaf == "status":
            self._take_status(data)
        else:
            self._take_signed(leaf, data, retained)

    def _take_journal(self, data: bytes) -> None:
        try:
            added = self.replica.add(data)
        except JournalError as fault:
            # One that begins to listen late has missed the first entries: it asks for them, and
            # there is nothing to tell.
            if self.replica.entries or not isinstance(fault, GapError):
                self._say(str(fault))
            if isinstance(fault, GapError):
                self._meet_gap(fault.came)
            added = 0
        except ReplicaError as error:
            self._say(str(error))  # not acknowledged: the meter keeps the entries
            return
        self._ack_due = True
        if added:
            self._said = self._asked = ""
            self._gap = 0
            self._check_heads()
            if self.replica.wrong_sum:
                self._say(f"entry {self.replica.wrong_sum}: balance is not the sum of the entries")
            self._write_summary()

    def _meet_gap(self, came: int) -> None:
        """Our acknowledgement brings back what was lost on the way; what a copy held before it was
        lost does not come by itself: the meter begins after it again, and it is asked for."""
        again = 0 < came <= self._gap
        if again and self._challenge and not self._asked:
            first = self.replica.entries + 1
            order = orders.read_journal(first, min(came - 1, self.replica.entries + MOST_READ))
            token = order.signed(self._keys, self._challenge)
            if self._link.send(mqtt.topic(self.meter, "cmd", self._tenant), token, False):
                self._asked = jws.reference(token)
        self._gap = self._gap or came

    def _take_status(self, data: bytes) -> None:
        if data != self._status and data in (b"online", b"offline"):
            self._status = data
            self._log(f"{self.meter} is {data.decode()}")

    def _take_signed(self, leaf: str, data: bytes, retained: bool) -> None:
        try:
            payload = self._verified(data)
            if payload["m"] != self.meter:
                raise ValueError
            sequence = payload["head"]["sequence"]
            head = bytes.fromhex(payload["head"]["hash"])
            if type(sequence) is not int or sequence < 0:
                raise ValueError
        except JwsError as error:
            self._say(f"{leaf} refused: {error}")
            return
        except (KeyError, TypeError, ValueError):
            self._say(f"{leaf} refused: no journal head of this meter in it")
            return
        self._heads[sequence] = head
        while len(self._heads) > HEADS_KEPT:
            del self._heads[min(self._heads)]
        self._check_heads()
        self._take_answer(payload)
        if leaf == "hello" and not retained:
            if sequence < self.replica.entries:
                # Only durable entries are sent, so a meter cannot have fewer than it sent.
                self._say(
                    f"the meter's journal ends at entry {sequence}, "
                    f"{self.replica.entries} are held: it lost entries or is not the same meter"
                )
            self._ack_due = True

    def _take_answer(self, payload: dict[str, Any]) -> None:
        challenge = payload.get("challenge", self._challenge)
        if challenge != self._challenge and isinstance(challenge, str):
            self._challenge, self._asked = challenge, ""
        refused = payload.get("result") not in ("ok", "stale")
        if refused and self._asked and payload.get("of") == self._asked:
            self._say(f"the meter does not send the missing entries: {payload.get('detail')}")

    def _verified(self, data: bytes) -> dict[str, Any]:
        """What the meter signed; from then on it is commanded by the generation it signed by."""
        try:
            payload = jws.verify(data, self._keys.uplink())
        except JwsError:
            if self._renewed is None:
                raise
            self._keys = self._renewed()
            payload = jws.verify(data, self._keys.uplink())
        generation = json.loads(jws.decode(data.split(b".")[0]))["kid"].partition(".")[2]
        self._config_kid = f"config.{generation}"
        return payload

    def _check_heads(self) -> None:
        for sequence in [s for s in self._heads if s <= self.replica.entries]:
            head = self._heads.pop(sequence)
            held = self.replica.hash_of(sequence)
            if head == held:
                self.proven = max(self.proven, sequence)
            else:
                self._say(
                    f"signed head of entry {sequence} is {head.hex()}, the copy has {held.hex()}"
                )

    def _acknowledge(self) -> None:
        count = self.replica.entries
        if not self._ack_due:
            return
        command = {
            "m": self.meter,
            "op": "journal.ack",
            "a": {"sequence": count, "hash": self.replica.hash_of(count).hex()},
        }
        token = jws.sign(command, self._keys.key(self._config_kid), self._config_kid)
        if self._link.send(mqtt.topic(self.meter, "cmd", self._tenant), token, False):
            self._ack_due = False

    def _write_summary(self) -> None:
        path = self.replica.path.with_suffix(".summary.json")
        durable.replace(path, json.dumps(self.replica.summary()) + "\n")

    def _say(self, line: str) -> None:
        """Log a line once, not again for each message that meets the same fault."""
        if line != self._said:
            self._said = line
            self._log(f"{self.meter}: {line}")


def _print(line: str) -> None:
    print(f"utility: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Serve until SIGTERM, Ctrl-C or, with --until-eof, the end of stdin; the exit code."""
    parser = argparse.ArgumentParser(prog="utility", description="head end of one meter")
    parser.add_argument(
        "--broker", required=True, help="mqtt://127.0.0.1:PORT, or a head end's folder"
    )
    parser.add_argument("--keys", required=True, type=Path, help="folder with the meter's keys")
    parser.add_argument("--meter", required=True, help="meter id")
    parser.add_argument("--state", required=True, type=Path, help="folder for the copy")
    parser.add_argument("--until-eof", action="store_true", help="end when stdin ends")
    options = parser.parse_args()

    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # In the demo Ctrl-C reaches all processes; the demo says when it is over by closing stdin.
    on_interrupt = signal.SIG_IGN if options.until_eof else lambda *_: stop.set()
    signal.signal(signal.SIGINT, on_interrupt)
    if options.until_eof:
        child.at_end_of_input(stop.set)
    try:
        mqtt.reach(options.broker)
        meter_keys = keys.load(options.keys, options.meter)
        replica = Replica(options.state, options.meter)
        link = mqtt.connect(options.broker, f"utility-{options.meter}")
        try:
            Utility(
                meter_keys,
                replica,
                link,
                renewed=lambda: keys.load(options.keys, options.meter),
            ).serve(stop)
        finally:
            link.close()
            replica.close()
    except ToolError as error:
        _print(str(error))
        return 1
    except OSError as error:
        _print(f"{options.state}: {error.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
