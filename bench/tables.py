"""What was measured, as tables: headings and cells, whoever draws them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.access import QUESTIONS, SINGLES, TOGETHER
from bench.databases import PEERS, PLAIN
from bench.measure import Findings, Measured, Results, ratios
from bench.processes import Memory
from bench.servers import AGAIN, FIRST
from bench.subscribers import Followed

MEGABYTE = 1e6
COLUMNS = {
    "rate": "requests/s",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "alone": "p50 ms alone",
    "statements": "statements",
    "server_cpu": "server CPU ms",
    "database_cpu": "database CPU ms",
}
ORDINARY, LARGE = "ordinary", "large"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. The first `texts` columns hold words, the others numbers."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1


def all_tables(findings: Findings, followed: Followed | None) -> list[Grid]:
    """The tables of a run; those without rows are left out."""
    grids = [
        ratio_table(findings.results),
        alone_table(findings.results),
        detail_table(findings.results),
        memory_table(findings.memory),
    ]
    if followed:
        grids.append(subscriber_table(followed))
    return [filled(grid) for grid in grids if grid.rows]


def filled(grid: Grid) -> Grid:
    """A table less its columns that are empty, as a database's time is where it has no process."""
    kept = [place for place, cells in enumerate(zip(*grid.rows, strict=True)) if any(cells)]
    return replace(
        grid,
        headings=[grid.headings[place] for place in kept],
        rows=[[row[place] for place in kept] for row in grid.rows],
    )


def ratio_table(results: Results) -> Grid:
    """How many times as many requests a second as the plain server: the median round."""
    rows = []
    for operation, servers in results.items():
        if PLAIN not in servers:
            continue
        rows.append([operation, *(_against(servers, name, PLAIN) for name in (FIRST, AGAIN))])
    if SINGLES in results and TOGETHER in results:
        singles, together = results[SINGLES], results[TOGETHER]
        cells = [
            spread([QUESTIONS * one for one in ratios(together[name], singles[name])])
            if name in singles and name in together
            else ""
            for name in (FIRST, AGAIN)
        ]
        rows.append([f"{TOGETHER}, to as many requests", *cells])
    headings = ["Operation", "first time (nothing kept)", "again, nothing changed meanwhile"]
    return Grid("Requests a second, as a multiple of the plain server's", headings, rows)


def _against(servers: dict[str, Measured], name: str, other: str) -> str:
    return spread(ratios(servers[name], servers[other])) if name in servers else ""


def spread(values: Sequence[float]) -> str:
    """The median of several rounds, and the least and the most of them."""
    least, most = (number(one) for one in (min(values), max(values)))
    return f"{number(statistics.median(values))} ({least} to {most})"


def peer_tables(findings: Findings) -> list[Grid]:
    """The tables of a run beside servers of other kinds."""
    names = (FIRST, *PEERS)
    rows = [
        [operation, *(_against(servers, name, PLAIN) for name in names)]
        for operation, servers in findings.results.items()
    ]
    title = "Requests a second, as a multiple of the plain server's"
    return [
        Grid(title, ["Operation", *names], rows),
        alone_table(findings.results, (PLAIN, *names)),
        detail_table(findings.results),
        memory_table(findings.memory),
    ]


def alone_table(results: Results, names: Sequence[str] = (PLAIN, FIRST, AGAIN)) -> Grid:
    """The median latency of one connection."""
    rows = [
        [operation, *(number(_alone(servers.get(name))) for name in names)]
        for operation, servers in results.items()
        if operation != SINGLES and any(name in servers for name in names)
    ]
    return Grid("One request at a time: p50 in ms", ["Operation", *names], rows)


def _alone(measured: Measured | None) -> float | None:
    if measured is None:
        return None
    values = measured.values()
    return values["p50"] if values["alone"] is None else values["alone"]


def detail_table(results: Results) -> Grid:
    """All that was measured of each operation and server."""
    rows = []
    for operation, servers in results.items():
        label = operation
        for name, measured in servers.items():
            values = measured.values()
            rows.append([label, name, *(number(values[column]) for column in COLUMNS)])
            label = ""
    return Grid("In numbers", ["Operation", "Server", *COLUMNS.values()], rows, texts=2)


def memory_table(memory: dict[str, tuple[Memory, Memory]]) -> Grid:
    """What each process takes."""
    rows = [
        [name, *(number(size / MEGABYTE) for one in pair for size in (one.rss, one.pss))]
        for name, pair in memory.items()
    ]
    headings = ["Server", "RSS at start", "PSS at start", "RSS after the run", "PSS after the run"]
    return Grid("Memory a process, in MB", headings, rows)


def subscriber_table(followed: Followed) -> Grid:
    """Many subscribers on one change."""
    grown = followed.after.rss - followed.before.rss
    own = followed.after.pss - followed.before.pss
    rows = [
        ["From the answer of a write to the last event, ms", _ms(followed.after_answer)],
        ["From the request of the write to the last event, ms", _ms(followed.after_asking)],
        ["Server CPU an event, ms", number(followed.server_cpu * 1e3)],
        ["Memory a subscriber, kB (RSS)", number(grown / followed.subscribers / 1e3)],
        ["Memory a subscriber, kB (PSS)", number(own / followed.subscribers / 1e3)],
    ]
    return Grid(f"{followed.subscribers:,} subscribers, one change", ["", "Measured"], rows)


def _ms(seconds: Sequence[float]) -> str:
    return spread([one * 1e3 for one in seconds])


def pair_table(title: str, results: Results, first: str, second: str) -> Grid:
    """The same operations on two servers, and how many times as long the second takes."""
    rows = []
    for operation, servers in results.items():
        one, other = servers[first], servers[second]
        p50s = [number(each.values()["p50"]) for each in (one, other)]
        statements = [number(each.statements) for each in (one, other)]
        rows.append([operation, *p50s, spread(ratios(one, other)), *statements])
    headings = [
        "Operation",
        f"{first}, p50 ms",
        f"{second}, p50 ms",
        "times as long",
        f"statements, {first}",
        f"statements, {second}",
    ]
    return Grid(title, headings, rows)


def number(value: float | None) -> str:
    """A number with three digits that count; nothing for None."""
    if value is None:
        return ""
    return (
        f"{value:,.0f}"
        if abs(value) >= 100
        else f"{value:.1f}"
        if abs(value) >= 10
        else (f"{value:.2f}")
    )
