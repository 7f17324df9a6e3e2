"""Applications for meters: signed into a release folder, and read back from one.

RELEASE/manifest    the signed manifest (firmware/manifest.py)
RELEASE/...         the files it lists, and no others
"""

import hashlib
import json
import shutil
from pathlib import Path

from wattledger.firmware import manifest as manifests
from wattledger.firmware.errors import UpdateError as DeviceError
from wattledger.firmware.fetch import PART_BYTES
from wattledger.firmware.manifest import Manifest, Signature, is_path, payload_of
from wattledger.firmware.slot_files import NAME
from wattledger.tools import signing
from wattledger.tools.errors import UpdateError

APP = "wattledger"
FIRMWARE_KID = "firmware.1"
CORE_ROM = "image.rom"  # the core in an image's folder (tools/flash/image.py)


class Release:
    """A release folder whose files are as its manifest says; `manifest` as the device reads it."""

    def __init__(self, folder: Path, message: bytes, manifest: Manifest) -> None:
        self.folder = folder
        self.message = message
        self.manifest = manifest
        self.sequence: int = manifest.sequence

    def part(self, file: int, at: int) -> bytes | None:
        """What lies at `at` of file 0 (the manifest) or of the list's from 1 on; None for a file
        or a place that it does not have."""
        if file == 0:
            content = self.message
        elif 1 <= file <= len(self.manifest.files):
            content = (self.folder / self.manifest.files[file - 1].path).read_bytes()
        else:
            return None
        return content[at : at + PART_BYTES] if 0 <= at <= len(content) else None


def sign(
    source: Path,
    out: Path,
    signer: signing.Signer,
    sequence: int,
    hw_class: str,
    version: str,
    min_core: int = manifests.CORE,
) -> Release:
    """Copy the files below `source` into the new folder `out` with a signed manifest."""
    files = _files(source)
    payload = {
        "app": APP,
        "files": [
            {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for path, data in sorted(files.items())
        ],
        "hw_class": hw_class,
        "min_core": min_core,
        "seq": sequence,
        "version": version,
    }
    data = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
    message = signer.sign(data)
    try:
        found = Manifest(data, manifests.limits(hw_class))
    except DeviceError as error:
        raise UpdateError(f"{source}: {error}") from None
    most, _ = manifests.limits(hw_class)
    if len(message) > most:
        raise UpdateError(f"{source}: its manifest has {len(message)} bytes, {most} fit the meter")
    if out.exists():
        raise UpdateError(f"{out}: exists already; a release is made once, in a folder of its own")
    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    for path, content in files.items():
        (new / path).parent.mkdir(parents=True, exist_ok=True)
        (new / path).write_bytes(content)
    (new / NAME).write_bytes(message)
    new.rename(out)
    return Release(out, message, found)


def check_core(source: Path, core: Path) -> None:
    """UpdateError unless `source`, the folder `app` of an image, was built beside the core in
    `core`: an image's folder or its image.rom. Names are shortened over both, so they belong
    together byte by byte."""
    own = source.resolve().parent / CORE_ROM
    if not own.is_file():
        raise UpdateError(
            f"{source}: has no {CORE_ROM} beside it to compare; sign the folder app in what "
            "`wattledger flash --out` wrote"
        )
    other = core / CORE_ROM if core.is_dir() else core
    try:
        is_same = own.read_bytes() == other.read_bytes()
    except OSError as error:
        raise UpdateError(
            f"{other}: cannot be read ({error.strerror}); --core is what `wattledger flash --out` "
            "wrote when the meters were flashed"
        ) from None
    if not is_same:
        raise UpdateError(
            f"{source}: was built beside another core than {other}: a meter would leave it\n"
            "build it again from the sources of that core, changed in the application's rooms "
            "alone, with the same --board and --release; what needs a change of the core needs "
            "the cable"
        )


def load(folder: Path, public_keys: dict[str, bytes] | None = None) -> Release:
    """Read a release folder; UpdateError when a file is not as signed, or nobody of `public_keys`
    (None: not asked) signed it."""
    try:
        message = (folder / NAME).read_bytes()
        most = max(manifests.LIMITS.values())  # the meter holds it against its own
        found = Manifest(payload_of(message), most)
        if public_keys is not None:
            _check(Signature(message, public_keys, most[0]))
    except OSError as error:
        raise UpdateError(f"{folder / NAME}: cannot be read ({error.strerror})") from None
    except DeviceError as error:
        raise UpdateError(f"{folder / NAME}: {error}") from None
    files = _files(folder, (NAME,))
    listed = {file.path: file for file in found.files}
    for path in sorted(set(files) ^ set(listed)):
        raise UpdateError(f"{folder / path}: is in one of folder and manifest only")
    for path, data in files.items():
        if len(data) != listed[path].size or hashlib.sha256(data).digest() != listed[path].digest:
            raise UpdateError(f"{folder / path}: is not as it was signed")
    return Release(folder, message, found)


def _check(signature: Signature) -> None:
    good = None
    while good is None:
        good = signature.work()
    if not good:
        raise DeviceError(manifests.NOT_SIGNED, "wrong signature")


def _files(folder: Path, apart: tuple[str, ...] = ()) -> dict[str, bytes]:
    if not folder.is_dir():
        raise UpdateError(f"{folder}: no such folder")
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise UpdateError(f"{path}: is no plain file; put its content there")
        if path.is_dir() or name in apart:
            continue
        if not is_path(name):
            raise UpdateError(
                f"{path}: a path is of a-z, 0-9, _, -, . and /, at most {manifests.MOST_PATH} "
                "letters, and not the manifest's"
            )
        found[name] = path.read_bytes()
    if not found:
        raise UpdateError(f"{folder}: holds no file")
    return found
