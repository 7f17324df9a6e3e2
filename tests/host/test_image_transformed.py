"""The portable rooms do in an image what they do as they lie: their own tests say so, each run on
what a build makes of it and of all that it imports."""

import pytest

from wattledger.tests.host import transformed_bench as bench
from wattledger.tools.image.program import ImageError

# Each does what no image can be built from.
ASIDE = {
    "test_agent_retention": "__dict__ has other names in an image",
    "test_agent_retention_failed": "test_agent_retention.py:104: __dict__ has other names",
    "test_agent_view": "module events is used as a value",
    "test_firmware_chips": "module pi_atm90e32 is used as a value",
    "test_firmware_forget": "module backoff is used as a value",
    "test_firmware_main_bridge": "a module's name is set from another file",
    "test_hal_mqtt_client": "POLLOUT is a name of the class and of the file",
    "test_hal_mqtt_parser": "a module's name is set from another file",
    "test_hal_panel_esp32": "module esp32_bl0942 is used as a value",
    "test_hal_vfs": "a module's name is set from another file",
}
# A few seconds each, of every room; what some of them say an image once did otherwise.
ALWAYS = {
    *("test_agent_amounts", "test_agent_config", "test_agent_correction", "test_agent_cycle"),
    *("test_agent_dynamic", "test_agent_envelope", "test_agent_panel", "test_agent_rating"),
    *("test_agent_record", "test_agent_sts", "test_agent_watch", "test_firmware_slots"),
    *("test_hal_bl0942", "test_hal_mcp3208", "test_hal_wifi"),
}
RUN = [name for name in bench.files() if name not in ASIDE and not name.startswith("test_sim_")]


@pytest.mark.parametrize(
    "name",
    [each if each in ALWAYS else pytest.param(each, marks=pytest.mark.nightly) for each in RUN],
)
def test_a_program_says_what_it_said(name, count):
    done = bench.run(name)
    assert done.problem is None, done.output[-3000:]
    count(done.ran, "tests of an image's programs")


@pytest.mark.parametrize("name", ASIDE)
def test_what_is_put_aside_is_refused(name):
    with pytest.raises(ImageError, match=ASIDE[name]):
        bench.composed(name)
