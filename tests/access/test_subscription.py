"""The subscription `changes`: every change once, in order, to those who may be told of it."""

import asyncio

from models import ids, ledger
from models.groups import delete_group, update_group
from models.history import NEWEST_FIRST
from models.kinds import BOTS, USERS
from models.ledger import utc_now
from models.membership_writes import add_members, remove_members
from models.organizations import create_organization
from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from schema.pagination import decode_cursor, encode_cursor
from tests.access.service import Service, cursor_of, eventually, line, stream
from tests.factories import count_statements, make_bot, make_entries, make_group, make_user


async def member(acme: Viewer, name: str) -> tuple[str, str]:
    """A new user who is a member, and the secret of a token of theirs."""
    user = await make_user(acme, name)
    return user, (await create_token(acme, name, None, user))[1]


async def revision_of(acme: Viewer) -> int:
    return await ledger.current_revision(acme.organization_id)


async def test_each_change_is_told_as_it_lands(service: Service, acme: Viewer, token: str) -> None:
    first = await revision_of(acme) + 1
    async with line(service, token) as socket, stream(service, token) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        for number in range(5):
            await make_bot(acme, f"Bot {number}")
            for listener in (socket, events):
                change = await listener.change()
                assert change["node"] == {
                    "revision": first + number,
                    "action": "BOTS_UPSERTED",
                    "summary": f"The operator added Bot {number}",
                }


async def test_whoever_comes_back_with_a_cursor_has_missed_nothing(
    service: Service, acme: Viewer, token: str
) -> None:
    cursor, first = await cursor_of(service, token), await revision_of(acme) + 1
    for number in range(250):  # more than is read at once
        await make_bot(acme, f"Bot {number}")
    async with line(service, token) as socket, stream(service, token, after=cursor) as events:
        await socket.subscribe(after=cursor)
        for listener in (socket, events):
            assert await listener.revisions(250) == list(range(first, first + 250))
        await make_bot(acme, "One more")
        for listener in (socket, events):
            assert await listener.revisions(1) == [first + 250]


async def test_a_cursor_of_an_event_resumes_behind_it(
    service: Service, acme: Viewer, token: str
) -> None:
    seen: list[int] = []
    cursor: str | None = None
    for number in range(6):
        async with line(service, token) as socket:
            await socket.subscribe(after=cursor)
            if cursor is None:
                await service.has_subscribers(1)
            for bot in range(4):
                await make_bot(acme, f"Bot {number} {bot}")
            for _ in range(2):  # and more are on their way when it goes
                change = await socket.change()
                seen.append(change["node"]["revision"])
                cursor = change["cursor"]
    assert seen == list(range(seen[0], seen[0] + 12))


async def test_writes_while_a_subscription_begins_are_told_once(
    service: Service, acme: Viewer, token: str
) -> None:
    cursor, first = await cursor_of(service, token), await revision_of(acme) + 1
    async with line(service, token) as socket:

        async def write() -> None:
            for number in range(60):
                await make_bot(acme, f"Bot {number}")

        writing = asyncio.create_task(write())
        for id in range(20):
            await socket.subscribe(str(id), after=cursor)
            await asyncio.sleep(0.005)
        await writing
        told: dict[str, list[int]] = {}
        while sum(map(len, told.values())) < 20 * 60:
            message = await socket.hear()
            edge = message["payload"]["data"]["changes"]
            told.setdefault(message["id"], []).append(edge["node"]["revision"])
    assert set(map(tuple, told.values())) == {tuple(range(first, first + 60))}


async def test_changes_of_one_group_can_be_told_alone(
    service: Service, acme: Viewer, token: str
) -> None:
    group, bot = await make_group(acme, "One"), await make_bot(acme)
    async with line(service, token) as socket, stream(service, token, groupId=group) as events:
        await socket.subscribe(groupId=group)
        await service.has_subscribers(2)
        await make_group(acme, "Two", bots=[bot])
        await add_members(acme, BOTS, group, [bot])
        await delete_group(acme, group)
        for listener in (socket, events):
            actions = [(await listener.change())["node"]["action"] for _ in range(2)]
            assert actions == ["BOTS_ADDED", "GROUP_DELETED"]


async def test_a_cursor_of_no_change_here_is_refused(
    service: Service, acme: Viewer, token: str
) -> None:
    """It is of another organization, or of a state that a restored backup does not have."""
    other = await create_organization("Other")
    theirs = await cursor_of(service, (await create_token(other, "Theirs", Role.ADMIN))[1])
    revision, id = decode_cursor(NEWEST_FIRST, await cursor_of(service, token), "after")
    wrong = [
        encode_cursor(NEWEST_FIRST, {"revision": at, "id": of})
        for at, of in (
            (revision + 1, id), (revision - 1, id), (-revision, id), (0, id),
            (revision, ids.new_id(ids.CHANGE, utc_now())),
        )
    ]  # fmt: skip
    async with line(service, token) as socket:
        for number, cursor in enumerate(["", theirs, *wrong]):
            await socket.subscribe(str(number), after=cursor)
            message = await socket.hear()
            assert (message["id"], message["type"]) == (str(number), "error")
            (error,) = message["payload"]
            assert error["extensions"]["code"] == "BAD_REQUEST"
            assert "`after`" in error["message"]
    async with stream(service, token, after=theirs) as events:
        event, body = await events.hear()
        assert (event, body["errors"][0]["extensions"]["code"]) == ("next", "BAD_REQUEST")
        assert (await events.hear())[0] == "complete"


async def test_another_organization_is_told_nothing(
    service: Service, acme: Viewer, token: str
) -> None:
    other = await create_organization("Other")
    cursor = await cursor_of(service, token)
    async with line(service, token) as socket:
        await socket.subscribe(after=cursor)
        await service.has_subscribers(1)
        await make_bot(other, "Of the other")
        await make_bot(acme, "Ours")
        assert (await socket.change())["node"]["summary"] == "The operator added Ours"


# ---------------------------------------------------------------------------------- of a member

DETAILS = """subscription($after: String) { changes(after: $after) { node { revision action
    group { name } users { name email externalId } bots { name } } } }"""


async def test_a_member_is_told_of_its_own_groups_without_others_emails(
    service: Service, acme: Viewer
) -> None:
    ada, token = await member(acme, "Ada")
    bob, carol = await make_user(acme, "Bob", external_id="b"), await make_user(acme, "Carol")
    bot = await make_bot(acme)
    mine = await make_group(acme, "Mine", users=[ada])
    foreign = await make_group(acme, "Foreign", users=[carol])
    async with line(service, token) as socket:
        await socket.subscribe(query=DETAILS)
        await service.has_subscribers(1)
        await add_members(acme, BOTS, foreign, [bot])
        await make_user(acme, "Dan")
        await add_members(acme, USERS, mine, [bob])
        told = (await socket.change())["node"]
        assert told["users"] == [{"name": "Bob", "email": "", "externalId": None}]
        assert (told["action"], told["group"]) == ("USERS_ADDED", {"name": "Mine"})
        await add_members(acme, USERS, foreign, [ada])
        told = (await socket.change())["node"]
        assert (told["action"], told["group"]) == ("USERS_ADDED", {"name": "Foreign"})
        assert "@" in told["users"][0]["email"]  # its own
        await remove_members(acme, USERS, mine, [ada])
        told = (await socket.change())["node"]
        assert (told["action"], told["group"]) == ("USERS_REMOVED", None)
        await update_group(acme, mine, {"name": "Not mine any more"})
        await update_group(acme, foreign, {"name": "Still mine"})
        assert (await socket.change())["node"]["group"] == {"name": "Still mine"}


UNDOABLE = "subscription($after: String) { changes(after: $after) { node { action undoable } } }"


async def test_a_member_does_not_learn_by_undoable_how_a_group_that_it_left_stands(
    service: Service, acme: Viewer, token: str
) -> None:
    ada, of_ada = await member(acme, "Ada")
    cursor = await cursor_of(service, token)
    group = await make_group(acme, "Team", users=[ada])
    await update_group(acme, group, {"name": "Squad"})
    await remove_members(acme, USERS, group, [ada])
    for secret, is_undoable in ((token, True), (of_ada, False)):
        async with stream(service, secret, UNDOABLE, after=cursor) as events:
            told = [(await events.change())["node"] for _ in range(3)]
        assert [change["undoable"] for change in told[-2:]] == [is_undoable] * 2


async def test_a_member_who_comes_back_is_told_what_it_would_have_been_told(
    service: Service, acme: Viewer
) -> None:
    ada, token = await member(acme, "Ada")
    cursor = await cursor_of(service, (await create_token(acme, "Admin", Role.ADMIN))[1])
    bots = await make_entries(acme, BOTS, ["One", "Two", "Three", "Four"])
    async with line(service, token) as live:
        await live.subscribe(after=cursor)
        await service.has_subscribers(1)
        group = await make_group(acme, "Team")
        await add_members(acme, BOTS, group, bots[:1])  # before it is in it
        await add_members(acme, USERS, group, [ada])
        await add_members(acme, BOTS, group, bots[1:2])
        await remove_members(acme, USERS, group, [ada])
        await add_members(acme, BOTS, group, bots[2:3])  # after it has left
        await add_members(acme, USERS, group, [ada])
        await delete_group(acme, group)
        told = [(await live.change())["node"] for _ in range(5)]
    assert [change["action"] for change in told] == [
        "USERS_ADDED", "BOTS_ADDED", "USERS_REMOVED", "USERS_ADDED", "GROUP_DELETED"
    ]  # fmt: skip
    async with stream(service, token, after=cursor) as later:
        assert [(await later.change())["node"] for _ in range(5)] == told


# ---------------------------------------------------------------------------- one reader a process


async def test_however_many_listen_the_ledger_is_read_once(
    service: Service, acme: Viewer, token: str
) -> None:
    async def statements_of_a_change(number: int) -> int:
        """What one change costs with so many subscriptions, polls left aside."""
        ids = {str(id) for id in range(number)}
        async with line(service, token) as socket:
            for id in ids:
                await socket.subscribe(id)
            await service.has_subscribers(number)
            await make_bot(acme, f"First bot for {number}")  # what was before is read by then
            assert {(await socket.hear())["id"] for _ in range(number)} == ids
            with count_statements() as statements:
                await make_bot(acme, f"Bot for {number}")
                assert {(await socket.hear())["id"] for _ in range(number)} == ids
        return sum("FROM changes" in sql for sql in statements)

    assert await statements_of_a_change(1) == await statements_of_a_change(40) == 1


async def test_a_subscription_that_ends_is_forgotten(
    service: Service, acme: Viewer, token: str
) -> None:
    async with line(service, token) as socket, stream(service, token):
        await socket.subscribe("1")
        await socket.subscribe("2")
        await service.has_subscribers(3)
        await socket.say("complete", id="1")
        await service.has_subscribers(2)
    await service.has_subscribers(0)
    await eventually(lambda: service.runner.sockets == 0)
