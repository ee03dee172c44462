"""Tokens and sign-in links at the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from models.database import fetch, transaction
from models.directory import delete_entries
from models.kinds import USERS
from models.ledger import current_revision
from models.sessions import sign_in
from models.tables import Role, UserStatus
from models.tokens import authenticate, create_token, revoke_token
from models.viewer import Viewer
from tests.commands.running import manage, refusal
from tests.factories import make_admin, make_user
from tests.refusals import unchanged

pytestmark = pytest.mark.usefixtures("consistent")

ACME = ("--organization", "acme")


async def test_creating_a_token_prints_nothing_but_its_secret(
    viewer: Viewer, database_url: str
) -> None:
    ran = await manage(database_url, "token", "create", *ACME, "--role", "admin", "--name", "CI")
    secret = ran.out.removesuffix("\n")
    assert len(secret.split()) == 1
    assert secret not in "".join(ran.said)
    found = await authenticate(secret)
    assert found is not None
    assert (found.organization_id, found.role, found.name, found.expires_at) == (
        viewer.organization_id,
        Role.ADMIN,
        "CI",
        None,
    )


async def test_a_token_may_be_a_persons_and_end_some_day(viewer: Viewer, database_url: str) -> None:
    ada = await make_admin(viewer, "Ada", email="ada@example.com")
    ran = await manage(
        database_url, "token", "create", *ACME, "--user", " ADA@example.com", "--name", "laptop",
        "--role", "Auditor", "--expires-days", 3,
    )  # fmt: skip
    found = await authenticate(ran.out.strip())
    assert found is not None
    assert (found.user_id, found.role, found.name) == (ada, Role.AUDITOR, "Ada")
    assert found.expires_at is not None
    assert timedelta(days=2.9) < found.expires_at - datetime.now(UTC) < timedelta(days=3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--name", " ", "--role", "admin"], "Name can't be blank."),
        (["--name", "CI"], "Give a role, or a user to whom the token belongs."),
        (
            ["--name", "CI", "--role", "member"],
            "A token with the role MEMBER must belong to a user.",
        ),
        (["--name", "CI", "--user", "x@y"], "The organization has no user “x@y”."),
    ],
)
async def test_a_token_that_makes_no_sense_is_refused(
    viewer: Viewer, database_url: str, arguments: list[str], reason: str
) -> None:
    async with unchanged(viewer):
        assert await refusal(database_url, "token", "create", *ACME, *arguments) == reason


async def test_a_user_of_another_organization_or_a_deleted_one_is_unknown(
    viewer: Viewer, other: Viewer, database_url: str
) -> None:
    await make_user(other, email="bob@example.com")
    await delete_entries(viewer, USERS, [await make_user(viewer, email="bob@example.com")])
    bob = ("--user", "bob@example.com")
    async with unchanged(viewer):
        said = await refusal(database_url, "token", "create", *ACME, "--name", "CI", *bob)
        assert said == "The organization has no user “bob@example.com”."
        assert await refusal(database_url, "sign-in-link", *ACME, *bob) == said


async def test_an_address_that_may_be_somebody_elses_is_unknown(
    viewer: Viewer, database_url: str
) -> None:
    await make_admin(viewer, email="ada@strasse.example")
    ada = ("--user", "ada@straße.example")
    async with unchanged(viewer):
        said = await refusal(database_url, "token", "create", *ACME, "--name", "CI", *ada)
        assert said == "The organization has no user “ada@straße.example”."
        assert await refusal(database_url, "sign-in-link", *ACME, *ada) == said


async def test_names_in_another_encoding_than_utf_8_are_unknown(
    viewer: Viewer, database_url: str
) -> None:
    name = "Jos\udce9"  # what Python makes of an argument in Latin-1
    async with unchanged(viewer):
        said = await refusal(database_url, "token", "list", "--organization", name)
        assert said.startswith("There is no organization “Jos\\udce9”.")
        said = await refusal(database_url, "sign-in-link", *ACME, "--user", f"{name}@example.com")
        assert said == "The organization has no user “Jos\\udce9@example.com”."


async def test_tokens_are_listed_with_their_state_and_without_secrets(
    viewer: Viewer, database_url: str
) -> None:
    ran = await manage(database_url, "token", "list", *ACME)
    assert ran.out == "There are no tokens yet.\n"
    ada = await make_user(viewer, "Ada", email="ada@example.com")
    _, secret = await create_token(viewer, "CI", Role.ADMIN)
    await create_token(viewer, "big", Role.ADMIN, ada)
    outcome, _ = await create_token(viewer, "old", user_id=ada)
    await revoke_token(viewer, str(outcome.id))
    ran = await manage(database_url, "token", "list", *ACME)
    head, *lines = ran.out.splitlines()
    assert head.split()[:2] == ["ID", "NAME"]
    days = [
        f"{row[0]:%Y-%m-%d}" for row in await fetch("SELECT created_at FROM tokens ORDER BY id")
    ]
    assert [line.split()[1:] for line in lines] == [
        ["old", "MEMBER", "ada@example.com", days[2], "never", "revoked"],
        ["big", "MEMBER", "ada@example.com", days[1], "never", "valid"],
        ["CI", "ADMIN", "-", days[0], "never", "valid"],
    ]
    assert lines[0].startswith(str(outcome.id))
    assert secret not in ran.out


async def test_the_days_until_which_tokens_are_valid_are_listed(
    viewer: Viewer, database_url: str
) -> None:
    await manage(
        database_url, "token", "create", *ACME, "--name", "a", "--role", "admin",
        "--expires-days", 2,
    )  # fmt: skip
    await create_token(viewer, "b", Role.ADMIN)
    ended, _ = await create_token(viewer, "c", Role.ADMIN)
    async with transaction():
        await fetch("UPDATE tokens SET expires_at = created_at WHERE id = $1", ended.id)
    ran = await manage(database_url, "token", "list", *ACME)
    last, _, first = [row[0] for row in await fetch("SELECT expires_at FROM tokens ORDER BY id")]
    assert [line.split(maxsplit=6)[6] for line in ran.out.splitlines()[1:]] == [
        f"expired {first:%Y-%m-%d}",
        "valid",
        f"valid until {last:%Y-%m-%d}",
    ]


async def test_the_day_on_which_a_token_was_last_used_is_listed(
    viewer: Viewer, database_url: str
) -> None:
    await create_token(viewer, "CI", Role.ADMIN)
    async with transaction():
        await fetch("UPDATE tokens SET last_used_at = $1", datetime(2026, 3, 1, tzinfo=UTC))
    ran = await manage(database_url, "token", "list", *ACME)
    assert ran.out.splitlines()[1].split()[5:] == ["2026-03-01", "valid"]


async def test_a_revoked_token_is_no_good(viewer: Viewer, database_url: str) -> None:
    outcome, secret = await create_token(viewer, "CI", Role.ADMIN)
    ran = await manage(database_url, "token", "revoke", *ACME, outcome.id)
    assert ran.said == ["Revoked the token CI. It no longer works."]
    assert await authenticate(secret) is None
    async with unchanged(viewer):
        ran = await manage(database_url, "token", "revoke", *ACME, outcome.id)
    assert ran.said == ["The token CI was already revoked."]


async def test_a_token_of_another_organization_cannot_be_revoked(
    viewer: Viewer, other: Viewer, database_url: str
) -> None:
    outcome, secret = await create_token(other, "CI", Role.ADMIN)
    for id in (outcome.id, "nonsense"):
        said = await refusal(database_url, "token", "revoke", *ACME, id)
        assert said == "There is no such token."
    assert await authenticate(secret) is not None


async def test_a_sign_in_link_is_alone_on_its_line_and_good_once(
    viewer: Viewer, database_url: str
) -> None:
    ada = await make_user(viewer, "Ada", email="ada@example.com")
    ran = await manage(
        database_url, "sign-in-link", *ACME, "--user", "ada@example.com",
        COHORT_PUBLIC_URL="https://cohort.example.com/",
    )  # fmt: skip
    address, _, secret = ran.out.strip().partition("?secret=")
    assert address == "https://cohort.example.com/sign-in"
    session = await sign_in(secret, timedelta(days=1))
    assert session is not None
    found = await authenticate(session)
    assert found is not None
    assert found.user_id == ada
    assert await sign_in(secret, timedelta(days=1)) is None


async def test_a_deactivated_user_gets_no_sign_in_link(viewer: Viewer, database_url: str) -> None:
    await make_user(viewer, "Ada", email="ada@example.com", status=UserStatus.DEACTIVATED)
    said = await refusal(database_url, "sign-in-link", *ACME, "--user", "ada@example.com")
    assert said == "Ada is deactivated, and can't sign in."
    assert list(await fetch("SELECT id FROM sign_in_links")) == []


async def test_an_unknown_organization_is_refused_by_every_command(
    viewer: Viewer, database_url: str
) -> None:
    nope = ("--organization", "Nope")
    for arguments in (
        ("token", "create", *nope, "--name", "CI", "--role", "admin"),
        ("token", "list", *nope),
        ("token", "revoke", *nope, "tok_0"),
        ("sign-in-link", *nope, "--user", "ada@example.com"),
        ("export", *nope, "--kind", "users"),
    ):
        said = await refusal(database_url, *arguments)
        assert said.startswith("There is no organization “Nope”.")
    assert await current_revision(viewer.organization_id) == 0
