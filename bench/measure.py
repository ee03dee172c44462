"""Rounds of all servers, interleaved, and what comes out of them."""

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from bench.databases import LARGE, Database
from bench.processes import Memory
from bench.servers import Running, Served, serving

WARM_SECONDS = 0.3
COUNTED = 20  # answers a server for which statements are counted
ALONE = 0.2  # how long one connection is measured, as a part of a round
BESIDE_NOTHING = 0.5  # how long the operations are that the plain server does not know, likewise
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """How to measure: for each operation and server so many rounds of so many seconds."""

    rounds: int
    seconds: float
    concurrency: int


@dataclass(slots=True)
class Measured:
    """One operation on one server, over all rounds. Times are in seconds.

    `alone` are the latencies at one connection.
    """

    statements: float = 0.0
    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    server_cpu: float = 0.0
    database_cpu: float | None = None

    def values(self) -> dict[str, float | None]:
        """Requests a second (the median round), and milliseconds or numbers a request."""
        requests = len(self.latencies)
        database_cpu = self.database_cpu
        return {
            "rate": statistics.median(self.rates),
            "p50": centile(self.latencies, 50) * 1e3,
            "p99": centile(self.latencies, 99) * 1e3,
            "alone": centile(self.alone, 50) * 1e3 if self.alone else None,
            "statements": self.statements,
            "server_cpu": self.server_cpu / requests * 1e3,
            "database_cpu": None if database_cpu is None else database_cpu / requests * 1e3,
        }


Results = dict[str, dict[str, Measured]]  # by operation, by server


@dataclass(slots=True)
class Findings:
    """All that was measured of some servers on one database.

    `memory` is by server: when it had started, and after the run.
    """

    results: Results
    memory: dict[str, tuple[Memory, Memory]] = field(default_factory=dict)


def centile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def ratios(of: Measured, to: Measured) -> list[float]:
    """How many times as many requests a second, round by round."""
    return [one / other for one, other in zip(of.rates, to.rates, strict=True)]


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


async def count(database: Database, running: Sequence[Running], results: Results) -> None:
    """Count statements, one request at a time, and see that equal databases give equal answers.

    Raises RuntimeError where they do not.
    """
    async with database.counting():
        for operation, servers in results.items():
            answers: dict[Any, list[Any]] = {}
            for one in running:
                if one.name not in servers:
                    continue
                series = one.served.operations[operation].series[0]
                bodies = list(islice(cycle(series), COUNTED))
                await one.driver.ask(bodies)  # what is prepared, or kept, is not counted
                before = database.statements(one.name)
                texts = await one.driver.ask(bodies)
                number = database.statements(one.name) - before
                servers[one.name].statements = number / COUNTED
                found = [normal(orjson.loads(text)["data"]) for text in texts]
                same = one.served.database == LARGE, *bodies
                if answers.setdefault(same, found) != found:
                    raise RuntimeError(f"{operation}: the servers answer differently")


async def run(
    database: Database, one: Running, operation: str, seconds: float, into: Measured
) -> None:
    """One round of one server."""
    driver, asked = one.driver, one.served.operations[operation]
    server_before, database_before = driver.server.cpu_seconds(), database.cpu_seconds()
    elapsed, latencies = await driver.run(asked, seconds)
    into.server_cpu += driver.server.cpu_seconds() - server_before
    database_after = database.cpu_seconds()
    if database_before is not None and database_after is not None:
        into.database_cpu = (into.database_cpu or 0.0) + database_after - database_before
    into.latencies.extend(latencies)
    into.rates.append(len(latencies) / elapsed)
    if asked.connections is None:
        _, alone = await driver.run(asked, seconds * ALONE, connections=1)
        into.alone.extend(alone)


async def time_rounds(
    database: Database,
    running: Sequence[Running],
    operation: str,
    setting: Setting,
    into: dict[str, Measured],
) -> None:
    """Rounds of every server in turn, each time beginning with another one."""
    seconds = setting.seconds
    for one in running:
        asked = one.served.operations[operation]
        if one.served.keeps:
            await one.driver.ask(asked.series[0])
        await one.driver.run(asked, WARM_SECONDS)
        if not asked.in_plain:
            seconds = setting.seconds * BESIDE_NOTHING
    for number in range(setting.rounds):
        first = number % len(running)
        for one in (*running[first:], *running[:first]):
            await run(database, one, operation, seconds, into[one.name])


async def measure(
    database: Database,
    token: str,
    wanted: Sequence[Served],
    setting: Setting,
    logs: Path,
    tell: Tell,
) -> Findings:
    """All operations of all servers: statements and answers first, then times.

    Raises RuntimeError if the servers answer differently, or if a request fails.
    """
    names = list(dict.fromkeys(name for served in wanted for name in served.operations))
    results: Results = {
        name: {served.name: Measured() for served in wanted if name in served.operations}
        for name in names
    }
    findings = Findings(results)
    async with serving(database, token, wanted, 1, logs, traced=True) as running:
        tell("statements and answers")
        await count(database, running, results)
    async with serving(database, token, wanted, setting.concurrency, logs) as running:
        at_start = {one.name: one.driver.server.memory() for one in running}
        for name, measured in results.items():
            tell(name)
            taking_part = [one for one in running if one.name in measured]
            await time_rounds(database, taking_part, name, setting, measured)
        for one in running:
            findings.memory[one.name] = at_start[one.name], one.driver.server.memory()
    return findings
