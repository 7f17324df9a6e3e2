"""device.json over random contents: a Config or a ConfigError with a place, nothing else."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent import config as configs
from wattledger.agent.errors import ConfigError

GOOD = {"v": 1, "meter": "demo-0001", "tenant": "demo", "board": "sim"}
KEYS = [*configs.NUMBERS, *configs.TEXTS, *configs.CHOICES, *configs.FLAGS, "v"]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def load(raw):
    """The Config, or None when it was refused as it should be."""
    try:
        return configs.load(raw)
    except ConfigError as error:
        assert str(error)
        return None


@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=4))
@settings(max_examples=400, deadline=None)
def test_what_is_taken_is_of_its_type_and_range(changes):
    config = load(json.dumps({**GOOD, **changes}).encode())
    if config is None:
        return
    assert changes.get("v", 1) is 1 or type(changes["v"]) is int  # noqa: F632
    for key, (_, low, high) in configs.NUMBERS.items():
        value = getattr(config, key)
        assert type(value) is int
        assert low <= value <= high
    for key in configs.TEXTS:
        assert 1 <= len(getattr(config, key).encode()) <= 32
    assert 900 % config.profile_s == 0
    assert config.phase_sum in ("vector", "per_phase")
    assert config.payment_mode in ("prepay", "credit")
    assert type(config.never_cut) is bool


@given(st.text(min_size=1, max_size=20).filter(lambda key: key not in KEYS), values)
@settings(max_examples=100, deadline=None)
def test_unknown_keys_are_refused_by_name(key, value):
    try:
        configs.load(json.dumps({**GOOD, key: value}).encode())
    except ConfigError as error:
        assert error.path == (key,)
        return
    raise AssertionError("taken")


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes(raw):
    load(raw)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_changed_bytes(source):
    raw = bytearray(json.dumps(GOOD).encode())
    for _ in range(source.draw(st.integers(1, 3))):
        at = source.draw(st.integers(0, len(raw) - 1))
        raw[at : at + 1] = source.draw(st.binary(max_size=2))
    load(bytes(raw))
