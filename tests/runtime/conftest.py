"""The fixtures of tests/schema: a service over a database of its own, and those who ask it."""

from collections.abc import Iterator

import pytest

from tests.runtime.issuing import KeyServer, serving_keys, signer
from tests.schema.conftest import acme, ask, auditor, client

__all__ = ["acme", "ask", "auditor", "client"]


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """The server of an issuer that signs with RS256."""
    with serving_keys(signer()) as server:
        yield server
