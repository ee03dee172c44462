"""Undo."""

from typing import Annotated, Any

import strawberry

from models.undo import undo_change as undo
from schema import inputs, payloads
from schema.context import Info
from schema.inputs import expected
from schema.mutations.write import INPUT, writes


async def undo_change(info: Info, input: Annotated[inputs.UndoChangeInput, INPUT]) -> Any:
    outcome = await undo(info.context.viewer, input.change_id, expected(input))
    loaders = info.context.renew()
    change = await loaders.change_by_id(str(outcome.id))
    return payloads.UndoChangePayload(
        revision=outcome.revision,
        change=change,
        group=await loaders.group_by_id(change["group_id"]),
    )


@strawberry.type
class UndoMutations:
    undo_change: payloads.UndoChangePayload = writes(
        undo_change,
        "Reverse a change of a group, as one new change, which can be undone as well.",
    )
