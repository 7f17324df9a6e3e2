"""Node.js for tests: its packages, installed once in .cache from tests/node's lock file."""

import fcntl
import hashlib
import shutil
import subprocess

import pytest

from wattledger.tests.micropython.staging import ROOT

SOURCE = ROOT / "tests" / "node"
LOCKED = ("package.json", "package-lock.json", ".npmrc")
OLDEST = 20
UNREACHABLE = ("ENOTFOUND", "ETIMEDOUT", "ECONNREFUSED", "ECONNRESET", "EAI_AGAIN", "ENETUNREACH")


def installed():
    """The folder with node_modules and our sources; skips where Node.js or its registry is not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no node and npm on PATH")
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST:
        pytest.skip("node is %s, the packages need %d" % (version.strip(), OLDEST))
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in LOCKED))
    folder = ROOT / ".cache" / ("node-" + digest.hexdigest()[:12])
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            _install(npm, folder)
            (folder / "done").touch()
    for source in SOURCE.glob("*.mjs"):
        shutil.copy(source, folder)
    return folder


def _install(npm, folder):
    for name in LOCKED:
        shutil.copy(SOURCE / name, folder)
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)
    if run.returncode:
        if any(word in run.stderr for word in UNREACHABLE):
            pytest.skip("the npm registry cannot be reached: %s" % run.stderr.strip()[:200])
        raise AssertionError("npm ci failed: " + run.stderr[-2000:])
