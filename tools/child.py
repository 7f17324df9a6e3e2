"""Processes that end with the one that started them: stdin is the leash."""

import os
import sys
import threading
from collections.abc import Callable


def at_end_of_input(call: Callable[[], object]) -> None:
    """Call `call` from a thread once stdin ends, that is, once its owner closed it or is gone."""

    def watch() -> None:
        # Not sys.stdin: Python aborts at exit when a thread still holds its buffer.
        while os.read(0, 4096):
            pass
        call()

    threading.Thread(target=watch, daemon=True).start()


def environment() -> dict[str, str]:
    """The environment in which a child Python finds the modules that this process finds."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return {**os.environ, "PYTHONPATH": paths}
