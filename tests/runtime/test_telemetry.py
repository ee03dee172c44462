"""Logs: a line a request, each with the id of its request, and nothing of what is asked for."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.telemetry import request_id
from tests.client import Asker, Client

ROOT = Path(__file__).parent.parent.parent


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines about requests."""
    return [record.getMessage() for record in caplog.records if record.name == "cohort.request"]


@pytest.mark.parametrize("id", ["0123456789abcdef", "a-b_c.d-12", "x" * 64])
async def test_the_id_of_a_request_is_kept_if_it_looks_like_one(client: Client, id: str) -> None:
    response = await client.http.get("/healthz", headers={"X-Request-ID": id})
    assert response.headers["x-request-id"] == id


@pytest.mark.parametrize("id", ["", "short", "x" * 65, "with a space", "semi;colon", "ä" * 10])
async def test_any_other_gets_a_new_one(client: Client, id: str) -> None:
    headers = {b"X-Request-ID": id.encode()}
    made = [(await client.http.get("/healthz", headers=headers)).headers["x-request-id"]]
    made.append((await client.http.get("/healthz", headers=headers)).headers["x-request-id"])
    assert id not in made
    assert len(set(made)) == 2


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_every_request_has_its_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cohort.request")
    await client.http.get("/healthz?secret=of-the-address")
    await client.http.post("/graphql", json={"query": "{ viewer { role } }"})
    await client.http.get("/no%0Asuch%0Apage")
    first, second, third = lines(caplog)
    assert first.startswith("GET /healthz 200 ")
    assert second.startswith("POST /graphql 401 ")
    assert "\n" not in third
    assert "of-the-address" not in caplog.text


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_what_is_logged_meanwhile_belongs_to_the_request(
    client: Client, ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    ids: list[str] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ids.append(request_id.get())

    handler = Noting()
    logger = logging.getLogger("cohort.request")
    caplog.set_level(logging.INFO, logger.name)
    logger.addHandler(handler)
    try:
        response = await client.post("{ viewer { role } }", token=ask.token)
    finally:
        logger.removeHandler(handler)
    assert ids == [response.headers["x-request-id"]]
    assert request_id.get() == "-"


PROGRAM = """
import logging
from runtime.settings import Settings
from runtime.telemetry import configure_logging, request_id
configure_logging(Settings(log_format="{format}", log_level="{level}"))
request_id.set("the-id-of-it")
logging.getLogger("cohort.x").debug("for those who look closely")
logging.getLogger("websockets.server").debug("< cookie: cohort_session=...")
logging.getLogger("cohort.x").warning("two\\nlines of %s", "text")
"""


def logged_as(format: str, level: str = "INFO", more: str = "") -> list[str]:
    """What a process with this format and this level logs."""
    program = PROGRAM.replace("{format}", format).replace("{level}", level) + more
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_a_line_for_machines_is_json() -> None:
    [line] = logged_as("json")
    record = json.loads(line)
    assert record["message"] == "two\nlines of text"
    assert (record["levelname"], record["name"]) == ("WARNING", "cohort.x")
    assert record["request_id"] == "the-id-of-it"


def test_a_line_for_people_says_the_same() -> None:
    first = logged_as("text")[0]
    assert first.endswith("WARNING cohort.x the-id-of-it two")


def test_libraries_do_not_tell_what_goes_over_the_wire() -> None:
    told = "\n".join(logged_as("text", "DEBUG"))
    assert "for those who look closely" in told
    assert "cookie" not in told


NEVER_AWAITED = """
async def forgotten(): pass
forgotten()
exec(compile("forgotten()", "", "exec"), {"forgotten": forgotten, "__builtins__": {}})
"""


def test_warnings_of_python_are_lines_like_others() -> None:
    lines = [json.loads(line) for line in logged_as("json", "INFO", NEVER_AWAITED)]
    assert "never awaited" in lines[1]["message"]
    assert {line["name"] for line in lines[1:]} == {"py.warnings", "cohort.request"}
