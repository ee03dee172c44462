"""The one rule of access, against a plain model of it: now, and at every past revision."""

import pytest
from hypothesis import HealthCheck, given, settings
from tortoise.context import TortoiseContext

from models.access import (
    GROUPS_TOLD,
    Decision,
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
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.ledger import current_revision
from models.listing import Page, Slice
from models.membership_writes import remove_members
from models.tables import UserStatus
from models.viewer import Viewer
from tests.factories import (
    count_statements,
    make_bot,
    make_entries,
    make_group,
    make_persona,
    make_user,
    make_users,
    viewer_of,
)
from tests.models.agreement import DIRECTIONS, assert_decisions, assert_pages, shown
from tests.models.histories import History, Taken, histories

pytestmark = pytest.mark.usefixtures("consistent")


Bound = tuple[str, str] | None

examples = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@examples
@given(taken=histories)
async def test_access_is_what_the_rule_says_now_and_at_every_revision(
    database: TortoiseContext, taken: Taken
) -> None:
    history = await History.of(taken)
    for moment, world in [(None, history.now), *history.states.items()]:
        await assert_pages(history, history.viewer, world, moment, None)
        await assert_decisions(history, world, moment)


@examples
@given(taken=histories)
async def test_a_member_is_told_of_access_within_its_groups(
    database: TortoiseContext, taken: Taken
) -> None:
    history = await History.of(taken)
    world = history.now
    for user in world.active:
        member = viewer_of(history.viewer, user)
        await assert_pages(history, member, world, None, world.holding(USERS, user))


@examples
@given(taken=histories)
async def test_the_pages_of_access_are_cuts_of_the_whole(
    database: TortoiseContext, taken: Taken
) -> None:
    history = await History.of(taken)
    for holder, held in DIRECTIONS:
        for parent in history.ids[holder]:
            expected = history.now.reached(holder, held, parent)
            for limit, backward in ((1, False), (2, True), (len(expected) or 1, False)):
                read = await walk(history.viewer, holder, held, parent, limit, backward)
                assert read == expected


async def walk(
    viewer: Viewer, holder: Kind, held: Kind, parent: str, limit: int, backward: bool
) -> list[tuple[str, set[str]]]:
    """All that a parent reaches, page by page from one end to the other."""
    read: list[Row] = []
    more = True
    while more:
        last = (read[-1]["name_key"], read[-1]["id"]) if read else None
        part = Slice(limit, backward, **{"before" if backward else "after": last})
        page: Page = (await access_pages(Reach(viewer, holder, held), part, [parent]))[parent]
        more = page.has_previous if backward else page.has_next
        assert len(page.rows) == limit or not more
        read += page.rows[::-1] if backward else page.rows
    return shown(read[::-1] if backward else read)


# --------------------------------------------------------------------------------- by hand, a few


async def test_a_bot_that_two_groups_give_is_reached_once_through_both(viewer: Viewer) -> None:
    ada, coach = await make_user(viewer), await make_bot(viewer)
    groups = [await make_group(viewer, name, users=[ada], bots=[coach]) for name in ("A", "B")]
    page = (await access_pages(Reach(viewer, USERS, BOTS), Slice(10), [ada]))[ada]
    assert shown(page.rows) == [(coach, set(groups))]
    assert await access_counts(Reach(viewer, USERS, BOTS), [ada]) == {ada: 1}


async def test_users_bots_and_personas_of_two_groups_do_not_mix(viewer: Viewer) -> None:
    ada, coach, buyer = (
        await make_user(viewer),
        await make_bot(viewer),
        await make_persona(viewer),
    )
    await make_group(viewer, "A", users=[ada], personas=[buyer])
    await make_group(viewer, "B", bots=[coach], personas=[buyer])
    bots, personas = await decide(
        viewer, [Question(ada, BOTS, coach), Question(ada, PERSONAS, buyer)]
    )
    assert (bots.reason, personas.reason) == (Reason.NO_COMMON_GROUP, Reason.GRANTED)


async def test_a_deactivated_user_reaches_nothing_and_is_reached_by_nothing(
    viewer: Viewer,
) -> None:
    ada = await make_user(viewer, status=UserStatus.DEACTIVATED)
    coach = await make_bot(viewer)
    group = await make_group(viewer, users=[ada], bots=[coach])
    assert (await access_pages(Reach(viewer, USERS, BOTS), Slice(10), [ada]))[ada].rows == []
    assert (await access_pages(Reach(viewer, BOTS, USERS), Slice(10), [coach]))[coach].rows == []
    assert await access_counts(Reach(viewer, BOTS, USERS), [coach]) == {coach: 0}
    question = Question(ada, BOTS, coach)
    (decision,) = await decide(viewer, [question])
    assert decision == Decision(question, Reason.USER_DEACTIVATED)
    assert [[row["id"] for row in rows] for rows in await holders(viewer, [decision])] == [[group]]


async def test_what_is_reached_can_be_searched(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    bots = await make_entries(viewer, BOTS, ["Coach", "Clerk", "Coachman"])
    await make_group(viewer, "A", users=[ada], bots=bots)
    await make_group(viewer, "B", users=[ada], bots=bots[:1])
    pages = await access_pages(Reach(viewer, USERS, BOTS, "coach"), Slice(10), [ada])
    assert [row["name"] for row in pages[ada].rows] == ["Coach", "Coachman"]
    assert await access_counts(Reach(viewer, USERS, BOTS, "coach"), [ada]) == {ada: 2}
    assert await access_counts(Reach(viewer, BOTS, USERS, "ADA"), bots) == dict.fromkeys(bots, 1)


async def test_nothing_crosses_organizations(viewer: Viewer, other: Viewer) -> None:
    ada, coach = await make_user(other), await make_bot(other)
    await make_group(other, users=[ada], bots=[coach])
    revision = await current_revision(other.organization_id)
    for moment in (None, revision):
        question = Question(ada, BOTS, coach, moment)
        assert (await decide(viewer, [question]))[0] == Decision(question, Reason.NOT_FOUND)
        pages = await access_pages(Reach(viewer, USERS, BOTS, moment=moment), Slice(10), [ada])
        assert pages[ada].rows == []
        assert await access_counts(Reach(viewer, BOTS, USERS, moment=moment), [coach]) == {coach: 0}


@pytest.mark.parametrize("strange", ["", "\x00", "\ud800", "usr_0", "bot_0"])
async def test_ids_that_are_none_are_not_found(viewer: Viewer, strange: str) -> None:
    ada, coach = await make_user(viewer), await make_bot(viewer)
    await make_group(viewer, users=[ada], bots=[coach])
    asked = [Question(strange, BOTS, coach), Question(ada, BOTS, strange), Question(ada, BOTS, ada)]
    decisions = await decide(viewer, [*asked, Question(ada, BOTS, coach)])
    assert [decision.reason for decision in decisions] == [Reason.NOT_FOUND] * 3 + [Reason.GRANTED]


async def test_each_question_has_its_answer_in_order_also_when_asked_twice(viewer: Viewer) -> None:
    ada, coach = await make_user(viewer), await make_bot(viewer)
    before = await current_revision(viewer.organization_id)
    group = await make_group(viewer, users=[ada], bots=[coach])
    now, past = Question(ada, BOTS, coach), Question(ada, BOTS, coach, before)
    decisions = await decide(viewer, [past, now, past, now])
    granted = Decision(now, Reason.GRANTED, via=(group,))
    denied = Decision(past, Reason.RESOURCE_IN_NO_GROUP)
    assert decisions == [denied, granted, denied, granted]
    assert await decide(viewer, []) == []


async def test_many_questions_cost_the_statements_of_one(viewer: Viewer) -> None:
    users, bots = await make_users(viewer, 10), await make_entries(viewer, BOTS, list("ABCDEFGHIJ"))
    await make_group(viewer, "A", users=users[:5], bots=bots[:5])
    await make_group(viewer, "B", users=users[5:], bots=bots[5:])
    questions = [Question(user, BOTS, bot) for user in users for bot in bots]
    with count_statements() as few:
        await decide(viewer, [questions[0], questions[9]])  # one is granted, one is not
    with count_statements() as many:
        decisions = await decide(viewer, questions)
    assert len(many) == len(few)
    assert sum(decision.allowed for decision in decisions) == 50


async def test_a_page_of_many_parents_costs_the_statements_of_one(viewer: Viewer) -> None:
    users, bots = await make_users(viewer, 10), await make_entries(viewer, BOTS, list("ABCDEFGHIJ"))
    for place, user in enumerate(users):
        await make_group(viewer, f"Group {place}", users=[user], bots=bots[place:])
    for parents in (users[:1], users):
        with count_statements() as statements:
            await access_pages(Reach(viewer, USERS, BOTS), Slice(3), parents)
            await access_counts(Reach(viewer, USERS, BOTS), parents)
        assert len(statements) == 2


async def test_how_many_are_reached_is_known_with_a_page_unless_a_group_has_more_than_that(
    viewer: Viewer,
) -> None:
    ada = await make_user(viewer)
    bots = await make_entries(viewer, BOTS, list("ABCDE"))
    await make_group(viewer, "First", users=[ada], bots=bots[:3])
    await make_group(viewer, "Second", users=[ada], bots=bots[2:])

    async def total(limit: int, after: Bound = None, before: Bound = None) -> int | None:
        part = Slice(limit, after=after, before=before, columns={"via"})
        return (await access_pages(Reach(viewer, USERS, BOTS), part, [ada]))[ada].total

    assert [await total(limit) for limit in (0, 1, 2, 3, 4, 5, 6)] == [None, None, None, 5, 5, 5, 5]
    third = ("c", bots[2])
    assert [await total(9, after=third), await total(9, before=third)] == [None, None]
    nobody = await make_user(viewer, "Nobody")
    pages = await access_pages(Reach(viewer, USERS, BOTS), Slice(1), [ada, nobody])
    assert (pages[ada].total, pages[nobody].total) == (None, 0)


async def test_a_denial_names_no_more_groups_than_can_be_shown(viewer: Viewer) -> None:
    ada, coach = await make_user(viewer), await make_bot(viewer)
    for number in range(GROUPS_TOLD + 1):
        await make_group(viewer, f"Group {number}", bots=[coach])
    (decision,) = await decide(viewer, [Question(ada, BOTS, coach)])
    (rows,) = await holders(viewer, [decision])
    assert (decision.reason, len(rows)) == (Reason.NO_COMMON_GROUP, GROUPS_TOLD)


async def test_a_member_is_told_of_its_own_past_in_groups_it_has_left(viewer: Viewer) -> None:
    ada, bot = await make_user(viewer), await make_bot(viewer)
    group = await make_group(viewer, "Left", users=[ada], bots=[bot])
    moment = await current_revision(viewer.organization_id)
    other = await make_group(viewer, "Stays", users=[ada], bots=[bot])
    await remove_members(viewer, USERS, group, [ada])
    member = viewer_of(viewer, ada)
    pages = await access_pages(Reach(member, USERS, BOTS, moment=moment), Slice(10), [ada])
    assert [ids_of(row["via"]) for row in pages[ada].rows] == [[group]]
    assert await access_counts(Reach(member, USERS, BOTS, moment=moment), [ada]) == {ada: 1}
    past, now = await decide(
        member, [Question(ada, BOTS, bot, moment), Question(ada, BOTS, bot, None)]
    )
    assert (past.via, now.via) == ((group,), (other,))
