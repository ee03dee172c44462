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

ID_FIELD = "An opaque id, good for `node(id:)` and wherever an id is asked for."


# ---------------------------------------------------------------------------------- connections


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = described("Whether more come behind this page.")
    has_previous_page: bool = described("Whether more come in front of this page.")
    start_cursor: str | None = described(
        "The cursor of the first, for `before`; null if there is none."
    )
    end_cursor: str | None = described(
        "The cursor of the last, for `after`; null if there is none."
    )


@strawberry.type(
    description="A page of a list: 50 unless you say how many, at most 100. "
    "Cursors stay good while rows come and go around them."
)
class Connection(Generic[E, N]):
    edges: list[E] = described("The page, with what ties each object to the list.")
    nodes: list[N] = described("The page, objects only.")
    page_info: PageInfo = described("Where the page lies, and how to go on from it.")
    total_count: int = found(
        find.total_counts, "How many there are in all. Costs nothing unless asked for."
    )


@strawberry.type
class Edge:
    cursor: str = described("Marks this place in the list, for `after` and `before`.")


@strawberry.type
class Membership(Edge):
    added_at: datetime = computed(find.added_at, "When it was put into the group.")
    added_by: "Actor" = found(find.added_by, "Who put it into the group.")


@strawberry.type
class Access(Edge):
    via: list["Group"] = found(
        access.via,
        "The groups that give this access, by name: every one that you may see.",
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


@strawberry.type(description="A change in the ledger. Its cursor resumes the subscription.")
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


@strawberry.type(description="A bot that somebody may use.")
class AccessibleBotEdge(Access):
    node: "Bot" = described("The bot.")


@strawberry.type(description="A persona that somebody may use.")
class AccessiblePersonaEdge(Access):
    node: "Persona" = described("The persona.")


@strawberry.type(description="A user who may use a bot.")
class BotUserEdge(Access):
    node: "User" = described("The user.")


@strawberry.type(description="A user who may use a persona.")
class PersonaUserEdge(Access):
    node: "User" = described("The user.")


# -------------------------------------------------------------------------------------- objects


@strawberry.interface(description="Anything with an id.")
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


@strawberry.type(description="A tenant. Nothing in one is visible from another.")
class Organization(Node):
    name: str = described("Its name.")
    revision: int = described("Grows by one with every change that lands.")
    group_count: int = found(find.group_counts, "How many live groups you may see.")
    user_count: int = found(find.entry_counts(USERS), "How many users you may see.")
    bot_count: int = found(find.entry_counts(BOTS), "How many bots you may see.")
    persona_count: int = found(find.entry_counts(PERSONAS), "How many personas you may see.")


@strawberry.type(description="Who is asking, and what they may use.")
class Viewer:
    role: Role = described("What you may do.")
    user: "User | None" = found(
        find.viewer_user, "The person you are; null for a token that is no person's."
    )
    organization: Organization = found(find.viewer_organization, "Your organization.")
    groups: "Connection[GroupEdge, Group]" = found(
        find.viewer_groups, "The groups you are in, by name."
    )
    bots: "Connection[AccessibleBotEdge, Bot]" = found(
        access.viewer_reaches(BOTS), "The bots you may use, by name, each once."
    )
    personas: "Connection[AccessiblePersonaEdge, Persona]" = found(
        access.viewer_reaches(PERSONAS), "The personas you may use, by name, each once."
    )


@strawberry.type(
    description="A team: users, and the bots and personas that they may use because of it."
)
class Group(Node):
    name: str = described("Its name, unique among live groups whatever its case.")
    description: str | None = described("What it is for.")
    created_at: datetime = described("When it was created.")
    updated_at: datetime = described("When its name, its description or its members last changed.")
    user_count: int = described("How many users it holds.")
    bot_count: int = described("How many bots it holds.")
    persona_count: int = described("How many personas it holds.")
    users: "Connection[GroupUserEdge, User]" = found(find.members(USERS), "Its users, by name.")
    bots: "Connection[GroupBotEdge, Bot]" = found(find.members(BOTS), "Its bots, by name.")
    personas: "Connection[GroupPersonaEdge, Persona]" = found(
        find.members(PERSONAS), "Its personas, by name."
    )
    available_users: "Connection[UserEdge, User]" = found(
        find.available(USERS), "Users not in it yet: what an Add popover lists. Not for a MEMBER."
    )
    available_bots: "Connection[BotEdge, Bot]" = found(
        find.available(BOTS), "Bots not in it yet. Not for a MEMBER."
    )
    available_personas: "Connection[PersonaEdge, Persona]" = found(
        find.available(PERSONAS), "Personas not in it yet. Not for a MEMBER."
    )
    changes: "Connection[ChangeEdge, Change]" = found(
        find.changes_of_groups,
        "Its history, newest first: what was done to the group. (Whoever is deleted from the "
        "directory leaves many groups by one change, which is the organization's.)",
    )


@strawberry.type(description="A person.")
class User(Node):
    external_id: str | None = computed(
        find.private("external_id", None),
        "Their id in the host product. A MEMBER sees null for other people.",
    )
    name: str = described("Their name.")
    email: str = computed(
        find.private("email", ""), "Their email. A MEMBER sees an empty text for other people."
    )
    avatar_url: str | None = described("Where their picture is.")
    role: Role = described("What they may do.")
    status: UserStatus = described("Whether they may use anything at all.")
    created_at: datetime = described("When they came into the directory.")
    group_count: int = found(
        find.group_count(USERS), "How many groups they are in, as far as you may see."
    )
    groups: "Connection[GroupEdge, Group]" = found(
        find.groups_of(USERS), "The groups they are in, by name, as far as you may see."
    )
    bots: "Connection[AccessibleBotEdge, Bot]" = found(
        access.reached(USERS, BOTS),
        "The bots they may use, by name: each once, however many groups give it. As far as you may "
        "see.",
    )
    personas: "Connection[AccessiblePersonaEdge, Persona]" = found(
        access.reached(USERS, PERSONAS),
        "The personas they may use, by name: each once, however many groups give it. As far as you "
        "may see.",
    )


@strawberry.type(description="An AI training agent.")
class Bot(Node):
    external_id: str | None = described("Its id in the host product.")
    name: str = described("Its name.")
    description: str | None = described("What it trains.")
    avatar_url: str | None = described("Where its picture is.")
    features: list[str] = computed(find.features, "Short labels, shown as badges.")
    created_at: datetime = described("When it came into the directory.")
    group_count: int = found(
        find.group_count(BOTS), "How many groups hold it, as far as you may see."
    )
    groups: "Connection[GroupEdge, Group]" = found(
        find.groups_of(BOTS), "The groups that hold it, by name, as far as you may see."
    )
    users: "Connection[BotUserEdge, User]" = found(
        access.reached_by(BOTS),
        "Who may use it, by name, each once. Through groups that you may see.",
    )


@strawberry.type(description="A character that a bot plays.")
class Persona(Node):
    external_id: str | None = described("Its id in the host product.")
    name: str = described("Its name.")
    description: str | None = described("Who it is.")
    avatar_url: str | None = described("Where its picture is.")
    created_at: datetime = described("When it came into the directory.")
    group_count: int = found(
        find.group_count(PERSONAS), "How many groups hold it, as far as you may see."
    )
    groups: "Connection[GroupEdge, Group]" = found(
        find.groups_of(PERSONAS), "The groups that hold it, by name, as far as you may see."
    )
    users: "Connection[PersonaUserEdge, User]" = found(
        access.reached_by(PERSONAS),
        "Who may use it, by name, each once. Through groups that you may see.",
    )


@strawberry.type(description="Who did it: a person, a token that is no person's, or the operator.")
class Actor:
    kind: ActorKind = computed(lambda row, viewer: row["actor_kind"], "What kind of party it is.")
    name: str = computed(lambda row, viewer: row["actor_name"], "Its name, as it was then.")
    user: User | None = found(find.actor_users, "The person, if it is one who still exists.")


@strawberry.type(description="One entry of the ledger: what one write did. Each revision has one.")
class Change(Node):
    revision: int = described("The organization's revision that this change made.")
    at: datetime = described("When it landed.")
    actor: Actor = computed(lambda row, viewer: row, "Who did it.")
    action: Action = described("What it did.")
    summary: str = described("One English sentence: `Ada Lovelace added 3 users to Sales Team`.")
    group: Group | None = found(
        find.change_groups,
        "The group; null once it is gone, where you may not see it, and for a change of none.",
    )
    group_id: ID | None = described(
        "The group's id, good for `group(id:, at:)` also once it is gone; null for a change of no "
        "group."
    )
    group_name: str | None = described(
        "The group's name, as it was before the change, or as that made it; null for a change of "
        "no group."
    )
    users: list[User] = found(
        find.change_entries(USERS),
        "The users it names, less those who are gone. (The deletion of a group names none.)",
    )
    bots: list[Bot] = found(find.change_entries(BOTS), "The bots it names, less those gone.")
    personas: list[Persona] = found(
        find.change_entries(PERSONAS), "The personas it names, less those gone."
    )
    undoable: bool = found(
        find.change_undoable,
        "Whether an undo would find anything to reverse; false to a MEMBER, who may undo nothing.",
    )
    undone_by: "Change | None" = found(find.change_undone_by, "The change that undid it.")


@strawberry.type(description="What proves who is asking. Its secret is told once, when it is made.")
class Token(Node):
    name: str = described("What it is for.")
    role: Role = computed(find.token_role, "What it may do: never more than its person may.")
    user: User | None = found(find.token_users, "Whose it is; null if it is no person's.")
    created_at: datetime = described("When it was made.")
    expires_at: datetime | None = described("When it expires: it opens nothing from then on.")
    last_used_at: datetime | None = described("When it was last used, to a minute or so.")
    revoked_at: datetime | None = described("When it was revoked.")


@strawberry.type(description="The answer to one question about access, with its reason.")
class AccessDecision:
    allowed: bool = described("Whether the user may use it.")
    reason: Reason = described("Why, or why not.")
    via: list[Group] = found(
        access.decided_via,
        "The groups that give it, by name: every one that you may see; empty when it is denied.",
    )
    held_by: list[Group] = found(
        access.held_by,
        "When it is denied: groups that hold it, by name; the user needs to be active, and in one "
        "of them. At most 100.",
    )


@strawberry.type(description="What one user would gain, lose or keep.")
class AccessDiff:
    user: User = found(access.diff_users, "The user.")
    bots: list[Bot] = found(access.diff_entries(BOTS), "The bots, by name.")
    personas: list[Persona] = found(access.diff_entries(PERSONAS), "The personas, by name.")


@strawberry.type(description="A user whom a write would touch, in a list.")
class AccessDiffEdge(Edge):
    node: AccessDiff = described("The user, with what they would gain, lose or keep.")


@strawberry.type(description="A page of the users whom a write would touch.")
class AccessDiffConnection(Connection[AccessDiffEdge, AccessDiff]):
    bot_count: int = described("How many different bots they would gain, lose or keep, in all.")
    persona_count: int = described("How many different personas, likewise.")


@strawberry.type(
    description="What a write would do to people's access. Exact at the revision it names."
)
class AccessImpact:
    revision: int = described("Hand it back as `expectedRevision` to commit exactly this.")
    gains: AccessDiffConnection = found(access.diffs("gains"), "Who would gain what, by name.")
    losses: AccessDiffConnection = found(access.diffs("losses"), "Who would lose what, by name.")
    kept: AccessDiffConnection = found(
        access.diffs("kept"), "Who would keep what through another group, by name."
    )
