"""The directory: what the host product, or an import, keeps in step with its own records."""

from typing import Any

import strawberry

from models.directory import delete_entries
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.upserts import upsert_entries
from schema import inputs, payloads
from schema.context import Context
from schema.inputs import expected, given
from schema.mutations.write import Write, writes
from schema.written import Written


def upserts(kind: Kind) -> Write:
    """Add rows of a kind, or update them."""

    async def write(context: Context, payload: Any, input: Any) -> Any:
        sent = [given(item) for item in getattr(input, kind.plural)]
        outcome = await upsert_entries(context.viewer, kind, sent, expected(input))
        return payload(revision=outcome.revision, written=Written(entry_ids=outcome.changed))

    return write


def deletes(kind: Kind) -> Write:
    """Delete rows of a kind."""

    async def write(context: Context, payload: Any, input: Any) -> Any:
        ids = getattr(input, f"{kind.noun}_ids")
        outcome = await delete_entries(context.viewer, kind, ids, expected(input))
        gone = {f"deleted_{kind.noun}_ids": list(outcome.changed)}
        return payload(revision=outcome.revision, **gone)

    return write


@strawberry.type
class DirectoryMutations:
    upsert_users: payloads.UpsertUsersPayload = writes(
        upserts(USERS), inputs.UpsertUsersInput, "Add users to the directory or update them."
    )
    delete_users: payloads.DeleteUsersPayload = writes(
        deletes(USERS),
        inputs.DeleteUsersInput,
        "Delete users. Their memberships end, and so does the access that came through them.",
    )
    upsert_bots: payloads.UpsertBotsPayload = writes(
        upserts(BOTS), inputs.UpsertBotsInput, "Add bots to the directory or update them."
    )
    delete_bots: payloads.DeleteBotsPayload = writes(
        deletes(BOTS),
        inputs.DeleteBotsInput,
        "Delete bots. Their memberships end, and so does the access that came through them.",
    )
    upsert_personas: payloads.UpsertPersonasPayload = writes(
        upserts(PERSONAS),
        inputs.UpsertPersonasInput,
        "Add personas to the directory or update them.",
    )
    delete_personas: payloads.DeletePersonasPayload = writes(
        deletes(PERSONAS),
        inputs.DeletePersonasInput,
        "Delete personas. Their memberships end, and so does the access that came through them.",
    )
