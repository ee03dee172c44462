"""Tokens: who a secret stands for, and for how long."""

import asyncio
import json
from datetime import timedelta

import pytest

from models.database import Row, fetch, transaction
from models.directory import delete_entries
from models.errors import Code, Forbidden, Unauthenticated
from models.kinds import USERS
from models.ledger import current_revision, utc_now
from models.listing import Slice, fetch_page
from models.tables import ActorKind, Role, UserStatus
from models.text import NAME_LENGTH
from models.tokens import (
    authenticate,
    create_token,
    mark_used,
    revoke_token,
    tokens,
    tokens_by_id,
)
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.factories import make_admin, make_group, make_user, make_users, viewer_of
from tests.refusals import assert_forbidden, refused, unchanged

pytestmark = pytest.mark.usefixtures("consistent")

DAY = timedelta(days=1)


async def find(viewer: Viewer, token_id: str | None) -> Row:
    return (await tokens_by_id(viewer, [str(token_id)]))[0]


async def expire() -> None:
    """Let all tokens end a moment ago."""
    async with transaction():
        await fetch("UPDATE tokens SET expires_at = $1", utc_now() - timedelta(microseconds=1))


# -------------------------------------------------------------------------------------- creating


async def test_a_token_of_nobody_has_the_role_it_was_given(viewer: Viewer) -> None:
    for role in (Role.ADMIN, Role.AUDITOR):
        outcome, secret = await create_token(viewer, " Import ", role)
        found = await authenticate(secret)
        assert found is not None
        assert (found.organization_id, found.role) == (viewer.organization_id, role)
        assert (found.kind, found.name, found.user_id) == (ActorKind.TOKEN, "Import", None)
        assert (found.token_id, found.revision) == (outcome.id, outcome.revision)


@pytest.mark.parametrize("persons", Role)
@pytest.mark.parametrize("given", [None, *Role])
async def test_a_token_of_a_person_has_the_lesser_of_two_roles(
    viewer: Viewer, persons: Role, given: Role | None
) -> None:
    await make_admin(viewer)
    ada = await make_user(viewer, "Ada Lovelace", role=persons)
    _, secret = await create_token(viewer, "CLI", given, ada)
    found = await authenticate(secret)
    assert found is not None
    rank = (Role.MEMBER, Role.AUDITOR, Role.ADMIN)
    assert found.role is min(persons, given or persons, key=rank.index)
    assert (found.kind, found.name, found.user_id) == (ActorKind.USER, "Ada Lovelace", ada)


async def test_a_secret_is_long_random_and_nowhere_kept(viewer: Viewer) -> None:
    secrets = [(await create_token(viewer, "CLI", Role.ADMIN))[1] for _ in range(3)]
    assert len(set(secrets)) == 3
    assert all(secret.startswith("cohort_") and len(secret) > 40 for secret in secrets)
    kept = [str(tuple(row)) for row in await fetch("SELECT * FROM tokens")]
    kept += [str(tuple(row)) for row in await fetch("SELECT * FROM changes")]
    assert not any(secret in row for secret in secrets for row in kept)


async def test_creating_and_revoking_are_told_in_the_ledger(viewer: Viewer) -> None:
    outcome, _ = await create_token(viewer, "CLI", Role.ADMIN)
    await revoke_token(viewer, str(outcome.id))
    rows = await fetch("SELECT action, summary, details FROM changes ORDER BY revision")
    assert [(row[0], row[1]) for row in rows] == [
        ("TOKEN_CREATED", "The operator created the token CLI"),
        ("TOKEN_REVOKED", "The operator revoked the token CLI"),
    ]
    assert [json.loads(row[2]) for row in rows] == [{"token": outcome.id}] * 2


async def test_a_token_needs_a_good_name(viewer: Viewer) -> None:
    for name, code in ((" ", Code.BLANK), ("x" * (NAME_LENGTH + 1), Code.TOO_LONG)):
        async with refused(viewer, (code, "name")):
            await create_token(viewer, name, Role.ADMIN)


async def test_a_token_of_nobody_needs_a_role_that_sees_more_than_its_own(viewer: Viewer) -> None:
    async with refused(viewer, (Code.BLANK, "role")):
        await create_token(viewer, "CLI")
    async with refused(viewer, (Code.INVALID, "userId")):
        await create_token(viewer, "CLI", Role.MEMBER)


async def test_a_token_must_be_of_a_user_who_is_there(viewer: Viewer, other: Viewer) -> None:
    gone, theirs = await make_user(viewer), await make_user(other)
    await delete_entries(viewer, USERS, [gone])
    for user in (gone, theirs, "usr_0", "\x00"):
        async with refused(viewer, (Code.NOT_FOUND, "userId")):
            await create_token(viewer, "CLI", user_id=user)


async def test_a_token_cannot_end_before_it_begins(viewer: Viewer) -> None:
    async with refused(viewer, (Code.INVALID, "expiresAt")):
        await create_token(viewer, "CLI", Role.ADMIN, expires_at=utc_now())


async def test_only_administrators_create_and_revoke_tokens(viewer: Viewer) -> None:
    outcome, _ = await create_token(viewer, "CLI", Role.ADMIN)
    await assert_forbidden(viewer, lambda anyone: create_token(anyone, "Mine", Role.ADMIN))
    await assert_forbidden(viewer, lambda anyone: revoke_token(anyone, str(outcome.id)))


# ----------------------------------------------------------------------------------- recognising


@pytest.mark.parametrize("secret", ["", "cohort_", "\x00", "\ud800", "cohort_" + "A" * 43])
async def test_an_unknown_secret_stands_for_nobody(viewer: Viewer, secret: str) -> None:
    await create_token(viewer, "CLI", Role.ADMIN)
    assert await authenticate(secret) is None


async def test_a_revoked_token_stands_for_nobody(viewer: Viewer) -> None:
    outcome, secret = await create_token(viewer, "CLI", Role.ADMIN)
    await revoke_token(viewer, str(outcome.id))
    assert await authenticate(secret) is None


async def test_an_expired_token_stands_for_nobody(viewer: Viewer) -> None:
    _, secret = await create_token(viewer, "CLI", Role.ADMIN, expires_at=utc_now() + DAY)
    found = await authenticate(secret)
    assert found is not None
    assert found.expires_at is not None
    await expire()
    assert await authenticate(secret) is None


async def test_a_deactivated_user_is_nobody_until_activated_again(viewer: Viewer) -> None:
    ada = {"name": "Ada", "email": "ada@example.com"}
    (user,) = (await upsert_entries(viewer, USERS, [ada])).changed
    _, secret = await create_token(viewer, "CLI", user_id=user)
    await upsert_entries(viewer, USERS, [{**ada, "status": UserStatus.DEACTIVATED}])
    assert await authenticate(secret) is None
    await upsert_entries(viewer, USERS, [{**ada, "status": UserStatus.ACTIVE}])
    assert await authenticate(secret) is not None


async def test_a_new_role_of_a_user_holds_for_the_tokens_there_are(viewer: Viewer) -> None:
    await make_admin(viewer)
    ada = {"name": "Ada", "email": "ada@example.com"}
    (user,) = (await upsert_entries(viewer, USERS, [{**ada, "role": Role.ADMIN}])).changed
    _, secret = await create_token(viewer, "CLI", user_id=user)
    await upsert_entries(viewer, USERS, [{**ada, "role": Role.MEMBER}])
    found = await authenticate(secret)
    assert found is not None
    assert found.role is Role.MEMBER


# ------------------------------------------------------------------------------ revoking, reading


async def test_revoking_again_is_no_change(viewer: Viewer) -> None:
    outcome, _ = await create_token(viewer, "CLI", Role.ADMIN)
    first = await revoke_token(viewer, str(outcome.id))
    async with unchanged(viewer):
        assert await revoke_token(viewer, str(outcome.id)) == first


async def test_a_token_that_is_not_there_cannot_be_revoked(viewer: Viewer, other: Viewer) -> None:
    theirs, secret = await create_token(other, "CLI", Role.ADMIN)
    for token in (str(theirs.id), "tok_0", "", "\x00", "\ud800"):
        async with refused(viewer, (Code.NOT_FOUND, "id")):
            await revoke_token(viewer, token)
    assert await authenticate(secret) is not None


async def test_tokens_are_listed_newest_first_for_those_who_see_all(
    viewer: Viewer, other: Viewer
) -> None:
    await create_token(other, "Theirs", Role.ADMIN)
    ada = await make_user(viewer)
    made = [
        (await create_token(viewer, "First", Role.ADMIN))[0].id,
        (await create_token(viewer, "Second", user_id=ada))[0].id,
    ]
    await revoke_token(viewer, str(made[0]))
    auditor, member = (viewer_of(viewer, ada, role) for role in (Role.AUDITOR, Role.MEMBER))
    page = await fetch_page(tokens(auditor), Slice(10))
    assert [row["id"] for row in page.rows] == made[::-1]
    assert [row["user_role"] for row in page.rows] == [Role.MEMBER, None]
    with pytest.raises(Forbidden):
        tokens(member)
    assert await tokens_by_id(member, [str(id) for id in made]) == []
    found = await tokens_by_id(auditor, [*(str(id) for id in made), "\x00", "\ud800"])
    assert len(found) == 2


async def test_the_last_use_is_noted_outside_of_the_ledger(viewer: Viewer) -> None:
    (first, _), (second, _) = [await create_token(viewer, "CLI", Role.ADMIN) for _ in range(2)]
    now, revision = utc_now(), await current_revision(viewer.organization_id)
    await mark_used({str(first.id): now, "tok_0": now})
    await mark_used({str(first.id): now - DAY})
    assert (await find(viewer, first.id))["last_used_at"] == now
    assert (await find(viewer, second.id))["last_used_at"] is None
    assert await current_revision(viewer.organization_id) == revision
    await mark_used({})


async def test_noting_the_last_use_never_hinders_those_who_delete_users(viewer: Viewer) -> None:
    users = await make_users(viewer, 30)
    made = [(await create_token(viewer, "CLI", user_id=user))[0].id for user in users[::-1]]
    now = utc_now()
    await asyncio.gather(
        *(mark_used({str(id): now + step * DAY for id in made}) for step in range(1, 10)),
        *(delete_entries(viewer, USERS, users[start::3]) for start in range(3)),
    )
    assert (await fetch("SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL"))[0][0] == 0


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_noting_the_last_use_waits_for_nobody(viewer: Viewer) -> None:
    made = [str((await create_token(viewer, "CLI", Role.ADMIN))[0].id) for _ in range(3)]
    now, is_held, is_noted = utc_now(), asyncio.Event(), asyncio.Event()

    async def revoke() -> None:
        """Revoke one of the tokens, and take as long as the others are noted."""
        async with transaction():
            await fetch("UPDATE tokens SET revoked_at = $2 WHERE id = $1", made[1], now)
            is_held.set()
            await is_noted.wait()

    revoking = asyncio.create_task(revoke())
    await is_held.wait()
    async with asyncio.timeout(5):
        await mark_used(dict.fromkeys(made, now))
    is_noted.set()
    await revoking
    found = [(await find(viewer, id))["last_used_at"] for id in made]
    assert found == [now, None, now]


async def test_a_token_that_is_gone_with_a_restored_state_writes_nothing(viewer: Viewer) -> None:
    outcome, secret = await create_token(viewer, "Later", None, await make_admin(viewer))
    later = await authenticate(secret)
    assert later is not None
    async with transaction():
        await fetch("DELETE FROM tokens WHERE id = $1", outcome.id)
        await fetch("DELETE FROM changes WHERE revision = $1", outcome.revision)
        await fetch("UPDATE organizations SET revision = $1", outcome.revision - 1)
    async with unchanged(viewer):
        with pytest.raises(Unauthenticated):
            await make_group(later)
