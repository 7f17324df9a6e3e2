"""STS-format tokens: 20 digits, 66 bits, as IEC 62055-41 lays them out. Pure decoding.

    block, bits 63..0: subclass 4 | random 4 | TID 24 | amount 16 | CRC 16
    token = the encrypted block with its class in bits 28..27, whose own bits come on top

Class 1 is not encrypted. A format decoder for test keys; no claim of compliance.
"""

from wattledger.agent.tokens.results import CRC, FORMAT, FUNCTION, TokenError

DIGITS = 20
LIMIT = 1 << 66

CREDIT, TEST, MANAGEMENT = 0, 1, 2
# Subclasses of class 0; the same four again in currency, 4 higher.
ELECTRICITY = 0
COMMODITIES = ("electricity", "water", "gas", "time")
CURRENCY = 4
# Subclasses of class 2.
POWER_LIMIT = 0
CLEAR_CREDIT = 1
TARIFF_RATE = 2
SECTIONS = (3, 4, 8, 9)  # of a decoder key: first to fourth
CLEAR_TAMPER = 5
UNBALANCE_LIMIT = 6

WH_OF_A_TENTH = 100
MICRO_OF_A_HUNDRED_THOUSANDTH = 10


class Token:
    """`cls` and `subclass`; `data`, the 6 bytes that carry everything; `tid` in minutes since the
    base date, None where a token has none."""

    def __init__(self, cls, data):
        self.cls = cls
        self.data = data
        self.subclass = data[0] >> 4
        counted = cls != TEST and not self.is_section()
        self.tid = data[1] << 16 | data[2] << 8 | data[3] if counted else None

    def is_section(self):
        """True for a section of a new decoder key."""
        return self.cls == MANAGEMENT and self.subclass in SECTIONS

    def field(self):
        """The 16 bits above the CRC."""
        return self.data[4] << 8 | self.data[5]

    def is_currency(self):
        """True for credit in currency, False for credit in kWh and the like."""
        return self.subclass >= CURRENCY

    def wh(self):
        """Wh of an electricity credit."""
        return self.scaled() * WH_OF_A_TENTH

    def scaled(self):
        """The 16 bits as exponent and mantissa: tenths of a kWh, or watts of a limit."""
        return scaled(self.field() >> 14, self.field() & 0x3FFF)

    def micro(self):
        """Micro-units of a credit in currency; negative takes away."""
        exponent = (self.data[0] & 7) << 2 | self.data[4] >> 6
        amount = scaled(exponent, self.field() & 0x3FFF) * MICRO_OF_A_HUNDRED_THOUSANDTH
        return -amount if self.data[0] & 8 else amount

    def test(self):
        """(control bits, manufacturer) of a class 1 token."""
        data = self.data
        bits = (data[0] & 15) << 8 | data[1]
        bits = bits << 16 | data[2] << 8 | data[3]
        if self.subclass == 0:
            return bits << 8 | data[4], data[5]
        return bits, data[4] << 8 | data[5]


def scaled(exponent, mantissa):
    """The number a floating field means: each exponent goes on where the one below it ended."""
    value = mantissa
    step = 1
    base = 0
    for _ in range(exponent):
        base += step << 14
        step *= 10
    return base + value * step


def decode(digits, decrypt, key):
    """The Token in 20 `digits`; `decrypt(key, block)` is that of the meter's algorithm.

    TokenError FORMAT, CRC, or FUNCTION for a class nobody uses. Nothing else is judged here.
    """
    if len(digits) != DIGITS or not are_digits(digits) or int(digits) >= LIMIT:
        raise TokenError(FORMAT, "a token has 20 digits and is at most 73786976294838206463")
    value = int(digits)
    cls = value >> 27 & 3
    block = value & ~(3 << 27) | value >> 64 << 27
    block = (block & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")
    if cls != TEST:
        block = decrypt(key, block)
    data = bytes(block[:6])
    # Credit in currency has an exponent where others have random bits, and a CRC of its own.
    tail = b"\1" if cls == CREDIT and data[0] >> 4 in range(CURRENCY, 2 * CURRENCY) else b""
    if crc(bytes([cls]) + data + tail) != (block[6] | block[7] << 8):
        raise TokenError(CRC, "mistyped, or made for another meter")
    if cls > MANAGEMENT:
        raise TokenError(FUNCTION, "class 3 is reserved")
    return Token(cls, data)


def crc(data):
    """CRC-16 with the reflected polynomial 0xA001, from 0xFFFF, without a last exclusive or."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


def are_digits(text):
    """True for one or more of 0 to 9."""
    # str.isdigit takes digits of any script, and int() them with it.
    for letter in text:
        if not "0" <= letter <= "9":
            return False
    return bool(text)
