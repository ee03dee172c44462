"""What the logs tell, and what they never tell."""

import logging
from dataclasses import replace

import httpx
import pytest

from models.organizations import create_organization
from models.sessions import create_sign_in_link
from runtime.settings import Settings
from runtime.telemetry import TimedFormatter
from tests.access.service import listening
from tests.client import Asker, Client, asker, serving
from tests.factories import make_admin, make_group
from tests.trust.slowness import slow

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    """What one logger has said."""
    return [record.getMessage() for record in caplog.records if record.name == name]


# ------------------------------------------------------------------------------------------ lines


@SQLITE_ONLY
async def test_an_address_cannot_forge_a_line(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await client.http.get("/a%0AERROR%20forged%0d" + "x" * 10_000)
    (line,) = lines(caplog, "cohort.request")
    assert "\n" not in line
    assert "\r" not in line
    assert len(line) < 300


# ----------------------------------------------------------------------------------------- secrets


async def test_no_secret_is_ever_logged(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By whatever way it comes, good or bad, and however much is logged."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.CRITICAL)  # the client of this test logs addresses
    logging.getLogger("httpcore").setLevel(logging.CRITICAL)
    async with listening(database_url, slow_seconds=0.000_001) as service:
        acme = await create_organization("Acme")
        ask = await asker(service.client, acme)
        link = await create_sign_in_link(acme.organization_id, await make_admin(acme))
        secrets = [ask.token, link, "cohort_wrong_secret"]
        base = service.http.removesuffix("/graphql")
        async with httpx.AsyncClient(base_url=base) as http:
            for secret in (ask.token, "cohort_wrong_secret"):
                body = {"query": "{ organization { name } }"}
                headers = {"Authorization": f"Bearer {secret}"}
                await http.post("/graphql", json=body, headers=headers)
                await http.get("/graphql", params=body, headers=headers)
                await http.get("/metrics", headers=headers)
                await http.post(
                    "/graphql", json=body, headers={"Cookie": f"cohort_session={secret}"}
                )
                await http.post("/session", json={"token": secret})
                await http.get("/sign-in", params={"secret": secret})
                await http.get(f"/nothing?token={secret}")
            signed_in = await http.get("/sign-in", params={"secret": link})
            secrets.append(signed_in.cookies["cohort_session"])
            again = await http.get("/sign-in", params={"secret": link})
            assert again.status_code == 403
            created = await http.post(
                "/graphql",
                json={
                    "query": 'mutation { createToken(input: {name: "t", role: ADMIN}) { secret } }'
                },
                headers={"Authorization": f"Bearer {ask.token}"},
            )
            secrets.append(created.json()["data"]["createToken"]["secret"])
    assert [line for line in lines(caplog, "cohort.request") if "GET /sign-in 403 " in line]
    assert lines(caplog, "cohort.slow")
    for record in caplog.records:
        told = f"{record.getMessage()} {record.exc_text} {record.__dict__}"
        assert not [secret for secret in secrets if secret in told]


def test_settings_do_not_tell_their_secrets() -> None:
    assert "hunter2" not in repr(Settings(metrics_token="hunter2"))


# -------------------------------------------------------------------------------------------- slow


async def test_what_is_slow_is_logged_with_its_name_and_cost(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(database_url, slow_seconds=60) as client:
        ask = await asker(client, await create_organization("Acme"))
        await make_group(ask.viewer)
        await ask("query Quick { groups(first: 3) { nodes { id } } }")
    async with (
        serving(database_url, request_seconds=0.9, slow_seconds=0.4) as client,
        slow("groups"),
    ):
        query = "query Slow { groups(first: 7) { nodes { id } } }"
        assert await replace(ask, client=client).codes(query) == ["LIMIT_EXCEEDED"]
    (line,) = lines(caplog, "cohort.slow")
    assert line.startswith("slow query Slow: ")
    assert ", cost 8, 1 statements, for tok_" in line


@SQLITE_ONLY
async def test_a_long_name_is_not_logged_in_full(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(database_url, slow_seconds=0.000_001) as client:
        ask: Asker = await asker(client, await create_organization("Acme"))
        await ask(f"query {'x' * 1_000} {{ organization {{ name }} }}")
        await ask("{ organization { id } }")
    named, unnamed = lines(caplog, "cohort.slow")
    assert len(named) < 200
    assert unnamed.startswith("slow query without a name: ")


def test_lines_tell_the_time_as_logging_does() -> None:
    fields = "%(asctime)s %(message)s"
    ours, pythons = TimedFormatter(fields), logging.Formatter(fields)
    for moment in (0.0, 0.999, 1.0, 1_700_000_000.25, 1_700_000_000.75, 1_700_000_061.0, 0.5):
        record = logging.makeLogRecord({"msg": "Hello", "created": moment})
        record.msecs = int(moment % 1 * 1000) + 0.0
        assert ours.format(record) == pythons.format(record)
