#!/usr/bin/env python3
"""Run Wattledger from a clone: `python3 run.py demo`, `... test` or any command of `wattledger`.

Standard library only. Makes `.venv` beside itself on first use, installs what the command needs
and becomes that command. Needs no root and, once set up, no network.

This file must parse on any Python, so that an old one is told in one line: no f-strings.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "run.py: this is Python %d.%d; Wattledger needs 3.10 or newer. Run it with a newer one, "
        "for example: python3.12 run.py" % sys.version_info[:2]
    )

import hashlib
import json
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
# In .venv: OURS from its first moment, STAMP only while everything in it is installed.
OURS = os.path.join(VENV, "made-by-run.py")
STAMP = os.path.join(VENV, "installed.json")
LOCK = os.path.join(ROOT, ".venv.lock")
LOG = os.path.join(ROOT, ".venv.log")
WINDOWS = os.name == "nt"
BIN = os.path.join(VENV, "Scripts" if WINDOWS else "bin")
PYTHON = os.path.join(BIN, "python.exe" if WINDOWS else "python")
COMMAND = os.path.join(BIN, "wattledger.exe" if WINDOWS else "wattledger")

EXTRAS = {
    "bench": ("sim", "tools", "bench"),
    "sim": ("sim", "tools", "micropython"),
    "test": ("sim", "tools", "test"),
}
OTHER_EXTRAS = ("sim", "tools")
# Further extras for any command, in words: "pi" is what a meter on a Raspberry Pi needs.
MORE_EXTRAS = tuple(os.environ.get("WATTLEDGER_EXTRAS", "").split())

HELP = """\
usage: python3 run.py NAME [arguments]

  demo                   a simulated house with meter, broker, utility and a page in the browser
  test [pytest options]  every test, on CPython and MicroPython; --nightly adds the slow ones
  NAME                   any other command of `wattledger`; `run.py commands` lists them

The first use makes .venv beside this file and installs into it (network needed once).
`python3 run.py NAME --help` explains a command."""

UNREACHABLE = (
    "NewConnectionError",
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "name resolution",
    "Network is unreachable",
    "Connection refused",
    "ProxyError",
    "SSLError",
)


class SetupError(Exception):
    """The environment could not be made; the message says why and what to do."""


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP)
        return 0
    name = arguments[0]
    wanted = EXTRAS.get(name, OTHER_EXTRAS) + MORE_EXTRAS
    try:
        if not is_ready(wanted):
            with Lock() as lock:
                # Whoever held the lock before us may have done the work.
                if not is_ready(wanted):
                    set_up(wanted, lock)
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        say("could not set up %s: %s" % (VENV, error))
        return 1
    if name == "test":
        os.chdir(ROOT)
        # loadgroup: tests marked xdist_group share a worker, the rest go to whichever is free.
        become([PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadgroup"] + arguments[1:])
    if name == "commands":
        arguments = ["--help"]
    become([COMMAND] + arguments)
    return 0


def become(command):
    """Replace this process; on Windows, where that would free the console, wait and exit."""
    sys.stdout.flush()
    if not WINDOWS:
        os.execv(command[0], command)
    try:
        sys.exit(subprocess.call(command))
    except KeyboardInterrupt:
        sys.exit(130)


def description():
    """What a finished .venv must have been made from, but for the extras."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = hashlib.sha256(file.read()).hexdigest()
    # The folder: scripts and the editable install hold absolute paths. The interpreter: an
    # upgraded system Python leaves a .venv without its packages.
    return {"project": project, "folder": ROOT, "python": os.path.realpath(PYTHON)}


def read_stamp():
    try:
        with open(STAMP) as file:
            stamp = json.load(file)
        return stamp if isinstance(stamp, dict) else {}
    except (OSError, ValueError):
        return {}


def is_ready(extras):
    """True when .venv is whole, of this project file, and holds `extras`."""
    if not (os.path.exists(PYTHON) and os.path.exists(COMMAND)):
        return False
    stamp = read_stamp()
    return set(extras) <= set(stamp.pop("extras", ())) and stamp == description()


def set_up(extras, lock):
    """Make or complete .venv; the stamp is taken away first and written back last."""
    stamp = read_stamp()
    now = description()
    keep = os.path.exists(PYTHON) and all(stamp.get(k) == now[k] for k in ("folder", "python"))
    if keep:
        # Extras pile up, so that `demo` after `test` installs nothing.
        extras = sorted(set(extras) | set(stamp.get("extras", ())))
        os.remove(STAMP)
    else:
        put_away_old()
    say("setting up .venv for this (about a minute on a good connection)")
    if not keep:
        make_venv(lock)
    pip(
        [PYTHON, "-m", "pip"],
        ["install", "-e", "%s[%s]" % (ROOT, ",".join(extras))],
        lock,
    )
    if not os.path.exists(COMMAND):
        raise SetupError("the installation finished without %s; please report this" % COMMAND)
    stamp = description()
    stamp["extras"] = sorted(extras)
    with open(STAMP + ".new", "w") as file:
        json.dump(stamp, file)
    os.replace(STAMP + ".new", STAMP)


def put_away_old():
    """Clear the way: delete a half-made .venv of ours, move anybody else's aside."""
    if os.path.exists(OURS):
        shutil.rmtree(VENV)
    elif os.path.lexists(VENV):
        number = 1
        while os.path.lexists("%s.old%d" % (VENV, number)):
            number += 1
        os.rename(VENV, "%s.old%d" % (VENV, number))
        say("a .venv that run.py did not make was moved to .venv.old%d" % number)


def make_venv(lock):
    """A virtual environment with pip, also where the system has no ensurepip (Debian)."""
    os.mkdir(VENV)
    with open(OURS, "w") as file:
        file.write("run.py may delete this folder and make it again.\n")
    # In a Debian without python3-venv the module venv is there and ensurepip is not.
    bundled = run_quietly([sys.executable, "-c", "import ensurepip"], lock) is None
    options = [] if bundled else ["--without-pip"]
    problem = run_quietly([sys.executable, "-m", "venv"] + options + [VENV], lock)
    if problem is not None:
        raise SetupError("could not make .venv: %s" % problem)
    if bundled:
        return
    if run_quietly([sys.executable, "-m", "pip", "--version"], lock) is not None:
        raise SetupError(
            "this Python (%s) has neither ensurepip nor pip. Install one of them (on Debian and "
            "Ubuntu the package python3-venv or python3-pip) or use another Python"
            % sys.executable
        )
    folder = subprocess.check_output(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    pip([sys.executable, "-m", "pip"], ["install", "--target", folder.strip(), "pip"], lock)


def run_quietly(command, lock):
    """Run; None when it succeeds, else the last line it printed."""
    process = subprocess.Popen(command, **lock.pipes())
    lines = process.communicate()[0].strip().splitlines()
    if process.returncode == 0:
        return None
    return (lines or ["exit code %d" % process.returncode])[-1]


def pip(start, arguments, lock):
    """Run pip; on a terminal its latest line is shown in place. Raises SetupError."""
    options = ["--disable-pip-version-check", "--no-input", "--retries", "2"]
    process = subprocess.Popen(start + arguments[:1] + options + arguments[1:], **lock.pipes())
    lines = []
    terminal = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns - 1
    for line in process.stdout:
        lines.append(line.strip())
        if terminal:
            sys.stderr.write("\r%s\r" % lines[-1][:width].ljust(width))
            sys.stderr.flush()
    if terminal:
        sys.stderr.write("\r%s\r" % (" " * width))
    if process.wait() == 0:
        return
    if any(word in line for word in UNREACHABLE for line in lines):
        raise SetupError(
            "the package index could not be reached. Connect this machine, or set PIP_INDEX_URL "
            "to an index it can reach, and run this again"
        )
    with open(LOG, "w") as file:
        file.write("\n".join(lines) + "\n")
    raise SetupError(
        "pip could not install what is needed: %s\n  all that pip said is in %s"
        % (reason(lines), LOG)
    )


def reason(lines):
    """The line of pip's output that says most."""
    if "[end of output]" in lines[1:]:  # of a build that failed: its last words
        return lines[lines.index("[end of output]") - 1]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it said nothing"])[-1]


def say(text):
    """A line of progress; stdout belongs to the command that follows."""
    sys.stderr.write("run.py: %s\n" % text)
    sys.stderr.flush()


class Lock:
    """Keeps a second first run waiting until the first is done.

    A lock of the system, not a file that exists: it cannot outlive its holders. pip inherits it,
    so that a pip orphaned by `kill -9` is waited for and not raced.
    """

    def __enter__(self):
        self._file = open(LOCK, "a")
        if not self._take(wait=False):
            say("another run.py is setting up .venv; waiting for it")
            self._take(wait=True)
        return self

    def __exit__(self, *error):
        self._file.close()

    def pipes(self):
        """Arguments for subprocess: output as text in one stream, and the lock handed on."""
        options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
            "errors": "replace",
        }
        if not WINDOWS:
            options["pass_fds"] = (self._file.fileno(),)
        return options

    def _take(self, wait):
        if WINDOWS:
            return self._take_windows(wait)
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def _take_windows(self, wait):
        import msvcrt

        self._file.seek(0)
        while True:
            try:
                # LK_LOCK gives up after ten tries, one a second.
                mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK
                msvcrt.locking(self._file.fileno(), mode, 1)
                return True
            except OSError:
                if not wait:
                    return False


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
