"""Where in a JSON file something stands, in any layout, and what a person is told about it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattledger.agent.errors import PlacedError
from wattledger.tools import places
from wattledger.tools.places import FileError, PlaceError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)
LAYOUTS = st.sampled_from(
    [
        {"separators": (",", ":")},
        {"indent": 1},
        {"indent": "\t"},
        {"separators": (" ,\r\n\t", "\n:  ")},
    ]
)


def paths_of(value, path=()):
    yield path, value
    if isinstance(value, dict):
        members = value.items()
    else:
        members = enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from paths_of(inner, (*path, key))


@given(VALUES, LAYOUTS, st.booleans())
def test_any_json_is_read_as_json_reads_it_and_every_value_is_found(value, layout, escaped):
    text = json.dumps(value, ensure_ascii=escaped, **layout)
    found, offsets = places.scan(text)
    assert found == json.loads(text)
    assert set(offsets) == {path for path, _ in paths_of(value)}
    for path, inner in paths_of(value):
        # An independent reader must find exactly this value at the place named.
        at_place, _ = json.JSONDecoder().raw_decode(text, offsets[path])
        assert at_place == inner


def test_a_lone_surrogate_is_read_as_json_reads_it():
    assert places.scan(r'["\ud800", "\ud83d\ude00"]')[0] == ["\ud800", "\U0001f600"]


def refuse(*path):
    """A loader that finds fault with the value at `path`."""

    def load(data):
        raise PlacedError(path, "is wrong; mend it")

    return load


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ('{"a":1,"b":[2,{"c":3}]}', ("b", 1, "c"), "1:20: b[1].c"),
        ('{\n\t"a": 1,\n\t"b": [\n\t\t2]\n}\n', ("b", 0), "4:3: b[0]"),
        ('{"a": 1,\r\n "b": 2}\r\n', ("b",), "2:7: b"),
        ('{"电价": ["谷", 5]}', ("电价", 1), "1:14: 电价[1]"),
        (r'{"\u0061\"": 1, "b": 2}', ("b",), "1:22: b"),
        ('{"a": {"b": 1}}', ("a", "missing"), "1:7: a.missing"),
        ('\n {"a": 1}', ("missing",), "2:2: missing"),
        ("[]", (), "1:1: document"),
    ],
)
def test_a_value_is_named_by_line_and_column(tmp_path, text, path, place):
    file = tmp_path / "f.json"
    file.write_bytes(text.encode())
    with pytest.raises(PlaceError) as caught:
        places.load(file, refuse(*path))
    assert str(caught.value) == f"{file}:{place}: is wrong; mend it"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "1:1: is not JSON: expecting value; mend it here"),
        (b'{\n "a" 1}', "2:6: is not JSON: expecting ':' delimiter; mend it here"),
        (b'{"a": 1} x', "1:10: is not JSON: extra data; mend it here"),
        (b'{\n"b": [NaN]}', "2:7: is not a number JSON has; write a plain number"),
        (b"[" + b"9" * 5000 + b"]", "1:2: is not a number JSON has; write a plain number"),
        (b'{"a":1,\n"a":2}', "2:1: a: stands twice, first in line 1; remove one of them"),
        (b'{"x":[{"k":1,"k":1}]}', "1:14: x[0].k: stands twice, first in line 1; "
                                   "remove one of them"),
        (b"[" * 4000, "1:34: is nested deeper than 32; no document needs that"),
        (b"[" * 40 + b"]" * 40, "1:34: is nested deeper than 32; no document needs that"),
        (b'{\n"a": "\xff"}', "2:7: is not UTF-8 text; save the file as UTF-8"),
        (
            b"\xef\xbb\xbf{}",
            "1:1: begins with a byte order mark; save the file as UTF-8 without one",
        ),
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused_at_its_place(tmp_path, data, message):
    file = tmp_path / "f.json"
    file.write_bytes(data)
    with pytest.raises(PlaceError) as caught:
        places.load(file, lambda data: pytest.fail("must not be parsed further"))
    assert str(caught.value) == f"{file}:{message}"


def test_a_good_file_is_loaded(tmp_path):
    file = tmp_path / "f.json"
    file.write_text('{"a": 1}')
    assert places.load(file, json.loads) == {"a": 1}


def test_a_file_that_is_not_there_is_told_with_a_remedy(tmp_path):
    with pytest.raises(FileError, match="no such file; check its name and folder"):
        places.read(tmp_path / "missing.json")
    with pytest.raises(FileError, match="is a folder; give a file"):
        places.read(tmp_path)
