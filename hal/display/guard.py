"""Who may talk to the page: the checks that keep other web sites out of a server on the home net.

A browser on the home network can be made to send requests here by any site it visits. The Host
allow-list stops DNS rebinding (a foreign name that resolves to us); Origin and a header of our
own stop cross-site requests, because a browser lets no other origin set them. A form of a page
without JavaScript cannot set the header; its Origin is its proof. Sec-Fetch-Site would be one too,
but browsers leave it out on plain http.
"""

FORM = "application/x-www-form-urlencoded"
HEADER = "X-Wattledger"

NO_SNIFFING = (("X-Content-Type-Options", "nosniff"),)
SECURITY_HEADERS = NO_SNIFFING + (
    (
        "Content-Security-Policy",
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    # Not "no-referrer": with it a browser sends a form's Origin as null.
    ("Referrer-Policy", "same-origin"),
)


def media_type(headers):
    """The Content-Type without its parameters, lower case. `headers` has get(name)."""
    return (headers.get("Content-Type") or "").split(";")[0].strip().lower()


def host_name(header):
    """The name in a Host header, lower case, without its port; "[::1]:80" gives "[::1]"."""
    header = header.strip().lower()
    if header.startswith("["):
        return header[: header.find("]") + 1]
    return header.split(":")[0]


class Guard:
    """Judges requests by their headers alone. `address()` gives one more name, "" for none: that
    of a device which gets its address from the network."""

    def __init__(self, allowed_hosts, address=None):
        self.allowed = {host_name(name) for name in allowed_hosts}
        self._address = address

    def refusal(self, method, headers):
        """Why this request is refused, in words, or None. `headers` has get(name)."""
        host = (headers.get("Host") or "").strip().lower()
        address = self._address() if self._address is not None else ""
        if host_name(host) not in self.allowed and (not address or host_name(host) != address):
            return (
                "This meter does not answer to the name in the address bar. Open it as %s, "
                "or add the name to the display's allowed hosts." % ", ".join(sorted(self.allowed))
            )
        if method in ("GET", "HEAD"):
            return None
        origin = (headers.get("Origin") or "").strip().lower()
        if origin not in ("http://" + host, "https://" + host):
            return "Refused: the request comes from another page. Use the meter's own page."
        if headers.get(HEADER) != "1" and media_type(headers) != FORM:
            return "Refused: the header %s: 1 is missing." % HEADER
        return None
