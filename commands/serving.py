"""Serving with uvicorn: in one process, or in several that share a port."""

import multiprocessing
import os
import signal
import threading
from contextlib import ExitStack
from socket import socket
from tempfile import TemporaryDirectory

import uvicorn
from uvicorn.supervisors import multiprocess as supervisor

from commands.connections import HTTP, WebSockets
from commands.console import say, write_out
from commands.demo_data import ORGANIZATION
from commands.opening import opened
from commands.tokens import first_admin, link_for
from models.organizations import all_organizations
from models.text import name_key
from models.viewer import Viewer
from runtime.settings import Settings
from runtime.telemetry import configure_logging

# How long a worker may be unresponsive before its parent kills it. That includes its start, which
# takes seconds on a busy processor.
WORKER_SECONDS = 60


class Worker(supervisor.Process):
    """A worker whose death its parent notices at once, even while waiting for its answer, and that
    does not outlive its parent.

    uvicorn also keeps the worker's end of the pipe open in the parent, so that it cannot tell a
    dead worker from a hanging one; and while it waits for one, it attends to no other.
    """

    def start(self) -> None:
        super().start()
        self.child_conn.close()

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve, in the worker, until a signal or the death of its parent ends it."""
        threading.Thread(target=_end_with_parent, daemon=True).start()
        super().target(sockets)


def _end_with_parent() -> None:
    """Stop this worker once its parent is gone: it would keep the port, and nobody would replace
    it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def set_environment(**flags: object) -> None:
    """Export flags of the command line to the environment, for this process and its workers."""
    os.environ.update({name: str(value) for name, value in flags.items() if value is not None})


async def prepare(settings: Settings, *, link: bool) -> None:
    """Check that the database is up to date; if `link`, print a link to sign in.

    SQLite is migrated here; PostgreSQL by the operator, since several servers may share it. Raises
    Refusal.
    """
    async with opened(settings, create=True):
        if link:
            await _print_link(settings.base_url)


async def _print_link(base_url: str) -> None:
    """Print a link for the first administrator, if it is clear of which organization."""
    found = await all_organizations()
    chosen = [row for row in found if row["name_key"] == name_key(ORGANIZATION)] or found
    if len(chosen) != 1:
        say(
            f"No sign-in link, since there are {len(chosen)} organizations. "
            "`python manage.py sign-in-link` makes one for a person."
        )
        return
    viewer = Viewer.operator(chosen[0]["id"])
    admin = await first_admin(viewer)
    if admin is None:
        say(f"No sign-in link, since {chosen[0]['name']} has no active administrator yet.")
        return
    address = await link_for(viewer, base_url, admin["id"])
    write_out(
        f"\n  Sign in as {admin['name']} of {chosen[0]['name']}, once, within an hour:"
        f"\n\n  {address}\n\n"
    )


def serve(settings: Settings) -> None:
    """Serve until a signal ends it; requests in progress may finish first.

    Each process builds the application from the environment, whether there is one or many.
    """
    configure_logging(settings)
    supervisor.Process = Worker  # type: ignore[misc]
    with ExitStack() as stack:
        if settings.workers > 1:  # each writes its metrics there, and any can add them up
            # A single process ends by the signal that it was sent, and would clean up nothing.
            directory = stack.enter_context(TemporaryDirectory(prefix="cohort-metrics-"))
            set_environment(PROMETHEUS_MULTIPROC_DIR=directory)
        uvicorn.run(
            "server:app_from_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            loop="uvloop",
            http=HTTP,
            ws=WebSockets,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_seconds,
            timeout_worker_healthcheck=WORKER_SECONDS,
            ws_max_size=settings.max_body_bytes,
            # Events are short: compression costs more memory per socket than it saves bytes.
            ws_per_message_deflate=False,
        )
