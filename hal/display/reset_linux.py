"""The button held while the meter starts: somebody at the meter wants the label's PIN back."""

import time

HOLD_S = 5
LOOK_S = 0.1


def is_held(button, sleep=time.sleep):
    """True when `button` (contract Page) is down now and for the next 5 s; at once if it is up."""
    if button is None or button.request() != ("press",):
        return False
    for _ in range(int(HOLD_S / LOOK_S)):
        sleep(LOOK_S)
        if button.request() == ("release",):
            return False
    return True
