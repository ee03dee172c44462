"""Finding users, bots and personas by the words that CSV files use for them, and the reverse."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

from models.database import Row
from models.directory import entries
from models.kinds import USERS, Kind
from models.listing import Listing, Slice, fetch_page, fetch_pages
from models.text import composed, differ_in_case_only, name_key
from models.viewer import Viewer

ROWS_AT_ONCE = 1_000


async def every(listing: Listing, parent: str | None = None) -> AsyncIterator[Sequence[Row]]:
    """All rows of a listing, or only a parent's, a page at a time."""
    after: tuple[Any, ...] | None = None
    while True:
        part = Slice(ROWS_AT_ONCE, after=after)
        if parent is None:
            page = await fetch_page(listing, part)
        else:
            page = (await fetch_pages(listing, part, [parent]))[parent]
        yield page.rows
        if not page.has_next:
            return
        after = tuple(page.rows[-1][column] for column in listing.order.columns)


class Directory:
    """The live rows of one kind, by id, email, external id and name.

    A word is looked up in this order. Only names are not unique, so they come last.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.rows: dict[str, Row] = {}
        self.emails: dict[str, Row] = {}
        self.external_ids: dict[str, Row] = {}
        self.names: dict[str, list[Row]] = defaultdict(list)

    @classmethod
    async def load(cls, viewer: Viewer, kind: Kind) -> "Directory":
        """Load all live rows of a kind."""
        directory = cls(kind)
        async for page in every(entries(viewer, kind)):
            for row in page:
                directory.add(row)
        return directory

    def add(self, row: Row) -> None:
        """Add one row."""
        self.rows[row["id"]] = row
        self.names[row["name_key"]].append(row)
        if row["external_id"]:
            self.external_ids[row["external_id"]] = row
        if self.kind is USERS:
            self.emails[row["email_key"]] = row

    def find(self, word: str) -> Sequence[Row]:
        """The rows that a word may refer to: none, one, or several of that name."""
        word = composed(word)
        by_email = self.emails.get(name_key(word))
        if by_email and not differ_in_case_only(by_email["email"], word):  # perhaps somebody else's
            by_email = None
        found = self.rows.get(word) or by_email or self.external_ids.get(word)
        return [found] if found else self.names.get(name_key(word), [])

    def call(self, row: Row) -> str:
        """A word that finds only this row: its email, external id or name, or else its id."""
        words = [row["email"]] if self.kind is USERS else [row["external_id"], row["name"]]
        for word in words:
            if word and [found["id"] for found in self.find(word)] == [row["id"]]:
                return str(word)
        return str(row["id"])
