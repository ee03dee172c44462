"""Stamps: telling whether all that a query read was of one revision of its organization.

A statement sees one state of the database, whatever lands while it runs. So if it reads the
organization's revision beside its rows, that says which state they are of. If all statements of a
query return the same revision, its answer shows that one, without another statement to read it.

After a restore, a revision may come again, but not at the same instant: a statement returns it only
if it has the instant that is expected.
"""

from contextvars import ContextVar, Token
from datetime import datetime
from typing import Self

from models.apart import of_request

STAMP = "stamp"  # the column, after all others


class Stamps:
    """The revisions that the statements of one query returned; None for one without a stamp, or
    that saw the organization at another instant than `changed_at`.

    Inside `with`, the statements of the block, and of tasks that it starts, are stamped.
    """

    __slots__ = ("_revisions", "_token", "changed_at", "organization_id")

    def __init__(self, organization_id: str, changed_at: datetime) -> None:
        self.organization_id = organization_id
        self.changed_at = changed_at
        self._revisions: set[int | None] = set()

    def note(self, revision: int | None) -> None:
        """Note the stamp that a statement returned."""
        self._revisions.add(revision)

    def are_all(self, revision: int) -> bool:
        """Whether any statements ran, and all of them returned this revision."""
        return self._revisions == {revision}

    def __enter__(self) -> Self:
        self._token: Token[Stamps | None] = stamps.set(self)
        return self

    def __exit__(self, *error: object) -> None:
        stamps.reset(self._token)


stamps: ContextVar[Stamps | None] = of_request("stamps")


def stamped(sql: str, number: int) -> str:
    """The statement with a stamp. If it has no rows, it returns one of nulls, with the stamp.

    `number` is that of the parameter that holds the organization's id. The next one holds the
    instant that is expected.
    """
    return (
        f"SELECT each.*, CASE WHEN o.changed_at = ${number + 1} THEN o.revision END AS {STAMP} "
        "FROM organizations o "
        f"LEFT JOIN ({sql}) AS each ON TRUE WHERE o.id = ${number}"
    )
