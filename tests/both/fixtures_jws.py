"""The utility's side of signed messages in the plainest code, apart from the device's own.

HMAC from its definition in RFC 2104, base64url letter by letter from RFC 4648, table 2.
"""

import hashlib

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DEVICE_KEY = bytes(range(32))
GATE_SECRET = bytes(range(100, 132))
METER = "demo-0001"


def hmac_sha256(key, data):
    """H(K xor opad, H(K xor ipad, text)), 64-byte blocks."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    key = list(key) + [0] * (64 - len(key))
    inner = hashlib.sha256(bytes([byte ^ 54 for byte in key]) + data).digest()
    return hashlib.sha256(bytes([byte ^ 92 for byte in key]) + inner).digest()


def letters(data):
    """base64url without padding, as str: six bits at a time."""
    bits = "".join(["{:08b}".format(byte) for byte in data])
    bits += "0" * (-len(bits) % 6)
    return "".join([LETTERS[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6)])


def unletters(text):
    """bytes of canonical base64url without padding."""
    bits = "".join(["{:06b}".format(LETTERS.index(letter)) for letter in text])
    return bytes([int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)])


def key_of(kid, device_key=DEVICE_KEY):
    """The key of a purpose and generation."""
    return hmac_sha256(device_key, b"wattledger/1/" + kid.encode())


def header(kid):
    """The usual protected header, as text."""
    return '{"alg":"HS256","kid":"%s"}' % kid


def sign(payload, kid, head=None, key=None):
    """A compact JWS (bytes) over a payload that is given as JSON text or bytes."""
    if isinstance(payload, str):
        payload = payload.encode()
    signed = letters((header(kid) if head is None else head).encode()) + "." + letters(payload)
    return (signed + "." + letters(hmac_sha256(key or key_of(kid), signed.encode()))).encode()


def unsign(message, kid="up.1"):
    """Payload bytes of a message of the meter's; raises AssertionError when it is not signed."""
    head, body, mark = message.decode().split(".")
    assert unletters(head).decode() == header(kid)
    assert letters(hmac_sha256(key_of(kid), (head + "." + body).encode())) == mark
    return unletters(body)


def credit(n, amount, meter=METER):
    """credit.add of `amount` micro-units."""
    text = '{"m":"%s","op":"credit.add","a":{"n":%d,"amount":%d}}'
    return sign(text % (meter, n, amount), "credit.1")


def arm(challenge, counter, meter=METER):
    """relay.arm."""
    text = '{"m":"%s","op":"relay.arm","ch":"%s","ctr":%d,"a":{}}'
    return sign(text % (meter, challenge, counter), "relay.1")


def wrap(message, key=None, kid="gate.1"):
    """`message` (bytes) as the payload of a second signature, by default the gate's."""
    return sign(message, kid, key=key or key_of(kid, GATE_SECRET))


def open_(challenge, counter, arguments='{"reason":"request"}', meter=METER):
    """relay.open with both signatures."""
    return wrap(bare_open(challenge, counter, arguments, meter))


def bare_open(challenge, counter, arguments='{"reason":"request"}', meter=METER):
    """relay.open with one signature only."""
    text = '{"m":"%s","op":"relay.open","ch":"%s","ctr":%d,"a":%s}'
    return sign(text % (meter, challenge, counter, arguments), "relay.1")


def journal_ack(sequence, hash_text, meter=METER):
    """journal.ack of a sequence with its hash in hex."""
    text = '{"m":"%s","op":"journal.ack","a":{"sequence":%d,"hash":"%s"}}'
    return sign(text % (meter, sequence, hash_text), "config.1")


def reference(message):
    """How an answer names a command: 16 hex digits."""
    return "".join(["%02x" % byte for byte in hashlib.sha256(message).digest()[:8]])
