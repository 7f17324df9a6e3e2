"""The service desk's commands through a real broker to a real meter, and what they refuse."""

import json

import pytest

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.tests.both.fixtures_agent import START, UNIT, House
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER
from wattledger.tests.host.mqtt_bench import running_broker, until
from wattledger.tests.host.test_tools_push import Meter
from wattledger.tools import cli, desk_orders, keys, orders, root_orders, signing, vend
from wattledger.tools.errors import VendError

WAIT_S = 20


@pytest.fixture(scope="module")
def broker():
    with running_broker("iotcore") as process:
        yield process


@pytest.fixture
def folder(tmp_path):
    """A keys directory with the test meter's keys and a root key."""
    (tmp_path / "keys").mkdir()
    document = {"meter": METER, "note": "test key", "device_key": DEVICE_KEY.hex()}
    (tmp_path / "keys" / f"{METER}.json").write_text(json.dumps(document))
    (tmp_path / "keys" / f"{METER}.counter").write_text("4\n")
    signing.create(tmp_path / "keys", "root.1")
    return tmp_path / "keys"


def house_of(folder, **options):
    class OfUtility(House):
        public_keys = signing.public_keys(folder)

    return OfUtility(**options)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """A minute of the house is a tenth of a second."""
    monkeypatch.setattr(orders, "ROOT_REST_S", 0.3)


@pytest.fixture
def meter(broker, folder):
    """A house on the broker, a few hundred times as fast as the wall."""
    with Meter(broker.url, house_of(folder)) as running:
        yield running.house


@pytest.fixture
def at_the_meters_time(monkeypatch):
    """The house lives in 2027: the desk too."""
    monkeypatch.setattr(desk_orders, "_now", lambda: START + 3600)


def run(capsys, *arguments):
    """(exit code, the JSON object on stdout or None, stderr) of a command line."""
    code = cli.run(list(arguments))
    out, err = capsys.readouterr()
    return code, json.loads(out.splitlines()[-1]) if out else None, " ".join(err.split())


@pytest.fixture
def ask(broker, folder, capsys):
    def asked(*words):
        where = ("--broker", broker.url, "--keys", str(folder), "--json")
        return run(capsys, *words, *where)

    return asked


def test_a_refund_takes_the_next_vend_number_and_its_repeat_takes_nothing(meter, ask, folder):
    code, found, _ = ask("refund", METER, "2.50", "--yes")
    assert (code, found["result"], found["n"]) == (0, "ok", 5)
    assert (folder / f"{METER}.counter").read_text() == "5\n"
    # Byte for byte the same gets the answer it got; another with its number takes nothing.
    for amount, result in (("2.50", "ok"), ("2.40", "duplicate")):
        code, found, _ = ask("refund", METER, amount, "--n", "5", "--yes")
        assert (code, found["result"]) == (0, result)
    assert until(lambda: meter.entries(records.REFUND), WAIT_S)
    assert meter.agent.journal.balance == 7_500_000_000
    code, found, _ = ask("refund", METER, "6", "--yes")  # low 2 is 2.00, and 7.50 are there
    assert (code, found["result"]) == (1, "denied locally")
    assert found["detail"] == "at most 5500000 micro-units can be refunded"


def test_an_adjustment_is_signed_by_the_root_key_and_numbered(meter, ask, folder):
    words = ("ledger", "correct", METER, "--give", "1.25", "--reason", "late reading")
    code, found, _ = ask(*words)
    assert (code, found["result"]) == (0, "ok")
    assert (folder / f"{METER}.adjusted").read_text() == "1\n"
    code, found, _ = ask(*words, "--n", "1")
    assert (code, found["result"]) == (0, "duplicate")
    code, found, _ = ask(
        "ledger", "correct", METER, "--charge", "0.25", "--reason", "fee", "--yes"
    )
    assert (code, found["result"]) == (0, "ok")
    posted = [
        (readers.unpack_adjust(entry.payload)[1::4], entry.amount)
        for entry in meter.entries(records.ADJUST)
    ]
    assert posted == [((1, "late reading"), 1_250_000_000), ((2, "fee"), -250_000_000)]


def test_a_lost_ledger_is_begun_anew(broker, folder, ask):
    with Meter(broker.url, house_of(folder, credit=None)) as running:
        code, found, _ = ask("credit", METER, "1")
        assert (code, found["detail"]) == (1, "the ledger is missing")
        code, found, _ = ask("ledger", "open", METER, "--balance", "3.00", "--yes")
        assert (code, found["detail"]) == (0, "purchases go on after 5")
        assert running.house.agent.journal.balance == 3_000_000_000
        assert ask("credit", METER, "1")[1]["result"] == "ok"


def test_a_setting_and_the_clock(meter, ask, at_the_meters_time):
    code, found, _ = ask("config", "set", METER, "load_limit_w", "3000")
    assert (code, found["detail"]) == (0, "load_limit_w was 0")
    found = json.loads(ask("read", METER, "config")[1]["detail"])
    assert found["load_limit_w"] == 3000
    meter.go_offline()
    code, found, _ = ask("time", "set", METER, "--at", "2027-03-01T08:00+08:00")
    assert (code, found["result"]) == (0, "ok")
    march = 1_803_859_200  # 2027-03-01 00:00 UTC
    assert until(lambda: meter.agent.time.unix() >= march, WAIT_S)
    assert ask("time", "set", METER)[1]["result"] == "ok"
    assert until(lambda: meter.agent.time.unix() < march, WAIT_S)
    assert ask("tamper", "clear", METER)[1]["result"] == "ok"


def test_assistance_reads_once_the_household_has_agreed(meter, ask, at_the_meters_time):
    assert ask("assist", METER, "live", "--for", "180")[1]["result"] == "ok"
    code, found, _ = ask("read", METER, "live")
    assert (code, found["detail"]) == (1, "the household has not agreed to it")
    meter.page.requests.append(("assist", True))
    assert until(lambda: meter.page.view["assist"]["state"] == "on", WAIT_S)
    code, found, _ = ask("read", METER, "live")
    assert (code, json.loads(found["detail"])["phases"][0]["voltage_mv"]) == (0, 230_000)


def test_assistance_for_a_meter_whose_clock_is_not_ours_names_its_end(meter, ask, monkeypatch):
    monkeypatch.setattr(desk_orders, "_now", lambda: START - 86_400)
    end = "2027-01-12T07:30+08:00"  # the house's day begins at 06:00
    assert ask("assist", METER, "display", "--until", end)[1]["result"] == "ok"
    assert until(lambda: meter.page.view["assist"], WAIT_S)
    assert meter.page.view["assist"]["until"] == START + 90 * 60
    assert ask("assist", METER, "live")[1]["result"] == "range"  # an hour of the day before


def test_dry_runs_send_nothing_and_use_no_number(folder, capsys):
    where = ["--broker", "mqtt://127.0.0.1:9", "--keys", str(folder), "--dry-run", "--json"]
    for words, arguments in (
        (["credit", METER, "2"], {"n": 5, "amount": 2 * UNIT}),
        (["refund", METER, "2"], {"n": 5, "amount": 2 * UNIT}),
        (["relay", METER, "arm"], {}),
        (["debt", METER, "5", "--id", "1"], None),
        (["assist", METER, "display"], None),
        (["config", "set", METER, "state_s", "60"], {"key": "state_s", "value": 60}),
        (["time", "set", METER, "--at", "2027-01-01T00:00Z"], {"unix": 1798761600}),
        (["tamper", "clear", METER], {}),
        (["ledger", "open", METER], {"credit": 4, "want": 0}),
        (
            ["ledger", "correct", METER, "--charge", "1", "--reason", "fee"],
            {"n": 1, "amount": -UNIT, "reason": "fee"},
        ),
    ):
        code, found, _ = run(capsys, *words, *where)
        assert (code, found["result"]) == (0, "not sent"), words
        assert found["bytes"] > 100
        if arguments is not None:
            assert json.loads(found["detail"])["a"] == arguments
    assert (folder / f"{METER}.counter").read_text() == "4\n"
    assert not (folder / f"{METER}.adjusted").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["refund", METER, "2"], "a refund takes money away: add --yes"),
        (["refund", METER, "-2", "--yes"], "No such option"),
        (["refund", METER, "2,5", "--yes"], "use a point for decimals"),
        (["refund", METER, "0", "--yes"], "is zero"),
        (["refund", METER, "1", "--n", "0", "--yes"], "vend number 0 is outside"),
        (["credit", METER, "ten", "--dry-run"], "digits and at most one point"),
        (["assist", METER, "all"], "'all' is not one of"),
        (["assist", METER, "live", "--for", "240"], "240 minutes is not from 1 to 239"),
        (["assist", METER, "live", "--for", "0"], "0 minutes is not from 1"),
        (["config", "set", METER, "never_cut", "1"], "cannot be set in the field: one of state_s"),
        (["config", "set", METER, "state_s", "0"], "state_s 0 is not from 1 to"),
        (["config", "set", METER, "state_s", "x"], "should be a valid integer"),
        (["time", "set", METER, "--at", "noon"], "--at must be a time with its offset"),
        (["ledger", "open", METER, "--balance", "1"], "it sets what a household has: add --yes"),
        (["ledger", "open", METER, "--balance", "x", "--yes"], "'x' is not a number"),
        (["ledger", "open", METER, "--credit", "-1", "--yes"], "from 0 on"),
        (["ledger", "open", METER, "--kid", "tariff.1", "--yes"], "tariff.1.pem: no such file"),
        (["ledger", "open", METER, "--root", "nowhere", "--yes"], "no such file"),
        (["ledger", "correct", METER, "--reason", "a"], "--give AMOUNT or --charge AMOUNT"),
        (
            ["ledger", "correct", METER, "--reason", "a", "--give", "1", "--charge", "1"],
            "one of them",
        ),
        (["ledger", "correct", METER, "--reason", "", "--give", "1"], "must be 1 to 60"),
        (["ledger", "correct", METER, "--reason", "a" * 61, "--give", "1"], "must be 1 to 60"),
        (["ledger", "correct", METER, "--reason", "a", "--charge", "1"], "a charge takes money"),
        (["ledger", "correct", METER, "--give", "1"], "Missing option '--reason'"),
        (["ledger", "correct", METER, "--reason", "a", "--give", "1", "--n", "-1"], "from 1 to"),
        (["ledger", "correct", METER, "--reason", "a", "--give", "1", "--n", "0"], "from 1 to"),
    ],
)
def test_what_cannot_be_asked_is_told(folder, capsys, words, said):
    where = ["--broker", "mqtt://127.0.0.1:9", "--keys", str(folder)]
    code, _, err = run(capsys, *words, *where)
    assert code in (1, 2)
    assert said in err
    assert "Traceback" not in err


def test_a_refusal_says_what_to_do(broker, folder, meter, tmp_path, capsys):
    keys.create(tmp_path / "other", METER)
    # The other keys read no hello of this meter: only a command without a challenge is answered.
    where = ["--broker", broker.url, "--keys", str(tmp_path / "other"), "--json"]
    order = vend.dry_run("credit", METER, "1", folder)
    assert order["n"] == 5
    with pytest.raises(VendError, match="may or may not have arrived"):
        vend.refund(METER, "1", broker.url, tmp_path / "other", timeout_s=1)
    assert meter.agent.journal.balance == 10_000_000_000
    assert until(lambda: meter.agent.desk.bad_signatures, WAIT_S)
    assert run(capsys, "refund", METER, "1", *where)[0] == 2


def test_a_meter_that_verified_another_document_is_asked_again(broker, folder):
    with Meter(broker.url, house_of(folder)) as running:
        documents = running.house.agent.documents
        busy = [False, False, True]  # twice the minute is taken
        documents.may_verify = lambda: busy.pop(0) if busy else True
        signer = signing.load(folder, "root.1")
        order = root_orders.correct(signer, 1, "1", None, "why")
        answer = orders.send(METER, order, broker.url, folder, WAIT_S)
        assert answer["result"] == "ok"
        assert not busy
