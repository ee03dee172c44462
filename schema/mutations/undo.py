"""Undo."""

from typing import Annotated, Any

import strawberry

from models import undo
from schema import inputs, payloads
from schema.context import Context
from schema.inputs import expected
from schema.mutations.write import INPUT, writes
from schema.written import Written


async def undo_change(context: Context, input: Annotated[inputs.UndoChangeInput, INPUT]) -> Any:
    outcome = await undo.undo_change(context.viewer, input.change_id, expected(input))
    return payloads.UndoChangePayload(
        revision=outcome.revision,
        written=Written(group_id=outcome.group_id, change_id=outcome.id),
    )


@strawberry.type
class UndoMutations:
    undo_change: payloads.UndoChangePayload = writes(
        undo_change,
        "Reverse a change of a group, as one new change, which can be undone as well.",
    )
