"""Creating and revoking tokens."""

from datetime import timedelta
from typing import Any

import pytest

from models.ids import new_id
from models.ledger import utc_now
from models.tables import Role
from models.viewer import Viewer
from tests.client import Asker
from tests.factories import make_user
from tests.schema.writing import refused, unchanged, write

TOKEN = "token { id name role user { id } expiresAt revokedAt }"


async def test_a_token_opens_what_its_role_opens(ask: Asker) -> None:
    payload = await write(ask, "createToken", TOKEN, name=" Bridge ", role="AUDITOR")
    token = payload["token"]
    assert token["id"].startswith("tok_")
    assert (token["name"], token["role"], token["user"]) == ("Bridge", "AUDITOR", None)
    answer = await ask.client.ask("{ viewer { role user { id } } }", token=payload["secret"])
    assert answer["data"]["viewer"] == {"role": "AUDITOR", "user": None}


async def test_a_persons_token_opens_what_the_person_may_open(ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme)
    for role in (None, "MEMBER", "ADMIN"):
        given = {"name": "Of Ada", "userId": ada, "role": role}
        payload = await write(ask, "createToken", TOKEN, **given)
        assert (payload["token"]["role"], payload["token"]["user"]) == ("MEMBER", {"id": ada})
        answer = await ask.client.ask("{ viewer { role user { id } } }", token=payload["secret"])
        assert answer["data"]["viewer"] == {"role": "MEMBER", "user": {"id": ada}}


async def test_a_secret_is_told_once(ask: Asker) -> None:
    secrets = [
        (await write(ask, "createToken", name="Same", role="ADMIN"))["secret"] for _ in range(2)
    ]
    assert secrets[0] != secrets[1]
    response = await ask.client.post(
        f"{{ tokens {{ nodes {{ {TOKEN[8:-2]} }} }} }}", token=ask.token
    )
    assert response.status_code == 200
    assert not [secret for secret in secrets if secret in response.text]


async def test_a_token_expires_when_it_is_told_to(ask: Asker) -> None:
    instant = (utc_now() + timedelta(days=1)).replace(microsecond=0)
    given = {"name": "Short", "role": "ADMIN", "expiresAt": instant.isoformat()}
    payload = await write(ask, "createToken", TOKEN, **given)
    assert payload["token"]["expiresAt"] == instant.isoformat().replace("+00:00", "Z")


async def test_a_token_may_expire_at_the_end_of_time(ask: Asker) -> None:
    given = {"name": "Long", "role": "ADMIN", "expiresAt": "9999-12-31T23:59:59.999999Z"}
    payload = await write(ask, "createToken", f"{TOKEN} secret", **given)
    assert payload["token"]["expiresAt"] == "9999-12-31T23:59:59.999998Z"
    answer = await ask.client.ask("{ viewer { role } }", token=payload["secret"])
    assert answer["data"] == {"viewer": {"role": "ADMIN"}}


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"name": "", "role": "ADMIN"}, [("BLANK", "input.name")]),
        ({"name": "x" * 121, "role": "ADMIN"}, [("TOO_LONG", "input.name")]),
        ({"name": "\x00", "role": "ADMIN"}, [("INVALID", "input.name")]),
        ({"name": "N"}, [("BLANK", "input.role")]),
        ({"name": "N", "role": None, "userId": None}, [("BLANK", "input.role")]),
        ({"name": "N", "role": "MEMBER"}, [("INVALID", "input.userId")]),
        (
            {"name": "N", "role": "ADMIN", "expiresAt": "2001-01-01T00:00:00Z"},
            [("INVALID", "input.expiresAt")],
        ),
        ({"name": "N", "userId": new_id("usr")}, [("NOT_FOUND", "input.userId")]),
        ({"name": "N", "userId": "\x00"}, [("NOT_FOUND", "input.userId")]),
        ({"name": "N", "userId": ""}, [("NOT_FOUND", "input.userId")]),
        (
            {"name": "", "expiresAt": "2001-01-01T00:00:00Z"},
            [("BLANK", "input.name"), ("BLANK", "input.role"), ("INVALID", "input.expiresAt")],
        ),
    ],
)
async def test_a_token_that_makes_no_sense_is_not_created(
    ask: Asker, given: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    assert await refused(ask, "createToken", **given) == errors


async def test_a_revoked_token_opens_nothing(ask: Asker) -> None:
    made = await write(ask, "createToken", TOKEN, name="Bridge", role="ADMIN")
    id = made["token"]["id"]
    payload = await write(ask, "revokeToken", TOKEN, id=id)
    assert payload["token"]["revokedAt"] is not None
    assert payload["revision"] == made["revision"] + 1
    answer = await ask.client.ask("{ viewer { role } }", token=made["secret"])
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
    assert (await unchanged(ask, "revokeToken", TOKEN, id=id))["token"] == payload["token"]


@pytest.mark.parametrize(
    "id",
    [new_id("tok"), new_id("usr"), "", "nonsense", "tok_\x00"],
    ids=["unknown", "a user's", "empty", "nonsense", "with a NUL"],
)
async def test_only_a_token_that_exists_is_revoked(ask: Asker, id: str) -> None:
    assert await refused(ask, "revokeToken", id=id) == [("NOT_FOUND", "input.id")]


async def test_a_token_of_a_person_who_is_gone_can_not_be_made(ask: Asker, acme: Viewer) -> None:
    ada = await make_user(acme, role=Role.AUDITOR)
    await write(ask, "deleteUsers", userIds=[ada])
    errors = await refused(ask, "createToken", name="N", userId=ada)
    assert errors == [("NOT_FOUND", "input.userId")]
