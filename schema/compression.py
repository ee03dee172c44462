"""Large answers are sent gzipped to those who take it (RFC 9110, section 8.4).

Answers of queries alone: a mutation may answer with a token's secret beside a name that somebody
chose, and the length of the two compressed together would tell of the secret (BREACH). An event
stream is sent as it comes.
"""

import asyncio
import zlib

LEVEL = 1  # level 6 takes twice the time, for an answer that is a fifth smaller
GZIP = 16 + zlib.MAX_WBITS  # to zlib: with gzip's header, which has no time in it
MAGIC = b"\x1f\x8b"  # how gzip begins (RFC 1952, section 2.3.1); JSON never does


async def compressed(body: bytes, least: int) -> bytes:
    """The body gzipped, if it has `least` bytes or more; 0 leaves each as it is.

    The same body gives the same bytes. The work is done in a thread, beside the event loop.
    """
    if not 0 < least <= len(body):
        return body
    return await asyncio.to_thread(zlib.compress, body, LEVEL, GZIP)


def is_gzipped(body: bytes) -> bool:
    """Whether the body of an answer is compressed already."""
    return body.startswith(MAGIC)
