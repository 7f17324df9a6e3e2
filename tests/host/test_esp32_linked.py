"""The ESP32's firmware from `wattledger provision` to money by TLS: its root in real MicroPython,
real sockets, the mosquitto that provisioning configured. Chip, relay, flash and Wi-Fi are played.
"""

import contextlib
import json
import shutil

import pytest

from wattledger.agent.journal import record as records
from wattledger.tests.both.fixtures_agent import tariff_of
from wattledger.tests.host import esp32_linked_bench as bench
from wattledger.tests.host.esp32_linked_bench import METER, START, WIFI, Esp32, HeadEnd, command
from wattledger.tests.host.provision_bench import BASE, Client, Site, context
from wattledger.tools import jws, keys

UNIT = 1_000_000_000  # nano-units
NO_LEDGER = "no ledger: nothing is billed or cut"
QUICK = ("--set", "tick_ms=200", "--set", "state_s=1", "--set", "profile_s=60")


@pytest.fixture
def site(tmp_path):
    """A tenant with a broker that runs."""
    found = Site(tmp_path)
    # One unit a kWh: 2300 W take a cent in 16 s.
    (tmp_path / "tariff.json").write_bytes(tariff_of(price=[[1_000_000]], export=[0]))
    found.broker()
    found.start()
    yield found
    found.stop()


@pytest.fixture
def folder(site):
    return bench.provision(site, site.folder / "tariff.json", "--credit", "5.00", *QUICK)


def test_a_meter_lives_by_its_link(site, folder):
    door = site.head_end()
    server = bench.TimeServer()
    head = HeadEnd(site, door, site.folder / "copy")
    credit = ("credit", METER, "10", "--broker", door, "--keys", site.keys)
    try:
        with Esp32(folder, server.port, battery=False) as meter:
            with Client(site.ports[1], "desk", context(door), ("#",)) as desk:
                its_first_start(meter, desk, keys.load(site.keys, METER))
            code, answer, said = command(*credit)
            assert (code, answer["result"], answer["n"]) == (0, "ok", 1), said
            code, again, said = command(*credit, "--n", "1")
            assert (again["result"], again["detail"]) == ("ok", answer["detail"]), said
            assert 14 * UNIT < meter.told()["balance"] <= 15 * UNIT
            without_a_broker(site, meter)
            code, answer, said = command(*credit)
            assert (code, answer["result"], answer["n"]) == (0, "ok", 2), said
            meter.told(watts=0)
            told = meter.until(lambda told: head.proven == told["sequence"])
        copy = entries(head.replica)
        # Each follows the one before by its hash, so that none is missing; and money came thrice.
        assert [one.sequence for one in copy] == list(range(1, told["sequence"] + 1))
        came = [(one.kind, one.amount) for one in copy if one.kind in records.MONEY_IN]
        assert came == [
            (records.OPENING, 5 * UNIT),
            (records.CREDIT, 10 * UNIT),
            (records.CREDIT, 10 * UNIT),
        ]
        assert copy[-1].balance == sum(one.amount for one in copy) == told["balance"]
        assert (told["failures"], told["operations"], told["boots"]) == (0, 0, 2)
        assert server.asked >= 1
    finally:
        head.close()
        server.close()


def its_first_start(meter, desk, meter_keys):
    """No battery, no time; then a server's, a ledger, a restart, and the link."""
    told = meter.until(lambda told: told["made"] and told["linked"])
    assert (told["boots"], told["cause"], told["trust"]) == (2, "reset", 2)
    assert 0 <= told["unix"] - START < 600
    assert {NO_LEDGER, "Wi-Fi: up", "link: up"} <= set(told["lines"])

    def newest(leaf):
        return (desk.heard(f"{BASE}/{METER}/{leaf}") or [b""])[-1]

    meter.until(lambda told: newest("state") and newest("journal"))
    hello = jws.verify(newest("hello"), {"up.1": meter_keys.key("up.1")})
    assert (hello["m"], hello["board"], hello["cause"]) == (METER, bench.BOARD, "reset")
    assert newest("status") == b"online"
    state = json.loads(newest("state"))
    assert state["power_mw"] == 2_300_000, state
    assert 4_900_000 < state["balance_micro"] <= 5_000_000


def without_a_broker(site, meter):
    """It is killed, entries are made, it is back: so is the link, by itself."""
    site.process.kill()
    site.process.wait()
    before = meter.until(lambda told: not told["linked"])
    told = meter.until(
        lambda told: (
            told["sequence"] >= before["sequence"] + 3
            and any("ECONNREFUSED" in line for line in told["lines"])
        )
    )
    assert not told["linked"] and told["import_wh"] > before["import_wh"]
    site.start()
    told = meter.until(lambda told: told["linked"])
    assert told["lines"][-1] == "link: up"


def entries(replica):
    """The records of a copy, in order."""
    data, found = replica.path.read_bytes(), []
    while data:
        size = records.length_of(data[:4])
        found.append(records.decode(data[:size]))
        data = data[size:]
    return found


def test_what_cannot_link_measures_and_says_why(site, folder, tmp_path):
    """Another authority's broker, a broker that wants another's meters, files that are none, and
    an access point that takes another password; four meters beside each other."""
    folders = {name: tmp_path / "sites" / name for name in WORDS}
    for place in folders.values():
        shutil.copytree(folder, place)
    other = provisioned_by_another(tmp_path / "else")
    shutil.copy(other / "ca.der", folders["authority"])
    for name in ("client.der", "client.key.der"):
        shutil.copy(other / name, folders["certificate"])
    (folders["files"] / "client.key.der").write_bytes(b"\x30\x03rot")
    meters = {}
    with contextlib.ExitStack() as stack:
        for name, place in folders.items():
            air = (WIFI[0], "another one") if name == "password" else WIFI
            meters[name] = stack.enter_context(Esp32(place, air=air))
        for name, words in WORDS.items():
            told = meters[name].until(
                lambda told, words=words: (
                    told["import_wh"] >= 40 and any(words in line for line in told["lines"])
                )
            )
            assert not told["linked"], name
            assert (told["power"], told["failures"], told["operations"]) == (2_300_000, 0, 0)
            assert told["balance"] > 0 and not told["missing"]
            assert told["boots"] == 1
            # Said once, however often it is tried.
            assert sum(words in line for line in told["lines"]) == 1, told["lines"]
    assert "as esp-0001" not in site.said()


@pytest.mark.parametrize("name", ["ca.der", "client.der", "client.key.der"])
def test_a_file_of_the_link_that_rotted_is_written_anew_from_its_copy(site, folder, name):
    with Esp32(folder) as meter:
        meter.until(lambda told: told["linked"])
        meter.told(rot=name)
        told = meter.until(lambda told: told["boots"] == 2 and told["linked"])
        mended = [line for line in told["lines"] if "it is written anew from its copy" in line]
        assert len(mended) == 1 and name in mended[0], told["lines"]
        assert (told["failures"], told["operations"]) == (0, 0)


WORDS = {
    "authority": "certificate verify failed",
    "certificate": "does it take this meter's certificate?",
    "files": "no link: BrokerError: ca.der, client.der, client.key.der: the TLS files cannot be",
    "password": "Wi-Fi: no connection in 20 s, status 202",
}


def provisioned_by_another(place):
    """The folder of a meter of the same name, of another tenant."""
    place.mkdir()
    other = Site(place)
    (place / "tariff.json").write_bytes(tariff_of())
    return bench.provision(other, place / "tariff.json")
