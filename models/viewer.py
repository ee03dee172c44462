"""Who is asking. Every row is found through a viewer: what it may not see does not exist for it."""

from dataclasses import dataclass
from datetime import datetime

from models.errors import Forbidden
from models.tables import ActorKind, Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """One party, in one organization. A request has exactly one.

    `user_id` is None for a token that is no person's, and for the operator at the command line.
    """

    organization_id: str
    role: Role
    kind: ActorKind
    name: str
    user_id: str | None = None
    token_id: str | None = None
    expires_at: datetime | None = None

    @classmethod
    def operator(cls, organization_id: str) -> "Viewer":
        """The person at the command line, who may do everything."""
        return cls(organization_id, Role.ADMIN, ActorKind.OPERATOR, "The operator")

    @property
    def sees_all(self) -> bool:
        """Whether the whole organization is visible, or only what the viewer's own groups hold."""
        return self.role is not Role.MEMBER

    def must_see_all(self) -> None:
        """Raise Forbidden for a MEMBER."""
        if not self.sees_all:
            raise Forbidden("Only administrators and auditors may read this.")

    def must_administrate(self) -> None:
        """Raise Forbidden for all but an ADMIN."""
        if self.role is not Role.ADMIN:
            raise Forbidden("Only administrators may change anything.")
