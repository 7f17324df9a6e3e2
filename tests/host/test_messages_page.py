"""docs/messages.md shows bytes that a meter takes and gives, and code that makes them."""

import json
import re

from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_linked import Linked
from wattledger.tests.host import asyncapi_bench as contract
from wattledger.tests.micropython.staging import ROOT

PAGE = (ROOT / "docs" / "messages.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PLAIN = [text.strip() for kind, text in BLOCKS if kind == ""]
JSON = [text.strip() for kind, text in BLOCKS if kind == "json"]
(PYTHON,) = [text for kind, text in BLOCKS if kind == "python"]
KEY, TOKEN, ACK = PLAIN
CREDIT, SAID, ARM, WANT = JSON


def test_the_key_and_the_token_are_those_of_the_payload():
    assert jws.key_of("credit.1").hex() == KEY
    assert TOKEN.encode() == jws.sign(CREDIT, "credit.1")
    assert contract.faults("Hs256", TOKEN) == []


def test_the_code_makes_the_token():
    names = {}
    exec(PYTHON, names)  # noqa: S102 - the page's own example
    assert names["token"] == TOKEN


def test_the_meter_takes_it_and_names_it_as_the_page_says():
    house = Linked()
    house.setUp()
    (answer,) = house.ask(TOKEN.encode())
    assert (answer["result"], answer["of"]) == ("ok", json.loads(SAID)["of"])
    assert house.balance() == 20_000_000_000


def test_the_answer_is_signed_by_the_meter():
    assert jws.unsign(ACK.encode()).decode() == SAID
    assert contract.faults("Ack", json.loads(SAID)) == []


def test_the_other_payloads_are_those_of_the_file():
    assert contract.faults("Command", json.loads(CREDIT)) == []
    assert contract.faults("Command", json.loads(ARM)) == []
    assert contract.faults("Want", json.loads(WANT)) == []


def test_the_page_names_every_command():
    for op in contract.commands():
        assert f"`{op}`" in PAGE or op in ("token.enter", "key.rotate"), op
