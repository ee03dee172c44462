"""How many requests: a minute, and at once. Each process counts for itself.

Counting takes a fraction of a microsecond. The memory stores of the libraries for it walk over all
keys with every request, in a thread or a task that each of them starts.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from math import ceil

from models.errors import LimitExceeded

MINUTE = 60.0
IPV6_SUBSCRIBER = 64  # bits of an address: what one subscriber is given, and may move about in


class TryAgainLater(LimitExceeded):
    """Too many requests; `retry_after` says for how many seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TookTooLong(LimitExceeded):
    """A request that was stopped when its time was over."""


def variable(name: str) -> str:
    """The environment variable of a setting, by which an error names it."""
    return f"COHORT_{name.upper()}"


class PerMinute:
    """Counts by key, in windows of a minute that begin for all keys together."""

    def __init__(self, most: int, setting: str, what: str) -> None:
        self.most = most
        self.setting = setting
        self.what = what
        self._counts: dict[str, int] = {}
        self._end = 0.0

    def check(self, key: str) -> int:
        """How often `key` was counted in this minute. Raises TryAgainLater if it is too often."""
        now = time.monotonic()
        if now >= self._end:
            self._end = now + MINUTE
            self._counts.clear()
        count = self._counts.get(key, 0)
        if count >= self.most:
            raise TryAgainLater(
                f"At most {self.most:,} {self.what} a minute ({variable(self.setting)}).",
                ceil(self._end - now),
            )
        return count

    def take(self, key: str) -> None:
        """Count one. Raises TryAgainLater if there were too many, and counts nothing then."""
        self._counts[key] = self.check(key) + 1

    def give_back(self, key: str) -> None:
        """Take one back that was counted, and need not have been."""
        if count := self._counts.get(key, 0):
            self._counts[key] = count - 1


class AtOnce:
    """Counts by key what goes on at the moment."""

    def __init__(self, most: int, setting: str, what: str) -> None:
        self.most = most
        self.setting = setting
        self.what = what
        self._counts: dict[str, int] = {}

    def check(self, key: str) -> int:
        """How many of `key` go on. Raises TryAgainLater if there may be no more."""
        count = self._counts.get(key, 0)
        if count >= self.most:
            raise TryAgainLater(
                f"At most {self.most:,} {self.what} at once ({variable(self.setting)}).", 1
            )
        return count

    def enter(self, key: str) -> None:
        """Begin one. Raises TryAgainLater if too many go on; else `leave` must follow."""
        self._counts[key] = self.check(key) + 1

    def leave(self, key: str) -> None:
        """End one."""
        count = self._counts[key] - 1
        if count:
            self._counts[key] = count
        else:
            del self._counts[key]

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """One that goes on for as long as the block lasts."""
        self.enter(key)
        try:
            yield
        finally:
            self.leave(key)


def address_key(host: str | None) -> str:
    """What stands for a client's address: all that one subscriber has of IPv6 is one."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), IPV6_SUBSCRIBER), strict=False))
