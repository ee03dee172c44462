"""Automatic persisted queries (Apollo's protocol): a text is sent once, and then named by its hash.

`extensions: {"persistedQuery": {"version": 1, "sha256Hash": "…"}}` names a text. Sent along with it
it makes the text known; sent alone it stands for it. A client that is told `PersistedQueryNotFound`
sends both; so a process may forget what it likes, and need not ask the others.
"""

import re
from hashlib import sha256
from sys import getsizeof
from typing import Any

from models.errors import RequestError
from models.viewer import Viewer
from runtime.cache import Kept
from runtime.metrics import CACHE
from schema.requests import GraphQLRequest, Refused

VERSION = 1
SHA_256 = re.compile(r"[0-9a-f]{64}")
HIT, MISS = CACHE.labels("persisted", "hit"), CACHE.labels("persisted", "miss")


class PersistedQueryNotFound(RequestError):
    """A hash whose text is not known. Clients look for these very words, and send the text."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryNotSupported(RequestError):
    """Another version, or none at all. Clients look for these very words, and send texts alone."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported")


class PersistedQueries:
    """The texts that clients have made known to this process: at most `room` bytes, 0 for none.

    Each organization has its own. A hash gives no rights, but an answer to another's text would
    tell that somebody there has asked it, and something of what stands in it.
    """

    def __init__(self, room: int) -> None:
        self._texts = Kept[str](room)

    def text_of(self, viewer: Viewer, asked: GraphQLRequest) -> str:
        """The document that a request asks for, or names.

        Raises PersistedQueryNotFound, PersistedQueryNotSupported, or Refused.
        """
        if asked.persisted is None:
            assert asked.query is not None  # as request_from has it
            return asked.query
        if not self._texts.room:
            raise PersistedQueryNotSupported
        hash = _hash_in(asked.persisted)
        if asked.query is not None:
            # A hash names one text for good; else it could be made to stand for another's.
            if sha256(asked.query.encode()).hexdigest() != hash:
                raise Refused(400, "provided sha does not match query")
            return asked.query
        text = self._texts.get((viewer.organization_id, hash))
        (HIT if text else MISS).inc()
        if text is None:
            raise PersistedQueryNotFound
        return text

    def learn(self, viewer: Viewer, asked: GraphQLRequest) -> None:
        """Know the text of a request from now on, if it came with its hash.

        To be called once `text_of` has held the one to the other, and the text has turned out to
        be a valid document within the limits: nothing else takes room.
        """
        if asked.persisted is not None and asked.query is not None:
            key = (viewer.organization_id, asked.persisted["sha256Hash"])
            self._texts.keep(key, asked.query, getsizeof(asked.query))


def _hash_in(persisted: Any) -> str:
    """The hash in `extensions.persistedQuery`. Raises PersistedQueryNotSupported, or Refused."""
    if not isinstance(persisted, dict):
        raise Refused(400, "`extensions.persistedQuery` must be a JSON object, or left out.")
    version = persisted.get("version")
    if version != VERSION or version is True:
        raise PersistedQueryNotSupported
    hash = persisted.get("sha256Hash")
    if not isinstance(hash, str) or not SHA_256.fullmatch(hash):
        raise Refused(
            400, "`sha256Hash` must be a SHA-256 hash: 64 hexadecimal digits in lower case."
        )
    return hash
