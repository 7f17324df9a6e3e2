"""Frozen as `_boot.py`, in place of MicroPython's own, which loops or makes a file system anew.

Ctrl-C is off before anything of ours is imported; a build that is no release switches it on again
(start_esp32.py), so that only there somebody at the serial line ends this. Whatever else ends it
restarts a commissioned meter, a core that cannot be imported too: there is no prompt.
"""

import micropython

while True:
    try:
        micropython.kbd_intr(-1)  # Ctrl-C is a byte like any other
        break
    except KeyboardInterrupt:  # in this very moment
        pass
try:
    from wattledger.firmware import start_esp32  # noqa: F401
except (Exception, SystemExit) as error:
    import time

    import esp32
    import machine

    try:
        made = esp32.NVS("wattledger").get_i32("made")  # as boot.py says, which may be missing
    except OSError:
        made = 0
    if made != 1:
        raise
    print("restarts after %s: %s" % (type(error).__name__, error))
    time.sleep_ms(5000)
    machine.reset()
