"""The feed: hands new changes to all subscribers of this process.

There is one reader per process, however many subscribers: when an organization's revision has
moved, it reads the new changes once and hands them to everybody who waits. It learns of a move from
a write of its own process, from a notification of PostgreSQL, or at the latest by polling. These
are only hints, and may get lost; the ledger is the truth.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from models import database, history, ledger
from models.database import Row
from models.errors import Busy, Unavailable
from models.ledger import Position
from models.viewer import NEVER
from runtime.metrics import LAG

# How many changes may wait for one subscriber. If it falls behind further, it reads the ledger
# again from where it was: nothing is lost, and queues stay bounded.
MOST_WAITING = 200
POLL_SECONDS = 0.2
POLL_SECONDS_IF_NOTIFIED = 1.0  # on PostgreSQL, only to catch notifications that got lost
GATHER_SECONDS = 0.02  # changes that land within are read, and announced, together

# Of an organization that is gone: an older state was restored, from before it was created.
NONE_YET = Position(0, 0, NEVER)

logger = logging.getLogger("cohort.feed")


class Subscriber:
    """Somebody who waits for changes of an organization."""

    def __init__(self) -> None:
        self._waiting: list[Row] = []
        self._something = asyncio.Event()
        self.is_behind = True
        self.back_at: int | None = None  # the revision to resume from; the subscriber clears it

    def offer(self, changes: Sequence[Row] | None) -> None:
        """Hand over new changes; None if there are too many to hand over."""
        if changes is None or len(self._waiting) + len(changes) > MOST_WAITING:
            self._waiting.clear()
            self.is_behind = True
        else:
            self._waiting += changes
        self._something.set()

    def go_back(self, revision: int) -> None:
        """An older state was restored: resume from it, as later revisions will differ."""
        # It may not have resumed from what was restored before.
        self.back_at = revision if self.back_at is None else min(revision, self.back_at)
        self.offer(None)

    async def take(self) -> list[Row]:
        """Wait for new changes, and return all since the last call; none if it `is_behind`."""
        await self._something.wait()
        self._something.clear()
        taken, self._waiting = self._waiting, []
        return taken


class _Channel:
    """An organization's subscribers, and the position up to which they were offered changes."""

    def __init__(self, at: Position) -> None:
        self.at = at
        self.subscribers: set[Subscriber] = set()


class Feed:
    """The process's reader of new changes."""

    def __init__(self, poll_seconds: float | None = None) -> None:
        self._poll_seconds = poll_seconds
        self._channels: dict[str, _Channel] = {}
        self._moved = asyncio.Event()
        self._unannounced: set[str] = set()  # organizations that other processes are to hear of
        self.closing = asyncio.Event()

    @property
    def subscriber_count(self) -> int:
        """How many subscribers there are."""
        return sum(len(channel.subscribers) for channel in self._channels.values())

    def wake(self, organization_id: str) -> None:
        """Read now: the organization may have moved."""
        if organization_id in self._channels:
            self._moved.set()

    def _written(self, organization_id: str) -> None:
        """This process has changed an organization: read, and announce it to other processes."""
        self._unannounced.add(organization_id)
        self._moved.set()

    @asynccontextmanager
    async def subscribed(self, organization_id: str) -> AsyncIterator[Subscriber]:
        """A subscriber that is offered every change that lands during the block."""
        if organization_id not in self._channels:
            # Changes that land from here on are offered; earlier ones are in the ledger.
            positions = await ledger.positions([organization_id])
            at = positions.get(organization_id, NONE_YET)
            self._channels.setdefault(organization_id, _Channel(at))
        channel = self._channels[organization_id]
        subscriber = Subscriber()
        channel.subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            channel.subscribers.discard(subscriber)
            if not channel.subscribers:
                self._channels.pop(organization_id, None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read while the service runs."""
        ledger.listeners.append(self._written)
        is_notified = database.is_postgres()
        poll = self._poll_seconds or (POLL_SECONDS_IF_NOTIFIED if is_notified else POLL_SECONDS)
        tasks = [asyncio.create_task(self._read_forever(poll))]
        if is_notified:
            tasks.append(asyncio.create_task(database.listen(self.wake)))
        try:
            yield
        finally:
            self.closing.set()
            ledger.listeners.remove(self._written)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_forever(self, poll_seconds: float) -> None:
        while True:
            try:
                async with asyncio.timeout(poll_seconds):
                    await self._moved.wait()
            except TimeoutError:
                pass
            self._moved.clear()
            try:
                await self._read()
                # Last, since it may fail for long: on a replica, or if PostgreSQL's queue is full.
                await self._announce()
                await asyncio.sleep(GATHER_SECONDS)
            except (Busy, Unavailable) as error:
                logger.warning("could not read or tell new changes; trying again: %s", error)
                await asyncio.sleep(poll_seconds)
            except Exception:
                logger.warning("could not read or tell new changes; trying again", exc_info=True)
                await asyncio.sleep(poll_seconds)

    async def _announce(self) -> None:
        """Notify the other processes of what this one has changed."""
        while self._unannounced:
            organization_id = self._unannounced.pop()
            if not database.is_postgres():
                continue
            try:
                await database.notify(organization_id)
            except BaseException:
                self._unannounced.add(organization_id)  # try again in the next round
                raise

    async def _read(self) -> None:
        """Offer new changes to the subscribers of each organization."""
        if not self._channels:
            return
        channels = dict(self._channels)  # one added meanwhile may be ahead of what is read here
        positions = await ledger.positions(list(channels))
        for id, channel in channels.items():
            at = positions.get(id, NONE_YET)
            before = channel.at.revision
            if not at.may_follow(before, channel.at.changed_at):
                logger.warning("%s went from revision %d to %d", id, before, at.revision)
                # What has landed since took the place of what was lost.
                kept = await history.landed_by(id, channel.at.changed_at)
                channel.at = at
                for subscriber in channel.subscribers:
                    subscriber.go_back(min(at.revision, before - 1, kept))
            if at == channel.at or not channel.subscribers:
                continue
            found = await history.changes_after(id, before, MOST_WAITING + 1)
            changes = [change for change in found if change["revision"] <= at.revision]
            if not changes:  # the organization has gone back since its revision was read
                continue
            channel.at = at
            for subscriber in channel.subscribers:
                subscriber.offer(changes if len(changes) <= MOST_WAITING else None)
            # By the clock of another machine it may be yet to come; a sum never goes down.
            LAG.observe(max(0.0, (ledger.utc_now() - changes[-1]["at"]).total_seconds()))
