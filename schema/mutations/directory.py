"""The directory: what the host product, or an import, keeps in step with its own records."""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry

from models.directory import delete_entries
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.upserts import upsert_entries
from schema import inputs, payloads
from schema.context import Context
from schema.inputs import expected, given
from schema.mutations.write import INPUT, writes
from schema.written import Written


async def _upsert(
    context: Context, kind: Kind, input: Any, payload: Callable[..., payloads.Payload]
) -> Any:
    sent = [given(item) for item in getattr(input, kind.plural)]
    outcome = await upsert_entries(context.viewer, kind, sent, expected(input))
    return payload(revision=outcome.revision, written=Written(entry_ids=outcome.changed))


async def _delete(
    context: Context, kind: Kind, input: Any, payload: Callable[..., payloads.Payload]
) -> Any:
    ids = getattr(input, f"{kind.noun}_ids")
    outcome = await delete_entries(context.viewer, kind, ids, expected(input))
    return payload(revision=outcome.revision, **{f"deleted_{kind.noun}_ids": list(outcome.changed)})


async def upsert_users(context: Context, input: Annotated[inputs.UpsertUsersInput, INPUT]) -> Any:
    return await _upsert(context, USERS, input, payloads.UpsertUsersPayload)


async def delete_users(context: Context, input: Annotated[inputs.DeleteUsersInput, INPUT]) -> Any:
    return await _delete(context, USERS, input, payloads.DeleteUsersPayload)


async def upsert_bots(context: Context, input: Annotated[inputs.UpsertBotsInput, INPUT]) -> Any:
    return await _upsert(context, BOTS, input, payloads.UpsertBotsPayload)


async def delete_bots(context: Context, input: Annotated[inputs.DeleteBotsInput, INPUT]) -> Any:
    return await _delete(context, BOTS, input, payloads.DeleteBotsPayload)


async def upsert_personas(
    context: Context, input: Annotated[inputs.UpsertPersonasInput, INPUT]
) -> Any:
    return await _upsert(context, PERSONAS, input, payloads.UpsertPersonasPayload)


async def delete_personas(
    context: Context, input: Annotated[inputs.DeletePersonasInput, INPUT]
) -> Any:
    return await _delete(context, PERSONAS, input, payloads.DeletePersonasPayload)


@strawberry.type
class DirectoryMutations:
    upsert_users: payloads.UpsertUsersPayload = writes(
        upsert_users, "Add users to the directory, or update them."
    )
    delete_users: payloads.DeleteUsersPayload = writes(
        delete_users, "Delete users. Their memberships end, and what came through them."
    )
    upsert_bots: payloads.UpsertBotsPayload = writes(
        upsert_bots, "Add bots to the directory, or update them."
    )
    delete_bots: payloads.DeleteBotsPayload = writes(
        delete_bots, "Delete bots. Their memberships end, and what came through them."
    )
    upsert_personas: payloads.UpsertPersonasPayload = writes(
        upsert_personas, "Add personas to the directory, or update them."
    )
    delete_personas: payloads.DeletePersonasPayload = writes(
        delete_personas, "Delete personas. Their memberships end, and what came through them."
    )
