"""Whether all that a query read stood at one revision of its organization.

A statement sees one state of the database, whatever lands while it runs. So one that reads the
organization's revision beside its rows tells of what state they are. Where all statements of a
query tell the same, that is the revision its answer shows, and nobody has to read it once more.
"""

from contextvars import ContextVar, Token
from typing import Self

from models.apart import of_request

STAMP = "stamp"  # the column, behind all others


class Stamps:
    """The revisions that the statements of one query told; None of one that told none.

    `with` it, the statements of a block are stamped, and those of the tasks that the block starts.
    """

    __slots__ = ("_token", "_told", "organization_id")

    def __init__(self, organization_id: str) -> None:
        self.organization_id = organization_id
        self._told: set[int | None] = set()

    def note(self, revision: int | None) -> None:
        """What one statement told."""
        self._told.add(revision)

    def all_tell(self, revision: int) -> bool:
        """Whether statements ran, and each of them told this revision."""
        return self._told == {revision}

    def __enter__(self) -> Self:
        self._token: Token[Stamps | None] = stamps.set(self)
        return self

    def __exit__(self, *error: object) -> None:
        stamps.reset(self._token)


stamps: ContextVar[Stamps | None] = of_request("stamps")


def stamped(sql: str, number: int) -> str:
    """A statement with the stamp; it has a row of nothing else if it would have none.

    The organization's id is its parameter of that number.
    """
    return (
        f"SELECT each.*, o.revision AS {STAMP} FROM organizations o "
        f"LEFT JOIN ({sql}) AS each ON TRUE WHERE o.id = ${number}"
    )
