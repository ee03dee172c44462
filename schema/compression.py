"""Gzipping large answers for clients that accept it (RFC 9110, section 8.4).

Only answers to queries: a mutation may return a token's secret beside a name of the client's
choice, and the length of both compressed together would leak the secret (BREACH). Event streams are
not compressed.
"""

import asyncio
import zlib

LEVEL = 1  # level 6 takes twice as long, for answers a fifth smaller
GZIP = 16 + zlib.MAX_WBITS  # makes zlib write gzip's header, without a time
MAGIC = b"\x1f\x8b"  # the first bytes of gzip (RFC 1952, section 2.3.1), never of JSON


async def compressed(body: bytes, least: int) -> bytes:
    """The body gzipped, if it has `least` bytes or more; 0 turns compression off.

    The same body always gives the same bytes. A thread does the work, not the event loop.
    """
    if not 0 < least <= len(body):
        return body
    return await asyncio.to_thread(zlib.compress, body, LEVEL, GZIP)


def is_gzipped(body: bytes) -> bool:
    """Whether the body of an answer is compressed already."""
    return body.startswith(MAGIC)
