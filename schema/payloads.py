"""The payloads of mutations. On a refusal, `userErrors` says why, and nothing was changed.

A payload only names what was written; its fields fetch it, so that it can be fetched again if
another write lands meanwhile (`schema/executor.py`).
"""

from typing import Any

import strawberry
from strawberry import ID

from models.errors import Code
from models.kinds import BOTS, PERSONAS, USERS
from schema import written as find
from schema.fields import described, found
from schema.types import (
    Bot,
    Change,
    Group,
    GroupBotEdge,
    GroupEdge,
    GroupPersonaEdge,
    GroupUserEdge,
    Persona,
    Token,
    User,
)
from schema.written import Written

GROUP = "The group as it is now; null if the write was refused, or if the group no longer exists."
EDGES = (
    "The memberships that the write created: not those that existed already, and not those that "
    "another write has ended by the revision that the response shows."
)
SENT = "All that were sent, in the same order, as they are now, except those deleted since."
REMOVED = "The ids of those that were removed; any that were not in the group are not included."


@strawberry.type(description="A reason why a write was refused. Nothing was changed.")
class UserError:
    code: Code = described("The reason as a code. Stable: safe for programs to switch on.")
    message: str = described("The reason as a sentence, which can be shown to people as it is.")
    field: list[str] | None = described(
        'The path to the value at fault: `["input", "userIds", "3"]`; null if there is none.'
    )


@strawberry.interface(description="The result of a write.")
class Payload:
    revision: int = described("The organization's revision after the write.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list,
        description="Why the write was refused, at most 100 reasons; empty if it was done.",
    )
    written: strawberry.Private[Written] = Written()


def maybe(description: str) -> Any:
    """A field that is null on a refusal."""
    return strawberry.field(default=None, description=description)


def some(description: str) -> Any:
    """A list that is empty on a refusal."""
    return strawberry.field(default_factory=list, description=description)


@strawberry.type(description="The new group.")
class CreateGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)
    edge: GroupEdge | None = found(
        find.written_edges, "The group as an edge of a list sorted by name."
    )


@strawberry.type(description="The group with its changes.")
class UpdateGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)


@strawberry.type(description="The deleted group.")
class DeleteGroupPayload(Payload):
    deleted_group_id: ID | None = maybe("Its id; null if the write was refused.")


@strawberry.type(description="The group with its new users.")
class AddUsersToGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)
    added_edges: list[GroupUserEdge] = found(find.added_edges, EDGES)


@strawberry.type(description="The group without these users.")
class RemoveUsersFromGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)
    removed_user_ids: list[ID] = some(REMOVED)


@strawberry.type(description="The group with its new bots.")
class AddBotsToGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)
    added_edges: list[GroupBotEdge] = found(find.added_edges, EDGES)


@strawberry.type(description="The group without these bots.")
class RemoveBotsFromGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)
    removed_bot_ids: list[ID] = some(REMOVED)


@strawberry.type(description="The group with its new personas.")
class AddPersonasToGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)
    added_edges: list[GroupPersonaEdge] = found(find.added_edges, EDGES)


@strawberry.type(description="The group without these personas.")
class RemovePersonasFromGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)
    removed_persona_ids: list[ID] = some(REMOVED)


@strawberry.type(description="The users as they are now.")
class UpsertUsersPayload(Payload):
    users: list[User] = found(find.written_entries(USERS), SENT)


@strawberry.type(description="The deleted users.")
class DeleteUsersPayload(Payload):
    deleted_user_ids: list[ID] = some("Their ids; empty if the write was refused.")


@strawberry.type(description="The bots as they are now.")
class UpsertBotsPayload(Payload):
    bots: list[Bot] = found(find.written_entries(BOTS), SENT)


@strawberry.type(description="The deleted bots.")
class DeleteBotsPayload(Payload):
    deleted_bot_ids: list[ID] = some("Their ids; empty if the write was refused.")


@strawberry.type(description="The personas as they are now.")
class UpsertPersonasPayload(Payload):
    personas: list[Persona] = found(find.written_entries(PERSONAS), SENT)


@strawberry.type(description="The deleted personas.")
class DeletePersonasPayload(Payload):
    deleted_persona_ids: list[ID] = some("Their ids; empty if the write was refused.")


@strawberry.type(description="The new token, with its secret.")
class CreateTokenPayload(Payload):
    token: Token | None = found(find.written_tokens, "The token; null if the write was refused.")
    secret: str | None = maybe("The secret, shown only this once; null if the write was refused.")


@strawberry.type(description="The revoked token.")
class RevokeTokenPayload(Payload):
    token: Token | None = found(find.written_tokens, "The token; null if the write was refused.")


@strawberry.type(description="The new change that undid the other.")
class UndoChangePayload(Payload):
    change: Change | None = found(
        find.written_changes, "The new change; null if the write was refused."
    )
    group: Group | None = found(find.written_groups, GROUP)
