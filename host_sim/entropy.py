"""Random bytes that are the same at every run. Portable; never for a real meter."""

import hashlib


class SeededEntropy:
    """The Entropy of hal/contract.py from a seed: SHA-256 of seed and block number."""

    def __init__(self, seed):
        self._seed = str(seed)
        self._block_number = 0
        self._block = b""

    def fill(self, buffer):
        """Fill a bytearray with the next bytes of the sequence."""
        for index in range(len(buffer)):
            if not self._block:
                text = self._seed + ":" + str(self._block_number)
                self._block = hashlib.sha256(text.encode()).digest()
                self._block_number += 1
            buffer[index] = self._block[0]
            self._block = self._block[1:]
