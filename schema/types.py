"""The object types of the schema, with the descriptions that GraphiQL shows.

A field that is `described` reads a column of the object's row, or a property of its source; one
that is `computed` or `found` calls a function of `schema/resolvers.py` or `schema/access.py`.
"""

from datetime import datetime
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import ID

from models import ids
from models.access import Reason
from models.kinds import BOTS, PERSONAS, USERS
from models.tables import Action, ActorKind, Role, UserStatus
from schema import access
from schema import resolvers as find
from schema.fields import computed, described, found

E = TypeVar("E")
N = TypeVar("N")

ID_FIELD = "An opaque id, accepted by `node(id:)` and wherever an id is expected."


# ---------------------------------------------------------------------------------- connections


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = described(
        "Whether there are items after this page. With `before` and without `last`, only items in "
        "front of that cursor count, as Relay's specification has it. With `last` and `before`, "
        "true even if the items from that cursor on have been removed since."
    )
    has_previous_page: bool = described(
        "Whether there are items before this page. With `last` and `after`, only items behind that "
        "cursor count, as Relay's specification has it. With `after` and without `last`, true even "
        "if the items up to that cursor have been removed since."
    )
    start_cursor: str | None = described(
        "The cursor of the first item, for `before`; null if the page is empty."
    )
    end_cursor: str | None = described(
        "The cursor of the last item, for `after`; null if the page is empty."
    )


@strawberry.type(
    description="A page of a list: 50 items by default, at most 100. "
    "Cursors stay valid while items are added and removed around them."
)
class Connection(Generic[E, N]):
    edges: list[E] = described(
        "The items of the page as edges: each with its cursor and any data specific to this list."
    )
    nodes: list[N] = described("The items of the page, without edges.")
    page_info: PageInfo = described("The position of the page, and the cursors to continue from.")
    total_count: int = found(
        find.total_counts, "The number of items on all pages together. Computed only if requested."
    )


@strawberry.type
class Edge:
    cursor: str = described("The position of this item in the list, for `after` and `before`.")


@strawberry.type
class Membership(Edge):
    added_at: datetime = computed(find.added_at, "When it was added to the group.")
    added_by: "Actor" = found(find.added_by, "Who added it to the group.")


@strawberry.type
class Access(Edge):
    via: list["Group"] = found(
        access.via,
        "All groups visible to you that grant this access, sorted by name.",
    )


@strawberry.type(description="A group in a list.")
class GroupEdge(Edge):
    node: "Group" = described("The group.")


@strawberry.type(description="A user in a list.")
class UserEdge(Edge):
    node: "User" = described("The user.")


@strawberry.type(description="A bot in a list.")
class BotEdge(Edge):
    node: "Bot" = described("The bot.")


@strawberry.type(description="A persona in a list.")
class PersonaEdge(Edge):
    node: "Persona" = described("The persona.")


@strawberry.type(description="A token in a list.")
class TokenEdge(Edge):
    node: "Token" = described("The token.")


@strawberry.type(
    description="A change in the ledger. Its cursor resumes the `changes` subscription."
)
class ChangeEdge(Edge):
    node: "Change" = described("The change.")


@strawberry.type(description="A user's membership in a group.")
class GroupUserEdge(Membership):
    node: "User" = described("The user.")


@strawberry.type(description="A bot's membership in a group.")
class GroupBotEdge(Membership):
    node: "Bot" = described("The bot.")


@strawberry.type(description="A persona's membership in a group.")
class GroupPersonaEdge(Membership):
    node: "Persona" = described("The persona.")


@strawberry.type(description="A bot that a user may use.")
class AccessibleBotEdge(Access):
    node: "Bot" = described("The bot.")


@strawberry.type(description="A persona that a user may use.")
class AccessiblePersonaEdge(Access):
    node: "Persona" = described("The persona.")


@strawberry.type(description="A user who may use a bot.")
class BotUserEdge(Access):
    node: "User" = described("The user.")


@strawberry.type(description="A user who may use a persona.")
class PersonaUserEdge(Access):
    node: "User" = described("The user.")


# -------------------------------------------------------------------------------------- objects


@strawberry.interface(description="An object with an id.")
class Node:
    id: ID = described(ID_FIELD)

    @classmethod
    def resolve_type(cls, value: Any, *_: Any) -> str:
        """The name of a row's type: its id says it."""
        return TYPE_BY_PREFIX[ids.kind_of(value["id"])]


TYPE_BY_PREFIX = {
    ids.ORGANIZATION: "Organization",
    ids.GROUP: "Group",
    ids.USER: "User",
    ids.BOT: "Bot",
    ids.PERSONA: "Persona",
    ids.CHANGE: "Change",
    ids.TOKEN: "Token",
}


@strawberry.type(description="A tenant. Nothing in one organization is visible from another.")
class Organization(Node):
    name: str = described("Its name.")
    revision: int = described("Increases by one with every committed change.")
    group_count: int = found(find.group_counts, "The number of groups visible to you.")
    user_count: int = found(find.entry_counts(USERS), "The number of users visible to you.")
    bot_count: int = found(find.entry_counts(BOTS), "The number of bots visible to you.")
    persona_count: int = found(
        find.entry_counts(PERSONAS), "The number of personas visible to you."
    )


@strawberry.type(description="The authenticated user or token, and what they may use.")
class Viewer:
    role: Role = described("What you may do.")
    user: "User | None" = found(
        find.viewer_user, "The authenticated user; null for a token that belongs to no user."
    )
    organization: Organization = found(find.viewer_organization, "Your organization.")
    groups: "Connection[GroupEdge, Group]" = found(
        find.viewer_groups, "The groups you are in, sorted by name."
    )
    bots: "Connection[AccessibleBotEdge, Bot]" = found(
        access.viewer_reaches(BOTS), "The bots you may use, each listed once, sorted by name."
    )
    personas: "Connection[AccessiblePersonaEdge, Persona]" = found(
        access.viewer_reaches(PERSONAS),
        "The personas you may use, each listed once, sorted by name.",
    )


@strawberry.type(description="A team of users, with the bots and personas that it lets them use.")
class Group(Node):
    name: str = described("Its name: unique, ignoring case, among groups that are not deleted.")
    description: str | None = described("What it is for.")
    created_at: datetime = described("When it was created.")
    updated_at: datetime = described("When its name, description or members last changed.")
    user_count: int = described("The number of users in it.")
    bot_count: int = described("The number of bots in it.")
    persona_count: int = described("The number of personas in it.")
    users: "Connection[GroupUserEdge, User]" = found(
        find.members(USERS), "Its users, sorted by name."
    )
    bots: "Connection[GroupBotEdge, Bot]" = found(find.members(BOTS), "Its bots, sorted by name.")
    personas: "Connection[GroupPersonaEdge, Persona]" = found(
        find.members(PERSONAS), "Its personas, sorted by name."
    )
    available_users: "Connection[UserEdge, User]" = found(
        find.available(USERS),
        "Users not yet in the group: the choices for an “Add” menu. Requires ADMIN or AUDITOR.",
    )
    available_bots: "Connection[BotEdge, Bot]" = found(
        find.available(BOTS), "Bots not yet in the group. Requires ADMIN or AUDITOR."
    )
    available_personas: "Connection[PersonaEdge, Persona]" = found(
        find.available(PERSONAS), "Personas not yet in the group. Requires ADMIN or AUDITOR."
    )
    changes: "Connection[ChangeEdge, Change]" = found(
        find.changes_of_groups,
        "The history of the group: changes made to it, newest first. Deleting users, bots or "
        "personas from the directory is a change to the organization and is not listed here, "
        "although it ends their memberships.",
    )


@strawberry.type(description="A person.")
class User(Node):
    external_id: str | None = computed(
        find.private("external_id", None),
        "Their id in the host product, if any. A MEMBER sees null for other users.",
    )
    name: str = described("Their name.")
    email: str = computed(
        find.private("email", ""),
        "Their email address. A MEMBER sees an empty string for other users.",
    )
    avatar_url: str | None = described("The URL of their picture; may be relative (`/…`).")
    role: Role = described("What they may do.")
    status: UserStatus = described("Whether they may use anything at all.")
    created_at: datetime = described("When they were added to the directory.")
    group_count: int = found(
        find.group_count(USERS), "The number of groups they are in that are visible to you."
    )
    groups: "Connection[GroupEdge, Group]" = found(
        find.groups_of(USERS),
        "The groups they are in that are visible to you, sorted by name.",
    )
    bots: "Connection[AccessibleBotEdge, Bot]" = found(
        access.reached(USERS, BOTS),
        "The bots they may use, sorted by name. Each is listed once, however many groups grant it. "
        "Limited to what is visible to you.",
    )
    personas: "Connection[AccessiblePersonaEdge, Persona]" = found(
        access.reached(USERS, PERSONAS),
        "The personas they may use, sorted by name. Each is listed once, however many groups grant "
        "it. Limited to what is visible to you.",
    )


@strawberry.type(description="An AI training agent.")
class Bot(Node):
    external_id: str | None = described("Its id in the host product, if any.")
    name: str = described("Its name.")
    description: str | None = described("What it trains.")
    avatar_url: str | None = described("The URL of its picture; may be relative (`/…`).")
    features: list[str] = computed(find.features, "Short labels, shown as badges.")
    created_at: datetime = described("When it was added to the directory.")
    group_count: int = found(
        find.group_count(BOTS), "The number of groups it is in that are visible to you."
    )
    groups: "Connection[GroupEdge, Group]" = found(
        find.groups_of(BOTS), "The groups it is in that are visible to you, sorted by name."
    )
    users: "Connection[BotUserEdge, User]" = found(
        access.reached_by(BOTS),
        "The users who may use it through groups visible to you, each listed once, sorted by name.",
    )


@strawberry.type(description="A character that a bot plays.")
class Persona(Node):
    external_id: str | None = described("Its id in the host product, if any.")
    name: str = described("Its name.")
    description: str | None = described("Who it is.")
    avatar_url: str | None = described("The URL of its picture; may be relative (`/…`).")
    created_at: datetime = described("When it was added to the directory.")
    group_count: int = found(
        find.group_count(PERSONAS), "The number of groups it is in that are visible to you."
    )
    groups: "Connection[GroupEdge, Group]" = found(
        find.groups_of(PERSONAS), "The groups it is in that are visible to you, sorted by name."
    )
    users: "Connection[PersonaUserEdge, User]" = found(
        access.reached_by(PERSONAS),
        "The users who may use it through groups visible to you, each listed once, sorted by name.",
    )


@strawberry.type(
    description="Who made a change: a user, a token that belongs to no user, or the operator."
)
class Actor:
    kind: ActorKind = computed(lambda row, viewer: row["actor_kind"], "The kind of actor.")
    name: str = computed(
        lambda row, viewer: row["actor_name"], "The actor's name at the time of the change."
    )
    user: User | None = found(
        find.actor_users,
        "The user; null for a token or the operator, and if the user was deleted or is not "
        "visible to you.",
    )


@strawberry.type(
    description="An entry in the ledger, the organization's audit log: what one write did. "
    "Each revision has exactly one."
)
class Change(Node):
    revision: int = described("The revision of the organization that this change created.")
    at: datetime = described("When it was made.")
    actor: Actor = computed(lambda row, viewer: row, "Who made it.")
    action: Action = described("What it did.")
    summary: str = described("One English sentence: `Ada Lovelace added 3 users to Sales Team`.")
    group: Group | None = found(
        find.change_groups,
        "The group that was changed; null if it was deleted or is not visible to you, or if the "
        "change is not to a group.",
    )
    group_id: ID | None = described(
        "The id of the group that was changed; works with `group(id:, at:)` even after the group "
        "is deleted. Null if the change is not to a group."
    )
    group_name: str | None = described(
        "The name of the group before the change, or its initial name if the change created it. "
        "Null if the change is not to a group."
    )
    users: list[User] = found(
        find.change_entries(USERS),
        "The users involved, except those since deleted or not visible to you. Empty if the change "
        "deleted or restored a group.",
    )
    bots: list[Bot] = found(
        find.change_entries(BOTS), "The bots involved, with the same exceptions."
    )
    personas: list[Persona] = found(
        find.change_entries(PERSONAS), "The personas involved, with the same exceptions."
    )
    undoable: bool = found(
        find.change_undoable,
        "Whether undoing it would reverse anything; always false for a MEMBER, who can't undo.",
    )
    undone_by: "Change | None" = found(
        find.change_undone_by, "The change that undid it; null if it was not undone."
    )


@strawberry.type(
    description="A credential: an API token or a browser session. The secret of a token is shown "
    "only once, when it is created."
)
class Token(Node):
    name: str = described("What it is for.")
    role: Role = computed(find.token_role, "What it may do: never more than its user may.")
    user: User | None = found(
        find.token_users, "The user it belongs to; null if none, or if the user was deleted."
    )
    created_at: datetime = described("When it was created.")
    expires_at: datetime | None = described("When it expires and stops working; null if never.")
    last_used_at: datetime | None = described(
        "When it was last used, to within about a minute; null if never."
    )
    revoked_at: datetime | None = described("When it was revoked; null if it was not.")


@strawberry.type(description="The answer to one question about access, with its reason.")
class AccessDecision:
    allowed: bool = described("Whether the user may use it.")
    reason: Reason = described("Why, or why not.")
    via: list[Group] = found(
        access.decided_via,
        "All groups visible to you that grant it, sorted by name. Empty if access is denied.",
    )
    held_by: list[Group] = found(
        access.held_by,
        "If access is denied, but not with NOT_FOUND: the groups visible to you that contain the "
        "bot or persona, sorted by name, at most 100. The user would have to be active and in one "
        "of them.",
    )


@strawberry.type(description="What one user would gain, lose or keep.")
class AccessDiff:
    user: User = found(access.diff_users, "The user.")
    bots: list[Bot] = found(access.diff_entries(BOTS), "The bots, sorted by name.")
    personas: list[Persona] = found(access.diff_entries(PERSONAS), "The personas, sorted by name.")


@strawberry.type(description="A user affected by a write, in a list.")
class AccessDiffEdge(Edge):
    node: AccessDiff = described("The user, with what they would gain, lose or keep.")


@strawberry.type(description="A page of the users affected by a write.")
class AccessDiffConnection(Connection[AccessDiffEdge, AccessDiff]):
    bot_count: int = described(
        "The number of distinct bots that the users on all pages would gain, lose or keep."
    )
    persona_count: int = described(
        "The number of distinct personas that the users on all pages would gain, lose or keep."
    )


@strawberry.type(description="What a write would do to users' access. Exact as of `revision`.")
class AccessImpact:
    revision: int = described(
        "The revision this is exact for: pass it as `expectedRevision` to commit exactly this."
    )
    gains: AccessDiffConnection = found(
        access.diffs("gains"), "Who would gain access, and to what, sorted by name."
    )
    losses: AccessDiffConnection = found(
        access.diffs("losses"), "Who would lose access, and to what, sorted by name."
    )
    kept: AccessDiffConnection = found(
        access.diffs("kept"),
        "Who would keep access through another group, and to what, sorted by name.",
    )
