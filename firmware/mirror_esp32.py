"""The highest sequence that proved itself, in an ESP32's NVS: a lost file system leaves it."""

KEY = "app_floor"
BYTES = 4


class NvsMirror:
    """`nvs` is an esp32.NVS; a new meter's holds nothing."""

    def __init__(self, nvs):
        self._nvs = nvs

    def read(self):
        """The sequence, 0 when none was ever kept."""
        data = bytearray(BYTES)
        try:
            if self._nvs.get_blob(KEY, data) != BYTES:
                return 0
        except OSError:
            return 0  # the key was never written
        return int.from_bytes(data, "big")

    def write(self, sequence):
        """Keep it. OSError."""
        self._nvs.set_blob(KEY, sequence.to_bytes(BYTES, "big"))
        self._nvs.commit()
