"""One snapshot a response: whatever is written meanwhile, an answer shows the revision it names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import copy_context
from itertools import count
from typing import Any

import pytest

from models.database import watch_statements
from models.kinds import BOTS, USERS
from models.membership_writes import add_members, remove_members
from models.viewer import Viewer
from schema import execution
from tests.access.service import Service, line
from tests.client import Asker, Client
from tests.factories import count_statements, make_bot, make_group, make_user

GROUP = """fragment G on Group { userCount
    users { totalCount nodes { id groupCount groups { totalCount } } }
    availableUsers { totalCount nodes { id } } }"""
QUERY = f"""query($one: ID!, $two: ID!, $ada: ID!, $bot: ID!) {{
    organization {{ revision }}
    one: group(id: $one) {{ ...G }}
    checkAccess(questions: [{{ bot: {{ userId: $ada, botId: $bot }} }}]) {{
        allowed via {{ id }} heldBy {{ id }} }}
    user(id: $ada) {{ groupCount groups {{ nodes {{ id userCount }} }}
        bots {{ totalCount edges {{ via {{ id }} }} }} }}
    bot(id: $bot) {{ users {{ totalCount nodes {{ id }} }} }}
    two: group(id: $two) {{ ...G }}
    changes(first: 1) {{ totalCount nodes {{ revision }} }} }} {GROUP}"""


MOVES = 8  # of Ada, at the least, while she is looked at


class Moving:
    """Ada, who is moved between two groups without pause, and where she was at each revision."""

    def __init__(self, acme: Viewer, ada: str, bot: str, groups: tuple[str, str]) -> None:
        self.acme = acme
        self.ada = ada
        self.bot = bot
        self.groups = groups
        self.where: dict[int, set[str]] = {}

    @classmethod
    async def begin(cls, acme: Viewer) -> "Moving":
        """Ada in the first of two groups, of which both hold the bot."""
        ada, bot = await make_user(acme, "Ada"), await make_bot(acme)
        two = await make_group(acme, "Two", bots=[bot])
        one = await make_group(acme, "One", users=[ada])
        moving = cls(acme, ada, bot, (one, two))
        await moving.note((await add_members(acme, BOTS, one, [bot])).revision, {one})
        return moving

    async def note(self, revision: int, groups: set[str]) -> None:
        """Record where Ada is at a revision."""
        self.where[revision] = groups

    async def move(self) -> None:
        """Out of one group, then into the other: two writes."""
        for source, target in (self.groups, self.groups[::-1]):
            taken = await remove_members(self.acme, USERS, source, [self.ada])
            await self.note(taken.revision, set())
            put = await add_members(self.acme, USERS, target, [self.ada])
            await self.note(put.revision, {target})

    @asynccontextmanager
    async def without_pause(self) -> AsyncIterator[None]:
        """Move on and on while the block lasts."""
        ending = asyncio.Event()

        async def move_on() -> None:
            while not ending.is_set():
                await self.move()

        moving = asyncio.create_task(move_on())
        try:
            yield
        finally:
            ending.set()
            await moving

    @property
    def variables(self) -> dict[str, str]:
        """Those of QUERY."""
        one, two = self.groups
        return {"one": one, "two": two, "ada": self.ada, "bot": self.bot}

    def assert_shows_one_revision(self, answer: dict[str, Any]) -> int:
        """Assert that all in an answer is as it was at the revision that it names."""
        revision, data = answer["extensions"]["revision"], answer["data"]
        assert data["organization"]["revision"] == revision
        assert data["changes"] == {"totalCount": revision, "nodes": [{"revision": revision}]}
        where = self.where[revision]
        for alias, id in zip(("one", "two"), self.groups, strict=True):
            self._assert_group(data[alias], id in where)
        via = [{"id": id} for id in where]
        (decision,), user = data["checkAccess"], data["user"]
        assert (decision["allowed"], decision["via"]) == (bool(where), via)
        assert len(decision["heldBy"]) == (0 if where else 2)
        assert user["groupCount"] == len(where)
        assert user["groups"]["nodes"] == [{"id": id, "userCount": 1} for id in where]
        assert user["bots"]["edges"] == ([{"via": via}] if where else [])
        users = [{"id": self.ada}] if where else []
        assert data["bot"]["users"] == {"totalCount": len(users), "nodes": users}
        return int(revision)

    def _assert_group(self, group: dict[str, Any], is_in_it: bool) -> None:
        users = [{"id": self.ada, "groupCount": 1, "groups": {"totalCount": 1}}]
        assert group == {
            "userCount": int(is_in_it),
            "users": {"totalCount": int(is_in_it), "nodes": users if is_in_it else []},
            "availableUsers": {
                "totalCount": int(not is_in_it),
                "nodes": [] if is_in_it else [{"id": self.ada}],
            },
        }


async def answers(client: Client, ask: Asker, moving: Moving, number: int) -> list[dict[str, Any]]:
    """So many answers, one after the other; more if Ada has hardly moved meanwhile."""
    found: list[dict[str, Any]] = []
    while len(found) < number or len(moving.where) < MOVES:
        found.append(await client.ask(QUERY, moving.variables, ask.token))
    return found


async def test_every_answer_shows_the_one_revision_that_it_names(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    moving = await Moving.begin(acme)
    async with moving.without_pause():
        readers = (answers(client, ask, moving, 25) for _ in range(4))
        found = [answer for several in await asyncio.gather(*readers) for answer in several]
    shown = {moving.assert_shows_one_revision(answer) for answer in found}
    assert len(shown) > 1  # it did move meanwhile


@pytest.mark.parametrize("tries", [0, 1])
async def test_a_transaction_shows_one_revision_where_trying_again_is_in_vain(
    client: Client, ask: Asker, acme: Viewer, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "TRIES", tries)
    moving = await Moving.begin(acme)
    async with moving.without_pause():
        readers = (answers(client, ask, moving, 15) for _ in range(4))
        found = [answer for several in await asyncio.gather(*readers) for answer in several]
    for answer in found:
        moving.assert_shows_one_revision(answer)


def is_first_page_of_ledger(sql: str) -> bool:
    """Whether a statement is the one of QUERY that reads the ledger: there is one a try."""
    return "FROM changes c" in sql and "ORDER BY" in sql


async def test_a_query_that_is_always_overtaken_is_answered_after_a_bounded_number_of_tries(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    moving = await Moving.begin(acme)
    overtaking: list[asyncio.Task[str]] = []
    numbers, outside = count(1), copy_context()

    def overtake(sql: str) -> None:
        """Write whenever the answer has begun to be read."""
        if is_first_page_of_ledger(sql):
            name = f"Overtakes {next(numbers)}"
            overtaking.append(asyncio.create_task(make_bot(acme, name), context=outside.copy()))

    with watch_statements(overtake), count_statements() as statements:
        answer = await client.ask(QUERY, moving.variables, ask.token)
    await asyncio.gather(*overtaking)
    assert answer["extensions"]["revision"] == answer["data"]["organization"]["revision"]
    assert answer["data"]["changes"]["totalCount"] == answer["extensions"]["revision"]
    tries = sum(map(is_first_page_of_ledger, statements))
    assert 1 <= tries <= execution.TRIES + 1


ADD = """mutation($input: AddUsersToGroupInput!) { addUsersToGroup(input: $input) {
    revision group { userCount users(first: 100) { totalCount nodes { id } } } } }"""


async def test_the_answer_to_a_write_shows_the_one_revision_that_it_names(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    users = [await make_user(acme, f"User {number}") for number in range(24)]
    group = await make_group(acme, "Crowd")

    async def add(user: str) -> tuple[int, int, int, int]:
        variables = {"input": {"groupId": group, "userIds": [user]}}
        body = await client.ask(ADD, variables, ask.token)
        payload = body["data"]["addUsersToGroup"]
        members = payload["group"]["users"]
        assert payload["revision"] <= body["extensions"]["revision"]
        shown = payload["group"]["userCount"], members["totalCount"], len(members["nodes"])
        return body["extensions"]["revision"], *shown

    begun = (await client.ask("{ viewer { role } }", token=ask.token))["extensions"]["revision"]
    for answer in await asyncio.gather(*(add(user) for user in users)):
        revision, *shown = answer
        assert shown == [revision - begun] * 3


# ------------------------------------------------------------------------ what fails in a snapshot

# graphql-core fails at the last field before it has awaited anything of those in front of it.
FAILING_QUERY = """query($no: Boolean = false) {
    users { totalCount } organization { name }
    __schema { types { name @skip(if: $no) } } }"""
FAILING_EVENT = """subscription($no: Boolean = false) { changes {
    a: node { group { name } users { name } } node { id @skip(if: $no) } } }"""


async def test_behind_a_snapshot_in_which_a_field_failed_nothing_is_fetched(
    ask: Asker, service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(execution, "TRIES", 0)
    for _ in range(2):
        assert await ask.codes(FAILING_QUERY, no=None) == ["BAD_REQUEST"]
    async with line(service, ask.token) as listener:
        await listener.subscribe(query=FAILING_EVENT, no=None)
        await service.has_subscribers(1)
        await make_group(ask.viewer)
        errors = (await listener.hear())["payload"]["errors"]
    assert [error["extensions"]["code"] for error in errors] == ["BAD_REQUEST"]
    assert not caplog.records
