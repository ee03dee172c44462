"""Identifiers: `<prefix>_<hex of a UUIDv7>`. They sort by time, say what they are, and cost nothing
to make. The same text is the primary key in the database and the `ID` that clients see."""

import re
import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

ORGANIZATION = "org"
USER = "usr"
BOT = "bot"
PERSONA = "per"
GROUP = "grp"
CHANGE = "chg"
TOKEN = "tok"
SIGN_IN_LINK = "lnk"

FORM = re.compile(r"[a-z]{3}_[0-9a-f]{32}")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def uuid7_hex(at: datetime | None = None, number: int = 0) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) as 32 hex digits.

    48 bits of milliseconds, 12 bits of the millisecond's fraction (section 6.2, method 3, so that
    ids made one after another in a process also sort so), 62 random bits. The time is the clock's,
    unless `at` says another one: then 16 of those bits tell the `number` (method 1), by which ids
    of one instant sort; it is below 65,536.
    """
    nanoseconds = time.time_ns() if at is None else (at - EPOCH) // MICROSECOND * 1_000
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    last = secrets.randbits(62) if at is None else number << 46 | secrets.randbits(46)
    return f"{milliseconds:012x}7{fraction:03x}{last | 1 << 63:016x}"


def new_id(prefix: str, at: datetime | None = None, number: int = 0) -> str:
    """A new id of the kind that `prefix` names, such as `grp_0193…`. See `uuid7_hex`."""
    return f"{prefix}_{uuid7_hex(at, number)}"


def kind_of(id: str) -> str:
    """The prefix of an id; an id without one is no kind at all: the empty string."""
    prefix, separator, _ = id.partition("_")
    return prefix if separator else ""


def is_well_formed(id: str) -> bool:
    """Whether a text has the form of an id. No row can have any other."""
    return FORM.fullmatch(id) is not None


def well_formed(ids: Iterable[str]) -> list[str]:
    """Those of the texts that have the form of an id, each once, in order."""
    return [id for id in dict.fromkeys(ids) if FORM.fullmatch(id)]
