"""Starts the meter out of its release: what systemd runs, in the installed code.

    python -I -m wattledger.firmware.launch_linux --state DIR ROOT PROGRAM [WORD ...]

The start is counted, then this process becomes PROGRAM, with the release first on its import path.
Whatever goes wrong before that, the installed code runs: no update keeps a meter from measuring.
-I, so that no release has a say in this.
"""

import argparse
import os
import sys

from wattledger.firmware import release_linux
from wattledger.firmware.log_linux import Log
from wattledger.hal.storage.posix_linux import PosixStorage

DAMAGED = "WATTLEDGER_DAMAGED"  # the slots that were not started, for the journal
PATH = "PYTHONPATH"
# A compiled file beside the signed ones would be one that nobody signed.
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"


def prepared(root, state, environment, log):
    """The environment that the meter is started with; `environment` is left as it is."""
    made = dict(environment)
    made.pop(DAMAGED, None)
    try:
        slot, damaged = release_linux.start(root, PosixStorage(state), log.warning)
        made[DAMAGED] = "".join(damaged)
    except Exception as error:
        log.error("the installed code starts, for no release can be: %r" % error)
        return made
    if slot is None:
        log("no release: the installed code starts")
        return made
    log("the release in slot %s starts" % slot)
    before = made.get(PATH)
    tree = release_linux.tree(root, slot)
    made[PATH] = tree + os.pathsep + before if before else tree
    made[NO_BYTECODE] = "1"
    return made


def main(words=None):
    """Entry point; returns only when PROGRAM cannot be started."""
    parser = argparse.ArgumentParser(prog="launch_linux", description="Start the meter.")
    parser.add_argument("--state", required=True, help="folder of the meter's own files")
    parser.add_argument("root", help="folder of releases/ and current")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="what to start, with its words")
    options = parser.parse_args(words)
    if not options.program:
        parser.error("which program?")
    log = Log()
    environment = prepared(options.root, options.state, os.environ, log)
    try:
        os.execve(options.program[0], options.program, environment)
    except OSError as error:
        log.error("%s: %s" % (options.program[0], error.strerror))
    return 1


if __name__ == "__main__":
    sys.exit(main())
