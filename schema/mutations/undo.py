"""Undo."""

from typing import Any

import strawberry

from models import undo
from schema import inputs, payloads
from schema.context import Context
from schema.inputs import expected
from schema.mutations.write import writes
from schema.written import Written


async def undo_change(context: Context, payload: Any, input: inputs.UndoChangeInput) -> Any:
    outcome = await undo.undo_change(context.viewer, input.change_id, expected(input))
    return payload(
        revision=outcome.revision,
        written=Written(group_id=outcome.group_id, change_id=outcome.id),
    )


@strawberry.type
class UndoMutations:
    undo_change: payloads.UndoChangePayload = writes(
        undo_change,
        inputs.UndoChangeInput,
        "Undo a change to a group. This is a new change, which can itself be undone.",
    )
