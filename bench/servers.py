"""The servers that are measured: how each is started, and what it is asked.

Cohort runs twice: a server that keeps no finished responses tells what a question takes the first
time, and one as it comes tells what it takes again.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import processes
from bench.data import Sample
from bench.databases import COHORT, PLAIN, Database
from bench.load import Driver
from bench.operations import Operation

FIRST, AGAIN = "first time", "again"
NO_SETTINGS: Mapping[str, str] = {}
KEEPS_NOTHING = {"COHORT_KEPT_MEGABYTES": "0"}
# All requests of the bench bear one token, which is let in however often it asks.
ONE_TOKEN = {"COHORT_REQUESTS_PER_MINUTE": "1000000000"}


@dataclass(frozen=True, slots=True)
class Served:
    """A server to be started. `operations` are what it is asked, by name.

    `keeps` says that each question was put once before the time is taken. `program` is what runs
    the command.
    """

    name: str
    database: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, Operation] = field(default_factory=dict)
    keeps: bool = False
    program: str = sys.executable


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs, and who asks it."""

    served: Served
    driver: Driver

    @property
    def name(self) -> str:
        """The server's name."""
        return self.served.name


def cohort(
    name: str,
    operations: Sequence[Operation],
    *,
    keeps: bool,
    database: str = COHORT,
    environment: Mapping[str, str] = NO_SETTINGS,
) -> Served:
    """Cohort with its default settings, but for ONE_TOKEN and `environment`.

    It keeps nothing unless it `keeps`. One that keeps is asked no writes: they are the same
    whatever is kept.
    """
    return Served(
        name,
        database,
        ["manage.py", "serve"],
        {**ONE_TOKEN, **({} if keeps else KEEPS_NOTHING), **environment},
        {one.name: one for one in operations if not (keeps and one.writes)},
        keeps,
    )


def plain(database: Database, sample: Sample, operations: Sequence[Operation]) -> Served:
    """The plain server, for what it knows."""
    command = ["-m", "bench.plain", "--database", database.url(PLAIN)]
    return Served(
        PLAIN,
        PLAIN,
        [*command, "--organization", sample.organization_id],
        operations={one.name: one for one in operations if one.in_plain},
    )


def peer(name: str, database: Database, sample: Sample, operations: Sequence[Operation]) -> Served:
    """A server of another kind, for what the plain one knows. It is one of PEERS."""
    known = {one.name: one for one in operations if one.in_plain}
    where = ["--database", database.url(name), "--organization", sample.organization_id]
    return Served(
        name,
        name,
        [f"bench/peers/{name}.mjs", *where],
        {"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
        known,
        program="node",
    )


@asynccontextmanager
async def serving(
    database: Database,
    token: str,
    wanted: Sequence[Served],
    concurrency: int,
    logs: Path,
    *,
    traced: bool = False,
) -> AsyncIterator[list[Running]]:
    """Servers that run meanwhile; those that are `traced` have their statements counted."""
    async with AsyncExitStack() as stack:
        running: list[Running] = []
        for served in wanted:
            command = list(served.command)
            if traced:
                command = database.traced(served.name, command)
            environment = {"DATABASE_URL": database.url(served.database), **served.environment}
            server = processes.launch(
                served.name, command, environment, logs / f"{served.name}.log", served.program
            )
            stack.callback(server.stop)
            await processes.ready(server)
            running.append(Running(served, Driver(server, token, concurrency)))
        try:
            yield running
        except Exception as error:
            await asyncio.sleep(0.5)  # a server answers first and logs then
            for one in running:
                error.add_note(f"{one.name} said last:\n{one.driver.server.last_words()}")
            raise
