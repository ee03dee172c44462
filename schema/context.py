"""The context of resolvers: one for each operation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import strawberry

from models.errors import LimitExceeded
from models.viewer import Viewer
from runtime.feed import Feed
from runtime.revisions import Revisions

Load = Callable[..., Awaitable[Sequence[Any]]]  # (objects, context, …): a value for each

# Set when the block that a task was begun in has ended (`Context.all_loaded`).
_end: ContextVar[asyncio.Event | None] = ContextVar("_end", default=None)


class Context:
    """The viewer of an operation, and the batching of its fetches. Never shared by operations.

    `recognise` recognises the viewer again, or raises Unauthenticated; it is called when something
    may have changed. `is_presumed` says that this operation has not verified its viewer yet:
    nothing may be answered before it has. `plans` are those of the document, for the executor;
    `shown` is the revision that the answer to a write, or an event, shows.
    """

    __slots__ = (
        "_asked",
        "_loading",
        "feed",
        "is_presumed",
        "most_objects",
        "objects",
        "plans",
        "recognise",
        "revisions",
        "shown",
        "viewer",
    )

    def __init__(
        self,
        viewer: Viewer,
        recognise: Callable[[], Awaitable[Viewer]],
        feed: Feed,
        revisions: Revisions,
        plans: dict[Any, Any] | None,
        most_objects: int,
    ) -> None:
        self.most_objects = most_objects
        self.objects = 0
        self.viewer = viewer
        self.is_presumed = False
        self.revisions = revisions
        self.shown: int | None = None
        self.plans = plans
        self.recognise = recognise
        self.feed = feed
        self._asked: dict[Hashable, list[tuple[Any, asyncio.Future[Any]]]] = {}
        self._loading: set[asyncio.Task[None]] = set()

    def count(self, objects: int) -> None:
        """Count objects of the answer. Raises LimitExceeded if there are too many.

        The cost that is estimated beforehand knows the sizes of pages, but not of other lists.
        """
        self.objects += objects
        if self.objects > self.most_objects:
            raise LimitExceeded(
                f"The answer contains more than {self.most_objects:,} objects (COHORT_MAX_COST); "
                "ask for smaller pages, or for less in each."
            )

    async def recognise_again(self) -> None:
        """Recognise the viewer again; inside a transaction, as of its snapshot. Raises
        Unauthenticated if its secret is no longer valid."""
        self.viewer = await self.recognise()
        self.is_presumed = False

    def load(self, function: Load, root: Any, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        """The value of a `found` field for one object, fetched with those of its siblings.

        A batch is what is asked for in one turn of the event loop. Nothing is cached, so nothing
        can go stale.
        """
        self.must_be_waited_for()
        loop = asyncio.get_running_loop()
        key = (function, *sorted(arguments.items()))
        future: asyncio.Future[Any] = loop.create_future()
        if key in self._asked:
            self._asked[key].append((root, future))
        else:
            self._asked[key] = [(root, future)]
            loop.call_soon(self._begin, key, function, arguments)
        return future

    def must_be_waited_for(self) -> None:
        """Raise CancelledError if this task was begun in a block of `all_loaded` that has ended."""
        if (end := _end.get()) and end.is_set():
            raise asyncio.CancelledError

    @asynccontextmanager
    async def all_loaded(self) -> AsyncIterator[None]:
        """On leaving the block, all fetches that it began have ended, or are cancelled, and what it
        began can fetch nothing any more.

        Once a field has failed, nobody waits for its siblings. But graphql-core lets them go on,
        and they would use a connection that somebody else may use by then.
        """
        end = asyncio.Event()
        outer = _end.set(end)
        try:
            yield
            while self._asked or self._loading:
                await (asyncio.wait(self._loading) if self._loading else asyncio.sleep(0))
        finally:
            end.set()
            _end.reset(outer)
            for asked in self._asked.values():  # of fetches that have not begun, and never will
                for _, future in asked:
                    future.cancel()
            self._asked.clear()
            for each in self._loading:
                each.cancel()
            await asyncio.gather(*self._loading, return_exceptions=True)

    def _begin(self, key: Hashable, function: Load, arguments: Mapping[str, Any]) -> None:
        """Start the task of a batch, which takes in all that is asked for until it runs."""
        if key not in self._asked:  # given up meanwhile (`all_loaded`)
            return
        task = asyncio.create_task(self._answer(key, function, arguments))
        self._loading.add(task)  # the event loop keeps only a weak reference
        task.add_done_callback(self._loading.discard)

    async def _answer(self, key: Hashable, function: Load, arguments: Mapping[str, Any]) -> None:
        asked = [each for each in self._asked.pop(key) if not each[1].cancelled()]
        if not asked:
            return
        try:
            values = await function([root for root, _ in asked], self, **arguments)
            for (_, future), value in zip(asked, values, strict=True):
                if not future.done():
                    future.set_result(value)
        except Exception as error:
            for _, future in asked:
                if not future.done():
                    future.set_exception(error)
        finally:
            for _, future in asked:
                future.cancel()  # if this task is cancelled, so are all who wait for it


Info = strawberry.Info[Context, None]
