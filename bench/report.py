"""What was measured, as a table for people and as JSON for programs."""

import statistics
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from bench.databases import COHORT, PLAIN
from bench.measure import Measured, Results, ratios

COLUMNS = {
    "rate": "requests/s",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "statements": "statements",
    "server_cpu": "server CPU ms",
    "database_cpu": "database CPU ms",
}


def table(title: str, results: Results) -> Table:
    """Two rows an operation and, where both servers ran, one of ratios: Cohort's to the plain's."""
    drawn = Table(title=title, title_justify="left")
    drawn.add_column("operation")
    drawn.add_column("server")
    for heading in COLUMNS.values():
        drawn.add_column(heading, justify="right")
    for operation, servers in results.items():
        label = operation
        for name, measured in servers.items():
            values = measured.values()
            drawn.add_row(label, name, *(_number(values[column]) for column in COLUMNS))
            label = ""
        if COHORT in servers and PLAIN in servers:
            cells = _ratio_cells(servers[COHORT], servers[PLAIN])
            drawn.add_row("", "ratio", *cells, style="bold", end_section=True)
        else:
            drawn.add_section()
    return drawn


def _ratio_cells(cohort: Measured, plain: Measured) -> list[str]:
    by_round = ratios(cohort, plain)
    rate = f"{statistics.median(by_round):.2f} ({min(by_round):.2f}-{max(by_round):.2f})"
    ours, theirs = cohort.values(), plain.values()
    return [rate, *(_ratio(ours[column], theirs[column]) for column in list(COLUMNS)[1:])]


def _ratio(one: float | None, other: float | None) -> str:
    return "" if one is None or not other else f"{one / other:.2f}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def save(path: Path, setting: dict[str, Any], results: Results) -> None:
    """Write all numbers, with the setting that they were measured in."""
    operations: dict[str, Any] = {}
    for operation, servers in results.items():
        operations[operation] = {
            name: measured.values() | {"rates": measured.rates}
            for name, measured in servers.items()
        }
        if COHORT in servers and PLAIN in servers:
            operations[operation]["ratios"] = ratios(servers[COHORT], servers[PLAIN])
    path.parent.mkdir(exist_ok=True)
    text = orjson.dumps({"setting": setting, "operations": operations}, option=orjson.OPT_INDENT_2)
    path.write_bytes(text)
