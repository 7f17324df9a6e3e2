"""What a small screen costs a device: nothing where there is none, else little heap."""

import pytest

from wattledger.tools.bench import device, heap

SCREEN = (
    "wattledger.agent.display.screens",
    "wattledger.agent.display.panel",
    "wattledger.hal.display.glass",
)
LANGUAGE = {
    "en": ("wattledger.agent.display.words_en",),
    "zh": ("wattledger.agent.display.words_zh", "wattledger.agent.display.glyphs_zh"),
}
# Of the 64-bit build, where an object takes twice the bytes of an ESP32, from ROMFS.
LIMIT = 20 * 1024


def test_a_meter_without_a_small_screen_loads_none_of_it():
    loaded = set(device.modules_of(*heap.CORE))
    drawn = set(device.modules_of(*SCREEN, *LANGUAGE["zh"], *LANGUAGE["en"]))
    ours = {name for name in drawn if ".display." in name}
    assert len(ours) >= 9
    assert not loaded & ours


@pytest.mark.nightly
@pytest.mark.parametrize("language", LANGUAGE)
def test_modules_of_a_screen_fit(language, tmp_path):
    if device.mpy.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    wanted = SCREEN + LANGUAGE[language]
    modules = device.modules_of(device.PROGRAMS, *heap.CORE, *wanted)
    names = list(device.modules_of(*heap.CORE))
    names += [n for n in device.modules_of(*wanted) if n not in names]
    tree = tmp_path / "tree"
    device.stage(modules, tree, page=False)
    rom = tmp_path / "tree.rom"
    rom.write_bytes(device.image_of(tree))
    costs = dict(zip(names, device.Device(tree, rom).run("imports", names)["costs"], strict=True))
    ours = {n: c for n, c in costs.items() if n not in device.modules_of(*heap.CORE)}
    assert sum(ours.values()) < LIMIT, ours
