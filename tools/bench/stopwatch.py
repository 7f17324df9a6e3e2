"""Where the time goes, by parts that were named beforehand: no profiler, no sampling."""

from collections.abc import Callable
from time import perf_counter_ns, process_time_ns
from typing import Any

CALIBRATION = 10_000
ROUNDS = 5


class Stopwatch:
    """Own time of each watched part, nanoseconds: what its watched callees take is theirs.

    Watching costs time itself; it is measured on an empty call and taken off again.
    """

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self._nested: dict[str, int] = {}  # watched calls made from within a part
        self._inner = [0]
        self._within = [""]

    def watch(self, owner: Any, name: str, part: str, waits: bool = False) -> None:
        """Count the method `name` of an instance as `part`.

        One that `waits` (for a disk) counts its CPU time alone; that clock is too coarse and too
        slow for the others, and such a part has no watched callees.
        """
        function = getattr(owner, name)
        for counts in (self.spent, self.calls, self._nested):
            counts.setdefault(part, 0)
        inner, within = self._inner, self._within
        spent, calls, nested = self.spent, self.calls, self._nested

        def timed(*arguments: Any) -> Any:
            inner.append(0)
            within.append(part)
            cpu = process_time_ns() if waits else 0
            began = perf_counter_ns()
            try:
                return function(*arguments)
            finally:
                took = perf_counter_ns() - began
                within.pop()
                own = took - inner.pop()
                spent[part] += process_time_ns() - cpu if waits else own
                inner[-1] += took
                calls[part] += 1
                if within[-1]:
                    nested[within[-1]] += 1

        setattr(owner, name, timed)

    def calls_each(self, seconds: int) -> dict[str, float]:
        """Calls of each part in one of `seconds`."""
        return {part: count / seconds for part, count in self.calls.items()}

    def parts(self) -> dict[str, float]:
        """Nanoseconds by part without what the watching cost."""
        inside, outside = _overhead()
        return {
            part: max(took - self.calls[part] * inside - self._nested[part] * outside, 0.0)
            for part, took in self.spent.items()
        }


class _Empty:
    def call(self) -> None:
        pass


def _overhead() -> tuple[float, float]:
    """Nanoseconds that one watched call adds to its own part and to the part that calls it.

    The least of some rounds: a busy machine must not make the parts look cheaper than they are.
    """
    found = []
    for _ in range(ROUNDS):
        bare, watched = _Empty(), _Empty()
        watch = Stopwatch()
        watch.watch(watched, "call", "empty")
        plain = _took(bare.call)
        whole = _took(watched.call)
        inside = watch.spent["empty"] / CALIBRATION
        found.append((inside, max((whole - plain) / CALIBRATION - inside, 0.0)))
    return min(found)


def _took(call: Callable[[], None]) -> int:
    began = perf_counter_ns()
    for _ in range(CALIBRATION):
        call()
    return perf_counter_ns() - began
