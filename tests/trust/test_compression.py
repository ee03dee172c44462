"""Large answers of queries are gzipped for those who take it, and nothing else is."""

import gzip
import threading
import zlib
from typing import Any

import httpx
import orjson
import pytest

from models.organizations import create_organization
from models.viewer import Viewer
from tests.access.service import Service
from tests.client import Asker, asker, serving
from tests.factories import make_bot

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
LARGE = "{ __schema { types { name description fields { name description } } } }"
SMALL = "{ organization { name } }"
CREATE = """mutation { createToken(input: {name: "Laptop", role: ADMIN}) { secret } }"""
LEAST = 16_000


async def send(
    ask: Asker, query: str, takes: str | None = "gzip", method: str = "POST", **headers: str
) -> tuple[httpx.Response, bytes]:
    """The response, and its body as it came over the wire."""
    http = ask.client.http
    http.headers.pop("accept-encoding", None)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if takes is not None:
        headers["Accept-Encoding"] = takes
    asked = {"json": {"query": query}} if method == "POST" else {"params": {"query": query}}
    headers["Authorization"] = f"Bearer {ask.token}"
    async with http.stream(method, "/graphql", headers=headers, **asked) as response:  # type: ignore[arg-type]
        body = b"".join([piece async for piece in response.aiter_raw()])
    if response.status_code != 304:
        assert int(response.headers["content-length"]) == len(body)
    return response, body


def coding(response: httpx.Response) -> str | None:
    """How an answer says that it is compressed. Each says that it depends on what is taken."""
    assert "Accept-Encoding" in response.headers["vary"].split(", ")
    found: str | None = response.headers.get("content-encoding")
    return found


@SQLITE_ONLY
@pytest.mark.parametrize(
    "takes",
    ["gzip", "GZip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "x-gzip",
     "gzip;q=0.001", "gzip;q=1, identity;q=0.5", "identity;q=0, gzip;q=0.5", "br;q=0, *"],
)  # fmt: skip
async def test_a_large_answer_is_gzipped_for_who_takes_it(ask: Asker, takes: str) -> None:
    response, body = await send(ask, LARGE, takes)
    assert coding(response) == "gzip"
    plain, content = await send(ask, LARGE, None)
    assert coding(plain) is None
    assert gzip.decompress(body) == content
    assert len(content) > LEAST > len(body)


@SQLITE_ONLY
@pytest.mark.parametrize(
    "takes",
    [None, "", "identity", "br", "gzip;q=0", "gzip;q=0.0, *", "*;q=0", "gzip;q=0.5, identity",
     "gzip;q=2", "gzip;q=nan", "gzip;q=", "gzipp", "x-gzip;q=0", ",;,=;q", "deflate, compress"],
)  # fmt: skip
async def test_nobody_else_sees_any_change(ask: Asker, takes: str | None) -> None:
    response, body = await send(ask, LARGE, takes)
    assert coding(response) is None
    assert len(body) > LEAST
    assert "data" in orjson.loads(body)


@SQLITE_ONLY
async def test_a_small_answer_is_sent_as_it_is(database_url: str) -> None:
    async with serving(database_url) as client:
        ask = await asker(client, await create_organization("Acme"))
        response, body = await send(ask, SMALL)
        assert coding(response) is None
    for least, expected in ((len(body), "gzip"), (len(body) + 1, None), (0, None)):
        async with serving(database_url, gzip_bytes=least) as client:
            for _ in range(2):  # found, then as it was kept
                response, _ = await send(Asker(client, ask.token, ask.viewer), SMALL)
                assert coding(response) == expected


@SQLITE_ONLY
async def test_it_can_be_turned_off(database_url: str) -> None:
    async with serving(database_url, gzip_bytes=0) as client:
        ask = await asker(client, await create_organization("Acme"))
        assert coding((await send(ask, LARGE))[0]) is None


@SQLITE_ONLY
async def test_no_secret_is_compressed_with_what_somebody_chose(database_url: str) -> None:
    async with serving(database_url, gzip_bytes=1) as client:
        ask = await asker(client, await create_organization("Acme"))
        response, body = await send(ask, CREATE)
        assert coding(response) is None
        assert orjson.loads(body)["data"]["createToken"]["secret"]
        for wrong in ("{ nothing }", "mutation { createGroup { revision } }"):
            assert coding((await send(ask, wrong))[0]) is None


@SQLITE_ONLY
async def test_an_event_stream_is_never_compressed(database_url: str) -> None:
    async with serving(database_url, gzip_bytes=1) as client:
        ask = await asker(client, await create_organization("Acme"))
        headers = {"Authorization": f"Bearer {ask.token}", "Accept": "text/event-stream"}
        response = await client.http.post("/graphql", json={"query": LARGE}, headers=headers)
        assert response.text.startswith("event: next\ndata: {")
        assert "content-encoding" not in response.headers


@SQLITE_ONLY
async def test_each_form_of_an_answer_has_a_tag_of_its_own(acme: Viewer, ask: Asker) -> None:
    tags = {}
    for takes in ("gzip", None):
        response, body = await send(ask, LARGE, takes, "GET")
        tags[takes] = response.headers["etag"]
        again, same = await send(ask, LARGE, takes, "GET")
        assert (again.headers["etag"], same) == (tags[takes], body)
    assert tags["gzip"] != tags[None]
    for has, takes, status in (
        ("gzip", "gzip", 304),
        (None, None, 304),
        ("gzip", None, 200),
        (None, "gzip", 200),
    ):
        response, body = await send(ask, LARGE, takes, "GET", If_None_Match=tags[has])
        assert (response.status_code, bool(body)) == (status, status == 200)
        assert response.headers["etag"] == tags[takes]
        assert coding(response) == (takes if status == 200 else None)
    await make_bot(acme)
    assert (await send(ask, LARGE, "gzip", "GET", If_None_Match=tags["gzip"]))[0].status_code == 200


@SQLITE_ONLY
async def test_an_answer_is_compressed_once_and_beside_the_event_loop(
    acme: Viewer, ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, compress = [], zlib.compress

    def watched(body: bytes, *arguments: Any) -> bytes:
        threads.append(threading.current_thread())
        return compress(body, *arguments)

    monkeypatch.setattr(zlib, "compress", watched)
    bodies = {(await send(ask, LARGE))[1] for _ in range(3)}
    assert len(bodies) == len(threads) == 1
    assert threads[0] is not threading.current_thread()
    await make_bot(acme)
    _, body = await send(ask, LARGE)
    assert len(threads) == 2
    assert orjson.loads(gzip.decompress(body))["extensions"]["revision"] == 2


@SQLITE_ONLY
async def test_it_is_right_over_a_real_connection(service: Service) -> None:
    ask = await asker(service.client, await create_organization("Acme"))
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {ask.token}"}) as http:
        answers = [
            await http.post(service.http, json={"query": LARGE}, headers={"Accept-Encoding": takes})
            for takes in ("gzip", "gzip", "identity")
        ]
    assert [answer.headers.get("content-encoding") for answer in answers] == ["gzip", "gzip", None]
    assert answers[0].json() == answers[1].json() == answers[2].json()
