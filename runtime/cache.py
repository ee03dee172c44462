"""Responses that are kept, and served again for as long as the revision stands."""

from collections import OrderedDict
from typing import Any

LARGEST_PART = 16  # no response takes more than this part of the room
OVERHEAD = 500  # bytes that an entry takes beside its texts

Key = tuple[Any, ...]


class KeptResponses:
    """The bodies of finished responses, the least recently used of which go first.

    `room` is how many bytes they and their keys may take together; 0 keeps nothing. A key is a
    tuple that tells the viewer, and ends with the request as it was sent.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.size = 0
        self._kept: OrderedDict[Key, tuple[int, bytes]] = OrderedDict()

    def get(self, key: Key, revision: int) -> bytes | None:
        """The body that was kept under a key at this very revision."""
        kept = self._kept.get(key)
        if kept is None or kept[0] != revision:
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def keep(self, key: Key, revision: int, body: bytes) -> None:
        """Keep a body. One of an older revision gives way."""
        self.forget(key)
        size = _size(key, body)
        if size > self.room // LARGEST_PART:
            return
        self._kept[key] = (revision, body)
        self.size += size
        while self.size > self.room:
            self.forget(next(iter(self._kept)))

    def forget(self, key: Key) -> None:
        """Let a body go, if it is there."""
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= _size(key, kept[1])


def _size(key: Key, body: bytes) -> int:
    return len(key[-1]) + len(body) + OVERHEAD
