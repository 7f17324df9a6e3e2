"""The guard must see every large integer and change nothing else."""

import sys

import pytest

from wattledger.tests.guard import guarded_import

LIMIT = 2**30


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module and import it under guard; returns a function from source to the context."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(source, name="guarded_sample"):
        (tmp_path / (name + ".py")).write_text(source)
        return guarded_import([name])

    return write


@pytest.mark.parametrize(
    ("source", "line", "value"),
    [
        ("def f(x):\n    return x * 1000 // 1000", 2, 2_000_000_000),
        ("def f(x):\n    return (x // 4 - (x - 7) * 999) // 999", 2, 1_997_993_007),
        ("def f(x):\n    x += 1_071_741_824\n    return 1", 2, 1_073_741_824),
        ("def f(x):\n    a = [x]\n    a[0] *= 600\n    return 1", 3, 1_200_000_000),
        ("class A:\n    n = 0\ndef f(x):\n    A.n -= 1_500_000_000\n", 4, -1_500_000_000),
        ("def f(x):\n    return int('2000000000')", 2, 2_000_000_000),
        ("from array import array\ndef f(x):\n    return array('I', LARGE)[0] >> 8", 3, 2**31),
        (
            "from array import array\ndef f(x):\n    for y in array('I', LARGE):\n        pass",
            3,
            2**31,
        ),
        ("def f(x):\n    return 1 if x << 10 else 0", 2, 2_048_000_000),
        ("N = 1_073_741_823\ndef f(x):\n    return ~N + x", 3, -1_073_741_824),
        ("def f(x, y=None):\n    return [z for z in (1,) if max(z, x * 1000)]", 2, 2_000_000_000),
        ("def f(x):\n    return f'{x * 1000}'", 2, 2_000_000_000),
    ],
)
def test_a_large_value_is_found_where_it_arises(module, source, line, value):
    source = source.replace("LARGE", r"b'\0\0\0\x80'")
    with module(source) as guard:
        guard.armed = True
        guard["guarded_sample"].f(2_000_000)
        assert guard.findings == {("guarded_sample", line): value}
        assert guard.report() == "guarded_sample:%d: %d" % (line, value)


@pytest.mark.parametrize("value", [1_073_741_823, -1_073_741_823])
def test_the_largest_small_value_is_no_finding(module, value):
    with module("def f(x):\n    return x + 0") as guard:
        guard.armed = True
        assert guard["guarded_sample"].f(value) == value
        assert guard.findings == {} and guard.checked == 1


def test_a_disarmed_guard_is_silent(module):
    with module("N = 2**40\ndef f(x):\n    return x << 40") as guard:
        guard["guarded_sample"].f(1)
        guard.armed = True
        guard.armed = False
        guard["guarded_sample"].f(1)
    assert guard.findings == {} and guard.checked == 0


def test_the_rewritten_module_does_what_the_source_says(module):
    source = """
import array
class Base:
    def __init__(self, n: int = 3 - 1) -> None:
        self.n: int = n
class Child(Base):
    def __init__(self):
        super().__init__()
        self.data = bytearray(4)
        alias = self.data
        self.data += b"ab"
        self.same = alias is self.data
    @property
    def total(self):
        return sum(value + self.n for value in range(3))
def swap(pair):
    first, pair[0] = pair[0], pair[1]
    del pair[1]
    for key, value in {1: 2}.items():
        pair.append(-key if not value < 0 else value)
    return first, pair
"""
    with module(source) as guard:
        guard.armed = True
        child = guard["guarded_sample"].Child()
        assert (child.total, child.same, child.n) == (9, True, 2)
        assert child.data == b"\0\0\0\0ab"
        assert guard["guarded_sample"].swap([5, 6]) == (5, [6, -1])
        assert guard.findings == {} and guard.checked > 5


def test_modules_of_ours_are_guarded_together_and_put_back():
    import wattledger.hal.sample as before
    from wattledger import hal

    with guarded_import(["wattledger.hal.sample", "wattledger.hal.errors"]) as guard:
        inside = guard["wattledger.hal.sample"]
        assert inside is not before and inside is sys.modules["wattledger.hal.sample"]
        # 3 phases of 7 fields, frequency and temperature.
        assert inside.SAMPLE_LENGTH == 3 * 7 + 4
    assert sys.modules["wattledger.hal.sample"] is before
    assert hal.sample is before


def test_a_module_that_fails_to_import_leaves_no_trace(module):
    with pytest.raises(ZeroDivisionError), module("1 // 0"):
        pass
    assert "guarded_sample" not in sys.modules
    assert not [finder for finder in sys.meta_path if type(finder).__name__ == "_Finder"]
