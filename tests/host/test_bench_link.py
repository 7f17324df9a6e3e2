"""The bench of links on a small size: what it counts. Never how fast."""

import argparse
import time

from wattledger.tools.bench import link


def subject(name):
    none = argparse.Namespace(umqtt=None, mqtt_as=None)
    return link.subjects(none)[name]


def killed_once(broker):
    time.sleep(0.5)
    broker.kill()
    time.sleep(0.3)
    broker.restart()


def test_a_broker_that_is_killed_under_20_messages_a_second_misses_none():
    found = link.measure(*subject("own, CPython"), killed_once, 2)
    assert (found["end"], found["offered"], found["confirmed"]) == ("done", 40, 40)
    assert (found["missing"], found["out_of_order"], found["connects"]) == (0, 0, 2)
    assert found["gap_ms"] > 0


def test_a_subject_that_is_not_there_has_lost_everything():
    command, environment = subject("own, CPython")
    found = link.measure([*command[:-1], "umqtt"], environment, lambda broker: None, 1)
    assert (found["end"], found["missing"], found["connects"]) == ("crashed", 20, 0)


def test_what_a_broker_misses_and_gets_in_the_wrong_order_is_counted():
    broker = link.RecordingBroker()
    try:
        broker.received = [b"%08d" % number for number in (0, 1, 1, 3, 2, 2)]
        assert link.count(broker, 5) == {"missing": 1, "out_of_order": 1, "twice": 2}
    finally:
        broker.stop()
