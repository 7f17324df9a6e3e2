"""A house whose meter takes tokens, and a small vending side of its own. Test keys. Portable."""

from wattledger.agent.tokens import ea07, openpaygo, sts
from wattledger.agent.tokens.settings import base_unix
from wattledger.tests.both.fixtures_agent import START, House

KEY = b"\x95\xa8\x3d\xd7\x35\xe5\x9e\x55"
PAYGO_KEY = bytes(range(0x30, 0x40))
PAYGO_START = 123456789
BASE = 2014
NOW_TID = (START - base_unix(BASE)) // 60
MADE = START - 86400
KWH = 520000  # micro-units a kWh token is worth
STS = {"scheme": "sts", "ea": "07", "base": BASE, "made": MADE, "krn": 1, "kt": 2, "ken": 255}
PAYGO = {"scheme": "openpaygo", "start": PAYGO_START}
STS_CREDIT = 40000  # 4.0 kWh at 0.52 is 2.08


class TokenHouse(House):
    """Takes STS-format tokens under KEY, or what `token` and `token_key` say."""

    token_key = KEY

    def boot(self, tariff=None, cold=True):
        super().boot(tariff, cold)
        self.price_kwh()

    def price_kwh(self):
        tariff = self.agent.account.tariff or self.agent.account.pending
        tariff.kwh_credit = KWH

    def enter(self, digits):
        """Result number of a token at the desk."""
        said = None
        while said is None:
            said = self.agent.tokens.enter(digits)
        return said[0]


class PaygoHouse(TokenHouse):
    token_key = PAYGO_KEY


def sts_house(**changes):
    """A meter with EA07 and KEY, after a few seconds."""
    storage = changes.pop("storage", None)
    credit = changes.pop("credit", 10)
    house = TokenHouse(credit=credit, storage=storage, linked=True, token=dict(STS, **changes))
    house.run(3)
    house.price_kwh()
    return house


def paygo_house(**changes):
    """A meter that takes OpenPAYGO tokens."""
    storage = changes.pop("storage", None)
    house = PaygoHouse(storage=storage, linked=True, token=dict(PAYGO, **changes))
    house.run(3)
    return house


def encrypt(key, block):
    """EA07 the other way: its rounds from the last to the first."""
    key = ea07.bits_of(key)
    bits = ea07.bits_of(block)
    for turn in range(ea07.ROUNDS - 1, -1, -1):
        for at in range(0, 64, 4):
            table = ea07.SECOND if key[(at + turn) & 63] else ea07.FIRST
            ea07.substitute(bits, at, bytes([table.index(value) for value in range(16)]))
        moved = bytearray(64)
        for index, place in enumerate(ea07.COMES_FROM):
            moved[place] = bits[index]
        bits = moved
    return ea07.bytes_of(bits)


def seal(cls, data, key=KEY):
    """The 20 digits of 6 bytes of data."""
    tail = b"\1" if cls == 0 and data[0] >> 4 in (4, 5, 6, 7) else b""
    crc = sts.crc(bytes([cls]) + data + tail)
    block = data + bytes([crc & 255, crc >> 8])
    number = int.from_bytes(block if cls == 1 else encrypt(key, block), "big")
    return "%020d" % (number & ~(3 << 27) | cls << 27 | (number >> 27 & 3) << 64)


def token(tid, field=40, subclass=0, cls=0, rnd=5, key=KEY):
    """An STS-format token; 40 tenths of a kWh unless told."""
    head = bytes([subclass << 4 | rnd, tid >> 16, tid >> 8 & 255, tid & 255])
    return seal(cls, head + bytes([field >> 8, field & 255]), key)


def currency(tid, hundred_thousandths, key=KEY):
    """A token of at most 0.16383 of the currency; below zero it takes away."""
    sign = 8 if hundred_thousandths < 0 else 0
    return token(tid, abs(hundred_thousandths), sts.CURRENCY, 0, sign, key)


def paygo(count, value, key=PAYGO_KEY, start=PAYGO_START):
    """The OpenPAYGO token of 9 digits with this count and value."""
    tail = (start + value) % 1000
    code = start - start % 1000 + tail
    for _ in range(count):
        code = openpaygo.next_code(key, code, False)
    return "%09d" % (code - code % 1000 + tail)
