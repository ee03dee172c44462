"""Pages of rows by keyset, for one parent or for many in one statement.

A page is cut off an index, behind the row that a cursor names or in front of it. It costs what it
shows, wherever it lies, and stays good while rows come and go around it.
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

# A search looks at so many rows, one by one, before it turns to what the indexes find: this times
# how many there are, to the power of two thirds. The rarer a text is, the later these fill a page,
# and the less is found (each in a page of the table's own, if that is large); here the one takes as
# long as the other.
NEAR = 1.5
PARENTS = "unnest($1::text[]) AS p(parent)"  # on PostgreSQL
# Parents in one statement: SQLite joins at most 500 SELECTs, and compiles each of them.
SQLITE_PARENTS = 25


@dataclass(frozen=True, slots=True)
class Order:
    """How a listing is sorted: a column of the result and the SQL that it stands for, then the id.

    `name` marks its cursors; `column` is None where the id alone decides. `numeric` says whether
    the column holds whole numbers; else it holds text.
    """

    name: str
    id: str
    column: str | None = None
    sql: str = ""
    numeric: bool = False
    descending: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a row that make its cursor."""
        return (self.column, "id") if self.column else ("id",)

    @property
    def key(self) -> tuple[str, ...]:
        """The SQL of those columns."""
        return (self.sql, self.id) if self.column else (self.id,)

    @property
    def keys(self) -> dict[str, str]:
        """The SQL of those columns, by name."""
        named = zip(self.columns, self.key, strict=True)
        return {name: f"{sql} AS {name}" for name, sql in named}

    def wanted(self, part: "Slice") -> Collection[str] | None:
        """The columns that a slice is read with: those that it wants, and these; None is all."""
        return None if part.columns is None else {*part.columns, *self.columns}

    def by(self, part: "Slice", key: Sequence[str] | None = None) -> str:
        """How the rows of a slice are read: for ORDER BY. `key` is other SQL of the columns."""
        direction = "DESC" if part.backward is not self.descending else "ASC"
        return ", ".join(f"{column} {direction}" for column in key or self.key)

    def within(self, part: "Slice", params: Params) -> str:
        """` AND …`: that a row lies behind the slice's key, or in front of it."""
        row = self.key[0] if len(self.key) == 1 else f"({', '.join(self.key)})"
        bounds = ""
        for bound, forward in ((part.after, True), (part.before, False)):
            if bound is not None:
                sign = ">" if forward is not self.descending else "<"
                bounds += f" AND {row} {sign} ({', '.join(map(params.add, bound))})"
        return bounds


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a listing: `limit` rows behind a key, or in front of one, from either end.

    `columns` are those that are wanted of the rows, beside what makes a cursor; None is all.
    """

    limit: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    columns: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a slice, in the listing's order, and whether more lie on either side.

    `total` is how many there are in all, where that is known without counting.
    """

    rows: Sequence[Any]
    has_next: bool = False
    has_previous: bool = False
    total: int | None = None


@dataclass(frozen=True, slots=True)
class LiveRows:
    """The live rows of one table of the directory, in one organization.

    `matches(params)` is what is asked of a row `e` itself, ` AND …`; `conditions(params, parent)`
    what takes a look at other rows. `search` is the text that they look for, if any.
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
        """All of them, whatever is asked of each. `own` is the organization's placeholder."""
        return f"{self.table} e WHERE e.organization_id = {own} AND e.until_revision IS NULL"

    def near(self, own: str, bounds: str, ordering: str) -> str:
        """The first rows of an order: as many as are soon looked at."""
        many = f"SELECT ({NEAR} * cbrt(user_count) ^ 2)::bigint FROM organizations WHERE id = {own}"
        return f"SELECT {READ} FROM {self.live(own)}{bounds} ORDER BY {ordering} LIMIT ({many})"

    def held(self, params: Params, own: str, matches: str) -> Sequence[str]:
        """The rows that match what they look for, in two parts, for each of which an index knows
        where they are: those that begin with it, and the rest. Nothing if no index does.

        OFFSET keeps whatever else is asked of the rest away, for which PostgreSQL would look
        elsewhere.
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
    `searched` is for a listing that passes over most of what it looks at: the rows of its source,
    which are read once it is known, by their keys alone, which of them the page shows.
    """

    columns: Mapping[str, str]
    source: Source
    order: Order
    searched: LiveRows | None = None


def cut(part: Slice, rows: Sequence[Any]) -> Page:
    """The page, from up to `limit + 1` rows that were read in the slice's direction."""
    more = len(rows) > part.limit
    rows = rows[: part.limit]
    if part.backward:
        return Page(rows[::-1], has_next=part.before is not None, has_previous=more)
    return Page(rows, has_next=more, has_previous=part.after is not None)


def statement(listing: Listing, part: Slice, params: Params, parent: str) -> str:
    """The statement for one parent, which reads one row more than the slice holds."""
    if listing.searched:
        return _search(listing, listing.searched, part, params, parent)
    order = listing.order
    return (
        f"SELECT {listed(listing.columns, order.wanted(part))} {listing.source(params, parent)}"
        f"{order.within(part, params)} ORDER BY {order.by(part)} LIMIT {params.add(part.limit + 1)}"
    )


def _search(listing: Listing, rows: LiveRows, part: Slice, params: Params, parent: str) -> str:
    """The same for a listing that passes over most of what it looks at.

    A text that many rows hold fills the page from the first rows of the order; to sort all that
    hold it would take longer. Of one that few hold, only the indexes know where they are: they are
    sorted before what costs more is asked of them, until the page is full.
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
    # There are no more; but the order of a part of a statement is only kept where it has a LIMIT.
    again = f"ORDER BY {order.by(part, [f'cut.{name}' for name in order.columns])} LIMIT {limit}"
    return f"WITH {found} SELECT {columns} FROM cut JOIN {rows.table} e ON e.id = cut.id {again}"


def _by_parent(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each parent; nearly always those of one follow one another."""
    found: dict[str, list[Row]] = defaultdict(list)
    for parent, some in groupby(rows, itemgetter("parent")):
        found[parent].extend(some)
    return found


async def _for_each(
    parents: Sequence[str], select: Callable[[Params, str], str]
) -> Mapping[str, Sequence[Row]]:
    """The rows of a statement for each of many parents.

    One has it for itself. Of many each row bears its `parent`: PostgreSQL runs it once a parent in
    one nested loop, which keeps the order of the inner statement; SQLite, which has no LATERAL,
    gets as many statements joined by UNION ALL.
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
    """The slice of rows that are all at hand, in the order."""

    def key(row: Any) -> tuple[Any, ...]:
        return tuple(row[column] for column in order.columns)

    start = bisect_right(rows, part.after, key=key) if part.after is not None else 0
    end = bisect_left(rows, part.before, key=key) if part.before is not None else len(rows)
    within = rows[start : max(start, end)]
    if part.backward:
        return cut(part, within[::-1][: part.limit + 1])
    return cut(part, within[: part.limit + 1])


async def fetch_page(listing: Listing, part: Slice) -> Page:
    """A page of a listing that has no parent."""
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
    """The same for the parents that there are, in one statement: the others have no page.

    `known(params, parent)` is a JOIN that a parent passes if it is there. PostgreSQL only.
    """
    if len(parents) == 1:
        params, table = Params(*parents), "(VALUES ($1::text)) AS p(parent)"
    else:
        params, table = Params(list(parents)), PARENTS
    # OFFSET has these joined first, so that each page keeps its order.
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
    """How many rows a listing without parent has."""
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
