"""Signing a browser in and out: links that work once, and the sessions that they begin."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import pytest
from tortoise.exceptions import IntegrityError

from models.database import fetch, transaction
from models.directory import delete_entries
from models.errors import Unauthenticated
from models.kinds import USERS
from models.ledger import lock, utc_now
from models.sessions import create_sign_in_link, exchange, sign_in, sign_out
from models.tables import ActorKind, Role, UserStatus
from models.tokens import authenticate, create_token, revoke_token, tokens_by_id
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.factories import make_group, make_user
from tests.refusals import unchanged

pytestmark = pytest.mark.usefixtures("consistent")

DAY = timedelta(days=1)
T = TypeVar("T")


async def test_a_link_signs_a_browser_in_once(viewer: Viewer) -> None:
    ada = await make_user(viewer, "Ada", role=Role.AUDITOR)
    link = await create_sign_in_link(viewer.organization_id, ada)
    session = await sign_in(link, DAY)
    found = await authenticate(str(session))
    assert found is not None
    assert (found.user_id, found.role, found.kind) == (ada, Role.AUDITOR, ActorKind.USER)
    assert found.expires_at is not None
    assert timedelta(0) < found.expires_at - utc_now() <= DAY
    rows = await fetch("SELECT summary FROM changes ORDER BY revision DESC")
    assert rows[0][0] == "Ada signed in"
    async with unchanged(viewer):
        assert await sign_in(link, DAY) is None


async def test_a_link_that_is_not_good_signs_nobody_in(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    link = await create_sign_in_link(viewer.organization_id, ada)
    for wrong in ("", "\x00", "\ud800", link[:-1]):
        assert await sign_in(wrong, DAY) is None
    async with transaction():
        past = utc_now() - timedelta(microseconds=1)
        await fetch("UPDATE sign_in_links SET expires_at = $1", past)
    assert await sign_in(link, DAY) is None


async def test_a_link_of_somebody_who_is_gone_signs_nobody_in(viewer: Viewer) -> None:
    ada, alan = await make_user(viewer), await make_user(viewer, email="alan@example.com")
    links = [await create_sign_in_link(viewer.organization_id, user) for user in (ada, alan)]
    await delete_entries(viewer, USERS, [ada])
    deactivated = {"name": "Alan", "email": "alan@example.com", "status": UserStatus.DEACTIVATED}
    await upsert_entries(viewer, USERS, [deactivated])
    assert [await sign_in(link, DAY) for link in links] == [None, None]


async def deactivate(viewer: Viewer, user_id: str) -> None:
    status = {"name": "Ada", "email": "ada@example.com", "status": UserStatus.DEACTIVATED}
    await upsert_entries(viewer, USERS, [status])


async def delete(viewer: Viewer, user_id: str) -> None:
    await delete_entries(viewer, USERS, [user_id])


@asynccontextmanager
async def while_it_waits(
    viewer: Viewer, attempt: Callable[[], Awaitable[T]]
) -> AsyncIterator[asyncio.Task[T]]:
    """An attempt that waits for its turn to write until the block has ended."""
    begins = asyncio.Event()

    async def begin() -> T:
        await begins.wait()
        return await attempt()

    waiting = asyncio.create_task(begin())  # outside of the transaction
    async with transaction():
        await lock(viewer.organization_id)
        begins.set()
        await asyncio.sleep(0.2)  # long enough to have read what is to be read before
        assert not waiting.done()
        yield waiting


async def test_of_many_who_use_one_link_at_once_one_gets_in(viewer: Viewer) -> None:
    link = await create_sign_in_link(viewer.organization_id, await make_user(viewer))

    async def all_sign_in() -> list[str | None]:
        return await asyncio.gather(*(sign_in(link, DAY) for _ in range(4)))

    async with while_it_waits(viewer, all_sign_in) as waiting:
        pass  # all of them have found the link unused
    assert sum(session is not None for session in await waiting) == 1
    assert len(await fetch("SELECT id FROM tokens")) == 1


@pytest.mark.parametrize("end", [deactivate, delete])
async def test_a_link_of_somebody_who_goes_while_it_waits_signs_nobody_in(
    viewer: Viewer, end: Callable[[Viewer, str], Awaitable[None]]
) -> None:
    ada = await make_user(viewer, "Ada", email="ada@example.com")
    link = await create_sign_in_link(viewer.organization_id, ada)
    async with while_it_waits(viewer, lambda: sign_in(link, DAY)) as waiting:
        await end(viewer, ada)
    assert await waiting is None
    assert [row["name"] for row in await fetch("SELECT name FROM tokens")] == []


async def test_who_loses_a_role_meanwhile_is_signed_in_and_out_all_the_same(viewer: Viewer) -> None:
    ada = await make_user(viewer, "Ada", email="ada@example.com", role=Role.AUDITOR)
    lesser = {"name": "Ada", "email": "ada@example.com", "role": Role.MEMBER}
    link = await create_sign_in_link(viewer.organization_id, ada)
    async with while_it_waits(viewer, lambda: sign_in(link, DAY)) as signing_in:
        await upsert_entries(viewer, USERS, [lesser])
    session = str(await signing_in)
    await upsert_entries(viewer, USERS, [lesser | {"role": Role.AUDITOR}])
    found = await authenticate(session)
    assert found is not None
    async with while_it_waits(viewer, lambda: sign_out(found)) as signing_out:
        await upsert_entries(viewer, USERS, [lesser])
    await signing_out
    assert await authenticate(session) is None


async def test_a_link_cannot_be_for_a_user_of_another_organization(
    viewer: Viewer, other: Viewer
) -> None:
    with pytest.raises(IntegrityError):
        await create_sign_in_link(viewer.organization_id, await make_user(other))


async def test_signing_out_revokes_the_session_and_no_other(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    secrets = [
        str(await sign_in(await create_sign_in_link(viewer.organization_id, ada), DAY))
        for _ in range(2)
    ]
    found = await authenticate(secrets[0])
    assert found is not None
    await sign_out(found)
    assert await authenticate(secrets[0]) is None
    assert await authenticate(secrets[1]) is not None
    async with unchanged(viewer):
        with pytest.raises(Unauthenticated):
            await sign_out(found)


@pytest.mark.parametrize("ends", [None, timedelta(hours=1), 2 * DAY])
async def test_a_token_is_exchanged_for_a_session_that_may_no_more_and_lasts_no_longer(
    viewer: Viewer, ends: timedelta | None
) -> None:
    await make_group(viewer)
    expires_at = utc_now() + ends if ends else None
    _, secret = await create_token(viewer, "CLI", Role.AUDITOR, expires_at=expires_at)
    token = await authenticate(secret)
    assert token is not None
    session = await authenticate(await exchange(token, DAY))
    assert session is not None
    assert (session.role, session.kind) == (Role.AUDITOR, ActorKind.TOKEN)
    assert session.token_id != token.token_id
    assert session.expires_at is not None
    assert session.expires_at <= utc_now() + min(ends or DAY, DAY)


async def test_a_session_ends_with_the_token_that_it_was_exchanged_for(viewer: Viewer) -> None:
    outcome, secret = await create_token(viewer, "Pasted", Role.ADMIN)
    owner = await authenticate(secret)
    assert owner is not None
    session = await exchange(owner, DAY)
    of_session = await authenticate(session)
    assert of_session is not None
    again = await exchange(of_session, DAY)  # a session is a token, too
    assert await authenticate(again) is not None
    left = await authenticate(await exchange(owner, DAY))
    assert left is not None
    await sign_out(left)
    before = await tokens_by_id(viewer, [str(left.token_id)])
    await revoke_token(viewer, str(outcome.id))
    assert await authenticate(session) is None
    assert await authenticate(again) is None
    assert await tokens_by_id(viewer, [str(left.token_id)]) == before  # it had ended already


async def test_a_session_lasts_no_longer_though_the_ledger_is_ahead_of_the_clock(
    viewer: Viewer,
) -> None:
    """Some machine's clock was wrong, and made a write; all that follow are dated behind it."""
    user = await make_user(viewer, "Ada")
    _, secret = await create_token(viewer, "CLI", Role.ADMIN)
    ahead = utc_now() + 365 * DAY
    async with transaction():
        await fetch("UPDATE organizations SET changed_at = $1", ahead)
    token = await authenticate(secret)
    assert token is not None
    link = await create_sign_in_link(viewer.organization_id, user)
    for session in (await exchange(token, DAY), await sign_in(link, DAY)):
        found = await authenticate(str(session))
        assert found is not None
        assert found.expires_at is not None
        assert found.expires_at <= utc_now() + DAY
