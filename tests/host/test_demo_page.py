"""The demo as a person lives it, in a browser: credit ends, a top-up arms, a hold closes."""

import json
import re
import subprocess
import sys

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from wattledger.tests.host import display_bench as bench
from wattledger.tests.host.demo_process import ROOT, DemoProcess

pytestmark = pytest.mark.skipif(bench.CHROMIUM is None, reason="no chromium on PATH")

WAIT_MS = 30000


def run_topup(line):
    """Run the printed command as a shell would; its JSON."""
    assert line.split()[1:3] == ["credit", "demo-0001"]
    command = re.sub(r"^\S+", f"{sys.executable} -m wattledger.tools.cli", line)
    done = subprocess.run(
        command + " --json", shell=True, capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_credit_runs_out_a_topup_arms_and_a_hold_closes(tmp_path):
    load = tmp_path / "load.csv"
    load.write_text("t_s,watts\n0,2000\n86400,2000\n")
    # 2 kW in the valley band cost 0.62 an hour: 0.10 lasts about ten minutes of house time. The
    # friendly period ends at 06:00, when this world begins, and returns at 18:00.
    demo = DemoProcess(
        "--speed", 60, "--credit", "0.10", "--state", tmp_path / "state", "--load", load
    ).wait_ready()
    try:
        with bench.launched_browser() as browser:
            page = browser.new_page(locale="en-GB")
            page.goto(demo.said("display"))
            supply = page.locator("#supply")
            expect = bench.expect
            expect(page.locator("#power-now")).to_have_text("2.00 kW", timeout=WAIT_MS)
            expect(page.locator("#rate-band")).to_have_text(re.compile("valley", re.I))
            expect(supply).to_have_attribute("data-state", "connected")
            before = int(page.locator("#balance-amount").get_attribute("data-micro"))
            page.wait_for_function(
                "before => +document.getElementById('balance-amount').dataset.micro < before",
                arg=before,
                timeout=WAIT_MS,
            )

            expect(supply).to_have_attribute("data-state", "disconnected", timeout=WAIT_MS)
            expect(page.locator("#supply-reason")).to_contain_text(re.compile("credit", re.I))
            expect(page.locator("#power-now")).to_have_text("0 W", timeout=WAIT_MS)

            answer = run_topup(demo.said("topup"))
            assert answer["result"] == "ok"
            expect(supply).to_have_attribute("data-state", "ready", timeout=WAIT_MS)
            expect(page.locator("#power-now")).to_have_text("0 W")  # a top-up never closes

            hold = page.locator("#hold")
            expect(hold).to_be_enabled(timeout=WAIT_MS)
            hold.hover()
            page.mouse.down()
            expect(supply).to_have_attribute("data-state", "connected", timeout=WAIT_MS)
            page.mouse.up()
            expect(page.locator("#power-now")).to_have_text("2.00 kW", timeout=WAIT_MS)
        assert demo.interrupt() == 0, demo.errors
    finally:
        if demo.process.poll() is None:
            demo.kill(group=True)


def run_token(*arguments):
    """`wattledger token ... --json`; its JSON."""
    command = [sys.executable, "-m", "wattledger.tools.cli", "token", *map(str, arguments)]
    done = subprocess.run(
        [*command, "--json"], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_token_is_sold_typed_in_and_counts_once(tmp_path):
    state = tmp_path / "state"
    demo = DemoProcess("--credit", "5", "--state", state).wait_ready()
    try:
        to = ("demo-0001", "--keys", state / "keys")
        first, second = (run_token("vend", *to, "--kwh", kwh)["tokens"][0] for kwh in ("20", "10"))
        broker = ("--broker", demo.said("broker"), "--keys", state / "keys")
        with bench.launched_browser() as browser:
            page = browser.new_page(locale="en-GB")
            page.goto(demo.said("display"))
            expect = bench.expect
            amount = page.locator("#balance-amount")
            said = page.locator("#token-said")
            expect(amount).to_have_text(re.compile("¥4|¥5.00"), timeout=WAIT_MS)
            page.fill("#token-digits", " ".join(re.findall("....", first)))
            page.click("#token-form button")
            expect(said).to_have_text("Accepted", timeout=WAIT_MS)
            # 20 kWh at the tariff's 0.53 are 10.60; a few seconds cost less than a cent or two.
            expect(amount).to_have_text(re.compile("¥15[.]5|¥15[.]6"), timeout=WAIT_MS)
            page.fill("#token-digits", first)
            page.press("#token-digits", "Enter")
            expect(said).to_have_text("This token was used before", timeout=WAIT_MS)
            answer = run_token("enter", "demo-0001", first, *broker)
            assert answer["result"] == "duplicate"
            assert run_token("enter", "demo-0001", second, *broker)["result"] == "ok"
            expect(amount).to_have_text(re.compile("¥20[.][89]"), timeout=WAIT_MS)
        assert demo.interrupt() == 0, demo.errors
    finally:
        if demo.process.poll() is None:
            demo.kill(group=True)
