"""`wattledger doctor` and the computer: the user's groups, the service, the card, the pins."""

from importlib import metadata

import pytest

from wattledger.board import pi_ade7953, pi_atm90e32, pi_bl0942
from wattledger.firmware import parts_linux
from wattledger.hal.errors import HalError
from wattledger.tools import doctor_host, doctor_pins

SHOWN = "LoadState={}\nActiveState={}\nUnitFileState={}\nNRestarts={}\nResult={}\n"


def service(*values):
    found = doctor_host.service(lambda: SHOWN.format(*values))
    return found.state, found.found


def test_the_groups_of_the_boards_devices():
    def stands(board, *names):
        found = doctor_host.groups(board, lambda: ("meter", set(names)))
        return found.state, found.found, found.fix

    assert stands(pi_atm90e32, "spi", "i2c", "gpio") == ("ok", "meter is in spi, i2c, gpio", "")
    assert stands(pi_ade7953, "spi", "i2c", "gpio")[0] == "ok"
    fix = "sudo usermod -aG dialout,gpio meter, and log in again"
    assert stands(pi_bl0942, "spi", "i2c") == ("warn", "meter is not in dialout, gpio", fix)
    root = doctor_host.groups(pi_bl0942, lambda: ("root", {"root"}))
    assert root.state == "warn" and "sudo -u meter" in root.fix


def test_the_service_of_a_meter_that_is_well():
    found = service("loaded", "active", "enabled", "0", "success")
    assert found == ("ok", "active, started again 0 times")
    # As the doctor's readings want it.
    assert service("loaded", "inactive", "enabled", "2", "success")[0] == "ok"


@pytest.mark.parametrize(
    ("values", "state", "said"),
    [
        (("not-found", "inactive", "", "0", "success"), "warn", "is not installed"),
        (("loaded", "active", "disabled", "0", "success"), "warn", "does not start at boot"),
        (("loaded", "failed", "enabled", "3", "watchdog"), "fail", "3 times: watchdog"),
        (("loaded", "failed", "enabled", "0", "success"), "fail", "0 times"),
        (("loaded", "activating", "enabled", "9", "exit-code"), "fail", "9 times: exit-code"),
    ],
)
def test_the_service_of_a_meter_that_is_not(values, state, said):
    found = service(*values)
    assert found[0] == state and said in found[1]


def test_a_computer_without_systemd():
    assert doctor_host.service(lambda: None).state == "warn"


MOUNTS = """\
31 22 8:1 / /var/lib/my\\040disk rw,relatime - ext4 /dev/sda1 rw
22 1 179:2 / / rw,{root} shared:1 - ext4 /dev/mmcblk0p2 {super}
30 22 0:25 / /run rw,nosuid - tmpfs tmpfs rw,size=1g
"""


@pytest.mark.parametrize(
    ("folder", "root", "super_", "state", "said"),
    [
        ("/var/lib/wattledger", "noatime", "rw", "ok", "ext4 at /, rw,noatime"),
        ("/var/lib/my disk/x", "strictatime", "rw", "ok", "ext4 at /var/lib/my disk, rw,relatime"),
        ("/var/lib/wattledger", "strictatime", "rw", "warn", "each read writes"),
        # After an error ext4 is ro by itself: only the super options say so.
        ("/var/lib/wattledger", "noatime", "ro,errors=remount-ro", "fail", "nothing can be"),
        ("/run/x", "noatime", "rw", "fail", "a power cut loses the money"),
        ("/runaway", "noatime", "rw", "ok", "ext4 at /"),
    ],
)
def test_the_card_under_the_state(tmp_path, folder, root, super_, state, said):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(root=root, super=super_))
    found = doctor_host.mounted(doctor_host.Path(folder), mounts)
    assert found.state == state and said in found.found


def test_what_drives_the_pins(monkeypatch):
    class LGPIOFactory:
        chip = 0

    monkeypatch.setattr(parts_linux, "claim_pins", LGPIOFactory)
    monkeypatch.setattr(metadata, "version", lambda package: "2.0.1.post3")
    found = doctor_pins.factory()
    assert found.state == "ok"
    assert found.found == "driven by lgpio on /dev/gpiochip0, gpiozero 2.0.1.post3"
    # The releases of gpiozero's issues 1166 and 1229.
    for release in ("2.0.1", "2.0.1.post1", "2.0.1.post2"):
        monkeypatch.setattr(metadata, "version", lambda package, release=release: release)
        found = doctor_pins.factory()
        assert found.state == "warn" and "2.0.1.post3" in found.fix


def test_only_lgpio_drives_the_pins_of_a_pi_5(monkeypatch):
    gpiozero = pytest.importorskip("gpiozero")
    mock = pytest.importorskip("gpiozero.pins.mock")
    for revision, refused in (("c04170", True), ("a03111", False)):  # Pi 5 and Pi 4, 4 and 1 GB
        monkeypatch.setattr(gpiozero.Device, "pin_factory", mock.MockFactory(revision))
        monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "rpigpio")
        if refused:
            with pytest.raises(HalError, match="rpigpio does not drive the pins of a Pi 5"):
                parts_linux.claim_pins()
        else:
            assert parts_linux.claim_pins() is gpiozero.Device.pin_factory
        monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
        assert parts_linux.claim_pins() is gpiozero.Device.pin_factory
