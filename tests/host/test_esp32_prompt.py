"""Who has a serial line has no prompt: the frozen start of a release, and what ends it."""

import signal

import pytest

from wattledger.tests.host.esp32_prompt_bench import PROMPT, Line

# Ctrl-C, Ctrl-D, the raw prompt and its way back, raw paste, and words in between.
KEYS = b"\x03\x03\x04\x01\x05A\x01\r\nimport os\r\n\x04\x02\x03\x1a\x1c\x00" * 3
RESET = b"RESET"
READING = b"first reading: 2300000 mW\r\n"


def test_no_key_leads_to_a_prompt_of_a_commissioned_meter():
    with Line("good") as line:
        line.send(KEYS)  # while it starts
        assert line.hears([READING, PROMPT]), line.heard
        line.send(KEYS)
        said = line.stays_silent(0.5)
        assert PROMPT not in line.heard and b"raw REPL" not in line.heard, line.heard
        assert said == b"", said


def test_ctrl_c_is_no_exception_in_a_release():
    # The Unix port ends by the signal where its interpreter does not hear Ctrl-C; an ESP32 has
    # a byte that nobody reads.
    with Line("good", signals=True) as line:
        assert line.hears([READING, PROMPT]), line.heard
        line.send(b"\x03")
        assert line.code() == -signal.SIGINT
        assert PROMPT not in line.heard and b"KeyboardInterrupt" not in line.heard


def test_ctrl_c_gives_a_developer_the_prompt():
    # The Unix port raises it in the very middle of what it does, and dies of it in a collection.
    for _ in range(8):
        with Line("good", release=False, signals=True) as line:
            assert line.hears([READING]), line.heard
            line.send(b"\x03")
            if line.hears([PROMPT], 5):
                assert b"KeyboardInterrupt" in line.heard
                return
            assert b"FATAL" in line.heard, line.heard
    raise AssertionError("no prompt")


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("lost", b"no device.json: not provisioned"),
        pytest.param("emptied", b"no device.json: not provisioned", marks=pytest.mark.nightly),
        ("rotten", b"restarts after ConfigError"),
        ("no core", b"restarts after ImportError"),
    ],
)
def test_what_a_commissioned_meter_cannot_start_without_restarts_it(case, words):
    with Line(case) as line:
        assert line.hears([RESET, PROMPT]), line.heard
        assert words in line.heard and PROMPT not in line.heard, line.heard


def test_a_file_that_rotted_is_written_anew_from_its_copy():
    with Line("mended") as line:
        assert line.hears([READING, RESET, PROMPT]), line.heard
        assert b"it is written anew from its copy" in line.heard, line.heard
        assert READING in line.heard and PROMPT not in line.heard, line.heard


def test_the_safe_mode_pin_of_a_release_gives_no_prompt():
    with Line("safe mode") as line:
        line.send(KEYS)
        assert line.hears([READING, RESET, PROMPT]), line.heard
        assert READING in line.heard and PROMPT not in line.heard


@pytest.mark.parametrize("release", [True, False])
def test_a_new_board_has_a_prompt_to_be_provisioned(release):
    with Line("new", release) as line:
        assert line.hears([PROMPT]), line.heard
        assert b"no device.json: not provisioned" in line.heard
