"""Reading the organizations' revisions: one statement for all who ask at the same time.

A revision is always read after it was asked for, so it includes all that had landed by then. Those
who ask while a read is under way wait for the next one.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from models import ledger
from models.apart import apart
from models.ledger import Position
from models.spans import over_part
from models.viewer import NEVER

logger = logging.getLogger("cohort.revisions")


class Revisions:
    """The process's reader of revisions."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Position]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._last: dict[str, Position] = {}  # by organization
        self._resting: set[str] = set()
        # By organization: the highest revision seen in this process, and its instant.
        self._newest: dict[str, tuple[int, datetime]] = {}
        # Called with each organization that is found to have gone back to an older state.
        self.when_back: list[Callable[[str], None]] = []

    def rests_at(self, organization_id: str) -> int | None:
        """The revision that was the same the last two times it was read, if this process knows of
        no later write; None if it has moved lately."""
        return self._last[organization_id].revision if organization_id in self._resting else None

    def moved(self, organization_id: str) -> None:
        """Note that an organization's revision has moved since it was last read."""
        self._resting.discard(organization_id)

    def saw(self, organization_id: str, revision: int, changed_at: datetime) -> None:
        """Note that an organization was seen at a revision, which it had since that instant."""
        newest = self._newest.get(organization_id)
        if newest is None or revision > newest[0]:
            self._newest[organization_id] = revision, changed_at

    def newest(self, organization_id: str) -> tuple[int, datetime]:
        """The highest revision at which an organization was seen, and its instant; 0 if it was
        never seen."""
        return self._newest.get(organization_id, (0, NEVER))

    async def read(self, organization_id: str) -> int:
        """The current revision of an organization. Raises LookupError if it is gone."""
        return (await self.at(organization_id)).revision

    async def at(self, organization_id: str) -> Position:
        """The same, with the revision of the last change about viewers."""
        future = self._waiting.get(organization_id)
        if future is None:
            future = asyncio.get_running_loop().create_future()
            self._waiting[organization_id] = future
            if self._reading is None:
                # It serves all who wait, so no single request may be charged for it, or cancel it.
                self._reading = asyncio.create_task(self._read(), context=apart())
        # The statement is in nobody's trace, but the waiting is in everybody's.
        with over_part("revision"):
            # Others may wait for the same future: cancelling this task must not cancel it.
            return await asyncio.shield(future)

    async def _read(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                newest = {id: self._newest.get(id) for id in asked}  # we must not read less
                try:
                    positions = await ledger.positions(list(asked))
                except BaseException as error:
                    for future in asked.values():
                        future.set_exception(error)
                        future.exception()  # avoids a warning if nobody waits any more
                else:
                    for id, future in asked.items():
                        if id in positions:
                            self._remember(id, positions[id], newest[id])
                            future.set_result(positions[id])
                        else:
                            future.set_exception(LookupError(f"{id} is gone"))
                            future.exception()
        finally:
            self._reading = None

    def _remember(
        self, organization_id: str, at: Position, newest: tuple[int, datetime] | None
    ) -> None:
        if newest and not at.may_follow(*newest):
            self._go_back(organization_id, at.revision, newest[0])
        self.saw(organization_id, at.revision, at.changed_at)
        if self._last.get(organization_id) == at:
            self._resting.add(organization_id)
        else:
            self._resting.discard(organization_id)
            self._last[organization_id] = at

    def _go_back(self, organization_id: str, revision: int, newest: int) -> None:
        """An older state was restored: forget all that is known of its later revisions."""
        logger.warning(
            "%s has gone back: it is at revision %d, and was at %d. "
            "Restart every process after a restore",
            organization_id,
            revision,
            newest,
        )
        del self._newest[organization_id]
        for listener in self.when_back:
            listener(organization_id)
