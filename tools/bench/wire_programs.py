"""What `bench wire` runs on either interpreter: signatures checked as a meter does. Portable."""

import binascii

from wattledger.tools.bench.programs import now_us, took_us


def hs256(secret, message, purpose, count, rounds):
    """Microseconds to open a command (text) of `purpose` with a meter's keyring."""
    from wattledger.agent.comms.envelope import Keyring

    keyring = Keyring(binascii.unhexlify(secret), (purpose,))
    data = message.encode()
    spent = []
    for _ in range(rounds):
        began = now_us()
        for _ in range(count):
            keyring.open(data)
        spent.append(took_us(began))
    return {"us": min(spent) / count}


def es256(point, digest, signature, rounds):
    """Microseconds of one verification, all in hex, and of its longest slice; was it good."""
    from wattledger.agent.comms.p256 import Verification

    values = [binascii.unhexlify(text) for text in (point, digest, signature)]
    spent = []
    longest = []
    good = None
    for _ in range(rounds):
        slices = []
        began = last = now_us()
        verification = Verification(*values)
        good = None
        while good is None:
            good = verification.work()
            slices.append(took_us(last))
            last = now_us()
        spent.append(took_us(began))
        longest.append(max(slices))
    return {"us": min(spent), "slice_us": min(longest), "good": good}
