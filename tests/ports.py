"""Ports for servers that the tests start as processes."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def free_port() -> Iterator[int]:
    """A port of 127.0.0.1 for one server, which nobody else is given as long as the block lasts.

    Until the server listens, which may take seconds, a test beside this one could be given the same
    port. On Linux a socket that is bound and does not listen keeps it, and is not in the way of one
    with SO_REUSEADDR, which servers set.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        port = int(keeper.getsockname()[1])
        if sys.platform != "linux":
            keeper.close()
        yield port
