"""Random bytes of an ESP32's hardware generator (contract Entropy).

Source: ESP-IDF, Random Number Generation: they are truly random while the radio is on, which it
is before the first challenge is made, since a challenge is made for a link.
"""

import os


class Esp32Entropy:
    def fill(self, buffer):
        buffer[:] = os.urandom(len(buffer))
