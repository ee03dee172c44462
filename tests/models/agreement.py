"""Asserting that the answers about access agree with the plain model."""

from collections.abc import Sequence

from models.access import (
    Question,
    Reach,
    Reason,
    access_counts,
    access_pages,
    decide,
    holders,
    ids_of,
)
from models.database import Row
from models.kinds import BOTS, PERSONAS, USERS
from models.listing import Slice
from models.viewer import Viewer
from tests.models.histories import History
from tests.models.world import World

RESOURCES = (BOTS, PERSONAS)
DIRECTIONS = [pair for kind in RESOURCES for pair in ((USERS, kind), (kind, USERS))]


def shown(rows: Sequence[Row]) -> list[tuple[str, set[str]]]:
    for row in rows:
        assert len(set(ids_of(row["via"]))) == len(ids_of(row["via"]))
    return [(row["id"], set(ids_of(row["via"]))) for row in rows]


async def assert_pages(
    history: History, viewer: Viewer, world: World, moment: int | None, visible: set[str] | None
) -> None:
    """Assert that everybody reaches, and is reached by, what the model says."""
    for holder, held in DIRECTIONS:
        parents = history.ids[holder]
        if visible is not None and holder is USERS:
            parents = [str(viewer.user_id)]
        reach = Reach(viewer, holder, held, moment=moment)
        pages = await access_pages(reach, Slice(100), parents)
        expected = {parent: world.reached(holder, held, parent, visible) for parent in parents}
        assert {parent: shown(page.rows) for parent, page in pages.items()} == expected
        counts = await access_counts(reach, parents)
        assert counts == {parent: len(found) for parent, found in expected.items()}


async def assert_decisions(history: History, world: World, moment: int | None) -> None:
    """Assert that every question is answered as the model does."""
    questions = [
        Question(user, kind, resource, moment)
        for kind in RESOURCES
        for user in history.ids[USERS]
        for resource in history.ids[kind]
    ]
    decisions = await decide(history.viewer, questions)
    to_join = await holders(history.viewer, decisions)
    for question, decision, groups in zip(questions, decisions, to_join, strict=True):
        asked = (question.user_id, question.kind, question.resource_id)
        assert decision.reason is world.reason(*asked)
        assert decision.allowed is (decision.reason is Reason.GRANTED)
        told = decision.reason not in (Reason.GRANTED, Reason.NOT_FOUND)
        assert set(decision.via) == (world.via(*asked) if decision.allowed else set())
        assert {row["id"] for row in groups} == (world.holding(*asked[1:]) if told else set())
