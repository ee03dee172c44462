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


@strawberry.input(description="How groups are sorted.")
class GroupOrder:
    field: GroupOrderField = described("By what.")
    direction: OrderDirection = described("Which way.")


@strawberry.input(description="How users are sorted.")
class UserOrder:
    field: directory.UserOrderField = described("By what.")
    direction: OrderDirection = described("Which way.")


# ---------------------------------------------------------------------------------------- access


@strawberry.input(description="May this user use this bot?")
class UserBotInput:
    user_id: ID = described("The user.")
    bot_id: ID = described("The bot.")
    at: datetime | None = optional("As of this instant; now, if it is left out.")


@strawberry.input(description="May this user use this persona?")
class UserPersonaInput:
    user_id: ID = described("The user.")
    persona_id: ID = described("The persona.")
    at: datetime | None = optional("As of this instant; now, if it is left out.")


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


@strawberry.input(description="Users to put into a group, or to take out of it.")
class GroupUsersInput:
    group_id: ID = described("The group.")
    user_ids: list[ID] = described("At most 1,000.")


@strawberry.input(description="Bots to put into a group, or to take out of it.")
class GroupBotsInput:
    group_id: ID = described("The group.")
    bot_ids: list[ID] = described("At most 1,000.")


@strawberry.input(description="Personas to put into a group, or to take out of it.")
class GroupPersonasInput:
    group_id: ID = described("The group.")
    persona_ids: list[ID] = described("At most 1,000.")


@strawberry.input(one_of=True, description="The write whose impact is asked for.")
class AccessImpactInput:
    delete_group: ID | None = optional("The group is deleted.")
    add_users: GroupUsersInput | None = optional("Users are put into a group.")
    remove_users: GroupUsersInput | None = optional("Users are taken out of a group.")
    add_bots: GroupBotsInput | None = optional("Bots are put into a group.")
    remove_bots: GroupBotsInput | None = optional("Bots are taken out of a group.")
    add_personas: GroupPersonasInput | None = optional("Personas are put into a group.")
    remove_personas: GroupPersonasInput | None = optional("Personas are taken out of a group.")


# ---------------------------------------------------------------------------------------- groups


@strawberry.input(description="A new group.")
class CreateGroupInput:
    name: str = described("Unique among live groups whatever its case; at most 120 characters.")
    description: str | None = optional("What it is for; at most 2,000 characters.")
    user_ids: list[ID] | None = optional("Users it holds from the start; at most 1,000.")
    bot_ids: list[ID] | None = optional("Bots it holds from the start; at most 1,000.")
    persona_ids: list[ID] | None = optional("Personas it holds from the start; at most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="What to change of a group. What is left out stays as it is.")
class UpdateGroupInput:
    id: ID = described("The group.")
    name: str | None = optional("Its new name.")
    description: str | None = optional("Its new description; null takes it away.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="A group to delete.")
class DeleteGroupInput:
    id: ID = described("The group.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Users to put into a group. Those already in it are no error.")
class AddUsersToGroupInput(GroupUsersInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Users to take out of a group. Those not in it are no error.")
class RemoveUsersFromGroupInput(GroupUsersInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to put into a group. Those already in it are no error.")
class AddBotsToGroupInput(GroupBotsInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to take out of a group. Those not in it are no error.")
class RemoveBotsFromGroupInput(GroupBotsInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to put into a group. Those already in it are no error.")
class AddPersonasToGroupInput(GroupPersonasInput):
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to take out of a group. Those not in it are no error.")
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
    description="A person: the one with this externalId, else with this email, else a new one. "
    "What is left out stays as it is."
)
class UserInput:
    external_id: str | None = optional("Their id in the host product; null leaves it as it is.")
    name: str = described("Their name.")
    email: str = described("Their email, unique whatever its case.")
    avatar_url: str | None = optional("Where their picture is; null takes it away.")
    role: Role | None = optional("What they may do. MEMBER for somebody new.")
    status: UserStatus | None = optional("Whether they may use anything. ACTIVE for somebody new.")


@strawberry.input(
    description="A bot: the one with this id, else with this externalId, else a new one. "
    "What is left out stays as it is."
)
class BotInput:
    id: ID | None = optional("The bot to update.")
    external_id: str | None = optional("Its id in the host product; null leaves it as it is.")
    name: str = described("Its name.")
    description: str | None = optional("What it trains; null takes it away.")
    avatar_url: str | None = optional("Where its picture is; null takes it away.")
    features: list[str] | None = optional(
        "Short labels, at most 20 of 40 characters; null takes them away."
    )


@strawberry.input(
    description="A persona: the one with this id, else with this externalId, else a new one. "
    "What is left out stays as it is."
)
class PersonaInput:
    id: ID | None = optional("The persona to update.")
    external_id: str | None = optional("Its id in the host product; null leaves it as it is.")
    name: str = described("Its name.")
    description: str | None = optional("Who it is; null takes it away.")
    avatar_url: str | None = optional("Where its picture is; null takes it away.")


@strawberry.input(description="People to add to the directory, or to update in it.")
class UpsertUsersInput:
    users: list[UserInput] = described("At most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to add to the directory, or to update in it.")
class UpsertBotsInput:
    bots: list[BotInput] = described("At most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to add to the directory, or to update in it.")
class UpsertPersonasInput:
    personas: list[PersonaInput] = described("At most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Users to delete. Their memberships end.")
class DeleteUsersInput:
    user_ids: list[ID] = described("At most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Bots to delete. Their memberships end.")
class DeleteBotsInput:
    bot_ids: list[ID] = described("At most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


@strawberry.input(description="Personas to delete. Their memberships end.")
class DeletePersonasInput:
    persona_ids: list[ID] = described("At most 1,000.")
    expected_revision: int | None = optional(EXPECTED)


# ---------------------------------------------------------------------------------------- tokens


@strawberry.input(description="A new token: a person's, or one with a role of its own.")
class CreateTokenInput:
    name: str = described("What it is for.")
    role: Role | None = optional(
        "What it may do; never more than its person may. Without `userId` it is needed: ADMIN or "
        "AUDITOR."
    )
    user_id: ID | None = optional("Whose it is.")
    expires_at: datetime | None = optional(
        "When it expires: it opens nothing from then on; never, if this is left out."
    )


@strawberry.input(description="A token to revoke.")
class RevokeTokenInput:
    id: ID = described("The token.")
