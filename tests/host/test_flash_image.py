"""The image that `wattledger flash` builds: it runs from ROMFS, fits its board, and is always the
same bytes."""

import json
import subprocess
import sys

import pytest

from wattledger.tests.host import flash_bench
from wattledger.tools.errors import FlashError
from wattledger.tools.flash import image, manifest
from wattledger.tools.flash.layout import Layout
from wattledger.tools.flash.table import Table, blocks

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("flash_image")

SEGMENT = 16384
HASHES = (
    "import hashlib; from wattledger.tools.flash import image; "
    "made = image.build(%r, kept=%r); files = repr(sorted(made.files.items())).encode(); "
    "print(hashlib.sha256(files).hexdigest())"
)


def test_the_built_image_boots_and_meters_from_a_mounted_romfs():
    found = flash_bench.run("meters(%(slot)r)")
    assert found["root"].startswith("/rom/")
    assert found["slot"] == "a"
    assert found["missing"] is False and found["failures"] == 0
    # 2300 W for 60 s are 38.3 Wh; the first tick only sets the chip up.
    assert 37 <= found["import_wh"] <= 38
    assert abs(found["power"] - 2_300_000) < 23_000


LATE = [pytest.param(how, marks=pytest.mark.nightly) for how in ("no file", "torn", "rotten")]


@pytest.mark.parametrize("how", ["empty", "one bit", *LATE])
def test_a_core_without_an_application_measures_whatever_its_site_asks_for(how):
    found = flash_bench.run(f"alone(%(slot)r, {how!r})")
    assert found["slot"] is None
    assert 37 <= found["import_wh"] <= 38  # of 38.3 Wh, the last tick's may wait in the chip
    assert found["missing"] is False and not found["tokens"]
    assert found["failures"] == found["operations"] == 0
    for name in ("display", "token"):
        line = f"device.json: {name}: nothing here serves it, for there is no application"
        assert line in found["lines"], found["lines"]


def test_every_module_of_the_application_is_imported_from_its_slot():
    app = flash_bench.built().app
    names = sorted(
        "wattledger." + path.removesuffix(".mpy").removesuffix("/__init__").replace("/", ".")
        for path in app
        if path.endswith(".mpy") and "oled_esp32" not in path  # its ssd1306 is frozen
    )
    found = flash_bench.run(f"application(%(slot)r, {names!r})")
    assert found["failed"] == []
    assert found["file"].startswith("/slot/")
    english = app["hal/display/assets/i18n/en.json"]
    assert (found["lines"], found["bytes"]) == (len(english.split(b"\n")), len(english))
    assert found["magic"] == [0x1F, 0x8B]  # gzip


def test_the_start_returns_to_the_prompt_on_a_board_from_the_factory():
    assert flash_bench.run("starts_blank()") == {"slot": None, "new": True}


def test_45_days_and_two_applications_fit_a_real_littlefs_of_the_board():
    # 45 days of 96 intervals of 71 B and a day's 50 B are 308 970 B: 19 segments, and two more
    # that are kept free for money. The other files at sizes a meter has.
    others = [("slot.a", 110), ("slot.b", 110), ("cold.a", 300), ("cold.b", 300)]
    others += [("forecast", 400), ("tariff.active", 4096), ("tariff.next", 4096), ("kept", 18000)]
    others += [("site/%s" % name, 1000) for name in ("device.json", "ca.der", "client.der")]
    others += [("site/%s" % name, 500) for name in ("public_keys.json", "network.json", "x")]
    free = flash_bench.run(f"fills(%(slot)r, 21, {SEGMENT}, {others!r})")
    told = Table(flash_bench.built())
    assert told.free["vfs"] >= 0
    # The table keeps room for one more rewrite of the largest of them than what is written here.
    assert free * 4096 >= told.free["vfs"] + 5 * 4096


def test_a_file_of_littlefs_takes_a_block_for_its_pointers_when_it_is_just_full():
    # 4096 + 4092 + 4088 + 4092 = 16 368: block 1 has one pointer of 4 B, block 2 two, block 3 one
    assert [blocks(n) for n in (1, 4096, 4097, 8188, 8189, 16368, 16369)] == [1, 1, 2, 2, 3, 4, 5]


def test_an_image_that_does_not_fit_is_refused_by_name():
    made = flash_bench.built()
    large = image.Image(made.board, Layout("ota"), made.core, dict(made.app, more=bytes(40_000)))
    with pytest.raises(FlashError, match=r"^vfs: \d+ bytes too many .*application a"):
        Table(large).check()
    with pytest.raises(FlashError, match=r"^ota_0: 1 bytes too many"):
        Table(made, 0x180000 + 1).check()
    Table(made, 0x180000).check()


def test_the_same_sources_give_the_same_bytes_in_another_process():
    import hashlib

    done = subprocess.run(
        [sys.executable, "-c", HASHES % (flash_bench.BOARD, flash_bench.asked())],
        env={"PYTHONHASHSEED": "7", "PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": "1"},
        cwd=str(image.device.ROOT),
        capture_output=True,
        text=True,
    )
    here = repr(sorted(flash_bench.built().files.items())).encode()
    assert done.stdout.strip() == hashlib.sha256(here).hexdigest(), done.stderr[-500:]


def test_only_the_board_s_own_driver_is_in_its_core():
    core = flash_bench.built().core
    assert not [path for path in core if "ade7953" in path or "bl0942" in path]
    assert [path for path in core if path.startswith("wattledger/board/esp32")] == [
        "wattledger/board/esp32_atm90e32.mpy"
    ]


def test_a_room_of_the_application_lies_in_the_slot_alone():
    made = flash_bench.built()
    rooms = ("agent/display/", "agent/tokens/", "hal/display/", "hal/network/")
    found = [path for path in made.core if path.removeprefix("wattledger/").startswith(rooms)]
    assert {path.rsplit("/", 1)[1] for path in found} == {"__init__.mpy"}
    for room in rooms:
        assert [path for path in made.app if path.startswith(room)]


def test_no_secret_and_no_file_of_a_site_is_in_an_image():
    for path in flash_bench.built().files:
        assert not path.endswith((".key", ".der", ".pem", "device.json")), path


def test_a_package_that_names_what_is_not_there_is_refused():
    files = flash_bench.built().files
    manifest.check_package(files["package.json"], files)
    for urls in (
        [["app/a/x.rom", "app/x.rom"]],
        [["../x", "app/app.rom"]],
        [["app/a/y", "app/app.rom"], ["app/a/y", "app/app.rom"]],
    ):
        with pytest.raises(FlashError):
            manifest.check_package(json.dumps({"urls": urls}).encode(), files)


def test_the_manifest_freezes_files_that_are_there():
    files = flash_bench.built().files
    seen = []
    calls = {
        "include": lambda path: None,
        "require": lambda name: seen.append(name),
        "freeze": lambda folder, script=None: seen.append(
            [path for path in files if path.startswith(folder + "/" + (script or ""))]
        ),
    }
    exec(files["manifest.py"], calls)  # noqa: S102  MicroPython's build runs it so
    assert seen[:2] == ["ssl", "ssd1306"]
    assert seen[2] == ["frozen/_boot.py"] and len(seen[3]) == len(flash_bench.built().core)
