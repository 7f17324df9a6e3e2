"""Random bytes of the operating system (contract Entropy)."""

import os


class OsEntropy:
    def fill(self, buffer):
        buffer[:] = os.urandom(len(buffer))
