"""Taking turns: the writes of an organization wait for one another here, and not in the database.

There each of them would hold a connection as long as it waits: one organization that writes much
could have them all, and keep every other from reading. And on SQLite, where all organizations write
one after the other, the next turn would be of whoever asked for most of them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from models.database import is_in_transaction, pool_seconds
from models.errors import Busy

# By organization, while anybody writes.
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def turn(organization_id: str) -> AsyncIterator[None]:
    """The turn of one write of this process. Raises Busy if those before it take too long.

    Within a transaction it is had already.
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
            "Other writes of your organization are before this one, and its turn did not come in "
            f"{seconds:g} seconds (COHORT_POOL_SECONDS)."
        ) from None
    try:
        yield
    finally:
        lock.release()
