"""What every bus device promises (hal/contract.py), simulated or real. Portable.

An implementation has a bench, made like the three below, and a test that calls `keep_promises`.
"""

from wattledger.hal.errors import BusError
from wattledger.tests.both.fixtures_wires import Cells, Mirror, Talker

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    # No heap to lock here; MicroPython runs the same file.

    def heap_lock():
        pass

    def heap_unlock():
        pass


class SpiBench:
    """A Mirror and a device that reaches it."""

    refuses_lengths = True  # False: there is no bus file that could

    def __init__(self):
        self.chip = Mirror()
        self.device = self.reach(self.chip)


class I2cBench:
    """Cells behind a pointer of two bytes and a device that reaches them."""

    allocates = False

    def __init__(self):
        self.chip = Cells()
        self.device = self.reach(self.chip)


class UartBench:
    """A Talker and a device that reaches it."""

    def __init__(self):
        self.chip = Talker()
        self.device = self.reach(self.chip)

    def say(self, data):
        """The chip says bytes, and they have arrived when this returns."""
        self.chip.says += data

    def heard(self, count):
        """What the chip has heard so far: `count` bytes, or what there is of them in a second."""
        return self.chip.heard


class Promises:
    """Base of a contract: `check_...` methods on a fresh bench each."""

    def __init__(self, bench, case):
        self.bench = bench
        for check in ("assertEqual", "assertTrue", "assertRaises"):
            setattr(self, check, getattr(case, check))


class SpiPromises(Promises):
    def check_every_byte_goes_both_ways(self):
        bench = self.bench()
        out = bytearray(range(256))
        into = bytearray(256)
        bench.device.transfer(out, into)
        self.assertEqual(into, bytearray(range(255, -1, -1)))
        self.assertEqual(out, bytearray(range(256)))
        self.assertEqual(bench.chip.last(), "".join("%02x" % byte for byte in range(256)))

    def check_a_transfer_is_one_select(self):
        bench = self.bench()
        for length in (4, 1, 3, 4):
            bench.device.transfer(bytes(length), bytearray(length))
        self.assertEqual(list(bench.chip.frames()), [4, 1, 3, 4])

    def check_buffers_of_two_lengths_are_refused(self):
        bench = self.bench()
        if not bench.refuses_lengths:
            return
        for out, into in ((4, 3), (3, 4)):
            with self.assertRaises(BusError):
                bench.device.transfer(bytes(out), bytearray(into))
        self.assertEqual(list(bench.chip.frames()), [])

    def check_a_transfer_allocates_nothing(self):
        bench = self.bench()
        out = bytearray(b"\x01\x02\x03\x04")
        into = bytearray(4)
        for _ in range(16):  # as many as the chip remembers
            bench.device.transfer(out, into)
        heap_lock()
        try:
            bench.device.transfer(out, into)
        finally:
            heap_unlock()
        self.assertEqual(into, bytearray(b"\xfe\xfd\xfc\xfb"))


class I2cPromises(Promises):
    def check_the_register_pointer_goes_high_byte_first(self):
        bench = self.bench()
        bench.chip.poke(0x0102, 0x5A)
        bench.chip.poke(0x0201, 0xA5)
        into = bytearray(1)
        bench.device.read_into(0x0102, into)
        self.assertEqual(into, bytearray(b"\x5a"))

    def check_bytes_are_written_in_order_and_read_back(self):
        bench = self.bench()
        bench.device.write(0x01FE, b"\x00\x80\xff\x0a")
        self.assertEqual([bench.chip.peek(0x01FE + at) for at in range(4)], [0, 128, 255, 10])
        into = bytearray(3)
        bench.device.read_into(0x01FF, into)
        self.assertEqual(into, bytearray(b"\x80\xff\x0a"))
        bench.device.read_into(0x01FE, into)
        self.assertEqual(into, bytearray(b"\x00\x80\xff"))

    def check_a_missing_acknowledge_is_an_error_and_passes(self):
        bench = self.bench()
        bench.chip.poke(7, 9)
        bench.chip.silent = True
        into = bytearray(1)
        with self.assertRaises(BusError):
            bench.device.read_into(7, into)
        with self.assertRaises(BusError):
            bench.device.write(7, b"\x01")
        bench.chip.silent = False
        bench.device.read_into(7, into)
        self.assertEqual(into, bytearray(b"\x09"))

    def check_a_transfer_allocates_nothing(self):
        bench = self.bench()
        if bench.allocates:
            return
        into = bytearray(3)
        data = bytearray(b"\x01\x02\x03")
        bench.device.write(5, data)
        bench.device.read_into(5, into)
        data[0] = 4
        heap_lock()
        try:
            bench.device.write(5, data)
            bench.device.read_into(5, into)
        finally:
            heap_unlock()
        self.assertEqual(into, bytearray(b"\x04\x02\x03"))


class UartPromises(Promises):
    def check_silence_is_no_bytes_and_no_error(self):
        bench = self.bench()
        buffer = bytearray(b"ab")
        self.assertEqual(bench.device.read_into(buffer), 0)
        self.assertEqual(buffer, bytearray(b"ab"))

    def check_every_byte_arrives_as_it_was_said(self):
        bench = self.bench()
        bench.say(bytes(range(256)))
        buffer = bytearray(300)
        self.assertEqual(bench.device.read_into(buffer), 256)
        self.assertEqual(buffer[:256], bytearray(range(256)))

    def check_a_small_buffer_takes_its_share_and_leaves_the_rest(self):
        bench = self.bench()
        bench.say(b"abcde")
        buffer = bytearray(2)
        pieces = []
        for _ in range(4):
            count = bench.device.read_into(buffer)
            pieces.append(bytes(buffer[:count]))
        self.assertEqual(pieces, [b"ab", b"cd", b"e", b""])

    def check_a_frame_in_two_pieces_comes_as_it_arrives(self):
        bench = self.bench()
        buffer = bytearray(8)
        bench.say(b"\x55\x5a")
        self.assertEqual(bench.device.read_into(buffer), 2)
        self.assertEqual(bench.device.read_into(buffer), 0)
        bench.say(b"\x02")
        self.assertEqual(bench.device.read_into(buffer), 1)

    def check_every_byte_is_heard_as_it_was_written(self):
        bench = self.bench()
        bench.device.write(bytes(range(128)))
        bench.device.write(bytearray(range(128, 256)))
        self.assertEqual(bench.heard(256), bytes(range(256)))

    def check_silence_allocates_nothing(self):
        bench = self.bench()
        buffer = bytearray(8)
        heap_lock()
        try:
            count = bench.device.read_into(buffer)
        finally:
            heap_unlock()
        self.assertEqual(count, 0)


def keep_promises(case, contract, bench):
    """Hold `bench` (a class) to a contract above; `case` is a TestCase."""
    names = sorted(name for name in dir(contract) if name.startswith("check_"))
    case.assertEqual(len(names), 6 if contract is UartPromises else 4)
    for name in names:
        with case.subTest(promise=name):
            getattr(contract(bench, case), name)()
