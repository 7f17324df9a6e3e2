"""TLS that verifies, on CPython and MicroPython: only the pinned authority, only the right name.

MicroPython's SSLContext verifies nothing until it is told to, takes CERT_OPTIONAL for "any
certificate will do" (both measured, mbedTLS 3.6), and takes DER where CPython takes files of PEM.
"""

from wattledger.hal.errors import HalError

CERT_REQUIRED = 2  # of ssl, on both
WORD = "certificate verify failed"
# Added when the other end hangs up before it answered our CONNECT: with TLS 1.3 that is all a
# client sees of a certificate that is refused.
HINT = " (before the broker took us: does it take this meter's certificate?)"


def context(ssl, authority, certificate=None, key=None):
    """An SSLContext that trusts `authority` (DER) alone and shows the meter's own certificate.

    `ssl` is the port's module. `certificate` and `key` are what its load_cert_chain takes: names
    of PEM files on CPython, DER on MicroPython; None: nothing is shown. HalError when they cannot
    be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if hasattr(ssl, "TLSVersion"):  # mbedTLS 3 knows none below 1.2
        made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.verify_mode = ssl.CERT_REQUIRED
    try:
        made.load_verify_locations(cadata=authority)  # the first positional one is a file's name
        if certificate is not None:
            made.load_cert_chain(certificate, key)
    except (OSError, ValueError, TypeError) as error:
        raise HalError("the TLS files cannot be used: %s" % why(error)) from None
    require_verification(made)
    return made


def require_verification(made):
    """HalError unless an SSLContext refuses what it cannot verify, name included."""
    if made.verify_mode != CERT_REQUIRED or not getattr(made, "check_hostname", True):
        raise HalError("this TLS context does not verify the broker: a link is not made with it")


def secure(made, socket, host):
    """(a TLS stream on a connected socket that does not block, its exceptions for "would wait").

    The handshake runs with the first reads and writes: nothing of ours is sent before it ends.
    """
    stream = made.wrap_socket(socket, server_hostname=host, do_handshake_on_connect=False)
    stream.setblocking(False)
    try:
        from ssl import SSLWantReadError, SSLWantWriteError
    except ImportError:  # MicroPython's streams return None instead
        return stream, ()
    return stream, (SSLWantReadError, SSLWantWriteError)


def why(error):
    """What went wrong, for people; the same word for each certificate that is refused."""
    verified = getattr(error, "verify_message", "")
    if verified:
        return "%s: %s" % (WORD, verified)
    text = str(error).strip()
    if isinstance(error, ValueError) and ("certificate" in text or "CRL" in text):
        return "%s: %s" % (WORD, text)
    return text or type(error).__name__
