"""Keyset pagination: pages of rows, for one parent or for many in one statement.

A page is read off an index, from the row that a cursor names onwards. It costs no more than what it
shows, however deep it lies, and cursors stay valid while rows come and go around them.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from models.columns import listed
from models.database import Row, is_postgres, read
from models.database.pairs import READ
from models.sql import Params, by_pairs

Source = Callable[[Params, str], str]

# A search scans the first NEAR * n ^ (2/3) of n rows in order before it turns to the indexes of
# texts. The rarer a text, the longer a scan takes to fill a page, and the fewer rows an index finds
# (each in another block of the table, if that is large); here the two take equally long.
NEAR = 1.5
PARENTS = "unnest($1::text[]) AS p(parent)"  # on PostgreSQL
# Parents per statement. SQLite allows at most 500 SELECTs in one, and compiles each of them.
SQLITE_PARENTS = 25


@dataclass(frozen=True, slots=True)
class Order:
    """How a listing is sorted: by a column of the result, whose expression is `sql`, then by id.

    `name` marks its cursors. `column` is None if it is sorted by id alone. `numeric` says that the
    column holds integers rather than text.
    """

    name: str
    id: str
    column: str | None = None
    sql: str = ""
    numeric: bool = False
    descending: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of the sort key, which make a row's cursor."""
        return (self.column, "id") if self.column else ("id",)

    @property
    def key(self) -> tuple[str, ...]:
        """The SQL of those columns."""
        return (self.sql, self.id) if self.column else (self.id,)

    @property
    def keys(self) -> dict[str, str]:
        """The SQL that selects those columns, by name."""
        named = zip(self.columns, self.key, strict=True)
        return {name: f"{sql} AS {name}" for name, sql in named}

    def wanted(self, part: "Slice") -> Collection[str] | None:
        """The columns to read for a slice: its own, and those of the sort key; None means all."""
        return None if part.columns is None else {*part.columns, *self.columns}

    def by(self, part: "Slice", key: Sequence[str] | None = None) -> str:
        """What follows ORDER BY for a slice. `key` replaces the SQL of the sort key."""
        direction = "DESC" if part.backward is not self.descending else "ASC"
        return ", ".join(f"{column} {direction}" for column in key or self.key)

    def within(self, part: "Slice", params: Params) -> str:
        """` AND …`: a row lies within the bounds of the slice, `after` and `before`."""
        row = self.key[0] if len(self.key) == 1 else f"({', '.join(self.key)})"
        bounds = ""
        for bound, forward in ((part.after, True), (part.before, False)):
            if bound is not None:
                sign = ">" if forward is not self.descending else "<"
                bounds += f" AND {row} {sign} ({', '.join(map(params.add, bound))})"
        return bounds


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a listing: at most `limit` rows after or before a sort key, from either end.

    `columns` are those to read, besides the ones that make a cursor; None means all.
    """

    limit: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    columns: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a slice, in the listing's order, and whether there are more on either side.

    `total` is how many there are in all, if that is known without counting.
    """

    rows: Sequence[Any]
    has_next: bool = False
    has_previous: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class LiveRows:
    """The live rows of one table of the directory, in one organization, that meet conditions.

    `matches(params)` gives cheap conditions, on the row `e` alone, as ` AND …`;
    `conditions(params, parent)` those that look at other rows. `search` is the text searched for.
    """

    table: str
    organization_id: str
    matches: Callable[[Params], str]
    conditions: Source
    search: str | None = None

    def source(self, params: Params, parent: str) -> str:
        """FROM and WHERE, for a Listing."""
        own = params.add(self.organization_id)
        return f"FROM {self.live(own)}{self.matches(params)}{self.conditions(params, parent)}"

    def live(self, own: str) -> str:
        """All live rows, without the conditions. `own` is the placeholder of the organization."""
        return f"{self.table} e WHERE e.organization_id = {own} AND e.until_revision IS NULL"

    def near(self, own: str, bounds: str, ordering: str) -> str:
        """The first rows in an order: as many as are quickly scanned (`NEAR`)."""
        many = f"SELECT ({NEAR} * cbrt(user_count) ^ 2)::bigint FROM organizations WHERE id = {own}"
        return f"SELECT {READ} FROM {self.live(own)}{bounds} ORDER BY {ordering} LIMIT ({many})"

    def held(self, params: Params, own: str, matches: str) -> Sequence[str]:
        """The rows that match the search, in two disjoint parts, each found by an index: those that
        begin with the text, and the rest. Empty if no index is of use.

        OFFSET keeps the other conditions out of the second subquery: with them, PostgreSQL would
        choose another index.
        """
        known = by_pairs(params, self.organization_id, self.search or "", self.table)
        if known is None:
            return ()
        begin, rest = known
        found = f"{self.table} e WHERE e.until_revision IS NULL{rest} OFFSET 0"
        return (
            f"SELECT {READ} FROM {self.live(own)}{begin}{matches}",
            f"SELECT {READ} FROM (SELECT organization_id, {READ} FROM {found}) AS e "
            f"WHERE e.organization_id = {own}{matches}",
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """A set of rows in a fixed order: what a connection shows. `columns` are the SQL, by name.

    `source(params, parent)` gives FROM and WHERE; `parent` is the SQL of the parent's id, if any.
    `searched` is given for a listing that skips most rows that it scans: then the page is found by
    sort keys alone, and only its rows are read in full.
    """

    columns: Mapping[str, str]
    source: Source
    order: Order
    searched: LiveRows | None = None


def cut(part: Slice, rows: Sequence[Any]) -> Page:
    """The page, made of up to `limit + 1` rows that were read in the slice's direction."""
    more = len(rows) > part.limit
    rows = rows[: part.limit]
    if part.backward:
        return Page(rows[::-1], has_next=part.before is not None, has_previous=more)
    return Page(rows, has_next=more, has_previous=part.after is not None)


def statement(listing: Listing, part: Slice, params: Params, parent: str) -> str:
    """The statement for one parent. It reads one row more than the slice holds."""
    if listing.searched:
        return _search(listing, listing.searched, part, params, parent)
    order = listing.order
    return (
        f"SELECT {listed(listing.columns, order.wanted(part))} {listing.source(params, parent)}"
        f"{order.within(part, params)} ORDER BY {order.by(part)} LIMIT {params.add(part.limit + 1)}"
    )


def _search(listing: Listing, rows: LiveRows, part: Slice, params: Params, parent: str) -> str:
    """The same for a listing that skips most rows that it scans.

    If many rows hold the text, the first rows in order soon fill the page; sorting all of them
    would take longer. If few do, the indexes find them; they are sorted, and the costly conditions
    are then evaluated only until the page is full.
    """
    order = listing.order
    keys, columns = listed(order.keys), listed(listing.columns, order.wanted(part))
    bounds, ordering = order.within(part, params), order.by(part)
    limit, own = params.add(part.limit + 1), params.add(rows.organization_id)
    matches, asked = rows.matches(params), rows.conditions(params, parent)
    in_order = f"ORDER BY {ordering} LIMIT {limit}"
    if held := rows.held(params, own, matches):
        near = f"FROM ({rows.near(own, bounds, ordering)}) AS e WHERE TRUE{matches}{asked}"
        many = "(SELECT COUNT(*) FROM near)"
        rest = " UNION ALL ".join(
            f"(SELECT {keys} FROM ({source}{bounds} ORDER BY {ordering} OFFSET 0) AS e "
            f"WHERE {many} < {limit}{asked} {in_order})"
            for source in held
        )
        found = (
            f"near AS (SELECT {keys} {near} {in_order}), "
            f"cut AS (SELECT * FROM near WHERE {many} = {limit} UNION ALL {rest} "
            f"ORDER BY {order.by(part, order.columns)} LIMIT {limit})"
        )
    else:
        source = f"{rows.live(own)}{matches}{asked}{bounds}"
        found = f"cut AS (SELECT {keys} FROM {source} {in_order})"
    # `cut` holds no more rows than this; but LIMIT keeps this ORDER BY when it runs as a subquery.
    again = f"ORDER BY {order.by(part, [f'cut.{name}' for name in order.columns])} LIMIT {limit}"
    return f"WITH {found} SELECT {columns} FROM cut JOIN {rows.table} e ON e.id = cut.id {again}"


def _by_parent(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each parent. (Those of one are nearly always adjacent.)"""
    found: dict[str, list[Row]] = defaultdict(list)
    for parent, some in groupby(rows, itemgetter("parent")):
        found[parent].extend(some)
    return found


async def _for_each(
    parents: Sequence[str], select: Callable[[Params, str], str]
) -> Mapping[str, Sequence[Row]]:
    """The rows that a statement gives for each of many parents.

    For a single parent it runs as it is. For many, each row has its `parent`: PostgreSQL runs it
    once per parent in a nested loop, which keeps the order of the inner statement; for SQLite,
    which has no LATERAL, one statement per parent is joined by UNION ALL.
    """
    if len(parents) == 1:
        params = Params(*parents)
        return {parents[0]: await read(select(params, "$1"), *params.values)}
    if is_postgres():
        params = Params(list(parents))
        inner = select(params, "p.parent")
        sql = f"SELECT * FROM {PARENTS} CROSS JOIN LATERAL ({inner}) AS page"
        return _by_parent(await read(sql, *params.values))
    rows: dict[str, list[Row]] = {}
    for start in range(0, len(parents), SQLITE_PARENTS):
        params = Params()
        # Only the parent differs between the statements; what they share is bound once.
        placeholders = [params.add(parent) for parent in parents[start : start + SQLITE_PARENTS]]
        inner = select(params, "{parent}")
        parts = (
            f"SELECT {placeholder} AS parent, page.* FROM ({inner}) AS page".replace(
                "{parent}", placeholder
            )
            for placeholder in placeholders
        )
        rows |= _by_parent(await read(" UNION ALL ".join(parts), *params.values))
    return rows


def page_of(rows: Sequence[Any], order: Order, part: Slice) -> Page:
    """A page of rows that are all in memory, sorted."""

    def key(row: Any) -> tuple[Any, ...]:
        return tuple(row[column] for column in order.columns)

    start = bisect_right(rows, part.after, key=key) if part.after is not None else 0
    end = bisect_left(rows, part.before, key=key) if part.before is not None else len(rows)
    within = rows[start : max(start, end)]
    if part.backward:
        return cut(part, within[::-1][: part.limit + 1])
    return cut(part, within[: part.limit + 1])


async def fetch_page(listing: Listing, part: Slice) -> Page:
    """A page of a listing without a parent."""
    params = Params()
    sql = statement(listing, part, params, "")
    return cut(part, await read(sql, *params.values))


async def fetch_pages(listing: Listing, part: Slice, parents: Sequence[str]) -> dict[str, Page]:
    """The same slice for each of many parents, in one statement. Every parent has a page."""
    rows = await _for_each(parents, lambda params, parent: statement(listing, part, params, parent))
    return {parent: cut(part, rows.get(parent, [])) for parent in parents}


async def fetch_known_pages(
    listing: Listing, part: Slice, parents: Sequence[str], known: Source
) -> dict[str, Page]:
    """The same for those of the parents that exist, in one statement: the others have no page.

    `known(params, parent)` is a JOIN that drops parents that do not exist. PostgreSQL only.
    """
    if len(parents) == 1:
        params, table = Params(*parents), "(VALUES ($1::text)) AS p(parent)"
    else:
        params, table = Params(list(parents)), PARENTS
    # OFFSET makes PostgreSQL do this join first, so that each page keeps its order.
    there = f"(SELECT p.parent FROM {table} {known(params, 'p.parent')} OFFSET 0) AS p"
    inner = statement(listing, part, params, "p.parent")
    rows = await read(
        f"SELECT p.parent, page.* FROM {there} LEFT JOIN LATERAL ({inner}) AS page ON TRUE",
        *params.values,
    )
    return {
        parent: cut(part, [] if some[0]["id"] is None else some)
        for parent, some in _by_parent(rows).items()
    }


async def fetch_count(listing: Listing) -> int:
    """How many rows a listing without a parent has."""
    params = Params()
    if rows := listing.searched:
        own, matches = params.add(rows.organization_id), rows.matches(params)
        every = f"SELECT e.* FROM {rows.live(own)}{matches}"
        found = " UNION ALL ".join(rows.held(params, own, matches) or [every])
        source = f"FROM ({found}) AS e WHERE TRUE{rows.conditions(params, '')}"
    else:
        source = listing.source(params, "")
    (row,) = await read(f"SELECT COUNT(*) {source}", *params.values)
    return int(row[0])


async def fetch_counts(source: Source, parents: Sequence[str]) -> dict[str, int]:
    """How many rows each of many parents has, in one statement."""
    rows = await _for_each(
        parents, lambda params, parent: f"SELECT COUNT(*) AS total {source(params, parent)}"
    )
    return {parent: int(rows[parent][0]["total"]) for parent in parents}
