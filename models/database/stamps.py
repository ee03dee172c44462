"""Whether all that a query read stood at one revision of its organization.

A statement sees one state of the database, whatever lands while it runs. So one that reads the
organization's revision beside its rows tells of what state they are. Where all statements of a
query tell the same, that is the revision its answer shows, and nobody has to read it once more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from models.apart import of_request

STAMP = "stamp"  # the column, behind all others


class Stamps:
    """The revisions that the statements of one query told; None of one that told none."""

    __slots__ = ("_told", "organization_id")

    def __init__(self, organization_id: str) -> None:
        self.organization_id = organization_id
        self._told: set[int | None] = set()

    def note(self, revision: int | None) -> None:
        """What one statement told."""
        self._told.add(revision)

    def all_tell(self, revision: int) -> bool:
        """Whether statements ran, and each of them told this revision."""
        return self._told == {revision}


stamps: ContextVar[Stamps | None] = of_request("stamps")


@contextmanager
def stamping(organization_id: str) -> Iterator[Stamps]:
    """Stamp the statements that run in this block, and in the tasks that it starts."""
    made = Stamps(organization_id)
    token = stamps.set(made)
    try:
        yield made
    finally:
        stamps.reset(token)


def stamped(sql: str, number: int) -> str:
    """A statement with the stamp. The organization's id is its parameter of that number."""
    revision = f"(SELECT revision FROM organizations WHERE id = ${number})"
    return f"SELECT each.*, {revision} AS {STAMP} FROM ({sql}) AS each"
