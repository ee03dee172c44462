"""Automatic persisted queries (Apollo's protocol): a text is sent once, then named by its hash.

`extensions: {"persistedQuery": {"version": 1, "sha256Hash": "…"}}` names a text. Sent with the
text, it registers it; sent alone, it replaces it. A client that gets `PersistedQueryNotFound` sends
both; so a process may forget any text, and processes need not share them.
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
    """A hash whose text is unknown. Clients look for exactly this message, and send the text."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class PersistedQueryNotSupported(RequestError):
    """Unknown version, or turned off. Clients look for exactly this message, and stop using it."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported")


class PersistedQueries:
    """The texts that clients have registered in this process: at most `room` bytes, 0 for none.

    Each organization has its own. A hash gives no rights, but finding another organization's text
    would reveal that it is in use there, and something of its contents.
    """

    def __init__(self, room: int) -> None:
        self._texts = Kept[str](room)

    def text_of(self, viewer: Viewer, asked: GraphQLRequest) -> str:
        """The document that a request asks for, or names.

        Raises PersistedQueryNotFound, PersistedQueryNotSupported, or Refused.
        """
        if asked.persisted is None:
            assert asked.query is not None  # request_from guarantees it
            return asked.query
        if not self._texts.room:
            raise PersistedQueryNotSupported
        hash = _hash_in(asked.persisted)
        if asked.query is not None:
            # A hash must always mean the same text; nobody may register another under it.
            if sha256(asked.query.encode()).hexdigest() != hash:
                raise Refused(400, "provided sha does not match query")
            return asked.query
        text = self._texts.get((viewer.organization_id, hash))
        (HIT if text else MISS).inc()
        if text is None:
            raise PersistedQueryNotFound
        return text

    def learn(self, viewer: Viewer, asked: GraphQLRequest) -> None:
        """Register the text of a request, if it came with its hash.

        Call it only after `text_of` has verified the hash, and the text has proved to be a valid
        document within the limits: nothing else may take room.
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
