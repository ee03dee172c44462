"""Least-recently-used caches of a bounded size in bytes: of anything, and of responses."""

from collections import OrderedDict
from typing import Any, Generic, TypeVar

LARGEST_PART = 16  # no entry may take more than one part in so many of the room
OVERHEAD = 500  # bytes that an entry takes besides its contents

Key = tuple[Any, ...]
V = TypeVar("V")


class Kept(Generic[V]):
    """Values by key. The least recently used are evicted first.

    `room` is how many bytes all of them may take; 0 keeps nothing.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.size = 0
        self._kept: OrderedDict[Key, tuple[int, V]] = OrderedDict()

    def get(self, key: Key) -> V | None:
        """The value that was kept under a key."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def has_room_for(self, size: int) -> bool:
        """Whether a value that takes `size` bytes would be kept."""
        return size + OVERHEAD <= self.room // LARGEST_PART

    def keep(self, key: Key, value: V, size: int) -> None:
        """Keep a value that takes `size` bytes, in place of the key's earlier one."""
        self.forget(key)
        if not self.has_room_for(size):
            return
        size += OVERHEAD
        self._kept[key] = (size, value)
        self.size += size
        while self.size > self.room:
            self.forget(next(iter(self._kept)))

    def keys(self) -> list[Key]:
        """The keys of all values."""
        return list(self._kept)

    def forget(self, key: Key) -> None:
        """Drop a value, if it is there."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= kept[0]


class KeptResponses:
    """The bodies of finished responses, valid as long as the revision does not move.

    A key is a tuple that begins with the organization's id and the rest of what identifies the
    viewer, and ends with the request as it was sent.
    """

    def __init__(self, room: int) -> None:
        self._bodies = Kept[tuple[int, bytes]](room)

    def get(self, key: Key, revision: int) -> bytes | None:
        """The body that was kept under a key at exactly this revision."""
        kept = self._bodies.get(key)
        return kept[1] if kept is not None and kept[0] == revision else None

    def has(self, key: Key) -> bool:
        """Whether a body was kept under a key at any revision."""
        return self._bodies.get(key) is not None

    def keep(self, key: Key, revision: int, body: bytes) -> None:
        """Keep a body, in place of one of another revision."""
        self._bodies.keep(key, (revision, body), len(key[-1]) + len(body))

    def forget(self, organization_id: str) -> None:
        """Drop all bodies of an organization."""
        for key in self._bodies.keys():
            if key[0] == organization_id:
                self._bodies.forget(key)
