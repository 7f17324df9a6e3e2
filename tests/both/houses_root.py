"""A board's own root, for MicroPython alone: this machine's file system moves out of its way.

An ESP32 has its littlefs in "/", beside whatever else is mounted: its ROMFS, its application.
"""

import os
import sys

import vfs

HOST = "/host"  # where this machine's files are from now on


def host(path):
    """The absolute path of a file of this machine."""
    return HOST + path


def give_way():
    """Free "/" for a board; what is imported later is still found. Once is enough."""
    try:
        os.stat(HOST + "/.")
        return
    except OSError:
        pass
    here = host(os.getcwd())
    machine = vfs.VfsPosix()
    vfs.umount("/")
    vfs.mount(machine, HOST)
    os.chdir(here)
    sys.path[:] = [_moved(path, here) for path in sys.path]
    for module in sys.modules.values():
        if hasattr(module, "__path__"):
            module.__path__ = _moved(module.__path__, here)


def _moved(path, here):
    """Where a folder of modules is now; what is frozen or a mount of its own stays."""
    if not path.startswith("/"):
        return path if path.startswith(".") else (here + "/" + path).rstrip("/")
    try:
        os.stat(path)
        return path
    except OSError:
        return host(path)
