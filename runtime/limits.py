"""Rate limits: how many requests per minute, and how many at once. Each process counts its own.

Counting takes a fraction of a microsecond. The in-memory stores of rate-limiting libraries scan all
keys with every request, in a thread or a task that each of them starts.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from math import ceil

from models.errors import LimitExceeded

MINUTE = 60.0
IPV6_SUBSCRIBER = 64  # bits of the prefix that one subscriber has, to use any address within


class TryAgainLater(LimitExceeded):
    """Too many requests. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TookTooLong(LimitExceeded):
    """A request that was stopped because its time was over."""


def variable(name: str) -> str:
    """The environment variable of a setting, for error messages."""
    return f"COHORT_{name.upper()}"


class PerMinute:
    """Counts by key, in fixed windows of a minute that are the same for all keys."""

    def __init__(self, most: int, setting: str, what: str) -> None:
        self.most = most
        self.setting = setting
        self.what = what
        self._counts: dict[str, int] = {}
        self._end = 0.0

    def check(self, key: str) -> int:
        """How often `key` was counted in this window. Raises TryAgainLater at the limit."""
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
        """Count one. Raises TryAgainLater, without counting, if the limit is reached."""
        self._counts[key] = self.check(key) + 1

    def give_back(self, key: str) -> None:
        """Uncount one that was counted but need not have been."""
        if count := self._counts.get(key, 0):
            self._counts[key] = count - 1


class AtOnce:
    """Counts by key what is in progress."""

    def __init__(self, most: int, setting: str, what: str) -> None:
        self.most = most
        self.setting = setting
        self.what = what
        self._counts: dict[str, int] = {}

    def check(self, key: str) -> int:
        """How many of `key` are in progress. Raises TryAgainLater if the limit is reached."""
        count = self._counts.get(key, 0)
        if count >= self.most:
            raise TryAgainLater(
                f"At most {self.most:,} {self.what} at once ({variable(self.setting)}).", 1
            )
        return count

    def enter(self, key: str) -> None:
        """Begin one. Raises TryAgainLater at the limit; otherwise `leave` must follow."""
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
        """One that is in progress for the duration of the block."""
        self.enter(key)
        try:
            yield
        finally:
            self.leave(key)


def address_key(host: str | None) -> str:
    """The key by which to count a client's address: for IPv6, its subscriber's network."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), IPV6_SUBSCRIBER), strict=False))
