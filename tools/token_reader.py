"""What a token says, by the decoder that runs in the meter. Portable: a request in, an answer out.

As a program it reads requests from stdin, a JSON object a line, and prints the answers, so that
`wattledger token decode --interpreter micropython` runs the device's code on its interpreter.
"""

import binascii
import json
import sys

from wattledger.agent.billing.calendar import civil, day_number
from wattledger.agent.errors import AgentError
from wattledger.agent.tokens import openpaygo, results, sts
from wattledger.agent.tokens.keychange import NewKey, missing, stage
from wattledger.agent.tokens.replay import CountMemory

DAY_MINUTES = 1440
SLICE = 64


def read(request):
    """The answer (dict) to a request (dict); `ok` is whether the token decodes, `reason` the
    result a meter would give as far as the token alone decides it."""
    key = binascii.unhexlify(request["key"])
    if request["scheme"] == "openpaygo":
        return read_openpaygo(request, key)
    answers = []
    sections: dict = {}
    for digits in request["tokens"]:
        answers.append(read_sts(digits, request["ea"], key, request["base"], sections))
    if len(answers) == 1:
        return answers[0]
    return {
        "ok": all(answer["ok"] for answer in answers),
        "reason": results.NAMES[results.ACCEPT],
        "tokens": answers,
        "key_change": key_change(sections, len(key)),
    }


def refused(error):
    return {"ok": False, "reason": results.NAMES[error.result], "detail": error.detail}


def read_sts(digits, ea, key, base, sections):
    """One STS-format token; a section of a key change is put into `sections` too."""
    if ea == "11":
        from wattledger.agent.tokens.misty1 import decrypt
    else:
        from wattledger.agent.tokens.ea07 import decrypt
    try:
        token = sts.decode(digits, decrypt, key)
    except results.TokenError as error:
        return refused(error)
    answer = {
        "ok": True,
        "reason": results.NAMES[results.ACCEPT],
        "class": token.cls,
        "subclass": token.subclass,
        "tid": token.tid,
        "issued": None if token.tid is None else issued(token.tid, base),
    }
    if token.cls == sts.CREDIT:
        read_credit(token, answer)
    elif token.cls == sts.TEST:
        answer["control"], answer["manufacturer"] = token.test()
    elif token.is_section():
        read_section(token, len(key), sections, answer)
    else:
        read_management(token, answer)
    return answer


def issued(tid, base):
    """The minute a token was made, local time of the vendor: `2014-03-01T13:00`."""
    days, minutes = divmod(tid, DAY_MINUTES)
    year, month, day = civil(day_number(base, 1, 1) + days)
    return "%04d-%02d-%02dT%02d:%02d" % (year, month, day, minutes // 60, minutes % 60)


def say(answer, result, detail=""):
    answer["reason"] = results.NAMES[result]
    if detail:
        answer["detail"] = detail


def read_credit(token, answer):
    if token.subclass == sts.ELECTRICITY:
        answer["wh"] = token.wh()
    elif token.subclass == sts.CURRENCY + sts.ELECTRICITY:
        answer["micro"] = token.micro()
        if token.micro() <= 0:
            say(answer, results.RANGE, "a meter takes no credit away by token")
    else:
        known = token.subclass < 2 * sts.CURRENCY
        name = sts.COMMODITIES[token.subclass % sts.CURRENCY] if known else "unknown use"
        answer["ok"] = False
        say(answer, results.FUNCTION, "a token for %s; this meter measures electricity" % name)


def read_management(token, answer):
    subclass = token.subclass
    if subclass in (sts.POWER_LIMIT, sts.UNBALANCE_LIMIT):
        name = "unbalance_limit_w" if subclass == sts.UNBALANCE_LIMIT else "power_limit_w"
        answer[name] = token.scaled()
    elif subclass == sts.CLEAR_CREDIT:
        answer["register"] = token.field()
    elif subclass == sts.CLEAR_TAMPER:
        answer["pad"] = token.field()
    elif subclass == sts.TARIFF_RATE:
        answer["rate"] = token.field()
        say(answer, results.FUNCTION, "a meter takes its prices signed, not by token")
    else:
        answer["ok"] = False
        say(answer, results.FUNCTION, "no such function in this meter")


def read_section(token, key_bytes, sections, answer):
    number = sts.SECTIONS.index(token.subclass) + 1
    answer["section"] = number
    try:
        stage(sections, token, key_bytes)
    except results.TokenError as error:
        say(answer, error.result, error.detail)
        return
    say(answer, results.FIRST_SECTION if number == 1 else results.SECOND_SECTION)
    data = token.data
    if number == 1:
        answer["ken_high"] = data[0] & 15
        answer["krn"] = data[1] >> 4
        answer["rollover"] = bool(data[1] & 8)
        answer["kt"] = data[1] & 3
    elif number == 2:
        answer["ken_low"] = data[0] & 15
        answer["ti"] = data[1]
    if number < 3 or key_bytes == 16:
        answer["key_part"] = binascii.hexlify(data[2:]).decode()


def key_change(sections, key_bytes):
    """The new key that sections make, or which are missing; None without any."""
    if not sections:
        return None
    if missing(sections, key_bytes):
        return {"missing": missing(sections, key_bytes)}
    new = NewKey(sections, key_bytes)
    return {
        "key": binascii.hexlify(new.key).decode(),
        "krn": new.krn,
        "kt": new.kt,
        "ken": new.ken,
        "ti": new.ti,
        "sgc": None if new.sgc is None else "%06d" % new.sgc,
        "rollover": new.rollover,
    }


def read_openpaygo(request, key):
    """One OpenPAYGO token after `count`; all counts up to it are taken as used."""
    start = request["start"]
    if start is None:
        start = openpaygo.starting_code(key)
    digits = request["tokens"][0]
    restricted = request["restricted"]
    lengths = (20, 15) if restricted else (12, 9)
    try:
        if request["extended"] and len(digits) == lengths[1]:
            raise results.TokenError(
                results.FORMAT, "an extended token has %d digits" % lengths[0]
            )
        memory = CountMemory(request["count"])
        search = openpaygo.Search(key, start, digits, restricted, memory)
        while not search.work(SLICE):
            pass
    except results.TokenError as error:
        return refused(error)
    return {
        "ok": True,
        "reason": results.NAMES[results.ACCEPT],
        "type": openpaygo.NAMES[search.kind],
        "value": search.value,
        "count": search.count,
    }


def main():
    """Answer every line of stdin."""
    line = sys.stdin.readline()
    while line:
        try:
            answer = read(json.loads(line))
        except (AgentError, ValueError, KeyError) as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer))
        line = sys.stdin.readline()


if __name__ == "__main__":
    main()
