"""What a write would do to access, told beforehand: against a plain model, and by hand."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.context import TortoiseContext

from models.directory import IDS_AT_ONCE
from models.errors import BadRequest, Forbidden, LimitExceeded
from models.groups import delete_group
from models.impact import Diff, Impact, Proposal, access_impact
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.membership_writes import add_members, remove_members
from models.tables import Role, UserStatus
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
from tests.models.histories import GROUPS, SIZES, History, Step, Taken, histories
from tests.models.world import World

pytestmark = pytest.mark.usefixtures("consistent")

Pairs = set[tuple[str, Kind, str]]

proposals = st.one_of(
    st.tuples(st.just("delete_group"), st.integers(0, GROUPS - 1)),
    st.tuples(
        st.sampled_from(["add", "remove"]),
        st.integers(0, GROUPS - 1),
        st.sampled_from(KINDS).flatmap(
            lambda kind: st.tuples(
                st.just(kind), st.sets(st.integers(0, SIZES[kind] - 1)).map(tuple)
            )
        ),
    ),
)


def pairs(diffs: Sequence[Diff]) -> Pairs:
    """What the diffs tell, pair by pair. Asserts that they are sorted, and none is empty."""
    keys = [(diff["name_key"], diff["id"]) for diff in diffs]
    assert keys == sorted(set(keys))
    assert all(diff.held[BOTS] or diff.held[PERSONAS] for diff in diffs)
    return {
        (diff.user_id, kind, id) for diff in diffs for kind in diff.held for id in diff.held[kind]
    }


def given_by(world: World, group: str) -> Pairs:
    """The pairs that one group gives, whatever the others do."""
    held = world.groups.get(group, {kind: set() for kind in KINDS})
    return {
        (user, kind, resource)
        for user in held[USERS] & world.active
        for kind in (BOTS, PERSONAS)
        for resource in held[kind]
    }


def proposal_of(history: History, step: Step) -> Proposal:
    """The proposal that a step carries out."""
    verb, place, *rest = step
    group = history.groups[place]
    if verb == "delete_group":
        return Proposal(group)
    kind, places = rest[0]
    ids = [history.ids[kind][n] for n in places if history.ids[kind][n] in history.now.names[kind]]
    return Proposal(group, kind, ids, adds=verb == "add")


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(taken=histories, step=proposals)
async def test_the_impact_is_what_the_write_then_does(
    database: TortoiseContext, taken: Taken, step: Step
) -> None:
    history = await History.of(taken)
    proposal, before = proposal_of(history, step), history.now.copy()
    if proposal.group_id not in before.groups:
        return
    impact = await access_impact(history.viewer, proposal)
    await history.take(step)
    touched = given_by(before, proposal.group_id) ^ given_by(history.now, proposal.group_id)
    had, has = before.pairs(), history.now.pairs()
    assert pairs(impact.gains) == has - had
    assert pairs(impact.losses) == had - has
    assert pairs(impact.kept) == touched & had & has


async def test_deleting_a_group_takes_what_no_other_group_gives(viewer: Viewer) -> None:
    ada, alan = await make_user(viewer, "Ada"), await make_user(viewer, "Alan")
    coach, buyer = await make_bot(viewer), await make_persona(viewer)
    group = await make_group(viewer, "A", users=[ada, alan], bots=[coach], personas=[buyer])
    await make_group(viewer, "B", users=[alan], bots=[coach])
    impact = await access_impact(viewer, Proposal(group))
    assert impact.gains == []
    assert [(diff.user_id, diff.held) for diff in impact.losses] == [
        (ada, {BOTS: [coach], PERSONAS: [buyer]}),
        (alan, {BOTS: [], PERSONAS: [buyer]}),
    ]
    assert [(diff.user_id, diff.held) for diff in impact.kept] == [
        (alan, {BOTS: [coach], PERSONAS: []})
    ]


async def test_removing_takes_what_adding_gave(viewer: Viewer) -> None:
    ada, coach, guide = await make_user(viewer), await make_bot(viewer), await make_bot(viewer)
    buyer = await make_persona(viewer)
    await make_group(viewer, "B", users=[ada], bots=[coach])
    full = {USERS: [ada], BOTS: [coach, guide], PERSONAS: [buyer]}
    of_coach, of_guide, of_buyer = (ada, BOTS, coach), (ada, BOTS, guide), (ada, PERSONAS, buyer)
    for kind, moved, kept in (
        (USERS, {of_guide, of_buyer}, {of_coach}),
        (BOTS, {of_guide}, {of_coach}),
        (PERSONAS, {of_buyer}, set()),
    ):
        others = {other.plural: full[other] for other in KINDS if other is not kind}
        group = await make_group(viewer, "A", **others)
        adding = await access_impact(viewer, Proposal(group, kind, full[kind], adds=True))
        assert (pairs(adding.gains), pairs(adding.kept), adding.losses) == (moved, kept, [])
        await add_members(viewer, kind, group, full[kind])
        removing = await access_impact(viewer, Proposal(group, kind, full[kind]))
        assert (pairs(removing.losses), pairs(removing.kept), removing.gains) == (moved, kept, [])
        await delete_group(viewer, group)


async def test_what_another_group_held_once_is_not_kept(viewer: Viewer) -> None:
    users = [await make_user(viewer, name) for name in ("Zoe", "Ada")]
    coach, guide = await make_bot(viewer), await make_bot(viewer)
    group = await make_group(viewer, "A", users=users, bots=[coach])
    once = await make_group(viewer, "B", users=users, bots=[coach])
    await remove_members(viewer, BOTS, once, [coach])
    left = await make_group(viewer, "C", users=users, bots=[coach, guide])
    await remove_members(viewer, USERS, left, users)
    impact = await access_impact(viewer, Proposal(group))
    assert pairs(impact.losses) == {(user, BOTS, coach) for user in users}
    assert impact.kept == []


async def test_adding_who_is_there_already_has_no_impact(viewer: Viewer) -> None:
    ada, coach = await make_user(viewer), await make_bot(viewer)
    group = await make_group(viewer, users=[ada], bots=[coach])
    for proposal in (
        Proposal(group, USERS, [ada], adds=True),
        Proposal(group, BOTS, [coach], adds=True),
    ):
        assert await access_impact(viewer, proposal) == Impact()


async def test_those_who_are_deactivated_neither_gain_nor_lose(viewer: Viewer) -> None:
    ada = await make_user(viewer, status=UserStatus.DEACTIVATED)
    alan = await make_user(viewer, status=UserStatus.DEACTIVATED)
    group = await make_group(viewer, users=[ada], bots=[await make_bot(viewer)])
    for proposal in (
        Proposal(group),
        Proposal(group, USERS, [alan], adds=True),
        Proposal(group, USERS, [ada]),
    ):
        assert await access_impact(viewer, proposal) == Impact()


async def test_one_who_is_named_twice_counts_once(viewer: Viewer) -> None:
    ada, coach = await make_user(viewer), await make_bot(viewer)
    group = await make_group(viewer, bots=[coach])
    impact = await access_impact(viewer, Proposal(group, USERS, [ada, ada], adds=True))
    assert pairs(impact.gains) == {(ada, BOTS, coach)}


async def test_the_groups_of_another_organization_keep_nothing(
    viewer: Viewer, other: Viewer
) -> None:
    ada, coach = await make_user(viewer), await make_bot(viewer)
    group = await make_group(viewer, users=[ada], bots=[coach])
    await make_group(other, users=[await make_user(other)], bots=[await make_bot(other)])
    impact = await access_impact(viewer, Proposal(group))
    assert (len(impact.losses), impact.kept) == (1, [])


async def test_the_impact_of_much_costs_the_statements_of_little(viewer: Viewer) -> None:
    users, bots = await make_users(viewer, 50), await make_entries(viewer, BOTS, list("ABCDE"))
    groups = [
        await make_group(viewer, f"Group {n}", users=users[n:], bots=bots[:n]) for n in range(1, 6)
    ]
    costs = set()
    for group in groups:
        with count_statements() as statements:
            await access_impact(viewer, Proposal(group))
        costs.add(len(statements))
    assert len(costs) == 1


@pytest.mark.parametrize("adds", [False, True])
async def test_a_plan_about_what_is_not_there_is_a_bad_request(
    viewer: Viewer, other: Viewer, adds: bool
) -> None:
    group, theirs = await make_group(viewer), await make_group(other)
    ada, foreign = await make_user(viewer), await make_user(other)
    for proposal in (
        Proposal(theirs),
        Proposal("grp_0"),
        Proposal("\x00"),
        Proposal(theirs, USERS, [ada], adds),
        Proposal(group, USERS, [ada, foreign], adds),
        Proposal(group, USERS, ["\ud800"], adds),
        Proposal(group, BOTS, [ada], adds),
    ):
        with pytest.raises(BadRequest):
            await access_impact(viewer, proposal)


async def test_a_plan_names_no_more_than_a_write_may(viewer: Viewer) -> None:
    group, ada = await make_group(viewer), await make_user(viewer)
    most = Proposal(group, USERS, [ada] * IDS_AT_ONCE, adds=True)
    assert await access_impact(viewer, most) == Impact()
    with pytest.raises(LimitExceeded, match="At most 1,000 users per request; this one has 1,001."):
        await access_impact(viewer, Proposal(group, USERS, ["usr_0"] * (IDS_AT_ONCE + 1)))


async def test_the_impact_is_for_those_who_see_all(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    group = await make_group(viewer, users=[ada])
    assert await access_impact(viewer_of(viewer, ada, Role.AUDITOR), Proposal(group)) == Impact()
    with pytest.raises(Forbidden):
        await access_impact(viewer_of(viewer, ada), Proposal(group))
