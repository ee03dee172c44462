"""Turns: the writes of an organization wait for one another here, before they take a connection.

If they waited in the database, each would hold a connection meanwhile, and one organization that
writes much could occupy the pool. On SQLite, where all organizations write one after another, it
would also get most of the turns.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from models.database import is_in_transaction, pool_seconds
from models.errors import Busy

# By organization, for as long as anybody writes or waits.
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def turn(organization_id: str) -> AsyncIterator[None]:
    """The turn of one write in this process. Raises Busy if the earlier ones take too long.

    A write inside a transaction already has the turn.
    """
    if is_in_transaction():
        yield
        return
    lock, seconds = _turns.setdefault(organization_id, asyncio.Lock()), pool_seconds()
    try:
        async with asyncio.timeout(seconds):
            await lock.acquire()
    except TimeoutError:
        raise Busy(
            "Other writes of your organization are ahead of this one, and its turn did not come "
            f"within {seconds:g} seconds (COHORT_POOL_SECONDS). Try again."
        ) from None
    try:
        yield
    finally:
        lock.release()
