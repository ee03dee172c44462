"""Nothing of one organization is to be seen, touched, or told from nothing, from another."""

import json
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType

from models.organizations import create_organization
from models.tables import Role
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_group, make_user, snapshot
from tests.schema.organizations import furnish
from tests.schema.walking import (
    GRAPH,
    NO_LIMITS,
    Ids,
    arguments_of,
    assert_like_unknown,
    texts,
    unknown,
    visited,
    walk,
)
from tests.schema.writing import MUTATION

OURS, THEIRS = "ours", "theirs"


@pytest.fixture
def options() -> dict[str, Any]:
    """A service that takes queries of any size."""
    return NO_LIMITS


async def viewers(client: Client, acme: Viewer) -> list[Asker]:
    """An administrator, an auditor and a member of one organization."""
    member = await make_user(acme, "Eve")
    await make_group(acme, "Eve's", users=[member])
    return [
        await asker(client, acme, Role.ADMIN),
        await asker(client, acme, Role.AUDITOR),
        await asker(client, acme, user=member),
    ]


async def test_what_happens_in_another_organization_changes_no_answer(
    client: Client, acme: Viewer
) -> None:
    ids = await furnish(acme, OURS)
    asking = (await viewers(client, acme))[1:]
    before = [await walk(ask, ids) for ask in asking]
    await furnish(await create_organization("Other"), THEIRS)
    for ask, answers in zip(asking, before, strict=True):
        assert list((await walk(ask, ids)).values()) == list(answers.values())


async def test_the_ids_of_another_organization_are_like_unknown_ones(
    client: Client, acme: Viewer, other: Viewer
) -> None:
    await furnish(acme, OURS)
    foreign = await furnish(other, THEIRS)
    for ask in await viewers(client, acme):
        of_foreign = await assert_like_unknown(ask, foreign)
        found = "\n".join(texts(of_foreign))
        assert "Eve" in found
        for trace in (THEIRS, *foreign.all()):
            assert trace not in found


def choices(name: str, own: Ids, strange: Ids) -> list[str]:
    """Arguments of a mutation with at least one strange id in them."""
    nouns = {*own.by_noun, *strange.by_noun}
    both = Ids({noun: [own.by_noun[noun][0], strange.by_noun[noun][0]] for noun in nouns})
    written = arguments_of(name, MUTATION.fields[name], both)
    return [text for text in written if any(id in text for id in strange.all())]


@pytest.mark.parametrize("name", MUTATION.fields)
async def test_no_write_reaches_into_another_organization(
    client: Client, acme: Viewer, other: Viewer, name: str
) -> None:
    own, foreign = await furnish(acme, OURS), await furnish(other, THEIRS)
    nothing = unknown(foreign)
    ask = await asker(client, acme)
    before = [await snapshot(viewer.organization_id) for viewer in (acme, other)]
    for written in choices(name, own, foreign):
        query = f"mutation {{ {name}{written} {{ revision userErrors {{ code message field }} }} }}"
        answer = await client.ask(query, token=ask.token)
        assert answer["data"][name]["userErrors"]
        assert answer == await client.ask(renamed_text(query, nothing), token=ask.token)
        assert not [trace for trace in (THEIRS, *foreign.all()) if trace in json.dumps(answer)]
    assert [await snapshot(viewer.organization_id) for viewer in (acme, other)] == before


def renamed_text(text: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_the_walk_comes_by_every_field(client: Client, acme: Viewer) -> None:
    answers = await walk(await asker(client, acme), await furnish(acme, OURS))
    assert not [answer for answer in answers.values() if answer["data"] is None]
    fields = {
        f"{type_.name}.{name}"
        for type_ in GRAPH.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        if type_.name not in ("Mutation", "Subscription") and not is_payload(type_)
        for name in type_.fields
    }
    assert fields - {*visited(answers)} == set()


def is_payload(type_: GraphQLObjectType) -> bool:
    """Whether writes answer it; those are asked for in other tests."""
    interface = GRAPH.type_map["Payload"]
    assert isinstance(interface, GraphQLInterfaceType)
    return interface in type_.interfaces or type_.name == "UserError"
