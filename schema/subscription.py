"""The subscription `changes`: changes as they happen."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from models import history, ledger
from models.database import Row
from models.errors import EXPIRED, Unauthenticated
from models.history import NEWEST_FIRST
from models.ledger import ABOUT_VIEWERS
from models.viewer import Viewer
from runtime.feed import Subscriber
from schema.context import Info
from schema.pagination import Edge, decode_cursor
from schema.resolvers import OfGroup
from schema.types import ChangeEdge

READ_AT_ONCE = 100
# A subscriber that gets changes later than this is recognised again as often: the change that
# revoked it may be among those that it has not reached yet.
LATE = timedelta(seconds=2)
# An issuer does not announce that it withdraws a key, so its users are recognised again as often.
VOUCHED = timedelta(minutes=1)

ResumeAfter = Annotated[
    str | None,
    strawberry.argument(
        description="The cursor of the last change seen: at first, that of `changes(first: 1)` in "
        "the query that loaded the state. If omitted, only new changes are sent. A cursor that "
        "matches no change is an error: it is from another organization, or a backup was restored "
        "since."
    ),
]


async def changes(
    info: Info, after: ResumeAfter = UNSET, group_id: OfGroup = UNSET
) -> AsyncIterator[Any]:
    """Every change after the cursor, oldest first, then each new one as it lands.

    Each is resolved for a viewer that is still valid.
    """
    context = info.context
    seen = context.viewer.revision
    async with context.feed.subscribed(context.viewer.organization_id) as subscriber:
        # Nobody would be told that an older state was restored since it was recognised at first.
        await context.recognise_again()
        recognised_at = time.monotonic()
        seen = min(seen, context.viewer.revision)
        if isinstance(after, str):
            seen, change_id = decode_cursor(NEWEST_FIRST, after, "after")
            await history.must_have_landed(context.viewer, seen, change_id)
        async for change in _stream(info, subscriber, seen):
            age = timedelta(seconds=time.monotonic() - recognised_at)
            if is_in_doubt(context.viewer, age, change):
                recognised_at = time.monotonic()
                await context.recognise_again()
            if isinstance(group_id, str) and change["group_id"] != group_id:
                continue
            if await history.is_told(context.viewer, change):
                context.objects, context.shown = 0, change["revision"]
                yield Edge(NEWEST_FIRST, change)


def is_in_doubt(viewer: Viewer, age: timedelta, change: Row) -> bool:
    """Whether the viewer may have changed or been revoked, `age` after it was recognised."""
    now = ledger.utc_now()
    if viewer.has_expired(now):
        return True
    # Where the ledger is ahead of this machine's clock, how late it is cannot be told.
    is_late = abs(now - change["at"]) > LATE and age > LATE
    is_vouched_for = viewer.token_id is None and age > VOUCHED
    return is_late or is_vouched_for or change["action"] in ABOUT_VIEWERS


async def _stream(info: Info, subscriber: Subscriber, seen: int) -> AsyncIterator[Row]:
    """Each change behind the revision `seen` once, in order: from the ledger, then as offered.

    Raises Unauthenticated when the viewer's token expires, or is gone with a restored state.
    """
    viewer = info.context.viewer
    while True:
        if subscriber.back_at is not None:
            seen, subscriber.back_at = min(seen, subscriber.back_at), None
            await info.context.recognise_again()
        if subscriber.is_behind:
            subscriber.is_behind = False  # before the read: it may fall behind again meanwhile
            found = await history.changes_after(viewer.organization_id, seen, READ_AT_ONCE)
            if len(found) == READ_AT_ONCE:
                subscriber.is_behind = True
        else:
            found = await _offered(subscriber, info)
        for change in found:
            if change["revision"] > seen:
                seen = change["revision"]
                yield change


async def _offered(subscriber: Subscriber, info: Info) -> list[Row]:
    expires_at = info.context.viewer.expires_at
    left = (expires_at - ledger.utc_now()).total_seconds() if expires_at else None
    try:
        async with asyncio.timeout(left):
            return await subscriber.take()
    except TimeoutError:
        raise Unauthenticated(EXPIRED) from None


@strawberry.type(description="Live updates.")
class Subscription:
    changes: AsyncIterator[ChangeEdge] = strawberry.subscription(
        resolver=changes,
        description="Every change after the cursor, oldest first, then each new one as it is made. "
        "Nothing is lost or repeated across a reconnect that passes the last cursor seen. "
        "A MEMBER receives only changes to their groups.",
    )
