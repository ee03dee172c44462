"""The runs: Cohort beside the plain server, beside its peers, beside itself, and large."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import plan, tables
from bench.access import impact, questions
from bench.data import Sample
from bench.databases import COHORT, LARGE, PEERS, PLAIN, Database, must_be_sound
from bench.measure import Findings, Setting, Tell, measure
from bench.operations import Operation, operations
from bench.servers import AGAIN, FIRST, Served, cohort, peer, plain
from bench.subscribers import Followed, follow
from bench.tables import Grid

FOLLOWING = "1,000 subscribers"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to measure: of the servers `only` one kind, and operations whose name holds a text.

    `without` names what Cohort is to do without, beside itself as it comes (COHORT_WITHOUT).
    """

    only: str | None = None
    operation: str = ""
    without: str = ""

    def named(self, found: Sequence[Operation]) -> list[Operation]:
        """Those of the operations that are wished for."""
        return [one for one in found if self.wants(one.name)]

    def wants(self, name: str) -> bool:
        """Whether something of this name is wished for."""
        return self.operation.lower() in name.lower()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found, and the tables that show it."""

    findings: Findings
    followed: Followed | None
    grids: Sequence[Grid]


Run = Callable[[Database, Setting, Wish, Path, Tell], Awaitable[Outcome]]


async def beside_plain(
    database: Database, setting: Setting, wish: Wish, directory: Path, tell: Tell
) -> Outcome:
    """Cohort, for the first time and again, and the plain server.

    Raises RuntimeError if the servers answer differently, if a request fails, or if Cohort's rows
    contradict one another in the end.
    """
    tell("loading")
    sample = await database.fill(COHORT, plan.NORMAL)
    every = wish.named(
        [*operations(sample, setting.concurrency), *questions(sample), impact(sample)]
    )
    wanted: list[Served] = []
    if wish.only != COHORT:
        await database.copy(COHORT, to=PLAIN)
        wanted.append(plain(database, sample, every))
    if wish.only != PLAIN:
        wanted += [cohort(FIRST, every, keeps=False), cohort(AGAIN, every, keeps=True)]
    findings = await measure(database, sample.token, wanted, setting, directory, tell)
    followed = None
    if wish.only != PLAIN and wish.wants(FOLLOWING):
        tell(FOLLOWING)
        followed = await follow(database, sample, directory)
    tell("whether the rows are sound")
    await must_be_sound(database.url(COHORT))
    return Outcome(findings, followed, tables.all_tables(findings, followed))


async def beside_peers(
    database: Database, setting: Setting, wish: Wish, directory: Path, tell: Tell
) -> Outcome:
    """Cohort, the plain server, and servers of other kinds. Nothing is kept.

    Raises RuntimeError as `beside_plain` does.
    """
    tell("loading")
    sample = await database.fill(COHORT, plan.NORMAL)
    every = wish.named(operations(sample, setting.concurrency))
    for name in (PLAIN, *PEERS):
        await database.copy(COHORT, to=name)
    wanted = [
        plain(database, sample, every),
        cohort(FIRST, every, keeps=False),
        *(peer(name, database, sample, every) for name in PEERS),
    ]
    findings = await measure(database, sample.token, wanted, setting, directory, tell)
    tell("whether the rows are sound")
    await must_be_sound(database.url(COHORT))
    return Outcome(findings, None, tables.peer_tables(findings))


async def beside_large(
    database: Database, setting: Setting, wish: Wish, directory: Path, tell: Tell
) -> Outcome:
    """Cohort on ordinary groups, and on the largest of a large organization. Nothing is kept.

    Raises RuntimeError as `beside_plain` does.
    """

    def asked(sample: Sample) -> list[Operation]:
        return wish.named([*operations(sample, setting.concurrency), *questions(sample)])

    tell("loading")
    ordinary = await database.fill(COHORT, plan.NORMAL)
    tell("loading a million memberships")
    large = await database.fill(LARGE, plan.LARGE)
    crowds = replace(large, group_ids=large.crowd_ids)
    wanted = [
        cohort(tables.ORDINARY, asked(ordinary), keeps=False),
        cohort(tables.LARGE, asked(crowds), keeps=False, database=LARGE),
    ]
    findings = await measure(database, ordinary.token, wanted, setting, directory, tell)
    tell("whether the rows are sound")
    for name in (COHORT, LARGE):
        await must_be_sound(database.url(name))
    results = findings.results
    sizes = tables.pair_table("What the size costs", results, tables.ORDINARY, tables.LARGE)
    return Outcome(findings, None, [sizes, tables.memory_table(findings.memory)])


async def beside_itself(
    database: Database, setting: Setting, wish: Wish, directory: Path, tell: Tell
) -> Outcome:
    """Cohort as it comes, and without some of what makes it fast. Nothing is kept.

    Raises RuntimeError as `beside_plain` does.
    """
    tell("loading")
    sample = await database.fill(COHORT, plan.NORMAL)
    every = wish.named(
        [*operations(sample, setting.concurrency), *questions(sample), impact(sample)]
    )
    name = f"without {wish.without}"
    wanted = [
        cohort(FIRST, every, keeps=False),
        cohort(name, every, keeps=False, environment={"COHORT_WITHOUT": wish.without}),
    ]
    findings = await measure(database, sample.token, wanted, setting, directory, tell)
    tell("whether the rows are sound")
    await must_be_sound(database.url(COHORT))
    worth = tables.pair_table("What it is worth", findings.results, FIRST, name)
    return Outcome(findings, None, [worth, tables.memory_table(findings.memory)])
