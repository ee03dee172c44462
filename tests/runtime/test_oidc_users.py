"""Whom a token stands for: a user who is there and active, with no more than the user's role."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.directory import delete_entries
from models.errors import Unauthenticated
from models.kinds import USERS
from models.tables import ActorKind, Role, UserStatus
from models.viewer import Viewer
from tests.factories import make_admin, make_user
from tests.refusals import unchanged
from tests.runtime.issuing import KeyServer

NOBODY = "This token does not belong to anybody who may use this service."
EMAIL = "ada@acme.example"


@pytest.fixture
async def ada(viewer: Viewer) -> str:
    return await make_admin(viewer, "Ada", email=EMAIL)


async def recognise(server: KeyServer, **changes: Any) -> Viewer:
    return await server.issuer().viewer(server.token(**changes))


async def is_nobody(server: KeyServer, **changes: Any) -> bool:
    with pytest.raises(Unauthenticated) as refusal:
        await recognise(server, **changes)
    return str(refusal.value) == NOBODY


async def test_a_user_is_found_by_organization_and_email(
    key_server: KeyServer, viewer: Viewer, ada: str
) -> None:
    found = await recognise(key_server)
    assert found.organization_id == viewer.organization_id
    assert (found.user_id, found.name, found.kind) == (ada, "Ada", ActorKind.USER)
    assert (found.role, found.token_id, found.revision) == (Role.ADMIN, None, 1)


async def test_an_organization_is_named_in_any_case_or_by_its_id(
    key_server: KeyServer, viewer: Viewer, ada: str
) -> None:
    for organization in ("Acme", " aCME ", ["acme"], viewer.organization_id):
        assert (await recognise(key_server, organization=organization)).user_id == ada


@pytest.mark.parametrize(
    ("email", "same", "others"),
    [
        ("Ada@Straße.example", "ADA@STRAẞE.EXAMPLE", ["ada@strasse.example"]),
        (
            "Ada@Strasse.example",
            "aDA@sTRASSE.EXAMPLE",
            ["ada@straße.example", "ada@ſtrasse.example"],
        ),
        ("ofﬁce@acme.example", "OFﬁCE@ACME.example", ["office@acme.example"]),
        ("Ο@οδός.example", "ο@οδός.EXAMPLE", ["ο@οδόσ.example"]),
        ("ο@κόσμος.ελ", "Ο@ΚΌΣΜΟΣ.ΕΛ", ["ο@κόσμοσ.ελ"]),
        ("Åsa@acme.example", "a\u030asa@acme.example", ["asa@acme.example"]),
        ("ǰan@acme.example", "J\u030cAN@acme.example", ["jan@acme.example"]),
    ],
    ids=ascii,
)
async def test_an_email_may_differ_in_case_and_in_nothing_else(
    key_server: KeyServer, viewer: Viewer, email: str, same: str, others: list[str]
) -> None:
    user = await make_admin(viewer, "Ada", email=email)
    assert (await recognise(key_server, email=same)).user_id == user
    for other in others:  # anybody could have it
        assert await is_nobody(key_server, email=other)


@pytest.mark.usefixtures("ada")
async def test_other_claims_can_name_them(key_server: KeyServer) -> None:
    issuer = key_server.issuer(
        oidc_organization_claim="https://cohort.example/team", oidc_email_claim="upn"
    )
    claims = {"https://cohort.example/team": "Acme", "upn": EMAIL}
    token = key_server.token(email=None, organization=None, **claims)
    assert (await issuer.viewer(token)).name == "Ada"


async def test_a_viewer_lasts_as_long_as_the_token_is_good(key_server: KeyServer, ada: str) -> None:
    end = int(time.time()) + 100
    viewer = await key_server.issuer(oidc_leeway_seconds=7).viewer(key_server.token(exp=end))
    assert viewer.expires_at == datetime.fromtimestamp(end, UTC) + timedelta(seconds=7)


# ----------------------------------------------------------------------------------------- nobody


@pytest.mark.usefixtures("ada", "other")
@pytest.mark.parametrize(
    "changes",
    [
        {"email": "grace@acme.example"},
        {"email": "x" * 1_000},
        {"email": "ada\0@acme.example"},
        {"email": "\ud800@acme.example"},
        {"email": "%"},
        {"organization": "Other"},
        {"organization": "No such organization"},
        {"organization": "org_" + "0" * 32},
        {"organization": "Acme\0"},
        {"organization": "' OR 1=1 --"},
    ],
    ids=ascii,
)
async def test_one_who_is_not_there_is_nobody_whatever_is_wrong(
    key_server: KeyServer, viewer: Viewer, changes: dict[str, Any]
) -> None:
    async with unchanged(viewer):
        assert await is_nobody(key_server, **changes)


async def test_one_who_is_deactivated_or_deleted_is_nobody(
    key_server: KeyServer, viewer: Viewer
) -> None:
    await make_user(viewer, email=EMAIL, status=UserStatus.DEACTIVATED)
    assert await is_nobody(key_server)
    gone = await make_user(viewer, email="grace@acme.example")
    await delete_entries(viewer, USERS, [gone])
    assert await is_nobody(key_server, email="grace@acme.example")


async def test_a_user_of_two_organizations_is_the_one_of_that_one(
    key_server: KeyServer, viewer: Viewer, other: Viewer, ada: str
) -> None:
    theirs = await make_user(other, email=EMAIL)
    assert (await recognise(key_server)).user_id == ada
    assert (await recognise(key_server, organization="other")).user_id == theirs
    mine = await recognise(key_server, organization=other.organization_id)
    assert (mine.organization_id, mine.role) == (other.organization_id, Role.MEMBER)


# ------------------------------------------------------------------------------------------ roles


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("own", "claim", "role"),
    [
        (Role.ADMIN, "ADMIN", Role.ADMIN),
        (Role.ADMIN, "auditor", Role.AUDITOR),
        (Role.ADMIN, "MEMBER", Role.MEMBER),
        (Role.ADMIN, ["offline_access", "Member", "Auditor"], Role.AUDITOR),
        (Role.ADMIN, None, Role.MEMBER),
        (Role.ADMIN, [], Role.MEMBER),
        (Role.ADMIN, "owner", Role.MEMBER),
        (Role.ADMIN, {"ADMIN": True}, Role.MEMBER),
        (Role.ADMIN, [None, 1, ["ADMIN"]], Role.MEMBER),
        (Role.AUDITOR, "ADMIN", Role.AUDITOR),
        (Role.MEMBER, "ADMIN", Role.MEMBER),
        (Role.MEMBER, ["ADMIN", "AUDITOR"], Role.MEMBER),
    ],
    ids=str,
)
async def test_a_role_that_is_claimed_lowers_what_the_user_may_do_and_never_raises_it(
    key_server: KeyServer, viewer: Viewer, own: Role, claim: Any, role: Role
) -> None:
    await make_user(viewer, email=EMAIL, role=own)
    token = key_server.token(role=claim)
    assert (await key_server.issuer(oidc_role_claim="role").viewer(token)).role is role
    assert (await key_server.issuer().viewer(token)).role is own
