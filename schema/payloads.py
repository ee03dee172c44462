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

GROUP = "The group as it is now; null on a refusal."
EDGES = (
    "The new memberships: without those that were there already, and without those that somebody "
    "has ended again by the revision that the answer shows."
)
SENT = "All that were sent, in the same order, as they are now."
REMOVED = "Those who were in it; those who were not are left out."


@strawberry.type(description="A person's mistake. The data is as it was.")
class UserError:
    code: Code = described("Stable: programs may switch on it.")
    message: str = described("A sentence that a page can show as it is.")
    field: list[str] | None = described('Path into the input: `["input", "userIds", "3"]`.')


@strawberry.interface(description="What every write answers.")
class Payload:
    revision: int = described("The organization's revision after the write.")
    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why it was refused; empty if it was done."
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
    edge: GroupEdge | None = found(find.written_edges, "The group in a list sorted by name.")


@strawberry.type(description="The group with its changes.")
class UpdateGroupPayload(Payload):
    group: Group | None = found(find.written_groups, GROUP)


@strawberry.type(description="The group that is gone.")
class DeleteGroupPayload(Payload):
    deleted_group_id: ID | None = maybe("Its id; null on a refusal.")


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


@strawberry.type(description="The users that are gone.")
class DeleteUsersPayload(Payload):
    deleted_user_ids: list[ID] = some("Their ids.")


@strawberry.type(description="The bots as they are now.")
class UpsertBotsPayload(Payload):
    bots: list[Bot] = found(find.written_entries(BOTS), SENT)


@strawberry.type(description="The bots that are gone.")
class DeleteBotsPayload(Payload):
    deleted_bot_ids: list[ID] = some("Their ids.")


@strawberry.type(description="The personas as they are now.")
class UpsertPersonasPayload(Payload):
    personas: list[Persona] = found(find.written_entries(PERSONAS), SENT)


@strawberry.type(description="The personas that are gone.")
class DeletePersonasPayload(Payload):
    deleted_persona_ids: list[ID] = some("Their ids.")


@strawberry.type(description="The new token, with its secret.")
class CreateTokenPayload(Payload):
    token: Token | None = found(find.written_tokens, "The token; null on a refusal.")
    secret: str | None = maybe("The secret, told this once.")


@strawberry.type(description="The token, which opens nothing any more.")
class RevokeTokenPayload(Payload):
    token: Token | None = found(find.written_tokens, "The token; null on a refusal.")


@strawberry.type(description="The new change, which undid the other.")
class UndoChangePayload(Payload):
    change: Change | None = found(find.written_changes, "The new change; null on a refusal.")
    group: Group | None = found(
        find.written_groups, "The group as it is now; null on a refusal, or if it is gone."
    )
