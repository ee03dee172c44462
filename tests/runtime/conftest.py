"""The fixtures of tests/schema: a service over a database of its own, and those who ask it."""

from tests.schema.conftest import acme, ask, auditor, client

__all__ = ["acme", "ask", "auditor", "client"]
