"""Who may listen, and for how long: tokens, cookies, origins, and their end."""

import asyncio
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from models import history
from models.database import Row
from models.directory import delete_entries
from models.groups import update_group
from models.kinds import USERS
from models.ledger import utc_now
from models.sessions import exchange
from models.tables import Action, ActorKind, Role, UserStatus
from models.tokens import authenticate, create_token, revoke_token
from models.upserts import upsert_entries
from models.viewer import Viewer
from runtime.auth import COOKIE
from schema.subscription import is_in_doubt
from tests.access.service import Line, Service, Stream, cursor_of, line, stream
from tests.clock import put_on
from tests.factories import make_admin, make_bot, make_group, make_user, viewer_of

SOON = 20.0  # seconds; whoever is nobody any more is told nothing after that
HOUR = timedelta(hours=1)
MOMENT = timedelta(seconds=0.3)
WHO = "{ viewer { role } }"
SHOWING_NOW = """subscription($after: String) {
    changes(after: $after) { node { group { name users { totalCount } } } } }"""


async def token_of(acme: Viewer, **more: Any) -> tuple[str, str]:
    """The id and the secret of a new administrator's token."""
    outcome, secret = await create_token(acme, "Listener", Role.ADMIN, **more)
    return str(outcome.id), secret


async def is_welcome(service: Service, payload: Any = None, **headers: str) -> bool:
    """Whether a socket with these headers and this payload is acknowledged, and answered."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(service.ws, subprotocols=protocols, additional_headers=sent) as connection:
        made = Line(connection)
        await made.say("connection_init", **({"payload": payload} if payload else {}))
        if await made.hear_or_close() != {"type": "connection_ack"}:
            return False
        assert await made.ask(WHO) == {"viewer": {"role": "ADMIN"}}
        return True


one_engine = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


@one_engine
async def test_a_token_comes_in_the_payload_or_in_the_header(
    service: Service, acme: Viewer
) -> None:
    _, good = await token_of(acme)
    for name in ("Authorization", "authorization", "AUTHORIZATION"):
        assert await is_welcome(service, {name: f"Bearer {good}", "other": 1})
    assert await is_welcome(service, None, Authorization=f"bearer {good}")
    assert await is_welcome(service, {}, Authorization=f"Bearer {good}")
    # What the payload says goes before what the header says.
    wrong = {"Authorization": "Bearer wrong"}
    assert not await is_welcome(service, wrong, Authorization=f"Bearer {good}")
    assert await is_welcome(service, {"Authorization": f"Bearer {good}"}, **wrong)


@one_engine
async def test_a_cookie_is_good_for_pages_of_this_service_only(
    service: Service, acme: Viewer
) -> None:
    admin = viewer_of(acme, await make_admin(acme), Role.ADMIN)
    cookie = f"{COOKIE}={await exchange(admin, timedelta(hours=1))}"
    own = f"http://{service.address}"
    assert await is_welcome(service, None, Cookie=cookie, Origin=own)
    assert await is_welcome(service, None, Cookie=cookie)  # no browser leaves the origin out
    for origin in ("http://evil.example", "null", f"{own}.evil.example", "http://127.0.0.1:1"):
        assert not await is_welcome(service, None, Cookie=cookie, Origin=origin)
    for site in ("cross-site", "same-site"):
        headers = {"Cookie": cookie, "Origin": own, "Sec-Fetch-Site": site}
        assert not await is_welcome(service, None, **headers)
    # A token is no browser's by itself, wherever the page comes from.
    _, token = await token_of(acme)
    assert await is_welcome(
        service, {"Authorization": f"Bearer {token}"}, Origin="http://evil.example"
    )


@one_engine
async def test_a_member_listens_as_a_member(service: Service, acme: Viewer) -> None:
    ada = await make_user(acme)
    _, secret = await create_token(acme, "Ada's", Role.ADMIN, ada)
    async with line(service, secret) as socket:
        assert await socket.ask(WHO) == {"viewer": {"role": "MEMBER"}}


# ------------------------------------------------------------------------------------- the end

END = "UNAUTHENTICATED"


async def assert_both_end(socket: Line, events: Stream) -> None:
    """Assert that both subscriptions end soon, and say why; what comes before is passed."""
    began = monotonic()
    while (message := await socket.hear())["type"] == "next":
        pass
    assert (message["type"], message["id"]) == ("error", "1")
    assert message["payload"][0]["extensions"]["code"] == END
    while (event := await events.hear())[1] and "errors" not in event[1]:
        pass
    assert event[0] == "next"
    assert event[1] is not None
    assert event[1]["errors"][0]["extensions"]["code"] == END
    assert await events.hear() == ("complete", None)
    assert monotonic() - began < SOON


async def test_a_revoked_token_ends_what_it_began(service: Service, acme: Viewer) -> None:
    id, secret = await token_of(acme)
    async with line(service, secret) as socket, stream(service, secret) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        await revoke_token(acme, id)
        await assert_both_end(socket, events)
        await socket.subscribe("2", WHO)  # nor does it open anything new
        assert (await socket.hear())["payload"][0]["extensions"]["code"] == END


async def test_nobody_is_told_how_things_stand_after_the_end_of_its_token(
    service: Service, acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, secret = await token_of(acme)
    group = await make_group(acme, "Before")
    is_told, asked = history.is_told, 0

    async def is_told_and_revoked(viewer: Viewer, change: Row) -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:  # while it is told of what landed before
            await revoke_token(acme, id)
            await update_group(acme, group, {"name": "After"})
        return await is_told(viewer, change)

    cursor = await cursor_of(service, secret)
    for number in range(5):
        await update_group(acme, group, {"description": f"{number}"})
    monkeypatch.setattr(history, "is_told", is_told_and_revoked)
    async with line(service, secret) as socket:
        await socket.subscribe(query=SHOWING_NOW, after=cursor)
        assert (await socket.change())["node"]["group"]["name"] == "Before"
        ended = await socket.hear()
    assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", END)


async def test_a_session_listens_no_longer_than_the_token_that_it_came_from(
    service: Service, acme: Viewer
) -> None:
    id, secret = await token_of(acme)
    viewer = await authenticate(secret)
    assert viewer is not None
    session = await exchange(viewer, timedelta(hours=1))
    async with line(service, session) as socket, stream(service, session) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        await revoke_token(acme, id)
        await assert_both_end(socket, events)


async def test_an_expired_token_ends_what_it_began(
    service: Service, acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires_at = utc_now() + HOUR
    _, secret = await token_of(acme, expires_at=expires_at)
    async with line(service, secret) as socket, stream(service, secret) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        put_on(monkeypatch, expires_at - MOMENT)
        await make_bot(acme)  # whoever is told of it sees how long is left
        await assert_both_end(socket, events)


async def test_an_expired_token_ends_what_it_began_however_much_there_is_to_tell(
    service: Service, acme: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires_at = utc_now() + HOUR
    _, secret = await token_of(acme, expires_at=expires_at)

    async def write() -> None:
        for number in range(100_000):
            await make_bot(acme, f"Bot {number}")

    async with line(service, secret) as socket, stream(service, secret) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        writing = asyncio.create_task(write())
        try:
            for listener in (socket, events):
                await listener.change()
            put_on(monkeypatch, expires_at - MOMENT)
            await assert_both_end(socket, events)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)


@pytest.mark.parametrize(
    ("lag", "age", "left", "expected"),
    [
        (0, 0, None, False),
        (3, 1, None, False),  # told late, but recognised just now
        (1, 3, None, False),
        (3, 3, None, True),
        (-3600, 1, None, False),
        (-3600, 3, None, True),  # the ledger is ahead of this clock
        (0, 0, 1, False),
        (0, 0, -1, True),
    ],
)
def test_who_is_told_late_or_has_expired_is_looked_at_again(
    lag: int, age: int, left: int | None, expected: bool
) -> None:
    now = utc_now()
    viewer = Viewer(
        "org_1",
        Role.ADMIN,
        ActorKind.TOKEN,
        "Listener",
        token_id="tok_1",
        expires_at=None if left is None else now + timedelta(seconds=left),
    )
    change: Any = {"at": now - timedelta(seconds=lag), "action": Action.BOTS_ADDED}
    assert is_in_doubt(viewer, timedelta(seconds=age), change) is expected


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
async def test_the_end_of_a_person_ends_what_they_began(
    service: Service, acme: Viewer, how: str
) -> None:
    await make_admin(acme, "Stays")
    ada = await make_user(acme, "Ada", email="ada@example.com")
    _, secret = await create_token(acme, "Ada's", None, ada)
    await make_group(acme, users=[ada])
    async with line(service, secret) as socket, stream(service, secret) as events:
        await socket.subscribe()
        await service.has_subscribers(2)
        if how == "deleted":
            await delete_entries(acme, USERS, [ada])
        else:
            gone = {"name": "Ada", "email": "ada@example.com", "status": UserStatus.DEACTIVATED}
            await upsert_entries(acme, USERS, [gone])
        await assert_both_end(socket, events)


async def test_one_who_becomes_a_member_is_told_as_a_member(service: Service, acme: Viewer) -> None:
    await make_admin(acme, "Stays")
    given = {"name": "Ada", "email": "ada@example.com"}
    ada = await make_admin(acme, **given)
    _, secret = await create_token(acme, "Ada's", None, ada)
    async with line(service, secret) as socket:
        await socket.subscribe()
        await service.has_subscribers(1)
        await make_group(acme, "Foreign")
        assert (await socket.change())["node"]["action"] == "GROUP_CREATED"
        await upsert_entries(acme, USERS, [{**given, "role": Role.MEMBER}])
        await make_group(acme, "Foreign too")
        await make_group(acme, "Mine", users=[ada])
        assert (await socket.change())["node"]["summary"] == "The operator created Mine"
