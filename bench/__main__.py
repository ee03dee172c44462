"""`python -m bench`: load generated organizations, time what pages do, print tables.

See README.md in this folder.
"""

import os
import platform
import signal
import sys
import tempfile
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
from bench.measure import Setting
from bench.runs import Outcome, Run, Wish, beside_itself, beside_large, beside_peers, beside_plain

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
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long a round is.")] = 1.5,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Connections.")] = 16,
    only: Annotated[Only | None, typer.Option(help="One server alone.")] = None,
    operation: Annotated[str, typer.Option(help="Operations with this in their name.")] = "",
    large: Annotated[
        bool, typer.Option(help="Groups of 10,000 users among 10,000, beside ordinary ones.")
    ] = False,
    peers: Annotated[
        bool,
        typer.Option(
            help="Beside PostGraphile, Mercurius and Apollo Server, too (PostgreSQL, Node)."
        ),
    ] = False,
    without: Annotated[
        str, typer.Option(help="Cohort without these (COHORT_WITHOUT), beside itself as it comes.")
    ] = "",
    markdown: Annotated[bool, typer.Option(help="Print tables in Markdown.")] = False,
) -> None:
    """Time Cohort and a plain baseline, on the same machine, in turns."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended then too
    processes.pin_driver()
    setting = Setting(rounds, seconds, concurrency)
    wish = Wish(only.value if only else None, operation, without)
    run: Run
    kinds: dict[Choice, type[Database]]
    if peers:
        if large or without or only or database is Choice.SQLITE:
            raise typer.BadParameter("--peers stands alone: it knows no other way to measure.")
        run, suffix, kinds = beside_peers, "-peers", {Choice.POSTGRESQL: Postgres}
    else:
        run, suffix = (beside_large, "-large") if large else (beside_plain, "")
        run = beside_itself if without and not large else run
        kinds = {Choice.SQLITE: Sqlite, Choice.POSTGRESQL: Postgres}
    for choice, kind in kinds.items():
        if database in (Choice.BOTH, choice):
            outcome = uvloop.run(bench(kind, setting, wish, run))
            tell_outcome(kind.name, suffix, setting, outcome, markdown=markdown)


async def bench(kind: type[Database], setting: Setting, wish: Wish, run: Run) -> Outcome:
    """Measure on one kind of database, made for this and thrown away after."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="cohort-bench-") as name:
        directory = Path(name)
        database = kind(directory)
        try:
            with console.status(kind.name) as status:

                def tell(what: str) -> None:
                    status.update(f"{kind.name}: {what}")

                return await run(database, setting, wish, directory, tell)
        finally:
            database.stop()


def tell_outcome(
    name: str, suffix: str, setting: Setting, outcome: Outcome, *, markdown: bool
) -> None:
    """Print the tables, and keep the numbers in a file."""
    environment = {
        "cores": len(processes.CORES),
        "load": [round(one, 2) for one in os.getloadavg()],
        "python": platform.python_version(),
    }
    title = (
        f"{name}: {setting.rounds} rounds of {setting.seconds:g} s, "
        f"{setting.concurrency} connections, {environment['cores']} cores"
    )
    if markdown:
        typer.echo(report.markdown(title, outcome.grids))
    else:
        console = Console(width=None if Console().is_terminal else 132)
        console.print(title, style="bold")
        for grid in outcome.grids:
            console.print(report.drawn(grid))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    report.save(
        RESULTS / f"{name.lower()}{suffix}-{stamp}.json",
        asdict(setting) | environment,
        outcome.findings,
        outcome.followed,
    )


if __name__ == "__main__":
    app()
