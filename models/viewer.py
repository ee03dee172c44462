"""The viewer: who is asking. Every row is found through it; what it may not see does not exist."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from models.errors import Forbidden
from models.kinds import Kind
from models.sql import Params, contains, open_at
from models.tables import ActorKind, Role

NEVER = datetime.min.replace(tzinfo=UTC)
RANK = (Role.MEMBER, Role.AUDITOR, Role.ADMIN)


def effective_role(token_role: str | None, user_role: str | None) -> Role:
    """The lesser of the token's role and its user's."""
    return min((Role(role) for role in (token_role, user_role) if role), key=RANK.index)


@dataclass(frozen=True, slots=True)
class Viewer:
    """One party, in one organization. A request has exactly one.

    `user_id` is None for a token that belongs to no user, and for the operator at the command line.
    `token_id` is None for the operator, and for a user whom an OpenID Connect issuer vouches for.
    `revision` is the organization's revision when the viewer was recognised, and `changed_at` the
    instant of that revision. `newest` is the newest revision that this process had seen since, with
    its instant, when it presumed that the viewer is still valid.
    """

    organization_id: str
    role: Role
    kind: ActorKind
    name: str
    user_id: str | None = None
    token_id: str | None = None
    expires_at: datetime | None = None
    revision: int = 0
    changed_at: datetime = NEVER
    newest: tuple[int, datetime] = field(default=(0, NEVER), compare=False)

    @classmethod
    def operator(cls, organization_id: str) -> "Viewer":
        """The person at the command line, who may do everything."""
        return cls(organization_id, Role.ADMIN, ActorKind.OPERATOR, "The operator")

    @property
    def follows(self) -> tuple[int, datetime]:
        """The newest revision, with its instant, that must have landed where this viewer acts: in a
        state without it, an older one was restored."""
        return max(self.newest, (self.revision, self.changed_at))

    def has_expired(self, now: datetime) -> bool:
        """Whether what the viewer was recognised by has expired at an instant."""
        return self.expires_at is not None and self.expires_at <= now

    @property
    def counts_as(self) -> str:
        """The id under which the viewer's requests are counted: the token's, if there is one."""
        return self.token_id or self.user_id or ""

    @property
    def sees_all(self) -> bool:
        """Whether the whole organization is visible, or only what the viewer's own groups hold."""
        return self.role is not Role.MEMBER

    def must_see_all(self) -> None:
        """Raise Forbidden for a MEMBER."""
        if not self.sees_all:
            raise Forbidden("Only administrators and auditors may read this.")

    def must_administrate(self) -> None:
        """Raise Forbidden unless the viewer is an ADMIN."""
        if self.role is not Role.ADMIN:
            raise Forbidden("Only administrators may change anything.")

    def sees(self, params: Params, table: str, alias: str) -> str:
        """The condition that a row of `table` exists for this viewer.

        A MEMBER sees itself, the groups it is in, and what those groups hold. `table` is `groups`,
        `users`, `bots` or `personas`, or `changes` of such a group.
        """
        own = f"{alias}.organization_id = {params.add(self.organization_id)}"
        return own + self.sees_of_own(params, table, alias)

    def sees_of_own(self, params: Params, table: str, alias: str) -> str:
        """` AND …`: the same for a row of the viewer's organization; empty if it sees all."""
        if self.sees_all:
            return ""
        if table == "groups":
            return self.in_own_groups(params, f"{alias}.id")
        if table == "changes":
            return self.in_own_groups(params, f"{alias}.group_id")
        held = (
            f"EXISTS (SELECT 1 FROM group_{table} held WHERE held.{table[:-1]}_id = {alias}.id "
            f"AND held.until_revision IS NULL{self.in_own_groups(params, 'held.group_id')})"
        )
        if table == "users":
            return f" AND ({alias}.id = {params.add(self.user_id)} OR {held})"
        return f" AND {held}"

    def sees_still(self, params: Params, kind: Kind, moment: int | None) -> str:
        """` AND …`: a MEMBER who asks about a `moment` in the past may still see a row `e` today.

        The past is shown with today's names, which the member may no longer be allowed to see.
        """
        return "" if moment is None else self.sees_of_own(params, kind.table, "e")

    def searched(self, params: Params, kind: Kind, search: str | None) -> str:
        """` AND …`: a row `e` of the directory matches; empty without a search.

        A MEMBER does not see others' emails, so it cannot search in them.
        """
        keys = kind.search_keys if self.sees_all else ("name_key",)
        return contains(params, search, *(f"e.{key}" for key in keys))

    def in_own_groups(self, params: Params, column: str, moment: int | None = None) -> str:
        """` AND …`: a MEMBER is in the group that `column` names, now or as of a `moment`; empty
        for other roles."""
        if self.sees_all:
            return ""
        return (
            f" AND EXISTS (SELECT 1 FROM group_users mine WHERE mine.group_id = {column} "
            f"AND mine.user_id = {params.add(self.user_id)} AND {open_at(params, 'mine', moment)})"
        )
