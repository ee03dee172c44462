"""What a resolver is given beside its object: one Context an operation."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

import strawberry
from strawberry.dataloader import DataLoader

from models.errors import LimitExceeded
from models.viewer import Viewer
from runtime.feed import Feed
from runtime.revisions import Revisions


class Context:
    """Who asks, and what gathers single questions into batches. Never shared between operations.

    `recognise` finds the viewer anew, or raises Unauthenticated; an operation that goes on for long
    asks it again when something may have changed. `plans` are the document's, for the executor;
    `shown` is the revision that the answer to a write, or an event, shows.
    """

    __slots__ = (
        "_loaders",
        "feed",
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
        plans: dict[Any, Any],
        most_objects: int,
    ) -> None:
        self.most_objects = most_objects
        self.objects = 0
        self.viewer = viewer
        self.revisions = revisions
        self.shown: int | None = None
        self.plans = plans
        self.recognise = recognise
        self.feed = feed
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}

    def count(self, objects: int) -> None:
        """Count objects of the answer. Raises LimitExceeded if they are more than any may hold.

        The cost that is told beforehand knows pages, but not how long the other lists are.
        """
        self.objects += objects
        if self.objects > self.most_objects:
            raise LimitExceeded(
                f"The answer holds more than {self.most_objects:,} objects (COHORT_MAX_COST); "
                "ask for smaller pages, or for less in each."
            )

    async def recognise_again(self) -> None:
        """Go on as the viewer is now. Raises Unauthenticated if it is nobody any more."""
        self.viewer = await self.recognise()

    def load(
        self,
        function: Callable[..., Awaitable[Sequence[Any]]],
        root: Any,
        arguments: Mapping[str, Any],
    ) -> Awaitable[Any]:
        """The value of a `found` field for one object, fetched with those of its siblings.

        Nothing is remembered, so nothing can go stale: a batch is what is asked in one turn of the
        event loop.
        """
        key = (function, *sorted(arguments.items()))
        loader = self._loaders.get(key)
        if loader is None:

            async def batch(roots: list[Any]) -> Sequence[Any]:
                return await function(roots, self, **arguments)

            loader = self._loaders[key] = DataLoader(load_fn=batch, cache=False)
        return loader.load(root)


Info = strawberry.Info[Context, None]
