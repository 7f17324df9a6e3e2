"""The device's engine given what the exact engine is given, for comparing the two."""

import json

from wattledger.agent.billing import dynamic, tariff
from wattledger.hal.sample import TRUST_NAMES
from wattledger.tests.host import exact_calendar as calendar
from wattledger.tests.host.exact_engine import Exact, nano
from wattledger.tools import bill, bill_prices
from wattledger.tools.profile import Row

KINDS = ("energy", "standing", "demand", "minimum")


def encoded(document):
    return json.dumps(document, separators=(",", ":")).encode()


def device_bill(documents, prices, rows, used_wh=0):
    """What `bill` says; the rows follow one another without a hole."""
    sets = [tariff.load(encoded(document)) for document in documents]
    lists = [dynamic.load(encoded(document)) for document in prices]
    given = [
        Row(row.start, row.import_wh, row.export_wh, TRUST_NAMES.index(row.trust), line)
        for line, row in enumerate(rows, 2)
    ]
    found = bill_prices.Prices(lists) if lists else None
    return bill.bill(sets, given, "profile", used_wh, prices=found)


def exact_bill(documents, prices, rows, used_wh=0):
    """The same figures, by the exact engine, in the same form."""
    exact = Exact(documents, prices, used_wh).run(rows)
    sums = {f"{kind}_nano": nano(exact.sum(kind)) for kind in KINDS}
    return {
        **sums,
        "export_nano": nano(-exact.sum("export")),
        "total_nano": nano(exact.sum()),
        "lines": lines(exact, "energy"),
        "export_lines": lines(exact, "export"),
    }


def lines(exact, kind):
    """Lines as `bill` prints them, in its order. A row's band has its version's name."""
    document = exact.documents[-1]
    found = []
    for (cycle, band, block, price), wh in exact.lines(kind).items():
        found.append(
            {
                "cycle": None if cycle == calendar.NEVER else cycle.isoformat(),
                "band": document["bands"][band],
                "block": block,
                "wh": wh,
                "price": price,
                "amount_nano": wh * price,
            }
        )
    return found


def sorted_lines(found):
    return sorted(found, key=lambda line: str(sorted(line.items(), key=str)))


def assert_equal(documents, prices, rows, used_wh=0):
    """No nano-unit and no Wh of difference, in any sum and any line; the device's bill."""
    found = device_bill(documents, prices, rows, used_wh)
    expected = exact_bill(documents, prices, rows, used_wh)
    for name in expected:
        if name.endswith("lines"):
            assert sorted_lines(found[name]) == sorted_lines(expected[name]), name
        else:
            assert found[name] == expected[name], name
    return found
