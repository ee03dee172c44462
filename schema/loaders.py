"""DataLoaders: each level of a query becomes one statement, however many objects ask.

One set belongs to one operation, or to one event of a subscription: loaders remember, and what
they remember goes stale with the next write. They return rows and counts, and know no types.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

from strawberry.dataloader import DataLoader

from models import access, directory, groups, ledger, tokens, undo
from models.kinds import Kind
from models.listing import Listing, Page, Slice, fetch_counts, fetch_page, fetch_pages
from models.viewer import Viewer

Batch = Callable[[list[Any]], Awaitable[Sequence[Any]]]


class Loaders:
    """The loaders of one viewer for one operation, made as they are asked for."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}
        self._changes: dict[str, Any] = {}  # by id: what the batch of `undoable` looks at

    def _load(self, name: Hashable, key: Any, batch: Batch) -> Awaitable[Any]:
        loader = self._loaders.get(name)
        if loader is None:
            loader = self._loaders[name] = DataLoader(load_fn=batch)
        # Those who ask for the same key share a future. When a field fails, the fields beside it
        # are cancelled; that must not reach those who share with them from elsewhere.
        return asyncio.shield(loader.load(key))

    # ------------------------------------------------------------------------------ single rows

    def entry_by_id(self, kind: Kind, id: str) -> Awaitable[Any]:
        """A user, bot or persona; None where the viewer sees none."""
        return self._load(
            ("entry", kind),
            id,
            _rows_by("id", lambda ids: directory.entries_by_id(self.viewer, kind, ids)),
        )

    def group_by_id(self, id: str, *, deleted: bool = False) -> Awaitable[Any]:
        """A live group, or with `deleted` also one that is gone."""
        return self._load(
            ("group", deleted),
            id,
            _rows_by("id", lambda ids: groups.groups_by_id(self.viewer, ids, deleted=deleted)),
        )

    def change_by_id(self, id: str) -> Awaitable[Any]:
        """A change that the viewer may see."""
        return self._load(
            "change", id, _rows_by("id", lambda ids: ledger.changes_by_id(self.viewer, ids))
        )

    def undoable(self, change: Any) -> Awaitable[bool]:
        """Whether an undo of a change would find anything to reverse."""
        self._changes[change["id"]] = change

        async def batch(ids: list[str]) -> Sequence[bool]:
            found = await undo.undoable(self.viewer, [self._changes[id] for id in ids])
            return [id in found for id in ids]

        return self._load("undoable", change["id"], batch)

    def token_by_id(self, id: str) -> Awaitable[Any]:
        """A token, for those who may see tokens."""
        return self._load(
            "token", id, _rows_by("id", lambda ids: tokens.tokens_by_id(self.viewer, ids))
        )

    def actor_by_revision(self, revision: int) -> Awaitable[Any]:
        """Who made the change of a revision."""
        return self._load(
            "actor",
            revision,
            _rows_by("revision", lambda keys: ledger.actors_by_revision(self.viewer, keys)),
        )

    def organization(self) -> Awaitable[Any]:
        """The viewer's organization."""

        async def batch(keys: list[Any]) -> Sequence[Any]:
            return [await directory.organization(self.viewer)] * len(keys)

        return self._load("organization", None, batch)

    # ------------------------------------------------------------------------------------ pages

    def page(self, name: Hashable, listing: Listing, part: Slice) -> Awaitable[Page]:
        """A page of a listing without parent; `name` tells equal listings."""

        async def batch(parts: list[Slice]) -> Sequence[Page]:
            return [await fetch_page(listing, part) for part in parts]

        return self._load(("page", name), part, batch)

    def page_by_parent(
        self, name: Hashable, listing: Listing, part: Slice, parent: str
    ) -> Awaitable[Page]:
        """A page of each parent's rows, all parents in one statement."""

        async def batch(parents: list[str]) -> Sequence[Page]:
            pages = await fetch_pages(listing, part, parents)
            return [pages[parent] for parent in parents]

        return self._load((name, part), parent, batch)

    def count_by_parent(self, name: Hashable, listing: Listing, parent: str) -> Awaitable[int]:
        """How many rows each parent has, all parents in one statement."""

        async def batch(parents: list[str]) -> Sequence[int]:
            counts = await fetch_counts(listing.source, parents)
            return [counts[parent] for parent in parents]

        return self._load(("count", name), parent, batch)

    def access_by_holder(
        self,
        holder: Kind,
        held: Kind,
        part: Slice,
        parent: str,
        search: str | None,
        moment: int | None,
    ) -> Awaitable[Page]:
        """What a user reaches of one kind, or who reaches a bot or persona, with the groups."""

        async def batch(parents: list[str]) -> Sequence[Page]:
            pages = await access.access_pages(
                self.viewer, holder, held, part, parents, search, moment
            )
            return [pages[parent] for parent in parents]

        return self._load(("access", holder, held, part, search, moment), parent, batch)

    def access_count_by_holder(
        self, holder: Kind, held: Kind, parent: str, search: str | None, moment: int | None
    ) -> Awaitable[int]:
        """How many that are."""

        async def batch(parents: list[str]) -> Sequence[int]:
            counts = await access.access_counts(self.viewer, holder, held, parents, search, moment)
            return [counts[parent] for parent in parents]

        return self._load(("access count", holder, held, search, moment), parent, batch)


def _rows_by(column: str, fetch: Callable[[list[Any]], Awaitable[Sequence[Any]]]) -> Batch:
    """A batch function: rows in the order of their keys, None for a key without a row."""

    async def batch(keys: list[Any]) -> Sequence[Any]:
        rows = {row[column]: row for row in await fetch(keys)}
        return [rows.get(key) for key in keys]

    return batch
