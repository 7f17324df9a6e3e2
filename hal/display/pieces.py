"""An answer that is sent piece by piece, so that the whole of it never lies in the heap."""

import asyncio

PIECE = 512


class Pieces:
    """An answer of microdot's from small parts (texts or bytes), put together to pieces worth a
    packet. Everybody else runs between two pieces, and wherever a part is empty."""

    def __init__(self, parts):
        self._parts = iter(parts)

    def __aiter__(self):
        return self

    async def __anext__(self):
        piece = b""
        for part in self._parts:
            piece += part if isinstance(part, bytes) else part.encode()
            if not part:
                await asyncio.sleep(0)
            elif len(piece) >= PIECE:
                break
        if not piece:
            raise StopAsyncIteration
        await asyncio.sleep(0)
        return piece

    async def aclose(self):
        """The browser has gone."""
        self._parts = iter(())
