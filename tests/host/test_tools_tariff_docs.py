"""The examples of docs/tariffs.md are documents the meter takes."""

import json
import re

import pytest

from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing import tariff as tariffs
from wattledger.tests.micropython.staging import ROOT

PAGE = (ROOT / "docs" / "tariffs.md").read_text("utf-8")
BLOCKS = [
    (heading, block.strip())
    for heading, text in re.findall(r"^## (.+?)$(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)
]
# What a fragment needs beside itself.
THREE = {"bands": ["valley", "flat", "peak"], "price": [[1, 2, 3]] * 3}
BESIDE = {
    "By time of day, weekends and holidays": {},
    "By amount: blocks": {"bands": THREE["bands"]},
    "Seasons": {**THREE, "days": {"w": [[0, 0]], "s": [[0, 2]]}},
}


def plain():
    return json.loads(dict(BLOCKS)["One price"])


def test_whole_documents():
    found = dict(BLOCKS)
    assert tariffs.load(found["One price"].encode()).id == "plain"
    assert dynamics.load(found["Dynamic prices"].encode()).prices[2] == -21500
    assert set(found) == {"One price", "Dynamic prices", *BESIDE}


@pytest.mark.parametrize("heading", BESIDE)
def test_fragments(heading):
    document = plain()
    document.update(BESIDE[heading])
    document.update(json.loads("{%s}" % dict(BLOCKS)[heading]))
    tariffs.load(json.dumps(document).encode())


SPANS = re.findall(r"`(\"\w+\":[^`]+)`", PAGE)
OF_PRICES = ('"correct":true',)


def test_keys_of_dynamic_prices_in_the_text():
    assert set(OF_PRICES) <= set(SPANS)
    for span in OF_PRICES:
        document = json.loads(dict(BLOCKS)["Dynamic prices"])
        document.update(json.loads("{%s}" % span))
        assert dynamics.load(json.dumps(document).encode()).correct


@pytest.mark.parametrize(
    "span", [span for span in SPANS if "blocks_reset" not in span and span not in OF_PRICES]
)
def test_keys_in_the_text(span):
    document = plain()
    document.update(THREE, blocks=[1, 2])
    document.update(json.loads("{%s}" % span))
    tariffs.load(json.dumps(document).encode())


def test_every_key_is_explained():
    from wattledger.agent.billing import document_head as document

    for key in document.REQUIRED + document.OPTIONAL:
        assert "`%s`" % key in PAGE, key
