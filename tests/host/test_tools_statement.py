"""`wattledger statement`: a month of a house against plain dicts and loops, and what it shows."""

import datetime
import json
import re
from html.parser import HTMLParser

import pytest

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.ledger import commission
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.host import statement_bench as bench
from wattledger.tests.host.meter_bench import FROM, METER, HandJournal, House, charged
from wattledger.tools import cli, statement, statement_json
from wattledger.tools.statement_words import LANGUAGES

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("tools_statement")

BANDS = ("valley", "flat", "peak")


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """(folder, the plain engine's list of (local date, what, Wh, nano))."""
    folder = tmp_path_factory.mktemp("month")
    made = bench.Month(folder)
    return folder, made.plain.moved, made.journal


def report(folder, start=None, until=None, month=None):
    return statement_json.report(statement.collect(folder, start, until, month))


def run(capsys, *arguments):
    code = cli.run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_every_total_is_the_plain_engines_to_the_nano_unit(month):
    folder, moved, journal = month
    found = report(folder)
    assert found["opening_nano"] == 0
    assert found["closing_nano"] == journal.balance == sum(nano for *_, nano in moved)
    assert found["explained_nano"] == found["change_nano"] == journal.balance
    assert found["import_wh"] == sum(wh for _, _, wh, _ in moved)
    expected = {}
    for _, what, wh, nano in moved:
        if wh:
            sums = expected.setdefault(what, [0, 0])
            sums[0] += wh
            sums[1] += nano
    shown = {
        (line["band"], line["block"], not line["fallback"]): [line["wh"], line["amount_nano"]]
        for line in found["lines"]
    }
    assert shown == expected
    assert len({block for _, block, _ in shown}) == 3  # the month passes both block edges
    for kind in ("opening", "credit", "standing"):
        amounts = [nano for _, what, _, nano in moved if what == kind]
        assert found["posted"][kind] == {"entries": len(amounts), "amount_nano": sum(amounts)}


def test_every_day_is_the_plain_engines(month):
    folder, moved, _ = month
    days = report(folder)["days"]
    balance = 0
    for day in days:
        mine = [line for line in moved if line[0] == day["date"]]
        assert day["opening_nano"] == balance
        balance += sum(nano for *_, nano in mine)
        assert day["closing_nano"] == balance
        assert day["explained_nano"] == day["change_nano"]
        assert day["import_wh"] == sum(wh for _, _, wh, _ in mine)
        energy = {}
        for _, what, wh, nano in mine:
            if wh:
                energy[what] = energy.get(what, 0) + nano
        shown = {
            (line["band"], line["block"], not line["fallback"]): line["amount_nano"]
            for line in day["lines"]
        }
        assert shown == energy
        for line in day["lines"]:
            assert line["amount_nano"] == -line["wh"] * line["price"]
            assert line["band_name"] == BANDS[line["band"]]
    assert [day["date"] for day in days] == sorted({line[0] for line in moved})


def test_a_month_is_that_of_the_tariffs_zone_and_months_meet(month):
    folder, moved, journal = month
    january, february = (report(folder, month=text) for text in ("2027-01", "2027-02"))
    assert (january["from"], january["to"]) == (
        "2027-01-01T00:00:00+08:00",
        "2027-02-01T00:00:00+08:00",
    )
    assert january["closing_nano"] == february["opening_nano"]
    assert january["closing_nano"] == sum(nano for date, *_, nano in moved if date < "2027-02")
    assert february["closing_nano"] == journal.balance
    assert january["last_sequence"] + 1 == february["first_sequence"]


def test_any_period_adds_up_to_its_days_in_the_plain_engine(month):
    folder, moved, _ = month
    for start, until in (("2027-01-15", "2027-01-16"), ("2027-01-20", "2027-02-03")):
        found = report(folder, start, until)
        expected = sum(nano for date, *_, nano in moved if start <= date < until)
        assert found["change_nano"] == found["explained_nano"] == expected


def test_times_may_be_local_or_unix(month):
    folder, *_ = month
    unix = int(datetime.datetime(2027, 1, 15, 18, 30, tzinfo=bench.CHINA).timestamp())
    by_unix = report(folder, str(unix), str(unix + 5400))
    by_local = report(folder, "2027-01-15T18:30", "2027-01-15 20:00:00")
    assert by_unix == by_local
    assert len(by_unix["days"]) == 1


def test_cuts_gaps_fallback_and_estimates_are_told(month):
    folder, moved, _ = month
    found = report(folder)
    credits = [posting for posting in found["postings"] if posting["kind"] == "credit"]
    assert [posting["reference"] for posting in credits] == list(range(1, len(credits) + 1))
    assert len(found["cuts"]) == len(credits) >= 1
    for cut, credit in zip(found["cuts"], credits, strict=True):
        assert (cut["reasons"], cut["cause"], cut["openings"]) == (["no credit"], "credit", 1)
        assert cut["credit_exhausted"] == cut["opened"] < cut["closed"] == credit["time"]
        assert cut["balance_nano"] // 1000 == cut["available_micro"] <= 0
        assert credit["balance_nano"] - credit["amount_nano"] == cut["balance_nano"]
    assert len(found["gaps"]) == found["estimated"]["intervals"] >= 1
    for gap in found["gaps"]:
        first, last = (datetime.datetime.fromisoformat(gap[key]) for key in ("from", "to"))
        assert (last - first, gap["meter_off"]) == (datetime.timedelta(hours=2), True)
    unsynced = [line for line in moved if line[2] and not line[1][2]]
    assert found["fallback"] == {
        "wh": sum(wh for _, _, wh, _ in unsynced),
        "amount_nano": sum(nano for *_, nano in unsynced),
    }
    assert found["estimated"]["wh"] == found["fallback"]["wh"]
    assert found["events"]["started"] == len(found["gaps"])


def test_the_json_has_these_keys_and_no_others(month):
    found = report(month[0])
    assert found["form"] == 1
    assert set(found) == {
        "form", "meter", "currency", "from", "to", "from_unix", "to_unix", "first_sequence",
        "last_sequence", "head_hash", "opening_nano", "closing_nano", "change_nano",
        "explained_nano", "import_wh", "export_wh", "uncharged_wh", "import_nano", "export_nano",
        "posted", "lost_nano", "lines", "opening_micro", "closing_micro", "fallback", "estimated",
        "tariffs", "days", "postings", "cuts", "gaps", "events",
    }  # fmt: skip
    assert set(found["lines"][0]) == {
        "n", "band", "band_name", "block", "export", "dynamic", "fallback", "net", "unpriced",
        "wh", "price", "amount_nano",
    }  # fmt: skip
    assert (found["meter"], found["currency"]) == (METER, "CNY")
    assert found["head_hash"] == month[2].hash.hex()


def test_bands_of_a_tariff_that_is_not_here_have_numbers_and_it_is_said(tmp_path, capsys):
    made = HandJournal(tmp_path)
    made.append(records.TARIFF, FROM, 0, payloads.pack_tariff(1, b"d" * 32, "demo"))
    made.interval(FROM, FROM + 900, 100, 30)
    found = report(tmp_path)
    assert [(line["band"], line["band_name"]) for line in found["lines"]] == [(0, None)] * 2
    assert found["currency"] is None
    code, text, _ = run(capsys, "statement", tmp_path)
    assert code == 0
    assert "band 0 · export" in text
    assert "Times are UTC" in text and "Tariff n 1 is not in the state directory" in text
    assert "2027-01-11T22:00:00Z to 2027-01-11T22:15:00Z" in text


def test_the_text_shows_the_balances_and_says_that_it_adds_up(month, capsys):
    folder, *_, journal = month
    code, text, errors = run(capsys, "statement", folder)
    assert (code, errors) == (0, "")
    whole, rest = divmod(journal.balance, 10**9)
    assert f"{whole}.{rest:09d}".rstrip("0") in text
    assert "add up to the change of the balance exactly" in text
    assert "no credit" in text
    code, text, _ = run(capsys, "statement", folder, "--lang", "zh", "--month", "2027-01")
    assert code == 0 and "用电账单" in text and "余额不足" in text


class Page(HTMLParser):
    """The tags, what they point to, and the text of a page; complains of tags left open."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.pointers, self.open = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "br", "rect", "path"):
            self.open.append(tag)
        self.pointers += [value for name, value in attrs if name in ("src", "href", "srcset")]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_one_file_without_script_or_anything_from_outside(month, tmp_path, language):
    out = tmp_path / "statement.html"
    arguments = ["statement", str(month[0]), "--format", "html", "--lang", language]
    assert cli.run([*arguments, "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    page = Page(text)
    assert page.pointers == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import", text)
    assert "default-src 'none'" in text and f'<html lang="{language}">' in text
    shown = "".join(page.words)
    for words in ("title", "closing_balance", "by_day", "cuts", "exact"):
        assert LANGUAGES[language][words] in shown


def test_the_page_shows_exact_amounts_and_a_bar_for_each_band_of_a_day(month, tmp_path):
    folder, moved, _ = month
    out = tmp_path / "statement.html"
    assert cli.run(["statement", str(folder), "--format", "html", "--out", str(out)]) == 0
    page = Page(out.read_text(encoding="utf-8"))
    shown = "".join(page.words)
    for day in report(folder)["days"]:
        assert day["date"] in shown
        whole, rest = divmod(abs(day["closing_nano"]), 10**9)
        sign = "−" if day["closing_nano"] < 0 else ""
        assert f"{sign}{whole}.{rest:09d}"[: -9 + 5] in shown
    bars = {(date, what[0]) for date, what, wh, _ in moved if wh}
    assert page.tags.count("rect") == len(bars) + 1  # and the mark's ground


def test_a_meter_id_cannot_put_markup_into_the_page(tmp_path):
    storage = PosixStorage(tmp_path, durable=False)
    commission(storage, "<i>&", FROM, TRUST_SYNCED, 5, 2)
    out = tmp_path / "s.html"
    assert cli.run(["statement", str(tmp_path), "--format", "html", "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    assert "&lt;i&gt;&amp;" in text and "<i>&" not in text


def test_both_languages_have_every_word():
    assert set(LANGUAGES["en"]) == set(LANGUAGES["zh"])
    assert set(LANGUAGES["en"]["kinds"]) == set(LANGUAGES["zh"]["kinds"])
    for key, text in LANGUAGES["en"].items():
        if isinstance(text, str):
            fields = re.findall(r"\{\w+\}", text)
            assert sorted(fields) == sorted(re.findall(r"\{\w+\}", LANGUAGES["zh"][key])), key


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "yesterday"], "--from: must be a local date"),
        (["--from", "2027-02-30"], "there is no date 2027-02-30"),
        (["--to", "2027-02-03T25:00"], "there is no such time of day"),
        (["--from", "2027-02-03", "--to", "2027-02-03"], "--to: must be later than --from"),
        (["--month", "2027-13"], "--month: must be a year and a month"),
        (["--month", "2027-01", "--to", "2027-02-01"], "stands for --from and --to"),
    ],
)
def test_a_period_that_is_none_is_wrong_usage(month, capsys, arguments, said):
    code, out, errors = run(capsys, "statement", month[0], *arguments)
    assert (code, out) == (2, "")
    assert said in errors and len(errors.splitlines()) <= 2


def test_a_folder_without_a_journal_is_an_error(tmp_path, capsys):
    code, out, errors = run(capsys, "statement", tmp_path)
    assert (code, out) == (1, "")
    assert "holds no journal" in errors


def test_a_damaged_journal_is_shown_as_far_as_it_goes_and_fails(tmp_path, capsys):
    made = HandJournal(tmp_path)
    for start in range(FROM, FROM + 4 * 900, 900):
        made.interval(start, start + 900, 10)
    path = sorted(tmp_path.glob("j*"))[-1]
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    code, out, errors = run(capsys, "statement", tmp_path, "--format", "json")
    assert code == 1 and "entry" in errors
    found = json.loads(out)
    assert found["explained_nano"] == found["change_nano"]


def test_a_period_without_entries_says_so(month, capsys):
    code, out, _ = run(capsys, "statement", month[0], "--from", "2028-01-01")
    assert code == 0 and "no entry in this period" in out


def test_a_real_meters_journal_with_power_cuts_and_old_segments_gone_still_adds_up(tmp_path):
    house = House(tmp_path, bench.DEMO)
    house.live(20 * 3600, seed=3)
    whole = report(tmp_path)
    assert whole["opening_nano"] == 0
    assert whole["closing_nano"] == whole["explained_nano"] == 10**12 - charged(tmp_path)
    assert whole["posted"]["standing"] == {"entries": 1, "amount_nano": -120_000_000}
    assert whole["events"]["started"] > 2
    segments = sorted(tmp_path.glob("j*"))
    for path in segments[: len(segments) // 2]:
        path.unlink()
    rest = report(tmp_path)
    assert rest["meter"] == METER
    assert rest["first_sequence"] == int(segments[len(segments) // 2].name[1:])
    assert rest["closing_nano"] == whole["closing_nano"]
    assert rest["change_nano"] == rest["explained_nano"] < 0
    assert (rest["lost_nano"], rest["currency"]) == (0, "CNY")
    assert {line["band_name"] for line in rest["lines"]} <= set(BANDS)
