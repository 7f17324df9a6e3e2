"""A meter as a process of its own on a broker, its clocks some hundred times as fast as the wall.

    python -m wattledger.tests.host.meter_process PORT KEYS

KEYS is a keys directory with its device key and the public keys of the utility. Prints a line of
JSON when its stdin ends: balance and tariffs.
"""

import json
import sys

from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.both.fixtures_jws import GATE_SECRET
from wattledger.tests.host.test_tools_push import Meter
from wattledger.tools import signing


def main(port, keys):
    class OfUtility(House):
        gate_key = GATE_SECRET
        public_keys = signing.public_keys(keys)

    with Meter("mqtt://127.0.0.1:" + port, OfUtility()) as meter:
        sys.stdin.read()
    account = meter.house.agent.account
    report = {
        "balance": meter.house.agent.journal.balance,
        "want": meter.house.agent.documents.want and meter.house.agent.documents.want.version,
        "next": account.pending and account.pending.n,
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
