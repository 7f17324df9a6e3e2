"""Names that somebody outside of an image knows: an interpreter, its libraries, an ESP32's port.

An attribute of ours that has such a name keeps it: where one is read, nobody can see from the
source whose object it is.
"""

import array
import ast
import asyncio
import binascii
import builtins
import collections
import errno
import functools
import gc
import hashlib
import importlib.util
import io
import json
import os
import random
import re
import select
import socket
import ssl
import struct
import sys
import time
from pathlib import Path

from wattledger.tools.image.known_esp32 import NAMES

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    *(array, asyncio, asyncio.streams, binascii, builtins, collections, errno, gc, hashlib, io),
    *(json, os, random, re, select, socket, ssl, struct, sys, time),
)
OBJECTS = (hashlib.sha256(), re.compile(""), struct.Struct("B"), iter(()), io.BytesIO())
# Of ssd1306, a library of MicroPython's.
SSD1306 = (
    *("contrast", "init_display", "invert", "poweroff", "poweron", "show"),
    *("write_cmd", "write_data"),
)
# The port's modules as the simulator and the benches play them.
PLAYED = (
    *("host_sim/esp32.py", "host_sim/flash.py", "host_sim/machine.py", "host_sim/network.py"),
    *("host_sim/ticks.py", "host_sim/wlan.py", "tools/bench/plain_port.py"),
)


@functools.cache
def outside() -> frozenset[str]:
    """All of them."""
    found = set(SSD1306)
    for names in NAMES.values():
        found.update(names.split())
    for module in MODULES:
        found.update(dir(module))
        for value in vars(module).values():
            if isinstance(value, type):
                found.update(dir(value))
    for thing in OBJECTS:
        found.update(dir(thing))
    for name in PLAYED:
        found |= named((ROOT / name).read_bytes())
    return frozenset(found)


def named(source: bytes) -> set[str]:
    """Attributes, functions, classes, arguments and imports that a source names."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.name)
    return found


def server() -> set[str]:
    """Of microdot, which calls the page and is called by it, where it lies beside an image."""
    found = importlib.util.find_spec("microdot")
    if found is None or found.origin is None:
        return set()  # an image with a page cannot be built then
    return named(Path(found.origin).with_name("microdot.py").read_bytes())
