"""The fixtures of tests/access: a service over a database of its own, and those who ask it."""

from tests.access.conftest import acme, ask, client, service

__all__ = ["acme", "ask", "client", "service"]
