"""From when until when a certificate is good: the two dates out of its DER, and nothing else.

Source: RFC 5280, 4.1.2.5 (dates) and 4.1 (their place); X.690 (DER).
"""

import binascii

from wattledger.hal.errors import HalError

SEQUENCE = 0x30
VERSION = 0xA0
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
BEGIN, END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
DAY_S = 86_400
MONTH_STARTS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)


class CertificateError(HalError):
    """What was read is no certificate."""


def dates(data):
    """(first, last) unix second in which a certificate (bytes, DER or PEM) is good.

    CertificateError when it is none.
    """
    try:
        return _dates(_der(data))
    except (IndexError, ValueError):
        raise CertificateError("is no certificate in DER or PEM") from None


def _der(data):
    begin = data.find(BEGIN)
    if begin < 0:
        return data
    return binascii.a2b_base64(data[begin + len(BEGIN) : data.index(END)])


def _dates(data):
    at, _ = _inside(data, 0, SEQUENCE)  # Certificate
    at, end = _inside(data, at, SEQUENCE)  # TBSCertificate
    if data[at] == VERSION:
        at = _behind(data, at)
    for _ in range(3):  # serial number, signature algorithm, issuer
        at = _behind(data, at)
    at, last = _inside(data, at, SEQUENCE)  # Validity
    if last > end:
        raise ValueError
    first = _time(data, at)
    return first, _time(data, _behind(data, at))


def _element(data, at):
    """(tag, begin, end) of the element that begins at `at`; it must lie within the data."""
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        if not 0 < count <= 3:
            raise ValueError
        size = 0
        for _ in range(count):
            size = size << 8 | data[at]
            at += 1
    if at + size > len(data):
        raise ValueError
    return tag, at, at + size


def _inside(data, at, wanted):
    tag, begin, end = _element(data, at)
    if tag != wanted:
        raise ValueError
    return begin, end


def _behind(data, at):
    return _element(data, at)[2]


def _time(data, at):
    """Unix seconds of YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ."""
    tag, begin, end = _element(data, at)
    text = bytes(data[begin:end])
    if tag == UTC_TIME:  # years 1950 to 2049
        text = (b"19" if text[:1] >= b"5" else b"20") + text
    elif tag != GENERALIZED_TIME:
        raise ValueError
    if len(text) != 15 or text[14:] != b"Z":
        raise ValueError
    for digit in text[:14]:
        if not 0x30 <= digit <= 0x39:
            raise ValueError
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:14])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        raise ValueError
    days = _days(year) + MONTH_STARTS[month - 1] + day - 1
    if month > 2 and _is_leap(year):
        days += 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days(year):
    """Days from 1970-01-01 to the first of January of `year`."""
    before = year - 1
    return 365 * (year - 1970) + before // 4 - before // 100 + before // 400 - 477
