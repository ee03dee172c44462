"""As of any day: what stood at an instant is told as it was recorded when it stood."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tortoise.context import TortoiseContext

from models.access import Question
from models.database import fetch, transaction
from models.directory import delete_entries
from models.groups import delete_group
from models.kinds import BOTS, PERSONAS, USERS
from models.ledger import utc_now
from models.membership_writes import remove_members
from models.organizations import create_organization
from models.viewer import Viewer
from tests.access.expected import RESOURCES, decision, decisions, tell, told_of
from tests.access.world import State, Step, World, steps
from tests.client import Asker, asker
from tests.factories import make_bot, make_group, make_persona, make_user

TICK = timedelta(microseconds=1)


async def instants(viewer: Viewer) -> dict[int, datetime]:
    """When each change was made, by its revision."""
    rows = await fetch(
        "SELECT revision, at FROM changes WHERE organization_id = $1", viewer.organization_id
    )
    return {row["revision"]: row["at"] for row in rows}


@settings(settings.get_profile("access"))
@given(history=st.lists(steps, min_size=1, max_size=10))
async def test_the_state_as_of_each_change_is_the_one_recorded_when_it_was_made(
    database: TortoiseContext, history: list[Step]
) -> None:
    world = await World.make()
    recorded = {world.state.revision: world.state}
    for step in history:
        await world.take(step)
        recorded[world.state.revision] = world.state
    everything = [state for state in recorded.values()]
    groups = sorted({group for state in everything for group in state.teams})
    users = sorted({user for state in everything for user in state.entries[USERS]})

    for revision, at in (await instants(world.viewer)).items():
        if revision in recorded:
            expected = told_of(recorded[revision], users)
            assert await tell(world.viewer, groups, users, at) == expected
        if revision - 1 in recorded:
            expected = told_of(recorded[revision - 1], users)
            assert await tell(world.viewer, groups, users, at - TICK) == expected
    assert await tell(world.viewer, groups, users) == told_of(world.state, users)


@settings(settings.get_profile("access"))
@given(history=st.lists(steps, max_size=10))
async def test_each_question_about_any_revision_is_answered_as_brute_force_does(
    database: TortoiseContext, history: list[Step]
) -> None:
    world = await World.make()
    recorded = [world.state]
    for step in history:
        if await world.take(step):
            recorded.append(world.state)
    for state in recorded:
        is_past = state is not recorded[-1]
        questions = every_question(recorded, state.revision if is_past else None)
        answers = [decision(state, question) for question in questions]
        assert await decisions(world.viewer, questions) == answers


def every_question(states: list[State], moment: int | None) -> list[Question]:
    """A question for each user and each bot or persona that there ever was."""
    ever = {
        kind: sorted({id for state in states for id in state.entries[kind]})
        for kind in (USERS, *RESOURCES)
    }
    return [
        Question(user, kind, id, moment)
        for kind in RESOURCES
        for user, id in product(ever[USERS], ever[kind])
    ]


# ------------------------------------------------------------------------------ through the graph

GROUP_OF_USER = """query($id: ID!, $at: DateTime) { user(id: $id) { bots(at: $at) {
    totalCount edges { node { name } via { name
        users(at: $at) { totalCount nodes { name } } bots(at: $at) { nodes { name } }
        personas(at: $at) { totalCount } } } } } }"""


async def test_a_group_that_is_gone_is_told_as_it_stood(ask: Asker, acme: Viewer) -> None:
    ada, bot = await make_user(acme, "Ada"), await make_bot(acme, "Coach")
    group = await make_group(acme, "Gone", users=[ada], bots=[bot])
    then = utc_now().isoformat()
    await delete_group(acme, group)
    bots = (await ask(GROUP_OF_USER, id=ada, at=then))["user"]["bots"]
    assert bots == {
        "totalCount": 1,
        "edges": [
            {
                "node": {"name": "Coach"},
                "via": [
                    {
                        "name": "Gone",
                        "users": {"totalCount": 1, "nodes": [{"name": "Ada"}]},
                        "bots": {"nodes": [{"name": "Coach"}]},
                        "personas": {"totalCount": 0},
                    }
                ],
            }
        ],
    }
    assert (await ask(GROUP_OF_USER, id=ada, at=None))["user"]["bots"]["totalCount"] == 0


DELETED = """query($id: ID!, $at: DateTime) {
    whole: group(id: $id, at: $at) { name userCount users(at: $at) { nodes { name } } }
    lists: group(id: $id, at: $at) { users(at: $at) { totalCount nodes { name } } } }"""
DELETION = "{ changes(first: 1) { nodes { action groupId at group { id } } } }"


async def test_who_was_in_a_group_can_be_asked_after_its_deletion(ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme, "Ada")
    group = await make_group(acme, "Gone", users=[ada])
    other = await asker(ask.client, await create_organization("Other"))
    member = await asker(ask.client, acme, user=ada)
    then = utc_now().isoformat()
    await delete_group(acme, group)
    (deletion,) = (await ask(DELETION))["changes"]["nodes"]
    assert (deletion["action"], deletion["groupId"]) == ("GROUP_DELETED", group)
    assert deletion["group"] is None

    gone = {"whole": None, "lists": None}
    assert await ask(DELETED, id=deletion["groupId"], at=then) == {
        "whole": {"name": "Gone", "userCount": 0, "users": {"nodes": [{"name": "Ada"}]}},
        "lists": {"users": {"totalCount": 1, "nodes": [{"name": "Ada"}]}},
    }
    for at in (None, deletion["at"]):
        assert await ask(DELETED, id=group, at=at) == gone
    assert await member(DELETED, id=group, at=then) == gone
    assert await other(DELETED, id=group, at=utc_now().isoformat()) == gone
    assert await ask(DELETED, id="grp_nonsense", at=then) == gone
    future = (utc_now() + timedelta(days=1)).isoformat()
    assert set(await ask.codes(DELETED, id=group, at=future)) == {"BAD_REQUEST"}


DELETED_ENTRIES = """query($user: ID!, $bot: ID!, $persona: ID!, $at: DateTime) {
    user(id: $user, at: $at) { name status groupCount
        bots(at: $at) { nodes { name } edges { via { name } } } personas(at: $at) { totalCount } }
    bot(id: $bot, at: $at) { name } persona(id: $persona, at: $at) { name } }"""


async def test_what_somebody_could_use_can_be_asked_after_they_are_deleted(
    ask: Asker, acme: Viewer
) -> None:
    ada, bot = await make_user(acme, "Ada"), await make_bot(acme, "Coach")
    persona = await make_persona(acme, "Buyer")
    await make_group(acme, "Sales", users=[ada], bots=[bot], personas=[persona])
    other = await asker(ask.client, await create_organization("Other"))
    then = utc_now().isoformat()
    await delete_entries(acme, USERS, [ada])
    deletion = await ask("{ changes(first: 1) { nodes { at } } }")
    await delete_entries(acme, BOTS, [bot])
    await delete_entries(acme, PERSONAS, [persona])

    gone = {"user": None, "bot": None, "persona": None}
    ids = {"user": ada, "bot": bot, "persona": persona}
    assert await ask(DELETED_ENTRIES, **ids, at=then) == {
        "user": {
            "name": "Ada",
            "status": "ACTIVE",
            "groupCount": 0,
            "bots": {"nodes": [{"name": "Coach"}], "edges": [{"via": [{"name": "Sales"}]}]},
            "personas": {"totalCount": 1},
        },
        "bot": {"name": "Coach"},
        "persona": {"name": "Buyer"},
    }
    assert await ask(DELETED_ENTRIES, **ids) == gone
    assert await other(DELETED_ENTRIES, **ids, at=then) == gone
    at = deletion["changes"]["nodes"][0]["at"]
    assert (await ask(DELETED_ENTRIES, **ids, at=at))["user"] is None
    future = (utc_now() + timedelta(days=1)).isoformat()
    assert set(await ask.codes(DELETED_ENTRIES, **ids, at=future)) == {"BAD_REQUEST"}


OF_A_MEMBER = """query($me: ID!, $group: ID!, $at: DateTime) {
    user(id: $me) { bots(at: $at) { totalCount nodes { name } } }
    group(id: $group) { users(at: $at) { totalCount nodes { name } }
        bots(at: $at) { nodes { name } } } }"""


async def test_the_past_shows_a_member_nothing_that_it_may_not_see_today(
    ask: Asker, acme: Viewer
) -> None:
    """The past is told with the texts of today."""
    mia, bob = await make_user(acme, "Mia"), await make_user(acme, "Bob")
    left, kept = await make_bot(acme, "Left"), await make_bot(acme, "Kept")
    old = await make_group(acme, "Old", users=[mia], bots=[left])
    team = await make_group(acme, "Team", users=[mia, bob], bots=[left, kept])
    then = utc_now()
    await remove_members(acme, USERS, old, [mia])
    await remove_members(acme, USERS, team, [bob])
    await remove_members(acme, BOTS, team, [left])

    def told(bots: list[str], users: list[str]) -> dict[str, Any]:
        nodes = [{"name": name} for name in bots]
        people = {"totalCount": len(users), "nodes": [{"name": name} for name in users]}
        return {
            "user": {"bots": {"totalCount": len(bots), "nodes": nodes}},
            "group": {"users": people, "bots": {"nodes": nodes}},
        }

    variables = {"me": mia, "group": team, "at": then.isoformat()}
    assert await ask(OF_A_MEMBER, **variables) == told(["Kept", "Left"], ["Bob", "Mia"])
    member = await asker(ask.client, acme, user=mia)
    assert await member(OF_A_MEMBER, **variables) == told(["Kept"], ["Mia"])


LONG_AGO = ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00+14:00", "2000-02-29T23:59:59.999999-12:00"]
EVERYTHING = """query($group: ID!, $user: ID!, $at: DateTime, $questions: [AccessQuestion!]!) {
    group(id: $group) { users(at: $at) { totalCount nodes { id } }
        bots(at: $at) { totalCount nodes { id } } personas(at: $at) { totalCount nodes { id } } }
    user(id: $user) { bots(at: $at) { totalCount nodes { id } }
        personas(at: $at) { totalCount nodes { id } } }
    checkAccess(questions: $questions) { allowed reason via { id } heldBy { id } } }"""


async def everything_at(acme: Viewer, at: str) -> dict[str, Any]:
    """Variables that ask all that can be asked of an instant."""
    ada, bot = await make_user(acme, "Ada"), await make_bot(acme, "Coach")
    group = await make_group(acme, "Team", users=[ada], bots=[bot])
    questions = [{"bot": {"userId": ada, "botId": bot, "at": at}}]
    return {"group": group, "user": ada, "at": at, "questions": questions}


@pytest.mark.parametrize("at", LONG_AGO)
async def test_before_the_organization_there_was_nothing(ask: Asker, acme: Viewer, at: str) -> None:
    told = await ask(EVERYTHING, **await everything_at(acme, at))
    nothing = {"totalCount": 0, "nodes": []}
    assert told == {
        "group": dict.fromkeys(("users", "bots", "personas"), nothing),
        "user": dict.fromkeys(("bots", "personas"), nothing),
        "checkAccess": [{"allowed": False, "reason": "NOT_FOUND", "via": [], "heldBy": []}],
    }


async def test_of_the_future_nothing_is_told(ask: Asker, acme: Viewer) -> None:
    variables = await everything_at(acme, (utc_now() + timedelta(seconds=60)).isoformat())
    assert set(await ask.codes(EVERYTHING, **variables)) == {"BAD_REQUEST"}
    for field in ("users", "bots", "personas"):
        query = "query($group: ID!, $at: DateTime) { group(id: $group) { %s(at: $at) { nodes { id }"
        asked = {**variables, "at": "9999-12-31T23:59:59Z"}
        assert await ask.codes(query % field + " } } }", **asked) == ["BAD_REQUEST"]


async def test_a_change_of_a_machine_whose_clock_is_ahead_can_be_asked_about(
    ask: Asker, acme: Viewer
) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=30)
    await put_the_clock_ahead(acme, ahead)
    variables = await everything_at(acme, "1970-01-01T00:00:00Z")
    at = max((await instants(acme)).values())
    assert at > ahead
    told = await ask(EVERYTHING, **{**variables, "at": at.isoformat()})
    assert told["group"]["users"]["totalCount"] == 1


async def put_the_clock_ahead(acme: Viewer, instant: datetime) -> None:
    """Let the ledger's clock stand there, as a write of such a machine leaves it."""
    async with transaction():
        await fetch(
            "UPDATE organizations SET changed_at = $2 WHERE id = $1", acme.organization_id, instant
        )


async def test_no_two_changes_share_an_instant(acme: Viewer) -> None:
    await put_the_clock_ahead(acme, utc_now() + timedelta(seconds=30))
    for number in range(3):
        await make_bot(acme, f"Bot {number}")
    found = list((await instants(acme)).values())
    assert len(found) == len(set(found)) == 3
