"""What a resolver is given beside its object: one Context an operation."""

from collections.abc import Awaitable, Callable

import strawberry

from models.viewer import Viewer
from runtime.feed import Feed
from schema.loaders import Loaders


class Context:
    """Who asks, and the loaders that fetch for it. Never shared between operations.

    `recognise` finds the viewer anew, or raises Unauthenticated; an operation that goes on for long
    asks it again when something may have changed.
    """

    __slots__ = ("feed", "loaders", "recognise", "viewer")

    def __init__(
        self, viewer: Viewer, recognise: Callable[[], Awaitable[Viewer]], feed: Feed
    ) -> None:
        self.viewer = viewer
        self.recognise = recognise
        self.feed = feed
        self.loaders = Loaders(viewer)

    async def recognise_again(self) -> None:
        """Go on as the viewer is now. Raises Unauthenticated if it is nobody any more."""
        self.viewer = await self.recognise()
        self.renew()

    def renew(self) -> Loaders:
        """Forget all that was loaded: something was written."""
        self.loaders = Loaders(self.viewer)
        return self.loaders


Info = strawberry.Info[Context, None]
