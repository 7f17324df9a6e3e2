"""The start of a meter, which never leaves it: no `boot.py` or `main.py` that somebody put on the
flash runs, and there is no prompt. Imported by frozen_esp32.py, before any file of the flash.
"""

import socket
import ssl
import sys
import time

import esp32
import machine
import micropython
import network
import vfs

from wattledger.firmware import main_esp32
from wattledger.firmware.build import RELEASE
from wattledger.firmware.forget import loaded

if not RELEASE:
    micropython.kbd_intr(3)
kept = loaded()
# After the core: what only a boot needs is not among what is kept.
from wattledger.firmware import boot  # noqa: E402

found = boot.start(machine, esp32, vfs)
boot.enter(found, sys.modules, __import__, vfs.mount)
port = main_esp32.Modules(machine, esp32, vfs, time, network, socket, ssl)
del boot
main_esp32.main(found, port, kept=kept)
