"""Rounds of both servers, interleaved, and what comes out of them."""

import asyncio
import re
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from bench import processes
from bench.data import Sample
from bench.databases import COHORT, PLAIN, Database, must_be_sound
from bench.load import Driver
from bench.operations import Operation

WARM_SECONDS = 0.5
COUNTED = 20  # answers a server for which statements are counted
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")

Servers = dict[str, Driver]


@dataclass(frozen=True, slots=True)
class Setting:
    """How to measure: which servers, and for each operation so many rounds of so many seconds."""

    names: list[str]
    rounds: int
    seconds: float
    concurrency: int


@dataclass(slots=True)
class Measured:
    """One operation on one server, over all rounds. Times are in seconds."""

    statements: float = 0.0
    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    server_cpu: float = 0.0
    database_cpu: float | None = None

    def values(self) -> dict[str, float | None]:
        """Requests a second (the median round), and milliseconds or numbers a request."""
        requests = len(self.latencies)
        centiles = statistics.quantiles(self.latencies, n=100, method="inclusive")
        return {
            "rate": statistics.median(self.rates),
            "p50": centiles[49] * 1e3,
            "p99": centiles[98] * 1e3,
            "statements": self.statements,
            "server_cpu": self.server_cpu / requests * 1e3,
            "database_cpu": None
            if self.database_cpu is None
            else self.database_cpu / requests * 1e3,
        }


Results = dict[str, dict[str, Measured]]  # by operation, by server


def commands(database: Database, sample: Sample, names: Sequence[str]) -> dict[str, list[str]]:
    """How each server is started, short of its address."""
    plain = ["-m", "bench.plain", "--database", database.url(PLAIN)]
    every = {
        COHORT: ["manage.py", "serve"],
        PLAIN: [*plain, "--organization", sample.organization_id],
    }
    return {name: every[name] for name in names}


@asynccontextmanager
async def serving(
    database: Database, sample: Sample, started: dict[str, list[str]], concurrency: int, logs: Path
) -> AsyncIterator[Servers]:
    """Servers that run meanwhile."""
    async with AsyncExitStack() as stack:
        drivers: Servers = {}
        for name, command in started.items():
            environment = {"DATABASE_URL": database.url(name)}
            server = processes.launch(name, command, environment, logs / f"{name}.log")
            stack.callback(server.stop)
            await processes.ready(server)
            drivers[name] = Driver(server, sample.token, concurrency)
        try:
            yield drivers
        except Exception as error:
            await asyncio.sleep(0.5)  # a server answers first and logs then
            for name, driver in drivers.items():
                error.add_note(f"{name} said last:\n{driver.server.last_words()}")
            raise


def normal(value: Any) -> Any:
    """A value of JSON as it is compared.

    Instants are equal however they are written, and `via`, which has no promised order, is sorted.
    """
    if isinstance(value, dict):
        if "via" in value:
            value = value | {"via": sorted(value["via"], key=itemgetter("id"))}
        return {key: normal(one) for key, one in value.items()}
    if isinstance(value, list):
        return [normal(one) for one in value]
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return datetime.fromisoformat(value)
    return value


async def count(
    database: Database, servers: Servers, operations: Sequence[Operation], results: Results
) -> None:
    """Count statements, one request at a time, and see that both servers answer the same.

    Raises RuntimeError where they do not.
    """
    async with database.counting():
        for operation in operations:
            bodies = list(islice(cycle(operation.series[0]), COUNTED))
            answers: dict[str, list[Any]] = {}
            for name, driver in servers.items():
                await driver.ask(bodies[:2])  # what is prepared once is not counted
                before = database.statements(name)
                texts = await driver.ask(bodies)
                number = database.statements(name) - before
                results[operation.name][name].statements = number / COUNTED
                answers[name] = [normal(orjson.loads(text)["data"]) for text in texts]
            first, *others = answers.values()
            if any(other != first for other in others):
                raise RuntimeError(f"{operation.name}: the servers answer differently")


async def run(
    database: Database, driver: Driver, operation: Operation, seconds: float, into: Measured
) -> None:
    """One round of one server."""
    server_before, database_before = driver.server.cpu_seconds(), database.cpu_seconds()
    elapsed, latencies = await driver.run(operation, seconds)
    into.server_cpu += driver.server.cpu_seconds() - server_before
    database_after = database.cpu_seconds()
    if database_before is not None and database_after is not None:
        into.database_cpu = (into.database_cpu or 0.0) + database_after - database_before
    into.latencies.extend(latencies)
    into.rates.append(len(latencies) / elapsed)


async def time_rounds(
    database: Database,
    servers: Servers,
    operation: Operation,
    setting: Setting,
    into: dict[str, Measured],
) -> None:
    """Rounds of every server in turn, the other one first every second time."""
    for driver in servers.values():
        await driver.run(operation, WARM_SECONDS)
    for number in range(setting.rounds):
        names = list(servers) if number % 2 == 0 else list(servers)[::-1]
        for name in names:
            await run(database, servers[name], operation, setting.seconds, into[name])


async def measure(
    database: Database,
    sample: Sample,
    operations: Sequence[Operation],
    setting: Setting,
    logs: Path,
    tell: Callable[[str], None],
) -> Results:
    """Everything for one database that is filled: statements and answers first, then times.

    Raises RuntimeError if the servers answer differently, if a request fails, or if Cohort's rows
    contradict one another in the end.
    """
    results: Results = {
        one.name: {name: Measured() for name in setting.names} for one in operations
    }
    started = commands(database, sample, setting.names)
    traced = {name: database.traced(name, command) for name, command in started.items()}
    async with serving(database, sample, traced, 1, logs) as servers:
        tell("statements and answers")
        await count(database, servers, operations, results)
    async with serving(database, sample, started, setting.concurrency, logs) as servers:
        for operation in operations:
            tell(operation.name)
            await time_rounds(database, servers, operation, setting, results[operation.name])
    tell("whether the rows are sound")
    await must_be_sound(database.url(COHORT))
    return results


def ratios(of: Measured, to: Measured) -> list[float]:
    """How many times as many requests a second, round by round."""
    return [one / other for one, other in zip(of.rates, to.rates, strict=True)]
