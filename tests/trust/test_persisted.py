"""Automatic persisted queries: texts that are named by their hash, once they were sent."""

import tracemalloc
from hashlib import sha256
from itertools import product
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from models.errors import RequestError
from models.organizations import create_organization
from models.tables import ActorKind, Role
from models.viewer import Viewer
from runtime.cache import LARGEST_PART, OVERHEAD
from schema.persisted import PersistedQueries
from schema.requests import request_from
from tests.access.service import CHANGES, Service, line
from tests.client import JSON, Asker, Client, asker, serving
from tests.factories import make_bot, make_group, make_user
from tests.refusals import unchanged

SQLITE_ONLY = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
GRAPHQL_JSON = "application/graphql-response+json"
QUERY = "{ organization { name } }"
GROUPS = "query($first: Int!) { groups(first: $first) { nodes { name } } }"
CREATE = 'mutation { createGroup(input: {name: "New"}) { group { name } } }'
NOT_FOUND = [("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")]
NOT_SUPPORTED = [("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")]


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def named(text: str, **others: Any) -> dict[str, Any]:
    """A request that names a text, and does not send it."""
    return {
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}},
        **others,
    }


def told(text: str, **others: Any) -> dict[str, Any]:
    """A request that sends a text along with its hash."""
    return {"query": text, **named(text, **others)}


async def post(ask: Asker, body: dict[str, Any], **headers: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {ask.token}", **headers}
    return await ask.client.http.post("/graphql", json=body, headers=headers)


async def get(ask: Asker, body: dict[str, Any], **headers: str) -> httpx.Response:
    params = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in body.items()
        if value is not None
    }
    headers = {"Authorization": f"Bearer {ask.token}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return await ask.client.http.get("/graphql", params=params, headers=headers)


def errors(response: httpx.Response) -> list[tuple[str, str]]:
    """The code and the message of each error, where there is nothing but errors."""
    body = response.json()
    assert body.keys() == {"errors"}, body
    return [(error["extensions"]["code"], error["message"]) for error in body["errors"]]


# ------------------------------------------------------------------------------------ the protocol


@SQLITE_ONLY
@pytest.mark.parametrize("send", [post, get])
async def test_a_text_that_was_sent_with_its_hash_is_named_by_it_from_then_on(
    ask: Asker, send: Any
) -> None:
    assert errors(await send(ask, named(QUERY))) == NOT_FOUND
    expected = {"organization": {"name": "Acme"}}
    assert (await send(ask, told(QUERY))).json()["data"] == expected
    for either in (post, get):
        response = await either(ask, named(QUERY))
        assert response.status_code == 200
        assert response.json()["data"] == expected
    for nothing in (None, ""):
        assert (await post(ask, named(QUERY, query=nothing))).json()["data"] == expected


@SQLITE_ONLY
async def test_a_text_that_was_sent_without_its_hash_is_not_known(ask: Asker) -> None:
    await ask(QUERY)
    assert errors(await post(ask, named(QUERY))) == NOT_FOUND


@SQLITE_ONLY
@pytest.mark.parametrize("send", [post, get])
async def test_clients_find_the_error_in_the_body_whatever_they_take(ask: Asker, send: Any) -> None:
    for accept, status in ((JSON, 200), (GRAPHQL_JSON, 400)):
        for body, expected in (
            (named(QUERY), NOT_FOUND),
            ({"extensions": {"persistedQuery": {"version": 2}}}, NOT_SUPPORTED),
        ):
            response = await send(ask, body, Accept=accept)
            assert response.status_code == status
            assert response.headers["content-type"] == f"{accept}; charset=utf-8"
            assert errors(response) == expected


@SQLITE_ONLY
async def test_a_hash_never_comes_to_stand_for_another_text(ask: Asker) -> None:
    response = await post(ask, named(QUERY, query=CREATE))
    assert response.status_code == 400
    assert errors(response) == [("BAD_REQUEST", "provided sha does not match query")]
    for text in (QUERY, CREATE):
        assert errors(await post(ask, named(text))) == NOT_FOUND
    await post(ask, told(QUERY))
    assert (await post(ask, named(QUERY, query=CREATE))).status_code == 400
    assert (await post(ask, named(QUERY))).json()["data"] == {"organization": {"name": "Acme"}}


@SQLITE_ONLY
@pytest.mark.parametrize("version", [0, 2, 1.5, "1", None, True, [1], {}])
async def test_another_version_is_not_supported(ask: Asker, version: Any) -> None:
    persisted = {"version": version, "sha256Hash": hash_of(QUERY)}
    for text in (None, QUERY):
        body = {"query": text, "extensions": {"persistedQuery": persisted}}
        assert errors(await post(ask, body)) == NOT_SUPPORTED


MALFORMED: dict[str, Any] = {
    "a hash alone": hash_of(QUERY),
    "a list": [{"version": 1, "sha256Hash": hash_of(QUERY)}],
    "a number": 1,
    "false": False,
    "no hash": {"version": 1},
    "null": {"version": 1, "sha256Hash": None},
    "a number as hash": {"version": 1, "sha256Hash": 7},
    "a list as hash": {"version": 1, "sha256Hash": [hash_of(QUERY)]},
    "an object as hash": {"version": 1, "sha256Hash": {}},
    "an empty hash": {"version": 1, "sha256Hash": ""},
    "in upper case": {"version": 1, "sha256Hash": hash_of(QUERY).upper()},
    "a digit too few": {"version": 1, "sha256Hash": hash_of(QUERY)[1:]},
    "a digit too many": {"version": 1, "sha256Hash": hash_of(QUERY) + "0"},
    "a line too many": {"version": 1, "sha256Hash": hash_of(QUERY) + "\n"},
    "other digits": {"version": 1, "sha256Hash": "٣" * 64},
    "megabytes": {"version": 1, "sha256Hash": "a" * 50_000},
}


@SQLITE_ONLY
@pytest.mark.parametrize("persisted", MALFORMED.values(), ids=MALFORMED)
async def test_what_names_nothing_is_400(ask: Asker, persisted: Any) -> None:
    await post(ask, told(QUERY))
    for send, text in product((post, get), (None, QUERY)):
        response = await send(ask, {"query": text, "extensions": {"persistedQuery": persisted}})
        assert response.status_code == 400
        ((code, message),) = errors(response)
        assert code == "BAD_REQUEST"
        assert len(message) < 100


@SQLITE_ONLY
async def test_null_and_what_others_put_there_do_not_matter(ask: Asker) -> None:
    extensions = {"persistedQuery": None, "trace": 1}
    assert (await post(ask, {"query": QUERY, "extensions": extensions})).json()["data"]
    assert (await post(ask, {"extensions": extensions})).status_code == 400
    body = told(QUERY)
    body["extensions"]["persistedQuery"]["miss"] = True  # as urql has it
    assert (await post(ask, body)).json()["data"]


@SQLITE_ONLY
async def test_without_room_no_hash_is_taken(database_url: str) -> None:
    async with serving(database_url, persisted_megabytes=0) as client:
        ask = await asker(client, await create_organization("Acme"))
        for body in (told(QUERY), named(QUERY)):
            assert errors(await post(ask, body)) == NOT_SUPPORTED
        assert await ask(QUERY) == {"organization": {"name": "Acme"}}


# ------------------------------------------------------------------------------- what is held to


@SQLITE_ONLY
@pytest.mark.parametrize(
    "text", ["{", "{ nothing }", "{ groups(first: 101) { totalCount } }", "fragment A on Query {x}"]
)
async def test_only_a_valid_document_within_the_limits_is_known(ask: Asker, text: str) -> None:
    assert errors(await post(ask, told(text)))
    assert errors(await post(ask, named(text))) == NOT_FOUND


@SQLITE_ONLY
async def test_a_named_text_is_held_to_the_limits_like_any(ask: Asker) -> None:
    await post(ask, told(GROUPS, variables={"first": 1}))
    ((code, _),) = errors(await post(ask, named(GROUPS, variables={"first": 101})))
    assert code == "LIMIT_EXCEEDED"
    assert errors(await post(ask, named(GROUPS, operationName="Other")))
    assert errors(await post(ask, named(GROUPS)))


@SQLITE_ONLY
async def test_a_stranger_makes_nothing_known_and_learns_nothing(
    client: Client, ask: Asker
) -> None:
    stranger = Asker(client, "cohort_wrong", ask.viewer)
    assert (await post(stranger, told(QUERY))).status_code == 401
    assert errors(await post(ask, named(QUERY))) == NOT_FOUND
    await post(ask, told(QUERY))
    for text in (QUERY, GROUPS):
        response = await post(stranger, named(text))
        assert response.status_code == 401
        assert [code for code, _ in errors(response)] == ["UNAUTHENTICATED"]


@SQLITE_ONLY
async def test_what_one_organization_asks_another_cannot_tell(client: Client, ask: Asker) -> None:
    other = await asker(client, await create_organization("Other"))
    await post(ask, told(QUERY))
    assert errors(await post(other, named(QUERY))) == NOT_FOUND
    await post(other, told(QUERY))
    for each, name in ((ask, "Acme"), (other, "Other")):
        assert (await post(each, named(QUERY))).json()["data"] == {"organization": {"name": name}}


async def test_a_write_may_be_named_though_not_by_get(ask: Asker) -> None:
    async with unchanged(ask.viewer):
        assert (await get(ask, told(CREATE))).status_code == 405
        response = await get(ask, named(CREATE))
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert (await post(ask, named(CREATE))).json()["data"]["createGroup"]["group"]


@SQLITE_ONLY
async def test_a_page_of_another_origin_cannot_ask_by_a_hash(client: Client, ask: Asker) -> None:
    await post(ask, told(QUERY))
    params = {"extensions": orjson.dumps(named(QUERY)["extensions"]).decode()}
    headers = {"Cookie": f"cohort_session={ask.token}", "Sec-Fetch-Site": "cross-site"}
    response = await client.http.get("/graphql", params=params, headers=headers)
    assert response.status_code == 401


# ------------------------------------------------------------------------------ answers are kept


async def test_an_answer_to_a_hash_is_kept_for_as_long_as_it_is_true(
    client: Client, acme: Viewer, ask: Asker
) -> None:
    await make_group(acme, "Sales")
    reader = await asker(client, acme, user=await make_user(acme))
    body = named(GROUPS, variables={"first": 5})
    for each in (ask, reader):
        await post(each, told(GROUPS, variables={"first": 5}))
    for _ in range(2):  # found, then as it was kept
        for send in (post, get):
            seen = [
                [group["name"] for group in answer["groups"]["nodes"]]
                for answer in [(await send(each, body)).json()["data"] for each in (ask, reader)]
            ]
            assert seen == [["Sales"], []]  # a member is in none
    assert (await post(ask, named(GROUPS, variables={"first": 0}))).json()["data"] == {
        "groups": {"nodes": []}
    }
    await make_group(acme, "Support")
    for send in (post, get):
        names = (await send(ask, body)).json()["data"]["groups"]["nodes"]
        assert names == [{"name": "Sales"}, {"name": "Support"}]


@SQLITE_ONLY
async def test_a_get_by_hash_is_told_that_the_client_has_the_answer(
    acme: Viewer, ask: Asker
) -> None:
    missed = await get(ask, named(QUERY))
    assert errors(missed) == NOT_FOUND
    assert "no-cache" in missed.headers["cache-control"]
    await post(ask, told(QUERY))
    # Whoever has kept the miss is not told that it still holds.
    found = await get(ask, named(QUERY), If_None_Match=missed.headers["etag"])
    assert (found.status_code, found.json()["data"]) == (200, {"organization": {"name": "Acme"}})
    tag = found.headers["etag"]
    again = await get(ask, named(QUERY), If_None_Match=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await make_bot(acme)
    assert (await get(ask, named(QUERY), If_None_Match=tag)).status_code == 200


@SQLITE_ONLY
async def test_an_answer_is_the_same_after_its_text_is_forgotten(database_url: str) -> None:
    async with serving(database_url, persisted_megabytes=1) as client:
        ask = await asker(client, await create_organization("Acme"))
        first = await post(ask, told(QUERY))
        by_hash = await post(ask, named(QUERY))
        padding = "#" * (1_000_000 // LARGEST_PART - 2 * OVERHEAD)
        for number in range(LARGEST_PART + 1):
            assert "data" in (await post(ask, told(f"{QUERY}{padding}{number}"))).json()
        assert (await post(ask, named(QUERY))).content == by_hash.content == first.content
        await make_bot(ask.viewer)  # and now nothing is kept
        assert errors(await post(ask, named(QUERY))) == NOT_FOUND
        assert (await post(ask, told(QUERY))).json()["data"] == first.json()["data"]


# ------------------------------------------------------------------------------- other transports


@SQLITE_ONLY
async def test_a_socket_takes_hashes_too(service: Service) -> None:
    acme = await create_organization("Acme")
    ask = await asker(service.client, acme)
    async with line(service, ask.token) as made:
        await made.say("subscribe", id="1", payload=named(CHANGES))
        message = await made.hear()
        assert (message["type"], message["id"]) == ("error", "1")
        assert message["payload"][0]["message"] == "PersistedQueryNotFound"
        await made.say("subscribe", id="1", payload=told(CHANGES))
        await made.say("subscribe", id="2", payload=named(CHANGES))
        await made.ask("{ viewer { role } }")  # both have begun
        await make_bot(acme)
        heard = [await made.hear() for _ in range(2)]
        assert {message["id"] for message in heard} == {"1", "2"}
        assert {message["type"] for message in heard} == {"next"}


@SQLITE_ONLY
async def test_an_event_stream_takes_hashes_too(service: Service) -> None:
    acme = await create_organization("Acme")
    ask = await asker(service.client, acme)
    headers = {"Authorization": f"Bearer {ask.token}", "Accept": "text/event-stream"}
    async with httpx.AsyncClient() as http:
        response = await http.post(service.http, json=named(CHANGES), headers=headers)
        assert "PersistedQueryNotFound" in response.text
        assert response.text.endswith("event: complete\ndata: \n\n")
        async with http.stream("POST", service.http, json=told(CHANGES), headers=headers):
            pass
        async with http.stream(
            "POST", service.http, json=named(CHANGES), headers=headers
        ) as response:
            pieces = response.aiter_text()
            assert await anext(pieces) == ":\n\n"
            await make_bot(acme)
            assert '"action":"BOTS_UPSERTED"' in await anext(pieces)


# -------------------------------------------------------------------------------------- the room


@SQLITE_ONLY
async def test_the_figures_tell_how_often_a_hash_was_of_use(ask: Asker) -> None:
    def looked_up(gave: str) -> float:
        labels = {"cache": "persisted", "gave": gave}
        return REGISTRY.get_sample_value("cohort_cache_lookups_total", labels) or 0

    before = looked_up("hit"), looked_up("miss")
    for body in (named(QUERY), named(GROUPS), told(QUERY), named(QUERY), named(QUERY)):
        await post(ask, body)  # the last is kept
    assert (looked_up("hit"), looked_up("miss")) == (before[0] + 1, before[1] + 2)


ACME = Viewer("org_acme", Role.MEMBER, ActorKind.USER, "Ada")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["version", "sha256Hash", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
HASHES = st.sampled_from([hash_of(QUERY), hash_of(QUERY).upper(), hash_of(GROUPS), hash_of("")])
NAMING = st.fixed_dictionaries({"version": st.just(1) | ANYTHING, "sha256Hash": HASHES | ANYTHING})


@given(
    query=st.sampled_from([None, "", QUERY, CREATE]) | ANYTHING,
    extensions=st.fixed_dictionaries({"persistedQuery": NAMING | ANYTHING}) | ANYTHING,
)
def test_whatever_is_sent_gives_the_text_that_was_meant_or_a_plain_refusal(
    query: Any, extensions: Any
) -> None:
    queries = PersistedQueries(1_000_000)
    queries.learn(ACME, request_from(told(QUERY)))
    try:
        asked = request_from({"query": query, "extensions": extensions})
        text = queries.text_of(ACME, asked)
    except RequestError:
        return
    assert text == (query or QUERY)
    persisted = (extensions or {}).get("persistedQuery")
    assert persisted is None or persisted["sha256Hash"] == hash_of(text)


@pytest.mark.parametrize("letter", ["a", "é", "界", "😀"])
@pytest.mark.parametrize("length", [10, 10_000])
def test_nobody_fills_the_memory(letter: str, length: int) -> None:
    room, number = 1_000_000, 3_000
    queries = PersistedQueries(room)

    def text(each: int) -> str:
        return f"{{ {letter * length} {each} }}"

    tracemalloc.start()
    for each in range(number):
        queries.learn(ACME, request_from(told(text(each))))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert room / 2 < taken < room * 1.1
    assert queries.text_of(ACME, request_from(named(text(number - 1)))) == text(number - 1)
    with pytest.raises(RequestError, match="PersistedQueryNotFound"):
        queries.text_of(ACME, request_from(named(text(0))))
