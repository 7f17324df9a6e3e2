"""Tariff documents with random damage: a usable Tariff or a TariffError, nothing else."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.rating import rate
from wattledger.agent.errors import TariffError
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.houses_tariffs import DESIGN_EXAMPLE, data, document

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["0101", "all", "work", "month", "year", "none", "\u0662\u0663\u0660\u0661"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def places(value, path=()):
    """Every place in a JSON value."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if isinstance(inner, (dict, list)):
            found += places(inner, (*path, key))
        else:
            found.append((*path, key))
    return found


def only_tariff_error(raw):
    try:
        tariff = tariffs.load(raw)
    except TariffError as error:
        assert str(error)
        return
    # What is taken must be usable at any time.
    for unix in (0, 946684800, 1798732800, 4294967296):
        tariff.band_at(unix)
        tariff.next_change(unix)
        tariff.friendly_until(unix)
        tariff.cycle_day(unix)
        tariff.block_day(unix)
        assert tariff.next_edge(unix) > unix
        rate(tariff, unix, 10, 10, 99995, TRUST_SYNCED)


@given(st.data(), values)
@settings(max_examples=500, deadline=None)
def test_a_good_document_with_one_value_changed(source, value):
    made = json.loads(DESIGN_EXAMPLE) if source.draw(st.booleans()) else document()
    path = source.draw(st.sampled_from(places(made)[1:]))
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    only_tariff_error(json.dumps(made).encode())


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_good_document_with_bytes_changed(source):
    raw = bytearray(data())
    for _ in range(source.draw(st.integers(1, 4))):
        at = source.draw(st.integers(0, len(raw) - 1))
        raw[at : at + source.draw(st.integers(0, 3))] = source.draw(st.binary(max_size=3))
    only_tariff_error(bytes(raw))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes(raw):
    only_tariff_error(raw)


def test_any_depth_of_nesting():
    for depth in range(900, 1010):
        for key in ("n", "cycle", "seasons", "days", "tz"):
            made = document()
            made[key] = "@"
            raw = json.dumps(made).replace('"@"', "[" * depth + "]" * depth)
            only_tariff_error(raw.encode())


def test_only_utf_8_is_read():
    # The meter reads UTF-8 only: so must every other place that reads the same document.
    text = data().decode()
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        try:
            tariffs.load(text.encode(encoding))
        except TariffError:
            continue
        raise AssertionError("a document in %s was taken" % encoding)
