"""`wattledger token vend`: tokens under test keys, to try a meter with."""

from datetime import datetime
from secrets import randbelow
from typing import Any

from wattledger.agent.tokens import sts
from wattledger.tools import token_keys, token_paygo, token_sts
from wattledger.tools.errors import SaleError

KEY_BYTES = {"07": 8, "11": 16}


def hex_key(text: str, length: int | None = None) -> bytes:
    """The bytes of a key; SaleError when it is no hex or has another length."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise SaleError(f"key {text!r} is not hex digits") from None
    if length is not None and len(key) != length:
        raise SaleError(f"the key has {2 * len(key)} hex digits, not {2 * length}")
    return key


def moment(text: str | None) -> datetime:
    """A minute like 2027-01-12T06:30, the vendor's local time; now without one."""
    if text is None:
        return datetime.now().replace(second=0, microsecond=0)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M")
    except ValueError:
        raise SaleError(f"time {text!r} is not like 2027-01-12T06:30") from None


def sts_key(wanted: dict[str, Any]) -> bytes:
    """The decoder key: given, or derived from a vending key."""
    length = KEY_BYTES[wanted["ea"]]
    if wanted["key"] is not None:
        return hex_key(wanted["key"], length)
    if wanted["vending_key"] is None or wanted["pan"] is None or wanted["sgc"] is None:
        raise SaleError("give the decoder --key, or --vending-key with --pan and --sgc")
    group = token_keys.Group(
        wanted["pan"], wanted["sgc"], wanted["ti"], wanted["krn"], wanted["kt"]
    )
    vending_key = hex_key(wanted["vending_key"])
    return token_keys.decoder_key(wanted["dkga"], wanted["ea"], vending_key, group, wanted["base"])


def vend_sts(wanted: dict[str, Any]) -> dict[str, Any]:
    """One STS-format token, or the tokens of a key change, as the options ask."""
    functions = ("kwh", "amount", "power_limit", "unbalance_limit", "clear_credit", "test")
    asked = [name for name in (*functions, "new_key") if wanted[name] is not None]
    asked += ["clear_tamper"] * wanted["clear_tamper"]
    if len(asked) != 1:
        options = [
            "--" + name.replace("_", "-") for name in (*functions, "clear_tamper", "new_key")
        ]
        raise SaleError("ask for one thing: " + ", ".join(options))
    what = asked[0]
    if what == "test":
        return {"tokens": [token_sts.test(wanted["test"])]}
    key = sts_key(wanted)
    if what == "new_key":
        return _key_change(wanted, key)
    tid = wanted["tid"]
    if tid is None:
        tid = token_sts.tid_at(moment(wanted["at"]), wanted["base"])
    nibble = randbelow(16) if wanted["rnd"] is None else wanted["rnd"]
    if wanted["up"]:
        _round_up(wanted, what)
    if what == "kwh":
        token = token_sts.kwh(wanted["kwh"], tid, nibble, key)
    elif what == "amount":
        token = token_sts.money(wanted["amount"], tid, key)
    elif what in ("power_limit", "unbalance_limit"):
        subclass = sts.POWER_LIMIT if what == "power_limit" else sts.UNBALANCE_LIMIT
        token = token_sts.limit(subclass, wanted[what], tid, nibble, key)
    else:
        subclass = sts.CLEAR_TAMPER if what == "clear_tamper" else sts.CLEAR_CREDIT
        field = wanted["clear_credit"] or 0
        token = token_sts.management(subclass, field, tid, nibble, key)
    sold = {what: wanted[what]} if wanted["up"] else {}
    return {"tokens": [token], "tid": tid, **sold}


def _round_up(wanted: dict[str, Any], what: str) -> None:
    if what == "kwh":
        scale, exponents, unit = token_sts.TENTHS_A_KWH, token_sts.KWH_EXPONENTS, "kWh"
    elif what == "amount":
        scale, exponents, unit = token_sts.UNITS_A_CURRENCY, token_sts.MONEY_EXPONENTS, "amount"
    else:
        raise SaleError("--up goes with --kwh or --amount")
    wanted[what] = token_sts.round_up(wanted[what], scale, exponents, unit)


def _key_change(wanted: dict[str, Any], key: bytes) -> dict[str, Any]:
    new = hex_key(wanted["new_key"], len(key))
    tokens = token_sts.key_change(
        key,
        new,
        wanted["new_krn"],
        wanted["kt"],
        wanted["ken"],
        int(wanted["ti"]),
        wanted["sgc"],
        wanted["rollover"],
    )
    return {"tokens": tokens}


def vend_paygo(wanted: dict[str, Any]) -> dict[str, Any]:
    """One OpenPAYGO token after `count`."""
    if wanted["key"] is None or wanted["count"] is None:
        raise SaleError("OpenPAYGO needs --key and --count, that of the last token made")
    token, count = token_paygo.make(
        hex_key(wanted["key"], 16),
        wanted["start"],
        wanted["count"],
        wanted["type"],
        wanted["value"],
        wanted["extended"],
        wanted["restricted"],
    )
    return {"tokens": [token], "count": count}


def vend(scheme: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """{"tokens": [...]} with what else the vendor must note. SaleError."""
    return vend_sts(wanted) if scheme == "sts" else vend_paygo(wanted)
