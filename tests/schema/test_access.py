"""The one question, asked through the graph: who may use what, since when, and through what."""

from typing import Any

import pytest

from models.groups import delete_group
from models.ids import new_id
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.ledger import utc_now
from models.membership_writes import add_members, remove_members
from models.tables import UserStatus
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_entries, make_entry, make_group, make_user

CHECK = """query($questions: [AccessQuestion!]!) { checkAccess(questions: $questions) {
    allowed reason via { name } heldBy { name } } }"""

both_kinds = pytest.mark.parametrize("kind", [BOTS, PERSONAS], ids=lambda kind: kind.noun)


def question(kind: Kind, user: str, resource: str, **more: Any) -> dict[str, Any]:
    """May this user use this one?"""
    return {kind.noun: {"userId": user, f"{kind.noun}Id": resource, **more}}


def answer(reason: str, via: list[str] | None = None, held_by: list[str] | None = None) -> Any:
    """An answer as the graph gives it, with names of groups."""
    return {
        "allowed": reason == "GRANTED",
        "reason": reason,
        "via": [{"name": name} for name in via or []],
        "heldBy": [{"name": name} for name in held_by or []],
    }


@both_kinds
async def test_each_question_has_its_answer_in_order(ask: Asker, acme: Viewer, kind: Kind) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    gone = await make_user(acme, "Cid", status=UserStatus.DEACTIVATED)
    used = await make_entry(acme, kind, "Used")
    unused = await make_entry(acme, kind, "Unused")
    for name, users in (("zeta", [ada]), ("Alpha", [ada, gone]), ("Mid", [bob])):
        group = await make_group(acme, name, users=users)
        if name != "Mid":
            await add_members(acme, kind, group, [used])
    questions = [
        question(kind, bob, used),
        question(kind, ada, used),
        question(kind, ada, unused),
        question(kind, gone, used),
        question(kind, gone, unused),
        question(kind, new_id("usr"), used),
        question(kind, ada, new_id(kind.prefix)),
        question(kind, ada, "nonsense"),
        question(kind, ada, used),
    ]
    assert (await ask(CHECK, questions=questions))["checkAccess"] == [
        answer("NO_COMMON_GROUP", held_by=["Alpha", "zeta"]),
        answer("GRANTED", via=["Alpha", "zeta"]),
        answer("RESOURCE_IN_NO_GROUP"),
        answer("USER_DEACTIVATED", held_by=["Alpha", "zeta"]),
        answer("USER_DEACTIVATED"),
        answer("NOT_FOUND"),
        answer("NOT_FOUND"),
        answer("NOT_FOUND"),
        answer("GRANTED", via=["Alpha", "zeta"]),
    ]


async def test_bots_and_personas_can_be_asked_about_at_once(ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme)
    bot, persona = await make_entry(acme, BOTS, "Bot"), await make_entry(acme, PERSONAS, "Persona")
    await make_group(acme, "Team", users=[ada], bots=[bot])
    questions = [question(PERSONAS, ada, persona), question(BOTS, ada, bot)]
    assert (await ask(CHECK, questions=questions))["checkAccess"] == [
        answer("RESOURCE_IN_NO_GROUP"),
        answer("GRANTED", via=["Team"]),
    ]


@both_kinds
async def test_the_past_can_be_asked_about(ask: Asker, acme: Viewer, kind: Kind) -> None:
    ada, thing = await make_user(acme), await make_entry(acme, kind, "Thing")
    before = utc_now().isoformat()
    group = await make_group(acme, "Team", users=[ada])
    await add_members(acme, kind, group, [thing])
    during = utc_now().isoformat()
    await remove_members(acme, USERS, group, [ada])
    after = utc_now().isoformat()
    await delete_group(acme, group)
    questions = [question(kind, ada, thing, at=at) for at in (before, during, after, None)]
    assert (await ask(CHECK, questions=questions))["checkAccess"] == [
        answer("RESOURCE_IN_NO_GROUP"),
        answer("GRANTED", via=["Team"]),
        answer("NO_COMMON_GROUP", held_by=["Team"]),
        answer("RESOURCE_IN_NO_GROUP"),
    ]


async def test_a_question_names_a_bot_or_a_persona_and_not_both(ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme)
    bot = question(BOTS, ada, new_id("bot"))
    persona = question(PERSONAS, ada, new_id("per"))
    for wrong in ({**bot, **persona}, {}, {"bot": None}, {**bot, "persona": None}):
        assert await ask.codes(CHECK, questions=[wrong]) == ["BAD_REQUEST"]


async def test_a_hundred_questions_are_answered_at_once(ask: Asker) -> None:
    asked = question(BOTS, new_id("usr"), new_id("bot"))
    assert len((await ask(CHECK, questions=[asked] * 100))["checkAccess"]) == 100
    assert await ask.codes(CHECK, questions=[asked] * 101) == ["LIMIT_EXCEEDED"]
    assert (await ask(CHECK, questions=[]))["checkAccess"] == []


@both_kinds
async def test_a_member_may_ask_about_itself_only(client: Client, acme: Viewer, kind: Kind) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    shared, others = await make_entry(acme, kind, "Shared"), await make_entry(acme, kind, "Others")
    team = await make_group(acme, "Team", users=[ada, bob])
    await add_members(acme, kind, team, [shared])
    secret = await make_group(acme, "Secret", users=[bob])
    await add_members(acme, kind, secret, [shared, others])
    ask = await asker(client, acme, user=ada)
    questions = [
        question(kind, ada, shared), question(kind, ada, others), question(kind, bob, shared)
    ]  # fmt: skip
    assert (await ask(CHECK, questions=questions))["checkAccess"] == [
        answer("GRANTED", via=["Team"]),
        answer("NOT_FOUND"),
        answer("NOT_FOUND"),
    ]


# --------------------------------------------------------------------------------------- lists

ACCESS = """query($id: ID!, $at: DateTime) { user(id: $id) {
    %s(at: $at) { totalCount edges { node { name } via { name } } } } }"""


def access(*pairs: tuple[str, list[str]]) -> dict[str, Any]:
    """What somebody may use, and the groups that give it."""
    edges = [{"node": {"name": name}, "via": [{"name": n} for n in via]} for name, via in pairs]
    return {"totalCount": len(pairs), "edges": edges}


@both_kinds
async def test_what_somebody_may_use_comes_once_with_every_group_that_gives_it(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    ada = await make_user(acme)
    one, two = await make_entry(acme, kind, "One"), await make_entry(acme, kind, "Two")
    for name, held in (("B", [two]), ("A", [one, two]), ("C", [two])):
        group = await make_group(acme, name, users=[ada])
        await add_members(acme, kind, group, held)
    await add_members(acme, kind, await make_group(acme, "Without Ada"), [one])
    found = (await ask(ACCESS % kind.plural, id=ada))["user"][kind.plural]
    assert found == access(("One", ["A"]), ("Two", ["A", "B", "C"]))


@both_kinds
async def test_who_may_use_something_comes_once_with_every_group_that_gives_it(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    idle = await make_user(acme, "Cid", status=UserStatus.DEACTIVATED)
    thing = await make_entry(acme, kind, "Thing")
    for name, users in (("B", [ada]), ("A", [ada, bob, idle])):
        await add_members(acme, kind, await make_group(acme, name, users=users), [thing])
    query = f"""query($id: ID!) {{ {kind.noun}(id: $id) {{ groupCount
        users {{ totalCount edges {{ node {{ name }} via {{ name }} }} }} }} }}"""
    found = (await ask(query, id=thing))[kind.noun]
    assert found == {"groupCount": 2, "users": access(("Ada", ["A", "B"]), ("Bob", ["A"]))}


@both_kinds
async def test_one_who_is_deactivated_may_use_nothing(ask: Asker, acme: Viewer, kind: Kind) -> None:
    ada = await make_user(acme, status=UserStatus.DEACTIVATED)
    group = await make_group(acme, users=[ada])
    await add_members(acme, kind, group, [await make_entry(acme, kind, "Thing")])
    assert (await ask(ACCESS % kind.plural, id=ada))["user"][kind.plural] == access()


@both_kinds
async def test_what_somebody_could_use_once_can_be_told(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    ada, thing = await make_user(acme), await make_entry(acme, kind, "Thing")
    group = await make_group(acme, "Team", users=[ada])
    await add_members(acme, kind, group, [thing])
    during = utc_now().isoformat()
    await delete_group(acme, group)
    then, now = access(("Thing", ["Team"])), access()
    for at, expected in ((during, then), (None, now), (utc_now().isoformat(), now)):
        assert (await ask(ACCESS % kind.plural, id=ada, at=at))["user"][kind.plural] == expected


async def test_what_a_group_held_once_can_be_told(ask: Asker, acme: Viewer) -> None:
    ada, bob = await make_user(acme, "Ada"), await make_user(acme, "Bob")
    group = await make_group(acme, users=[ada])
    then = utc_now().isoformat()
    await remove_members(acme, USERS, group, [ada])
    await add_members(acme, USERS, group, [bob])
    query = """query($id: ID!, $at: DateTime) { group(id: $id) {
        users(at: $at) { totalCount nodes { name } } } }"""
    for at, name in ((then, "Ada"), (None, "Bob")):
        found = (await ask(query, id=group, at=at))["group"]["users"]
        assert found == {"totalCount": 1, "nodes": [{"name": name}]}


async def test_the_future_can_not_be_told(ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme)
    group = await make_group(acme, users=[ada])
    future = "2999-01-01T00:00:00Z"
    assert await ask.codes(ACCESS % "bots", id=ada, at=future) == ["BAD_REQUEST"]
    questions = [question(BOTS, ada, new_id("bot"), at=future)]
    assert await ask.codes(CHECK, questions=questions) == ["BAD_REQUEST"]
    query = f'{{ group(id: "{group}") {{ users(at: "{future}") {{ totalCount }} }} }}'
    assert await ask.codes(query) == ["BAD_REQUEST"]


async def test_the_whole_is_counted_whatever_part_is_shown(ask: Asker, acme: Viewer) -> None:
    user, bots = await make_user(acme), await make_entries(acme, BOTS, list("ABCDE"))
    await make_group(acme, "One", users=[user], bots=bots[:3])
    await make_group(acme, "Two", users=[user], bots=bots[2:])
    reached = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
        user(id: $id) { bots(first: $first, after: $after, last: $last, before: $before) {
            totalCount edges { cursor node { name } } } } }"""
    whole = (await ask(reached, id=user))["user"]["bots"]
    cursor = whole["edges"][2]["cursor"]
    assert whole["totalCount"] == 5
    parts: list[tuple[dict[str, Any], str]] = [
        ({"first": 9, "before": cursor}, "AB"),
        ({"last": 9, "after": cursor}, "DE"),
        ({"before": cursor}, "AB"),
        ({"after": cursor}, "DE"),
        ({"first": 2}, "AB"),
        ({"last": 2}, "DE"),
    ]
    for part, shown in parts:
        found = (await ask(reached, id=user, **part))["user"]["bots"]
        assert "".join(edge["node"]["name"] for edge in found["edges"]) == shown
        assert found["totalCount"] == 5
