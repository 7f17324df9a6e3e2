"""device.json: defaults, and the place and words of every refusal."""

import json
import unittest

from wattledger.agent import config as configs
from wattledger.agent.errors import ConfigError

GOOD = {"v": 1, "meter": "demo-0001", "tenant": "demo", "board": "sim"}


def refusal(raw):
    try:
        configs.load(raw)
    except ConfigError as error:
        return error.path, error.message
    return None, "accepted"


def changed(**changes):
    made = dict(GOOD)
    made.update(changes)
    return refusal(json.dumps(made).encode())


class TestConfig(unittest.TestCase):
    def test_defaults(self):
        config = configs.load(json.dumps(GOOD).encode())
        self.assertEqual((config.meter, config.tenant, config.board), ("demo-0001", "demo", "sim"))
        self.assertEqual((config.tick_ms, config.profile_s), (1000, 900))
        self.assertEqual((config.snapshot_s, config.snapshot_wh, config.state_s), (10, 10, 10))
        self.assertEqual((config.max_amps, config.max_volts), (100, 276))
        self.assertEqual((config.phase_sum, config.payment_mode), ("vector", "prepay"))
        self.assertIs(config.never_cut, False)

    def test_values_at_their_ends(self):
        for changes in (
            {"tick_ms": 100},
            {"tick_ms": 10000},
            {"profile_s": 60},
            {"profile_s": 300},
            {"snapshot_s": 900},
            {"max_amps": 2000},
            {"phase_sum": "per_phase"},
            {"payment_mode": "credit"},
            {"never_cut": True},
            {"meter": "a" * 32},
            {"meter": "0-._z"},
        ):
            self.assertEqual(changed(**changes), (None, "accepted"))

    def test_what_is_watched_for_has_times_and_levels(self):
        config = configs.load(json.dumps(GOOD).encode())
        # Of 15 kinds: reverse begins after 10 s, frozen after 120 and ends after 1.
        self.assertEqual(len(config.quality), 15 + 15 + 15)
        self.assertEqual((config.quality[0], config.quality[10], config.quality[25]), (10, 120, 1))
        self.assertEqual((config.bill_on, config.export_expected), ("phase", False))
        quality = {"sag_s": 0, "magnet_end_s": 3600, "reverse_permille": 7, "pairs_an_hour": 60}
        config = configs.load(json.dumps(dict(GOOD, quality=quality)).encode())
        self.assertEqual((config.quality[5], config.quality[15 + 9]), (0, 3600))
        self.assertEqual((config.quality[30], config.quality[44]), (7, 60))

    def test_places_in_what_is_watched_for(self):
        for quality, path in (
            ([], ("quality",)),
            (None, ("quality",)),
            ({"sags": 1}, ("quality", "sags")),
            ({"sag_s": -1}, ("quality", "sag_s")),
            ({"sag_s": 3601}, ("quality", "sag_s")),
            ({"sag_s": True}, ("quality", "sag_s")),
            ({"sag_s": 1.5}, ("quality", "sag_s")),
            ({"high_percent": 100}, ("quality", "high_percent")),
            ({"high_percent": "110"}, ("quality", "high_percent")),
        ):
            self.assertEqual(changed(quality=quality)[0], path, quality)
        self.assertIn("from 0 to 3600", changed(quality={"sag_s": 3601})[1])

    def test_places(self):
        for changes, key in (
            ({"v": 2}, "v"),
            ({"v": None}, "v"),
            ({"v": "1"}, "v"),
            ({"v": []}, "v"),
            ({"meter": ""}, "meter"),
            ({"meter": "a" * 33}, "meter"),
            ({"meter": "Demo"}, "meter"),
            ({"meter": "a/b"}, "meter"),
            ({"meter": "a+"}, "meter"),
            ({"meter": "\u00e9"}, "meter"),
            ({"meter": 5}, "meter"),
            ({"tenant": None}, "tenant"),
            ({"board": ["sim"]}, "board"),
            ({"tick_ms": 99}, "tick_ms"),
            ({"tick_ms": 10001}, "tick_ms"),
            ({"tick_ms": 1000.0}, "tick_ms"),
            ({"tick_ms": True}, "tick_ms"),
            ({"tick_ms": None}, "tick_ms"),
            ({"tick_ms": "1000"}, "tick_ms"),
            ({"tick_ms": 10**40}, "tick_ms"),
            ({"profile_s": 59}, "profile_s"),
            ({"profile_s": 90}, "profile_s"),  # divides 900, not in whole minutes
            ({"profile_s": 420}, "profile_s"),  # whole minutes, does not divide 900
            ({"profile_s": 901}, "profile_s"),
            ({"phase_sum": "sum"}, "phase_sum"),
            ({"phase_sum": []}, "phase_sum"),
            ({"payment_mode": None}, "payment_mode"),
            ({"never_cut": 1}, "never_cut"),
            ({"never_cut": "no"}, "never_cut"),
            ({"tick": 1000}, "tick"),
        ):
            self.assertEqual(changed(**changes)[0], (key,), changes)

    def test_true_is_not_version_1(self):
        self.assertEqual(changed(v=True)[0], ("v",))
        self.assertEqual(changed(v=1.0)[0], ("v",))

    def test_words_name_value_and_range(self):
        self.assertEqual(
            changed(tick_ms=99), (("tick_ms",), "must be a whole number from 100 to 10000, is 99")
        )
        self.assertEqual(
            changed(phase_sum="sum"),
            (("phase_sum",), 'must be one of vector, per_phase, is "sum"'),
        )
        with self.assertRaises(ConfigError) as caught:
            configs.load(b'{"v": 1, "meter": "demo"}')
        self.assertEqual(
            str(caught.exception), "tenant: must be 1 to 32 of a-z, 0-9, - _ and ., is null"
        )

    def test_bytes_that_are_no_object(self):
        for raw in (b"", b"{", b"nonsense", b"\xff\xfe"):
            self.assertEqual(refusal(raw), ((), "is not JSON"))
        for raw in (b"[]", b"1", b"null", b'"x"'):
            self.assertEqual(refusal(raw), ((), "must be a JSON object"))
        full = json.dumps(GOOD).encode()
        self.assertEqual(refusal(full + b" " * (4096 - len(full)))[0], None)
        self.assertEqual(
            refusal(full + b" " * (4097 - len(full))),
            ((), "is 4097 bytes; at most 4096 fit the meter"),
        )

    def test_deep_nesting(self):
        for depth in (10, 300, 900, 950, 980, 1000, 2000):
            for key in ("tick_ms", "meter", "v", "phase_sum", "never_cut"):
                raw = (
                    json.dumps({name: GOOD[name] for name in GOOD if name != key})[:-1]
                    + ', "%s": ' % key
                    + "[" * depth
                    + "]" * depth
                    + "}"
                )
                self.assertIn(refusal(raw.encode())[0], ((key,), ()), (depth, key))
