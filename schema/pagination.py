"""Connections (Relay's GraphQL Cursor Connections Specification), keyset cursors, page sizes.

The objects here are the sources of the connection types in `schema/types.py`, whose fields read
their properties.
"""

import base64
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import strawberry
from strawberry import UNSET

from models.errors import BadRequest
from models.listing import Order, Page, Slice
from models.text import is_storable

DEFAULT_PAGE = 50
LARGEST_NUMBER = 2**31 - 1  # that fits GraphQL's Int, and PostgreSQL's integer
LONGEST_CURSOR = 4_096  # characters; the longest that we make has fewer than half

First = Annotated[
    int | None,
    strawberry.argument(
        description="Return the first n items, at most 100. Defaults to 50 if neither `first` nor "
        "`last` is given."
    ),
]
After = Annotated[
    str | None, strawberry.argument(description="Return only items after this cursor.")
]
Last = Annotated[
    int | None, strawberry.argument(description="Return the last n items, at most 100.")
]
Before = Annotated[
    str | None, strawberry.argument(description="Return only items before this cursor.")
]


@dataclass(frozen=True, slots=True)
class Range:
    """The part of a listing that `first`, `after`, `last` and `before` ask for.

    `last` is set only if `first` is given as well: then the page is narrowed after it is fetched.
    """

    part: Slice
    last: int | None = None

    def narrow(self, page: Page) -> Page:
        """The last of the first rows, if both `first` and `last` were given."""
        if self.last is None or self.last >= len(page.rows):
            return page
        start = len(page.rows) - self.last
        return Page(page.rows[start:], page.has_next, has_previous=True)


class Paging:
    """The four arguments of a connection, as they were sent.

    A resolver with a `Paging` parameter makes a field with these four (`schema/fields.py`).
    `columns` are those that the query needs of the rows; None means all.
    """

    __slots__ = ("after", "before", "columns", "first", "last")

    def __init__(
        self,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> None:
        self.first = first
        self.after = after
        self.last = last
        self.before = before
        self.columns: Collection[str] | None = None

    def range(self, order: Order) -> Range:
        """The range that they ask for.

        Raises BadRequest for a negative size, or a cursor of another listing. (Too large a page is
        refused before anything is executed, in `schema/cost.py`.)
        """
        for name, size in (("first", self.first), ("last", self.last)):
            if size and size < 0:
                raise BadRequest(f"`{name}` can't be negative.")
        forward = self.first if isinstance(self.first, int) else None
        backward = self.last if isinstance(self.last, int) else None
        limit = forward if forward is not None else backward
        part = Slice(
            DEFAULT_PAGE if limit is None else limit,
            backward=forward is None and backward is not None,
            after=decode_cursor(order, self.after, "after") if self.after else None,
            before=decode_cursor(order, self.before, "before") if self.before else None,
            columns=self.columns,
        )
        return Range(part, last=backward if forward is not None else None)


def _mark(order: Order) -> str:
    """The listing that a cursor belongs to, and its direction, as encoded in the cursor."""
    return f"-{order.name}" if order.descending else order.name


def encode_cursor(order: Order, row: Any) -> str:
    """The cursor of a row in a listing: opaque to clients; it never expires."""
    key = [_mark(order), *(row[column] for column in order.columns)]
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(order: Order, cursor: str, argument: str) -> tuple[Any, ...]:
    """The key in a cursor. Raises BadRequest if it is not a cursor of this listing."""
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise ValueError("too long")
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        name, *key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError):
        name, key = None, []
    kinds = [int] if order.numeric else [str]
    expected = [*kinds, str] if order.column else [str]
    good = (
        name == _mark(order)
        and [type(value) for value in key] == expected
        # Names of several lines were accepted once, and may still be stored.
        and all(is_storable(value, lines=True) for value in key if isinstance(value, str))
        and all(abs(value) <= LARGEST_NUMBER for value in key if isinstance(value, int))
    )
    if not good:
        raise BadRequest(f"`{argument}` is not a cursor of this list in this order.")
    return tuple(key)


class Edge:
    """A row with its place in a listing. The source of every edge type."""

    __slots__ = ("node", "order")

    def __init__(self, order: Order, node: Any) -> None:
        self.order = order
        self.node = node

    @property
    def cursor(self) -> str:
        return encode_cursor(self.order, self.node)


class PageEnds:
    """The source of `PageInfo`."""

    __slots__ = ("order", "page")

    def __init__(self, order: Order, page: Page) -> None:
        self.order = order
        self.page = page

    @property
    def has_next_page(self) -> bool:
        return self.page.has_next

    @property
    def has_previous_page(self) -> bool:
        return self.page.has_previous

    @property
    def start_cursor(self) -> str | None:
        return encode_cursor(self.order, self.page.rows[0]) if self.page.rows else None

    @property
    def end_cursor(self) -> str | None:
        return encode_cursor(self.order, self.page.rows[-1]) if self.page.rows else None


class Connection:
    """A page of a parent's rows. The source of every connection type.

    `count` counts all rows of each of the given parents, in one go.
    """

    __slots__ = ("count", "order", "page", "parent")

    def __init__(
        self,
        order: Order,
        page: Page,
        parent: str,
        count: Callable[[Sequence[str]], Awaitable[Mapping[str, int]]],
    ) -> None:
        self.order = order
        self.page = page
        self.parent = parent
        self.count = count

    @property
    def nodes(self) -> Sequence[Any]:
        return self.page.rows

    @property
    def edges(self) -> list[Edge]:
        order = self.order
        return [Edge(order, row) for row in self.page.rows]

    @property
    def page_info(self) -> PageEnds:
        return PageEnds(self.order, self.page)
