"""Tokens."""

from typing import Any

import strawberry

from models import tokens
from schema import inputs, payloads
from schema.context import Context
from schema.inputs import given
from schema.mutations.write import writes
from schema.written import Written


async def create_token(context: Context, payload: Any, input: inputs.CreateTokenInput) -> Any:
    sent = given(input)  # a blank id is not a missing one: it names nobody
    outcome, secret = await tokens.create_token(
        context.viewer,
        input.name,
        sent.get("role"),
        sent.get("user_id"),
        sent.get("expires_at"),
    )
    return payload(revision=outcome.revision, written=Written(token_id=outcome.id), secret=secret)


async def revoke_token(context: Context, payload: Any, input: inputs.RevokeTokenInput) -> Any:
    outcome = await tokens.revoke_token(context.viewer, input.id)
    return payload(revision=outcome.revision, written=Written(token_id=outcome.id))


@strawberry.type
class TokenMutations:
    create_token: payloads.CreateTokenPayload = writes(
        create_token,
        inputs.CreateTokenInput,
        "Create a token. Its secret is shown only once, in this response.",
    )
    revoke_token: payloads.RevokeTokenPayload = writes(
        revoke_token, inputs.RevokeTokenInput, "Revoke a token. It stops working at once."
    )
