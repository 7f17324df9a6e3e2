"""A signal that comes in the middle of a wait ends the wait, not the program's life."""

import subprocess
import sys
import threading
import time

import pytest

from wattledger.firmware.stop_linux import Stop

ROUNDS = 300
# A timer's signal at another instant of the wait each round.
PROGRAM = """
import signal, sys, threading
from wattledger.firmware.stop_linux import Stop
made = Stop if sys.argv[1] == "Stop" else threading.Event
for number in range(%d):
    stop = made()
    signal.signal(signal.SIGALRM, lambda *_: stop.set())
    signal.setitimer(signal.ITIMER_REAL, 0.0005 + number %% 100 * 1e-6)
    while not stop.is_set():
        stop.wait(1e-6)
    assert stop.wait(60)
print("ended")
"""


def ends(kind, rounds, timeout_s):
    words = [sys.executable, "-c", PROGRAM % rounds, kind]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout_s)
    return done.returncode == 0 and done.stdout == "ended\n"


def test_a_signal_at_any_instant_of_a_wait_is_no_deadlock():
    assert ends("Stop", ROUNDS, 60)


def test_this_test_would_see_one():
    with pytest.raises(subprocess.TimeoutExpired):
        ends("Event", 100 * ROUNDS, 5)


def test_who_waits_goes_on_at_once_and_it_stays_set():
    stop = Stop()
    assert not stop.is_set()
    assert not stop.wait(0.01)
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    assert stop.wait(20)
    assert time.monotonic() - began < 10
    assert stop.is_set()
    assert stop.wait(0)
    stop.set()
    assert stop.wait() and stop.is_set()
