"""Undo."""

from typing import Annotated, Any

import strawberry

from models.ledger import changes_by_id
from models.undo import undo_change as undo
from schema import inputs, payloads
from schema.context import Info
from schema.inputs import expected
from schema.mutations.write import INPUT, group_now, writes


async def undo_change(info: Info, input: Annotated[inputs.UndoChangeInput, INPUT]) -> Any:
    outcome = await undo(info.context.viewer, input.change_id, expected(input))
    change = (await changes_by_id(info.context.viewer, [str(outcome.id)]))[0]
    return payloads.UndoChangePayload(
        revision=outcome.revision,
        change=change,  # type: ignore[arg-type]  # the source of the type
        group=await group_now(info, change["group_id"]),
    )


@strawberry.type
class UndoMutations:
    undo_change: payloads.UndoChangePayload = writes(
        undo_change,
        "Reverse a change of a group, as one new change, which can be undone as well.",
    )
