"""The input types. A field that is left out is UNSET; null is a value of its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import strawberry
from strawberry import ID, UNSET
from strawberry.utils.str_converters import to_camel_case

from models import directory
from models.groups import GroupOrderField
from models.kinds import BOTS, PERSONAS, Kind
from models.tables import Role, UserStatus
from schema.enums import OrderDirection
from schema.fields import described

EXPECTED = "Refuse with CONFLICT unless the organization is at this revision."
AS_OF = "Answer as of this instant, which must not be in the future; defaults to now."


def given(value: Any) -> Mapping[str, Any]:
    """The fields of an input that were sent, by their Python names."""
    return {name: item for name, item in vars(value).items() if item is not UNSET}


def expected(value: Any) -> int | None:
    """The `expectedRevision` of an input; None if it was not sent."""
    revision = value.expected_revision
    return None if revision is UNSET else revision


def optional(description: str) -> Any:
    """A field that may be left out."""
    return strawberry.field(default=UNSET, description=description)


# ------------------------------------------------------------------------------------- sorting


@strawberry.input(description="How to sort groups.")
class GroupOrder:
    field: GroupOrderField = described("What to sort by.")
    direction: OrderDirection = described("The direction to sort in.")


@strawberry.input(description="How to sort users.")
class UserOrder:
    field: directory.UserOrderField = described("What to sort by.")
    direction: OrderDirection = described("The direction to sort in.")


# ---------------------------------------------------------------------------------------- access


@strawberry.input(description="May this user use this bot?")
class UserBotInput:
    user_id: ID = described("The user.")
    bot_id: ID = described("The bot.")
    at: datetime | None = optional(AS_OF)


@strawberry.input(description="May this user use this persona?")
class UserPersonaInput:
    user_id: ID = described("The user.")
    persona_id: ID = described("The persona.")
    at: datetime | None = optional(AS_OF)


@strawberry.input(one_of=True, description="One question about access.")
class AccessQuestion:
    bot: UserBotInput | None = optional("About a bot.")
    persona: UserPersonaInput | None = optional("About a persona.")


class QuestionAt(NamedTuple):
    """A question in the form that its resolver takes. `at` is None for the present."""

    user_id: str
    kind: Kind
    resource_id: str
    at: datetime | None


def _question(question: type, sent: Mapping[str, Any], _: Any) -> QuestionAt:
    """Read an AccessQuestion, in which exactly one of the two was sent."""
    if bot := sent.get("bot"):
        return QuestionAt(bot["userId"], BOTS, bot["botId"], bot.get("at"))
    persona = sent["persona"]
    return QuestionAt(persona["userId"], PERSONAS, persona["personaId"], persona.get("at"))


# Questions come by the hundred. Strawberry, which looks up the name of each field each time, takes
# as long to read them as answering them does.
AccessQuestion.__strawberry_definition__.from_input = _question  # type: ignore[attr-defined]


def read_plainly(*inputs: type) -> None:
    """Give these inputs a fast constructor: all their fields are scalars, or lists of them."""
    for each in inputs:
        definition = each.__strawberry_definition__  # type: ignore[attr-defined]
        names = {to_camel_case(field.python_name): field.python_name for field in definition.fields}

        def make(input: type, sent: Mapping[str, Any], _: Any, names: Any = names) -> Any:
            return input(**{names[name]: value for name, value in sent.items()})

        definition.from_input = make


@strawberry.input(description="Users to add to a group or remove from it.")
class GroupUsersInput:
    group_id: ID = described("The group.")
    user_ids: list[ID] = described("The users, at most 1,000.")


@strawberry.input(description="Bots to add to a group or remove from it.")
class GroupBotsInput:
    group_id: ID = described("The group.")
    bot_ids: list[ID] = described("The bots, at most 1,000.")


@strawberry.input(description="Personas to add to a group or remove from it.")
class GroupPersonasInput:
    group_id: ID = described("The group.")
    persona_ids: list[ID] = described("The personas, at most 1,000.")


@strawberry.input(one_of=True, description="The write to preview.")
class AccessImpactInput:
    delete_group: ID | None = optional("Delete the group with this id.")
    add_users: GroupUsersInput | None = optional("Add users to a group.")
    remove_users: GroupUsersInput | None = optional("Remove users from a group.")
    add_bots: GroupBotsInput | None = optional("Add bots to a group.")
    remove_bots: GroupBotsInput | None = optional("Remove bots from a group.")
    add_personas: GroupPersonasInput | None = optional("Add personas to a group.")
    remove_personas: GroupPersonasInput | None = optional("Remove personas from a group.")


# ---------------------------------------------------------------------------------------- groups


@strawberry.input(description="A new group.")
class CreateGroupInput:
    name: str = described(
        "Its name, at most 120 characters; unique, ignoring case, among groups that are not "
        "deleted."
    )
    description: str | None = optional("What it is for; at most 2,000 characters.")
    user_ids: list[ID] | None = optional("Its initial users, at most 1,000.")
    bot_ids: list[ID] | None = optional("Its initial bots, at most 1,000.")
    persona_ids: list[ID] | None = optional("Its initial personas, at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Changes to a group. Fields that are omitted stay unchanged.")
class UpdateGroupInput:
    id: ID = described("The group.")
    name: str | None = optional("Its new name; null leaves it unchanged.")
    description: str | None = optional("Its new description; null removes it.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="A group to delete.")
class DeleteGroupInput:
    id: ID = described("The group.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Users to add to a group. Those already in it are ignored.")
class AddUsersToGroupInput(GroupUsersInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Users to remove from a group. Those not in it are ignored.")
class RemoveUsersFromGroupInput(GroupUsersInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to add to a group. Those already in it are ignored.")
class AddBotsToGroupInput(GroupBotsInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to remove from a group. Those not in it are ignored.")
class RemoveBotsFromGroupInput(GroupBotsInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to add to a group. Those already in it are ignored.")
class AddPersonasToGroupInput(GroupPersonasInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to remove from a group. Those not in it are ignored.")
class RemovePersonasFromGroupInput(GroupPersonasInput):
    expected_revision: int | None = optional(EXPECTED)


read_plainly(
    AddUsersToGroupInput,
    AddBotsToGroupInput,
    AddPersonasToGroupInput,
    RemoveUsersFromGroupInput,
    RemoveBotsFromGroupInput,
    RemovePersonasFromGroupInput,
)


@strawberry.input(description="A change to undo.")
class UndoChangeInput:
    change_id: ID = described("The change.")
    expected_revision: int | None = optional(EXPECTED)


# ------------------------------------------------------------------------------------- directory


@strawberry.input(
    description="An existing user, matched by `externalId` or else by `email`; otherwise a new "
    "user. Fields that are omitted stay unchanged."
)
class UserInput:
    external_id: str | None = optional("Their id in the host product; null leaves it unchanged.")
    name: str = described("Their name.")
    email: str = described(
        "Their email address: unique, ignoring case. Of two that differ only in “ß” and “ss”, one "
        "can be used, and the other does not match its user."
    )
    avatar_url: str | None = optional(
        "The URL of their picture, beginning with `https://`, `http://` or `/`; null removes it. "
        "The console does not show those at `http://`."
    )
    role: Role | None = optional("What they may do; MEMBER by default for a new user.")
    status: UserStatus | None = optional(
        "Whether they may use anything; ACTIVE by default for a new user."
    )


@strawberry.input(
    description="An existing bot, matched by `id` or else by `externalId`; otherwise a new bot. "
    "Fields that are omitted stay unchanged."
)
class BotInput:
    id: ID | None = optional("The bot to update; NOT_FOUND if there is none with this id.")
    external_id: str | None = optional("Its id in the host product; null leaves it unchanged.")
    name: str = described("Its name.")
    description: str | None = optional("What it trains; null removes it.")
    avatar_url: str | None = optional(
        "The URL of its picture, beginning with `https://`, `http://` or `/`; null removes it. "
        "The console does not show those at `http://`."
    )
    features: list[str] | None = optional(
        "Short labels: at most 20, of at most 40 characters each; null removes them."
    )


@strawberry.input(
    description="An existing persona, matched by `id` or else by `externalId`; otherwise a new "
    "persona. Fields that are omitted stay unchanged."
)
class PersonaInput:
    id: ID | None = optional("The persona to update; NOT_FOUND if there is none with this id.")
    external_id: str | None = optional("Its id in the host product; null leaves it unchanged.")
    name: str = described("Its name.")
    description: str | None = optional("Who it is; null removes it.")
    avatar_url: str | None = optional(
        "The URL of its picture, beginning with `https://`, `http://` or `/`; null removes it. "
        "The console does not show those at `http://`."
    )


@strawberry.input(description="Users to add to the directory or update.")
class UpsertUsersInput:
    users: list[UserInput] = described("The users, at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to add to the directory or update.")
class UpsertBotsInput:
    bots: list[BotInput] = described("The bots, at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to add to the directory or update.")
class UpsertPersonasInput:
    personas: list[PersonaInput] = described("The personas, at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Users to delete. Their memberships end.")
class DeleteUsersInput:
    user_ids: list[ID] = described("The users, at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to delete. Their memberships end.")
class DeleteBotsInput:
    bot_ids: list[ID] = described("The bots, at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to delete. Their memberships end.")
class DeletePersonasInput:
    persona_ids: list[ID] = described("The personas, at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


# ---------------------------------------------------------------------------------------- tokens


@strawberry.input(
    description="A new token: one that belongs to a user, or one with a role of its own."
)
class CreateTokenInput:
    name: str = described("What it is for.")
    role: Role | None = optional(
        "What it may do: never more than its user may, and by default as much. Required without "
        "`userId`, and then ADMIN or AUDITOR."
    )
    user_id: ID | None = optional("The user it belongs to; null for none.")
    expires_at: datetime | None = optional(
        "When it expires and stops working: a time in the future; never, if omitted."
    )


@strawberry.input(description="A token to revoke.")
class RevokeTokenInput:
    id: ID = described("The token.")
