"""Identifiers: `<prefix>_<hex of a UUIDv7>`. They sort by time, say what they are, and cost nothing
to make. The same text is the primary key in the database and the `ID` that clients see."""

import secrets
import time

ORGANIZATION = "org"
USER = "usr"
BOT = "bot"
PERSONA = "per"
GROUP = "grp"
CHANGE = "chg"
TOKEN = "tok"


def uuid7_hex() -> str:
    """A UUIDv7 (RFC 9562, section 5.7) as 32 hex digits.

    48 bits of milliseconds, 12 bits of the millisecond's fraction (section 6.2, method 3, so that
    ids made one after another in a process also sort so), 62 random bits.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    return f"{milliseconds:012x}7{fraction:03x}{secrets.randbits(62) | 1 << 63:016x}"


def new_id(prefix: str) -> str:
    """A new id of the kind that `prefix` names, such as `grp_0193…`."""
    return f"{prefix}_{uuid7_hex()}"


def kind_of(id: str) -> str:
    """The prefix of an id; an id without one is no kind at all: the empty string."""
    prefix, separator, _ = id.partition("_")
    return prefix if separator else ""
