"""The counter a vendor stands at: a connection to one meter, and the wait for its answer."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from wattledger.tools import jws, mqtt
from wattledger.tools.errors import BrokerError, JwsError
from wattledger.tools.keys import MeterKeys

RESEND_S = 5
POLL_S = 0.2


class Counter:
    """A connection to one meter for one command; a context manager.

    Entering waits for the broker; BrokerError when none answers within `timeout_s`, which counts
    for the whole visit.
    """

    def __init__(self, meter_keys: MeterKeys, broker_url: str, timeout_s: float) -> None:
        self.meter = meter_keys.meter
        self.challenge = ""  # of the newest hello
        self._uplink = meter_keys.uplink()
        self._tenant = meter_keys.tenant
        self._broker_url = broker_url
        self._deadline = time.monotonic() + timeout_s
        self._status = b""
        self._references: list[str] = []  # of every form of the command sent, newest last
        self._answer: dict[str, Any] | None = None
        self._link = mqtt.connect(broker_url, "vend-" + secrets.token_hex(6))

    def __enter__(self) -> "Counter":
        try:
            while not self._link.is_up():
                if not self._wait():
                    why = self._link.fault or "no connection in time"
                    raise BrokerError(
                        f"no broker at {self._broker_url} ({why}); nothing was sent: check the "
                        "address and that the broker runs"
                    )
            for leaf in ("ack", "hello", "status"):
                self._link.subscribe(self._topic(leaf))
        except BaseException:
            self._link.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()

    def _topic(self, leaf: str) -> str:
        return mqtt.topic(self.meter, leaf, self._tenant)

    def hint(self) -> str:
        """What may explain silence, for the end of a sentence."""
        return " (its status is offline)" if self._status == b"offline" else ""

    def ask(self, sign: Callable[[str], bytes], challenged: bool) -> dict[str, Any] | None:
        """The meter's {"result", "detail"} and "latency_ms" since the first sending; None if none.

        `sign(challenge)` gives the command. A `challenged` one waits for a hello and, answered as
        stale, is signed again once a newer challenge is here, or after RESEND_S (then its counter
        was too low). What was sent is repeated every RESEND_S and in each new session.
        """
        token = b""
        signed_for = ""
        first_sent = last_sent = 0.0
        session = 0
        while True:
            self._listen()
            now = time.monotonic()
            stale = challenged and self._answer is not None and self._answer["result"] == "stale"
            if self._answer is not None and not stale:
                return {**self._answer, "latency_ms": round((now - first_sent) * 1000)}
            again = now - last_sent >= RESEND_S
            ready = self.challenge != "" or not challenged
            if ready and (not token or (stale and (again or self.challenge != signed_for))):
                token, signed_for, self._answer = sign(self.challenge), self.challenge, None
                self._references.append(jws.reference(token))
                session = 0
            due = token and (again or self._link.session() != session)
            if due and self._link.send(self._topic("cmd"), token, False):
                last_sent, session = time.monotonic(), self._link.session()
                first_sent = first_sent or last_sent
            if not self._wait():
                return None

    def rest(self, seconds: float) -> bool:
        """Wait before the same is asked once more; False once the time of the visit is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self._wait():
                return False
            self._listen()
        self._answer = None
        return True

    def _wait(self) -> bool:
        """Wait a little for news; False once the time of the visit is over."""
        left = self._deadline - time.monotonic()
        if left > 0:
            self._link.wait(min(POLL_S, left))
        return left > 0

    def _listen(self) -> None:
        message = self._link.receive()
        while message is not None:
            topic, data, _ = message
            if topic == self._topic("status"):
                self._status = data
            else:
                self._hear(topic, data)
            message = self._link.receive()

    def _hear(self, topic: str, data: bytes) -> None:
        try:
            payload = jws.verify(data, self._uplink)
        except JwsError:
            return  # not the meter's word: wait on for one that is
        if payload.get("m") != self.meter:
            return
        if topic == self._topic("hello"):
            if isinstance(payload.get("challenge"), str):
                self.challenge = payload["challenge"]
            return
        result, of = payload.get("result"), payload.get("of")
        if not isinstance(result, str) or of not in self._references:
            return
        # A late "stale" for a form that was signed again since says nothing new.
        if result != "stale" or of == self._references[-1]:
            self._answer = {"result": result, "detail": payload.get("detail", "")}
