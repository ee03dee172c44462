"""Groups, and what they hold."""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry

from models import groups
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.membership_writes import add_members, remove_members
from schema import inputs, payloads
from schema.context import Context
from schema.inputs import expected, given
from schema.mutations.write import INPUT, writes
from schema.written import Written


async def create_group(context: Context, input: Annotated[inputs.CreateGroupInput, INPUT]) -> Any:
    members = {
        USERS.noun: input.user_ids or (),
        BOTS.noun: input.bot_ids or (),
        PERSONAS.noun: input.persona_ids or (),
    }
    outcome = await groups.create_group(
        context.viewer, input.name, input.description or None, members, expected(input)
    )
    return payloads.CreateGroupPayload(
        revision=outcome.revision, written=Written(group_id=outcome.id)
    )


async def update_group(context: Context, input: Annotated[inputs.UpdateGroupInput, INPUT]) -> Any:
    outcome = await groups.update_group(context.viewer, input.id, given(input), expected(input))
    return payloads.UpdateGroupPayload(
        revision=outcome.revision, written=Written(group_id=input.id)
    )


async def delete_group(context: Context, input: Annotated[inputs.DeleteGroupInput, INPUT]) -> Any:
    outcome = await groups.delete_group(context.viewer, input.id, expected(input))
    return payloads.DeleteGroupPayload(revision=outcome.revision, deleted_group_id=input.id)


async def _add(
    context: Context, kind: Kind, input: Any, payload: Callable[..., payloads.Payload]
) -> Any:
    ids = getattr(input, f"{kind.noun}_ids")
    viewer, group_id = context.viewer, input.group_id
    outcome = await add_members(viewer, kind, group_id, ids, expected(input))
    return payload(
        revision=outcome.revision,
        written=Written(group_id, kind, outcome.changed, outcome.revision, shown=outcome.shown),
    )


async def _remove(
    context: Context, kind: Kind, input: Any, payload: Callable[..., payloads.Payload]
) -> Any:
    ids = getattr(input, f"{kind.noun}_ids")
    outcome = await remove_members(context.viewer, kind, input.group_id, ids, expected(input))
    return payload(
        revision=outcome.revision,
        written=Written(group_id=input.group_id, shown=outcome.shown),
        **{f"removed_{kind.noun}_ids": list(outcome.changed)},
    )


async def add_users_to_group(
    context: Context, input: Annotated[inputs.AddUsersToGroupInput, INPUT]
) -> Any:
    return await _add(context, USERS, input, payloads.AddUsersToGroupPayload)


async def remove_users_from_group(
    context: Context, input: Annotated[inputs.RemoveUsersFromGroupInput, INPUT]
) -> Any:
    return await _remove(context, USERS, input, payloads.RemoveUsersFromGroupPayload)


async def add_bots_to_group(
    context: Context, input: Annotated[inputs.AddBotsToGroupInput, INPUT]
) -> Any:
    return await _add(context, BOTS, input, payloads.AddBotsToGroupPayload)


async def remove_bots_from_group(
    context: Context, input: Annotated[inputs.RemoveBotsFromGroupInput, INPUT]
) -> Any:
    return await _remove(context, BOTS, input, payloads.RemoveBotsFromGroupPayload)


async def add_personas_to_group(
    context: Context, input: Annotated[inputs.AddPersonasToGroupInput, INPUT]
) -> Any:
    return await _add(context, PERSONAS, input, payloads.AddPersonasToGroupPayload)


async def remove_personas_from_group(
    context: Context, input: Annotated[inputs.RemovePersonasFromGroupInput, INPUT]
) -> Any:
    return await _remove(context, PERSONAS, input, payloads.RemovePersonasFromGroupPayload)


@strawberry.type
class GroupMutations:
    create_group: payloads.CreateGroupPayload = writes(
        create_group, "Create a group, if you like with its members."
    )
    update_group: payloads.UpdateGroupPayload = writes(
        update_group, "Rename a group, or describe it anew."
    )
    delete_group: payloads.DeleteGroupPayload = writes(
        delete_group, "Delete a group. What came only through it is revoked at once."
    )
    add_users_to_group: payloads.AddUsersToGroupPayload = writes(
        add_users_to_group, "Put users into a group."
    )
    remove_users_from_group: payloads.RemoveUsersFromGroupPayload = writes(
        remove_users_from_group,
        "Take users out of a group. What came only through it is revoked at once.",
    )
    add_bots_to_group: payloads.AddBotsToGroupPayload = writes(
        add_bots_to_group, "Put bots into a group."
    )
    remove_bots_from_group: payloads.RemoveBotsFromGroupPayload = writes(
        remove_bots_from_group,
        "Take bots out of a group. What came only through it is revoked at once.",
    )
    add_personas_to_group: payloads.AddPersonasToGroupPayload = writes(
        add_personas_to_group, "Put personas into a group."
    )
    remove_personas_from_group: payloads.RemovePersonasFromGroupPayload = writes(
        remove_personas_from_group,
        "Take personas out of a group. What came only through it is revoked at once.",
    )
