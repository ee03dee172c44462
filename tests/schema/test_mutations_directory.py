"""Upserting and deleting users, bots and personas."""

from typing import Any

import pytest

from models.ids import new_id
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.tables import Role, UserStatus
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_admin, make_entry, make_group, make_user
from tests.schema.writing import TOO_MANY, refused, unchanged, write

kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
resources = pytest.mark.parametrize("kind", [BOTS, PERSONAS], ids=lambda kind: kind.noun)


def upsert(kind: Kind) -> str:
    return f"upsert{kind.plural.title()}"


def delete(kind: Kind) -> str:
    return f"delete{kind.plural.title()}"


def entry(kind: Kind, name: str, **values: Any) -> dict[str, Any]:
    """An input for an upsert, with an email where one is needed."""
    email = {"email": f"{name.strip().lower().replace(' ', '.')}@acme.example"}
    return {"name": name, **(email if kind is USERS else {}), **values}


async def put(ask: Asker, kind: Kind, fields: str, *entries: dict[str, Any]) -> list[Any]:
    """Upsert; returns the rows as the payload has them."""
    selection = f"{kind.plural} {{ {fields} }}"
    payload = await write(ask, upsert(kind), selection, **{kind.plural: list(entries)})
    rows: list[Any] = payload[kind.plural]
    for row in rows:
        del row["__typename"]
    return rows


# ------------------------------------------------------------------------------------- upserting


@kinds
async def test_what_is_new_is_added_in_the_order_sent(ask: Asker, acme: Viewer, kind: Kind) -> None:
    rows = await put(ask, kind, "id name", *(entry(kind, name) for name in ("B", " A ", "C")))
    assert [row["name"] for row in rows] == ["B", "A", "C"]
    assert all(row["id"].startswith(f"{kind.prefix}_") for row in rows)
    data = await ask(f"{{ organization {{ count: {kind.noun}Count }} }}")
    assert data["organization"]["count"] == 3


@kinds
async def test_a_row_is_matched_by_its_external_id(ask: Asker, acme: Viewer, kind: Kind) -> None:
    old = (await put(ask, kind, "id", entry(kind, "Old", externalId="x-1")))[0]["id"]
    new = await put(
        ask, kind, "id name externalId", entry(kind, "New", externalId="x-1"), entry(kind, "Other")
    )
    assert new[0] == {"id": old, "name": "New", "externalId": "x-1"}
    assert new[1]["id"] != old


@resources
async def test_a_bot_or_persona_is_matched_by_its_id(ask: Asker, acme: Viewer, kind: Kind) -> None:
    id = await make_entry(acme, kind, "Old")
    changed = entry(kind, "New", id=id, externalId="x-2")
    assert await put(ask, kind, "id name externalId", changed) == [changed]


async def test_a_user_is_matched_by_email_in_any_case(ask: Asker, acme: Viewer) -> None:
    id = await make_user(acme, "Ada", email="Ada@Acme.example")
    rows = await put(
        ask, USERS, "id name email externalId",
        {"name": "Ada King", "email": "ADA@acme.EXAMPLE", "externalId": "u-1"},
    )  # fmt: skip
    assert rows == [
        {"id": id, "name": "Ada King", "email": "ADA@acme.EXAMPLE", "externalId": "u-1"}
    ]


@kinds
async def test_what_an_upsert_leaves_out_stays(ask: Asker, acme: Viewer, kind: Kind) -> None:
    more: dict[str, Any] = {"avatarUrl": "https://acme.example/a.png"}
    if kind is USERS:
        more |= {"role": "AUDITOR", "status": "DEACTIVATED"}
    else:
        more |= {"description": "Something."}
    fields = " ".join(["externalId", *more])
    first = await put(ask, kind, fields, entry(kind, "One", externalId="x-1", **more))
    again = await put(ask, kind, fields, entry(kind, "One", externalId="x-1"))
    assert again == first == [{"externalId": "x-1", **more}]
    nulls: dict[str, Any] = dict.fromkeys(more)
    cleared = await put(ask, kind, fields, entry(kind, "One", externalId="x-1", **nulls))
    kept: dict[str, Any] = {name: more[name] for name in ("role", "status") if name in more}
    assert cleared == [{"externalId": "x-1"} | nulls | kept]


@kinds
async def test_an_upsert_that_says_what_stands_is_no_change(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    sent = [entry(kind, "One", externalId="x-1"), entry(kind, "Two", externalId="x-2")]
    ids = [row["id"] for row in await put(ask, kind, "id", *sent)]
    selection = f"{kind.plural} {{ id }}"
    again = await unchanged(ask, upsert(kind), selection, **{kind.plural: sent})
    assert [row["id"] for row in again[kind.plural]] == ids
    await unchanged(ask, upsert(kind), **{kind.plural: []})


async def test_features_are_told_once_each_and_in_order(ask: Asker, acme: Viewer) -> None:
    rows = await put(ask, BOTS, "features", entry(BOTS, "B", features=["Voice", " Text ", "Voice"]))
    assert rows == [{"features": ["Voice", "Text"]}]


async def test_one_who_is_deactivated_is_out_at_once_and_may_come_back(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    id = await make_admin(acme, "Ada", email="ada@acme.example")
    ada = await asker(client, acme, user=id)
    user = {"name": "Ada", "email": "ada@acme.example"}
    await make_admin(acme, "Bob")
    await put(ask, USERS, "status", {**user, "status": "DEACTIVATED"})
    assert await ada.codes("{ viewer { role } }") == ["UNAUTHENTICATED"]
    await put(ask, USERS, "status", {**user, "status": "ACTIVE"})
    assert await ada("{ viewer { role } }") == {"viewer": {"role": "ADMIN"}}


@kinds
async def test_a_new_name_is_found_in_every_list(ask: Asker, acme: Viewer, kind: Kind) -> None:
    await put(ask, kind, "id", entry(kind, "Aaa", externalId="1"), entry(kind, "Bbb"))
    all_ = f"all: {kind.plural} {{ nodes {{ id name }} }}"
    ids = [node["id"] for node in (await ask(f"{{ {all_} }}"))["all"]["nodes"]]
    group = await make_group(acme, **{kind.plural: ids})
    await put(ask, kind, "id", entry(kind, "Zzz", externalId="1"))
    data = await ask(f'{{ {all_} group(id: "{group}") {{ {all_} }} }}')
    for found in (data, data["group"]):
        assert [node["name"] for node in found["all"]["nodes"]] == ["Bbb", "Zzz"]


# ------------------------------------------------------------------------------------ refusals


@kinds
async def test_what_makes_no_sense_is_not_added(ask: Asker, acme: Viewer, kind: Kind) -> None:
    await put(ask, kind, "id", entry(kind, "Here", externalId="x-1"))
    good = entry(kind, "Good")
    bad = {
        "name": [("BLANK", ""), ("TOO_LONG", "x" * 121), ("INVALID", "\x00"), ("BLANK", " ")],
        "externalId": [("TOO_LONG", "x" * 201), ("INVALID", "a\nb")],
        "avatarUrl": [
            ("INVALID", "javascript:alert(1)"), ("TOO_LONG", f"https://{'x' * 2_000}"),
            ("INVALID", "data:text/html,x"), ("INVALID", "https://a\x00b"),
        ],
    }  # fmt: skip
    if kind is USERS:
        bad["email"] = [
            ("BLANK", " "), ("INVALID", "ada"), ("INVALID", "@acme.example"), ("INVALID", "a@"),
            ("INVALID", "a b@acme.example"), ("TOO_LONG", f"{'x' * 255}@acme.example"),
        ]  # fmt: skip
    else:
        bad["description"] = [("TOO_LONG", "x" * 2_001), ("INVALID", "\x00")]
    for field, values in bad.items():
        for code, value in values:
            sent = [good, {**entry(kind, "Bad"), field: value}]
            errors = await refused(ask, upsert(kind), **{kind.plural: sent})
            assert errors == [(code, f"input.{kind.plural}.1.{field}")], value


async def test_features_are_few_and_short(ask: Asker) -> None:
    for features, code in (
        (["x"] * 21, "TOO_MANY"), (["x" * 41], "TOO_LONG"), ([" "], "BLANK"), (["\x00"], "INVALID"),
    ):  # fmt: skip
        bots = [entry(BOTS, "Bad", features=features)]
        assert await refused(ask, "upsertBots", bots=bots) == [(code, "input.bots.0.features")]


@kinds
async def test_every_problem_is_told_at_once(ask: Asker, acme: Viewer, kind: Kind) -> None:
    sent = [entry(kind, ""), entry(kind, "Good"), entry(kind, "x" * 121, avatarUrl="ftp://x")]
    errors = await refused(ask, upsert(kind), **{kind.plural: sent})
    paths = [("BLANK", "0.name"), ("TOO_LONG", "2.name"), ("INVALID", "2.avatarUrl")]
    if kind is USERS:
        paths = [(code, path) for code, path in errors if "email" not in path]
        assert len(paths) == 3
        return
    assert errors == [(code, f"input.{kind.plural}.{path}") for code, path in paths]


@kinds
async def test_an_external_id_is_one_rows_only(ask: Asker, acme: Viewer, kind: Kind) -> None:
    one, two = await put(
        ask, kind, "id", entry(kind, "One", externalId="x-1"), entry(kind, "Two", externalId="x-2")
    )
    if kind is USERS:
        taken = {"name": "One", "email": "two@acme.example", "externalId": "x-1"}
        path = "input.users.0.email"
    else:
        taken = entry(kind, "Two", id=two["id"], externalId="x-1")
        path = f"input.{kind.plural}.0.externalId"
    assert await refused(ask, upsert(kind), **{kind.plural: [taken]}) == [("TAKEN", path)]
    assert one != two


async def test_an_email_that_has_an_external_id_keeps_it(ask: Asker) -> None:
    await put(ask, USERS, "id", entry(USERS, "Ada", externalId="u-1"))
    users = [entry(USERS, "Ada", externalId="u-2")]
    assert await refused(ask, "upsertUsers", users=users) == [("TAKEN", "input.users.0.externalId")]


@kinds
async def test_a_row_stands_in_the_list_once(ask: Asker, acme: Viewer, kind: Kind) -> None:
    twice = [entry(kind, "One", externalId="x-1"), entry(kind, "Two", externalId="x-1")]
    errors = await refused(ask, upsert(kind), **{kind.plural: twice})
    assert errors == [("INVALID", f"input.{kind.plural}.1.name")]


@resources
async def test_only_a_bot_or_persona_that_exists_is_updated_by_id(
    ask: Asker, acme: Viewer, kind: Kind
) -> None:
    for id in (new_id(kind.prefix), new_id("usr"), "nonsense"):
        sent = [entry(kind, "Good"), entry(kind, "Bad", id=id)]
        errors = await refused(ask, upsert(kind), **{kind.plural: sent})
        assert errors == [("NOT_FOUND", f"input.{kind.plural}.1.id")]


@kinds
async def test_a_bulk_has_its_limit_and_its_revision(ask: Asker, acme: Viewer, kind: Kind) -> None:
    many = [entry(kind, f"E {number}") for number in range(1_001)]
    assert await refused(ask, upsert(kind), **{kind.plural: many}) == [
        ("TOO_MANY", f"input.{kind.plural}")
    ]
    some = {kind.plural: many[:1], "expectedRevision": 0}
    assert await refused(ask, upsert(kind), **some) == [("CONFLICT", "input.expectedRevision")]
    assert len(await put(ask, kind, "id", *many[:1_000])) == 1_000


async def test_the_last_admin_stays_one(ask: Asker, acme: Viewer) -> None:
    id = await make_admin(acme, "Ada", email="ada@acme.example")
    await make_admin(acme, "Idle", status=UserStatus.DEACTIVATED)
    ada = {"name": "Ada", "email": "ada@acme.example"}
    for change in ({"role": "MEMBER"}, {"status": "DEACTIVATED"}):
        users = [{**ada, **change}]
        assert await refused(ask, "upsertUsers", users=users) == [("LAST_ADMIN", "input.users")]
    assert await refused(ask, "deleteUsers", userIds=[id]) == [("LAST_ADMIN", "input.userIds")]
    users = [{**ada, "role": "MEMBER"}, {**entry(USERS, "Bob"), "role": "ADMIN"}]
    await write(ask, "upsertUsers", users=users)


# -------------------------------------------------------------------------------------- deleting


@kinds
async def test_what_is_deleted_is_gone_everywhere(ask: Asker, acme: Viewer, kind: Kind) -> None:
    ids = [await make_entry(acme, kind, name) for name in ("A", "B", "C")]
    group = await make_group(acme, **{kind.plural: ids})
    payload = await write(ask, delete(kind), **{kind.ids_field: [ids[1], ids[0], ids[1]]})
    title = kind.ids_field[0].upper() + kind.ids_field[1:]
    assert payload[f"deleted{title}"] == [ids[1], ids[0]]
    data = await ask(f"""{{ row: {kind.noun}(id: "{ids[0]}") {{ id }}
        organization {{ count: {kind.noun}Count }}
        group(id: "{group}") {{ count: {kind.noun}Count all: {kind.plural} {{
            totalCount nodes {{ id }} }} }} }}""")
    assert data == {
        "row": None,
        "organization": {"count": 1},
        "group": {"count": 1, "all": {"totalCount": 1, "nodes": [{"id": ids[2]}]}},
    }


@kinds
async def test_a_deletion_is_refused_whole(ask: Asker, acme: Viewer, kind: Kind) -> None:
    here, gone = await make_entry(acme, kind, "Here"), await make_entry(acme, kind, "Gone")
    await write(ask, delete(kind), **{kind.ids_field: [gone]})
    for ids, errors in (
        ([here, gone, "x"], [("NOT_FOUND", f"input.{kind.ids_field}.{n}") for n in (1, 2)]),
        (TOO_MANY, [("TOO_MANY", f"input.{kind.ids_field}")]),
    ):
        assert await refused(ask, delete(kind), **{kind.ids_field: ids}) == errors
    stale = {kind.ids_field: [here], "expectedRevision": 1}
    assert await refused(ask, delete(kind), **stale) == [("CONFLICT", "input.expectedRevision")]
    await unchanged(ask, delete(kind), **{kind.ids_field: []})


@kinds
async def test_what_a_deleted_row_had_is_free_again(ask: Asker, acme: Viewer, kind: Kind) -> None:
    same = entry(kind, "Same", externalId="x-1")
    old = (await put(ask, kind, "id", same))[0]["id"]
    await write(ask, delete(kind), **{kind.ids_field: [old]})
    assert (await put(ask, kind, "id", same))[0]["id"] != old


async def test_the_tokens_of_a_deleted_person_open_nothing(
    client: Client, ask: Asker, acme: Viewer
) -> None:
    id = await make_user(acme, role=Role.AUDITOR)
    person = await asker(client, acme, user=id)
    await person("{ viewer { role } }")
    await write(ask, "deleteUsers", userIds=[id])
    assert await person.codes("{ viewer { role } }") == ["UNAUTHENTICATED"]


def test_bots_and_personas_are_the_resources() -> None:
    assert {BOTS, PERSONAS} == set(KINDS) - {USERS}
