"""Groups, and what they hold."""

from typing import Any

import strawberry

from models import groups
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.membership_writes import add_members, remove_members
from schema import inputs, payloads
from schema.context import Context
from schema.inputs import expected, given
from schema.mutations.write import Write, writes
from schema.written import Written


async def create_group(context: Context, payload: Any, input: inputs.CreateGroupInput) -> Any:
    members = {
        USERS.noun: input.user_ids or (),
        BOTS.noun: input.bot_ids or (),
        PERSONAS.noun: input.persona_ids or (),
    }
    outcome = await groups.create_group(
        context.viewer, input.name, input.description or None, members, expected(input)
    )
    return payload(revision=outcome.revision, written=Written(group_id=outcome.id))


async def update_group(context: Context, payload: Any, input: inputs.UpdateGroupInput) -> Any:
    outcome = await groups.update_group(context.viewer, input.id, given(input), expected(input))
    return payload(revision=outcome.revision, written=Written(group_id=input.id))


async def delete_group(context: Context, payload: Any, input: inputs.DeleteGroupInput) -> Any:
    outcome = await groups.delete_group(context.viewer, input.id, expected(input))
    return payload(revision=outcome.revision, deleted_group_id=input.id)


def adds(kind: Kind) -> Write:
    """Put members of a kind into a group."""

    async def write(context: Context, payload: Any, input: Any) -> Any:
        ids, group_id = getattr(input, f"{kind.noun}_ids"), input.group_id
        outcome = await add_members(context.viewer, kind, group_id, ids, expected(input))
        return payload(
            revision=outcome.revision,
            written=Written(group_id, kind, outcome.changed, outcome.revision, shown=outcome.shown),
        )

    return write


def removes(kind: Kind) -> Write:
    """Take members of a kind out of a group."""

    async def write(context: Context, payload: Any, input: Any) -> Any:
        ids, group_id = getattr(input, f"{kind.noun}_ids"), input.group_id
        outcome = await remove_members(context.viewer, kind, group_id, ids, expected(input))
        return payload(
            revision=outcome.revision,
            written=Written(group_id=group_id, shown=outcome.shown),
            **{f"removed_{kind.noun}_ids": list(outcome.changed)},
        )

    return write


@strawberry.type
class GroupMutations:
    create_group: payloads.CreateGroupPayload = writes(
        create_group, inputs.CreateGroupInput, "Create a group, optionally with members."
    )
    update_group: payloads.UpdateGroupPayload = writes(
        update_group, inputs.UpdateGroupInput, "Rename a group or change its description."
    )
    delete_group: payloads.DeleteGroupPayload = writes(
        delete_group,
        inputs.DeleteGroupInput,
        "Delete a group. Access that came only through it is revoked at once.",
    )
    add_users_to_group: payloads.AddUsersToGroupPayload = writes(
        adds(USERS), inputs.AddUsersToGroupInput, "Add users to a group."
    )
    remove_users_from_group: payloads.RemoveUsersFromGroupPayload = writes(
        removes(USERS),
        inputs.RemoveUsersFromGroupInput,
        "Remove users from a group. Access that came only through it is revoked at once.",
    )
    add_bots_to_group: payloads.AddBotsToGroupPayload = writes(
        adds(BOTS), inputs.AddBotsToGroupInput, "Add bots to a group."
    )
    remove_bots_from_group: payloads.RemoveBotsFromGroupPayload = writes(
        removes(BOTS),
        inputs.RemoveBotsFromGroupInput,
        "Remove bots from a group. Access that came only through it is revoked at once.",
    )
    add_personas_to_group: payloads.AddPersonasToGroupPayload = writes(
        adds(PERSONAS), inputs.AddPersonasToGroupInput, "Add personas to a group."
    )
    remove_personas_from_group: payloads.RemovePersonasFromGroupPayload = writes(
        removes(PERSONAS),
        inputs.RemovePersonasFromGroupInput,
        "Remove personas from a group. Access that came only through it is revoked at once.",
    )
