"""The simulated `machine`, under that name, for the ESP32's files.

On MicroPython it lies on the path in place of the built-in one; CPython has none of that name.
"""

import sys

from wattledger.host_sim import machine

sys.modules.setdefault("machine", machine)
