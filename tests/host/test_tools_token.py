"""`wattledger token`: every vector on both interpreters, refusals, tokens made and read back."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wattledger.agent.tokens import ea07, misty1, openpaygo, results, sts
from wattledger.tests.both.vectors_tokens import KEY_CHANGES, OPENPAYGO, STS
from wattledger.tests.host.vectors_derivation import DERIVATIONS
from wattledger.tests.micropython import staging
from wattledger.tools import cli, des, token_ciphers, token_decode, token_keys, token_sts
from wattledger.tools.errors import SaleError

KEY = "95a83dd735e59e55"
LONG_KEY = "af4e21214c128498bbfb8c745f2dfd25"
CIPHERS = {"07": ea07.decrypt, "11": misty1.decrypt}
INTERPRETERS = ("cpython", "micropython")


@pytest.fixture
def token(capsys):
    """Runs `wattledger token ... --json`: (exit code, answer or None, stderr)."""

    def run(*arguments):
        code = cli.run(["token", *map(str, arguments), "--json"])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        lines = captured.out.splitlines()
        return code, json.loads(lines[-1]) if lines else None, captured.err

    return run


def request(**changes):
    asked = {
        "scheme": "sts",
        "ea": "07",
        "key": KEY,
        "base": 1993,
        "start": None,
        "count": None,
        "restricted": False,
        "extended": False,
    }
    return asked | changes


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_every_sts_vector(interpreter):
    if interpreter == "micropython" and staging.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    asked = [request(ea=row[0], key=row[1], tokens=[row[7]]) for row in STS]
    answers = token_decode.decode_all(asked, interpreter)
    for (_, _, cls, subclass, tid, kind, number, _), answer in zip(STS, answers, strict=True):
        assert answer["ok"] is True
        assert (answer["class"], answer["subclass"], answer["tid"]) == (cls, subclass, tid)
        if kind != "field":
            assert answer[kind] == number
        elif subclass in (1, 2, 5):
            assert answer[{1: "register", 2: "rate", 5: "pad"}[subclass]] == number
        else:
            name = "power_limit_w" if subclass == 0 else "unbalance_limit_w"
            assert answer[name] == sts.scaled(number >> 14, number & 0x3FFF)


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_every_key_change(interpreter):
    if interpreter == "micropython" and staging.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    asked = [request(ea=row[0], key=row[1], tokens=list(row[2])) for row in KEY_CHANGES]
    answers = token_decode.decode_all(asked, interpreter)
    for row, answer in zip(KEY_CHANGES, answers, strict=True):
        _, _, tokens, key, sgc, ti, krn, kt, ken, rollover = row
        assert answer["ok"] is True
        assert answer["key_change"] == {
            "key": key,
            "sgc": None if len(tokens) == 2 else f"{sgc:06d}",
            "ti": ti,
            "krn": krn,
            "kt": kt,
            "ken": ken,
            "rollover": rollover,
        }


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_every_openpaygo_vector(interpreter):
    if interpreter == "micropython" and staging.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    asked = [
        request(
            scheme="openpaygo",
            key=key,
            start=None if start < 0 else start,
            count=before,
            restricted=restricted,
            extended=extended,
            tokens=[digits],
        )
        for key, start, before, restricted, extended, digits, _, _, _ in OPENPAYGO
    ]
    answers = token_decode.decode_all(asked, interpreter)
    for row, answer in zip(OPENPAYGO, answers, strict=True):
        assert answer == {
            "ok": True,
            "reason": "Accept",
            "type": openpaygo.NAMES[row[6]],
            "value": row[7],
            "count": row[8],
        }


def test_the_command_prints_one_object_and_the_fields_of_its_kind(token):
    code, answer, _ = token(
        "decode", "--scheme", "sts", "--ea", "07", "--key", KEY, "--base", "1993", STS[0][7]
    )
    # 8572357 minutes are 5953 days and 37 minutes: 16 years of which 4 are leap, then 109 days.
    assert (code, answer["issued"]) == (0, "2009-04-20T00:37")
    assert answer["wh"] == 916662400
    code, answer, _ = token("decode", "--key", KEY, "6831 3331 8714-5754 9858")
    assert (code, answer["tid"]) == (0, 8572357)


def test_refusals_are_named_and_end_with_1(token):
    key = bytes.fromhex(KEY)
    water = token_ciphers.seal(0, bytes([0x15, 0, 0, 9, 0, 9]), key)
    unknown = token_ciphers.seal(2, bytes([0x75, 0, 0, 9, 0, 9]), key)
    for digits, reason, words in (
        ("12345678901234567890", "CRCError", "mistyped"),
        ("1234", "FormatError", "20 digits"),
        ("99999999999999999999", "FormatError", "73786976294838206463"),
        (water, "FunctionError", "water"),
        (unknown, "FunctionError", "no such function"),
    ):
        code, answer, _ = token("decode", "--key", KEY, digits)
        assert (code, answer["ok"], answer["reason"]) == (1, False, reason)
        assert words in answer["detail"]


def test_what_a_meter_refuses_although_it_decodes(token):
    rate = next(row for row in STS if row[2:4] == (2, 2))
    code, answer, _ = token("decode", "--ea", rate[0], "--key", rate[1], rate[7])
    assert (code, answer["ok"], answer["reason"]) == (0, True, "FunctionError")
    minus = next(row for row in STS if row[5] == "micro" and row[6] < 0)
    code, answer, _ = token("decode", "--ea", minus[0], "--key", minus[1], minus[7])
    assert (code, answer["ok"], answer["reason"]) == (0, True, "RangeError")


def test_openpaygo_refusals(token):
    row = OPENPAYGO[1]
    asked = ("decode", "--scheme", "openpaygo", "--key", row[0], "--count")
    assert token(*asked, row[2], row[5])[:2][1]["ok"]
    for count, digits, reason in (
        (row[8], row[5], "UsedError"),
        (row[2], "12345678", "FormatError"),
        (row[2], "000000000", "InvalidError"),
    ):
        code, answer, _ = token(*asked, count, digits)
        assert (code, answer["ok"], answer["reason"]) == (1, False, reason)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decode", "--key", "95a8", STS[0][7]), "4 hex digits, not 16"),
        (("decode", "--key", "zz", STS[0][7]), "not hex"),
        (("decode", "--ea", "11", "--key", KEY, STS[0][7]), "not 32"),
        (("decode", "--scheme", "openpaygo", "--key", LONG_KEY, "123456789"), "--count"),
        (("decode", "--ea", "09", "--key", KEY, "1"), "--ea"),
        (("decode", "--key", KEY), "TOKEN"),
    ],
)
def test_wrong_usage_is_2(token, arguments, words):
    code, answer, told = token(*arguments)
    assert (code, answer) == (2, None)
    assert words in told


def test_des_encrypts_a_known_block():
    # The worked example of many textbooks (J. Orlin Grabbe).
    block = des.encrypt(bytes.fromhex("133457799BBCDFF1"), bytes.fromhex("0123456789ABCDEF"))
    assert block.hex() == "85e813540f0ab405"


@pytest.mark.parametrize("row", DERIVATIONS, ids=range(len(DERIVATIONS)))
def test_every_derived_key(row):
    dkga, ea, vending_key, pan, sgc, ti, krn, kt, base, key = row
    group = token_keys.Group(pan, sgc, ti, krn, kt)
    derived = token_keys.decoder_key(dkga, ea, bytes.fromhex(vending_key), group, base)
    assert derived.hex() == key


def test_the_published_dkga02_key():
    # VK ab..., PAN 60072700000000000 and its check digit 9, SGC 123456, TI 01, KRN 1, KT 2.
    group = token_keys.Group("600727000000000009", "123456", "01", 1, 2)
    key = token_keys.decoder_key("02", "07", b"\xab" * 8, group, 1993)
    assert key.hex() == "e653341f9d5bf36f"


def test_a_pan_with_a_wrong_check_digit(token):
    code, answer, told = token(
        *("vend", "--vending-key", "ab" * 20, "--pan", "600727000000000001", "--sgc", "123456"),
        *("--kwh", "1"),
    )
    assert (code, answer) == (1, None)
    assert "check digit" in told


def test_sealing_is_decoding_backwards():
    for ea, key, cls, _, _, _, _, digits in STS:
        key = bytes.fromhex(key)
        assert token_ciphers.seal(cls, sts.decode(digits, CIPHERS[ea], key).data, key) == digits
    assert token_ciphers.seal(1, b"\x0f\xff\xff\xff\xff\0", b"") == "56493153725450313471"


def test_a_known_token_is_made(token):
    # DK 0abc12def3456789, 25.6 kWh, RND 0xB, 1996-03-25 13:55
    code, answer, _ = token(
        *("vend", "--key", "0abc12def3456789", "--base", "1993", "--kwh", "25.6", "--rnd", "11"),
        *("--at", "1996-03-25T13:55"),
    )
    assert (code, answer["tokens"]) == (0, ["29054347139309851356"])


def test_every_key_change_is_made():
    for ea, key, tokens, new, sgc, ti, krn, kt, ken, rollover in KEY_CHANGES:
        group = f"{sgc:06d}" if ea == "11" or len(tokens) == 3 else None
        made = token_sts.key_change(
            bytes.fromhex(key), bytes.fromhex(new), krn, kt, ken, ti, group, rollover
        )
        assert tuple(made) == tokens


@pytest.mark.parametrize(
    ("option", "text", "nearest"),
    [
        ("--kwh", "1638.5", "1638.4 and 1639.4"),
        ("--kwh", "18022.1", "18021.4 and 18022.4"),
        ("--kwh", "1820162.5", "the nearest: 1820162.4"),
        ("--amount", "0.16385", "0.16384 and 0.16394"),
        ("--power-limit", "16385", "16384 and 16394"),
    ],
)
def test_only_what_a_token_says_exactly_is_sold(token, option, text, nearest):
    code, answer, told = token("vend", "--key", KEY, option, text)
    assert (code, answer) == (1, None)
    assert nearest in told


@pytest.mark.parametrize("text", ["0", "-1", "1.25", "1e3", "", "1,5"])
def test_what_is_no_amount_of_kwh(token, text):
    assert token("vend", "--key", KEY, f"--kwh={text}")[0] == 1


@settings(max_examples=80, deadline=None)
@given(
    exponent=st.integers(0, 3),
    mantissa=st.integers(0, 16383),
    ea=st.sampled_from(["07", "11"]),
    tid=st.integers(0, 0xFFFFFF),
)
def test_what_is_sold_is_what_is_read(exponent, mantissa, ea, tid):
    key = bytes.fromhex(LONG_KEY if ea == "11" else KEY)
    tenths = mantissa * 10**exponent + sum(16384 * 10**lower for lower in range(exponent))
    if not tenths:
        return
    digits = token_sts.kwh(f"{tenths // 10}.{tenths % 10}", tid, 5, key)
    found = sts.decode(digits, CIPHERS[ea], key)
    assert (found.wh(), found.tid) == (tenths * 100, tid)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 18201624))
def test_the_nearest_are_exact_and_nothing_lies_between(value):
    if token_sts.encode(value, 4) is not None:
        return
    below, above = token_sts.nearest(value, 4)
    assert below < value < above
    assert None not in (token_sts.encode(below, 4), token_sts.encode(above, 4))
    step = 10 if value < 180224 else 100 if value < 1818624 else 1000
    assert above - below <= step


def test_the_reserved_minute_is_stepped_over(token):
    at = ("vend", "--key", KEY, "--kwh", "1", "--at")
    assert token(*at, "2014-01-01T00:01")[1]["tid"] == 2
    assert token(*at, "2014-01-01T00:02")[1]["tid"] == 2
    assert token(*at, "2014-01-02T00:00")[1]["tid"] == 1440
    code, _, told = token(*at, "2013-12-31T23:59")
    assert code == 1 and "use base 1993" in told


@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("kind", ["add", "set", "disable", "sync"])
def test_openpaygo_made_and_read_back(token, restricted, extended, kind):
    forms = ["--restricted"] * restricted + ["--extended"] * extended
    common = ("--scheme", "openpaygo", "--key", LONG_KEY, "--count", 7)
    value = 54321 if extended else 12
    code, made, told = token("vend", *common, *forms, "--type", kind, "--value", value)
    if extended and kind in ("disable", "sync"):
        assert code == 1 and "leave --extended out" in told
        return
    code, read, _ = token("decode", *common, *forms, made["tokens"][0])
    names = {"add": "ADD_TIME", "set": "SET_TIME", "disable": "DISABLE_PAYG"}
    assert (code, read["type"]) == (0, names.get(kind, "COUNTER_SYNC"))
    assert read["count"] == made["count"] == (8 if kind == "add" else 9)
    if kind in ("add", "set"):
        assert read["value"] == value


def test_every_openpaygo_vector_is_made(token):
    kinds = {1: "add", 2: "set", 3: "disable", 4: "sync"}
    for key, start, before, restricted, extended, digits, kind, value, count in OPENPAYGO:
        forms = ["--restricted"] * restricted + ["--extended"] * extended
        forms += [] if start < 0 else ["--start", start]
        _, made, _ = token(
            *("vend", "--scheme", "openpaygo", "--key", key, "--count", before, *forms),
            *("--type", kinds[kind], "--value", value),
        )
        assert made == {"tokens": [digits], "count": count}


def test_values_that_mean_nothing_are_not_sold(token):
    asked = ("vend", "--scheme", "openpaygo", "--key", LONG_KEY, "--count", 1, "--value")
    for value, forms in ((996, ()), (-1, ()), (1000000, ("--extended",))):
        assert token(*asked, value, *forms)[0] == 1


def test_one_thing_is_asked_for(token):
    for arguments in ((), ("--kwh", "1", "--amount", "1"), ("--clear-tamper", "--test", "1")):
        code, _, told = token("vend", "--key", KEY, *arguments)
        assert code == 1 and "ask for one thing: --kwh" in told


def test_a_count_or_a_start_that_no_meter_has_is_told(token):
    asked = ("decode", "--scheme", "openpaygo", "--key", LONG_KEY, "188585847", "--count")
    for arguments in ((9, "--start", -4), (9, "--start", 10**9), (-5,), (10**6 + 1,)):
        code, _, told = token(*asked, *arguments)
        assert code == 2 and "Invalid value for '--" in told


def test_a_decoder_without_interpreter_says_so(monkeypatch):
    monkeypatch.setattr(token_decode.mpy, "find_tool", lambda name: None)
    with pytest.raises(token_decode.TokenReaderError, match="no micropython"):
        token_decode.decode(request(tokens=["1"]), "micropython")


def test_sale_errors_name_the_remedy():
    with pytest.raises(SaleError, match="supply group"):
        token_sts.key_change(bytes(16), bytes(16), 1, 2, 255, 1, None, False)
    with pytest.raises(SaleError, match="same length"):
        token_sts.key_change(bytes(16), bytes(8), 1, 2, 255, 1, None, False)


def test_results_have_the_numbers_of_the_standard():
    # As a meter's manual lists them (see docs/tokens.md).
    assert results.NAMES[4:16] == (
        *("OverflowError", "KeyTypeError", "FormatError", "RangeError", "FunctionError"),
        *("OldError", "UsedError", "KeyExpiredError", "DDTKError", "CRCError", "MfrCodeError"),
        "token lockout",
    )
