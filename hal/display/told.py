"""What the meter is asked for because a browser wants it: GET /history and GET /tariff.

The meter answers in its own time, a slice a step; until then the answer is 202, and the browser
asks again.
"""

import asyncio

from wattledger.hal.display.files import JSON

POLLS = 60  # of 0.1 s, within the time a connection has for an answer
WORDS = {"Content-Type": "text/plain; charset=UTF-8"}
AGAIN = {"Content-Type": WORDS["Content-Type"], "Retry-After": "1"}
NO_SPAN = "There is a history of: %s.\n"
READING = "The meter is still reading its journal: ask again.\n"
UNREAD = "The meter cannot read its storage now.\n"


async def answer(page, request, name):
    """The answer to GET /`name`, which is "history" (with ?span=) or "tariff"."""
    if name == "history":
        name = request.args.get("span", "")
        if name not in page.spans:
            return NO_SPAN % ", ".join(page.spans), 400, WORDS
    for _ in range(POLLS):
        text = page.told(name)
        if text is not None:
            return (text, 200, {"Content-Type": JSON}) if text else (UNREAD, 503, WORDS)
        await asyncio.sleep(0.1)
    return READING, 202, AGAIN
