"""`python -m bench`: load generated organizations, time six operations, print one table a database.

See README.md in this folder.
"""

import os
import platform
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench import processes, report
from bench.databases import COHORT, PLAIN, Database, Postgres, Sqlite
from bench.measure import Results, Setting, measure
from bench.operations import operations
from bench.plan import LARGE, NORMAL, Size

RESULTS = Path(__file__).parent / "results"


class Choice(StrEnum):
    """Which databases to measure on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    BOTH = "both"


class Only(StrEnum):
    """Which server to run alone."""

    COHORT = COHORT
    PLAIN = PLAIN


app = typer.Typer(pretty_exceptions_enable=False)  # whose form leaves out the servers' words


@app.command()
def main(
    database: Annotated[Choice, typer.Option(help="On which database.")] = Choice.BOTH,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each server.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long a round is.")] = 2.0,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Connections.")] = 16,
    only: Annotated[Only | None, typer.Option(help="One server alone.")] = None,
    operation: Annotated[str, typer.Option(help="Operations with this in their name.")] = "",
    large: Annotated[bool, typer.Option(help="10,000 groups and a million memberships.")] = False,
) -> None:
    """Time Cohort and a plain baseline, on the same machine, in turns."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then too
    processes.pin_driver()
    setting = Setting([only.value] if only else [COHORT, PLAIN], rounds, seconds, concurrency)
    for kind in (Sqlite, Postgres):
        if database is Choice.BOTH or kind.name.lower() == database.value:
            uvloop.run(bench(kind, setting, LARGE if large else NORMAL, operation))


async def bench(
    kind: type[Database], setting: Setting, sizes: Sequence[Size], operation: str
) -> None:
    """Measure on one kind of database, made for this and thrown away after."""
    console = Console(width=None if Console().is_terminal else 132)
    with tempfile.TemporaryDirectory(prefix="cohort-bench-") as name:
        directory = Path(name)
        database = kind(directory)
        try:
            with console.status(f"{kind.name}: loading") as status:
                sample = await database.fill(sizes)
                wanted = [
                    one
                    for one in operations(sample, setting.concurrency)
                    if operation.lower() in one.name.lower()
                ]

                def tell(what: str) -> None:
                    status.update(f"{kind.name}: {what}")

                results = await measure(database, sample, wanted, setting, directory, tell)
        finally:
            database.stop()
    tell_results(console, kind.name, setting, results)


def tell_results(console: Console, name: str, setting: Setting, results: Results) -> None:
    """Print the table, and keep the numbers in a file."""
    environment = {
        "cores": len(processes.CORES),
        "load": [round(one, 2) for one in os.getloadavg()],
        "python": platform.python_version(),
    }
    title = (
        f"{name}: {setting.rounds} rounds of {setting.seconds:g} s, "
        f"{setting.concurrency} connections, {environment['cores']} cores"
    )
    console.print(report.table(title, results))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    report.save(RESULTS / f"{name.lower()}-{stamp}.json", asdict(setting) | environment, results)


if __name__ == "__main__":
    app()
