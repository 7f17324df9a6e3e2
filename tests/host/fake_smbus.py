"""An I2C bus with smbus2's methods onto simulated chips, for libraries that take one."""

import errno


class FakeSMBus:
    """`chips` by address; `longest` is the longest transfer in bytes, without the address."""

    def __init__(self, chips):
        self.chips = chips
        self.longest = 0
        self.closed = False

    def write_i2c_block_data(self, address, register, data):
        if len(data) > 32:
            raise ValueError("SMBus takes 32 bytes")
        self._write(address, bytes([register, *data]))

    def read_byte(self, address):
        into = bytearray(1)
        if address not in self.chips or not self.chips[address].i2c_read(into):
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        return into[0]

    def _write(self, address, data):
        self.longest = max(self.longest, len(data))
        if address not in self.chips or not self.chips[address].i2c_write(data):
            raise OSError(errno.EREMOTEIO, "Remote I/O error")

    def close(self):
        self.closed = True
