"""What a resolver is given beside its object: one Context an operation."""

import strawberry

from models.viewer import Viewer
from schema.loaders import Loaders


class Context:
    """Who asks, and the loaders that fetch for it. Never shared between operations."""

    __slots__ = ("loaders", "viewer")

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.loaders = Loaders(viewer)

    def renew(self) -> Loaders:
        """Forget all that was loaded: something was written."""
        self.loaders = Loaders(self.viewer)
        return self.loaders


Info = strawberry.Info[Context, None]
