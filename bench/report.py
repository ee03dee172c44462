"""What was measured: tables for people, in the terminal or in Markdown, and JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from bench.measure import Findings
from bench.subscribers import Followed
from bench.tables import Grid


def drawn(grid: Grid) -> Table:
    """A table for the terminal."""
    table = Table(title=grid.title, title_justify="left")
    for place, heading in enumerate(grid.headings):
        table.add_column(heading, justify="left" if place < grid.texts else "right")
    for row in grid.rows:
        table.add_row(*row)
    return table


def markdown(heading: str, grids: Sequence[Grid]) -> str:
    """All tables as a section of a document."""
    parts = [f"## {heading}"]
    for grid in grids:
        parts.append(f"### {grid.title}")
        marks = ["---" if place < grid.texts else "---:" for place in range(len(grid.headings))]
        lines = [grid.headings, marks, *grid.rows]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def save(
    path: Path, setting: dict[str, Any], findings: Findings, followed: Followed | None
) -> None:
    """Write all numbers, with the setting that they were measured in."""
    operations = {
        operation: {
            name: measured.values() | {"rates": measured.rates}
            for name, measured in servers.items()
        }
        for operation, servers in findings.results.items()
    }
    memory = {
        name: {"at_start": asdict(start), "after": asdict(after)}
        for name, (start, after) in findings.memory.items()
    }
    everything = {
        "setting": setting,
        "operations": operations,
        "memory": memory,
        "subscribers": asdict(followed) if followed else None,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(orjson.dumps(everything, option=orjson.OPT_INDENT_2))
