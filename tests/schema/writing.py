"""Asking for writes, and seeing that a refused one changed nothing."""

from typing import Any

from graphql import GraphQLObjectType, build_schema, get_named_type, is_leaf_type

import schema
from tests.client import Asker
from tests.factories import snapshot

GRAPH = build_schema(schema.sdl())

assert GRAPH.mutation_type is not None
MUTATION = GRAPH.mutation_type

TOO_MANY = [f"usr_{number:032x}" for number in range(1_001)]


def document(name: str, selection: str = "") -> str:
    """A mutation as a document: all of its payload, with at least the type of each object."""
    field = MUTATION.fields[name]
    payload = get_named_type(field.type)
    assert isinstance(payload, GraphQLObjectType)
    parts = [
        part if is_leaf_type(get_named_type(value.type)) else f"{part} {{ __typename }}"
        for part, value in payload.fields.items()
        if part != "userErrors"
    ]
    parts.append("userErrors { code message field }")
    return f"""mutation($input: {field.args["input"].type}) {{
        {name}(input: $input) {{ {" ".join(parts)} {selection} }} }}"""


async def write(ask: Asker, name: str, selection: str = "", /, **input: Any) -> Any:
    """The payload of a write that must be done."""
    payload = (await ask(document(name, selection), input=input))[name]
    assert payload["userErrors"] == []
    return payload


async def refused(ask: Asker, name: str, /, **input: Any) -> list[tuple[str, str]]:
    """The code and the path of each reason for which a write is refused.

    Checks that nothing changed, that the payload holds nothing else, and says the revision.
    """
    organization_id = ask.viewer.organization_id
    before = await snapshot(organization_id)
    payload = (await ask(document(name), input=input))[name]
    assert await snapshot(organization_id) == before
    errors, revision = payload.pop("userErrors"), payload.pop("revision")
    assert revision == before["organizations"][0]["revision"]
    assert all(value in (None, []) for value in payload.values())
    assert errors
    for error in errors:
        assert error["message"][0].isupper() or not error["message"][0].isalpha()
        assert error["message"].endswith(".")
    return [(error["code"], ".".join(error["field"] or [])) for error in errors]


async def unchanged(ask: Asker, name: str, selection: str = "", /, **input: Any) -> Any:
    """The payload of a write that is done, and found nothing to do: no row, no revision."""
    organization_id = ask.viewer.organization_id
    before = await snapshot(organization_id)
    payload = await write(ask, name, selection, **input)
    assert await snapshot(organization_id) == before
    assert payload["revision"] == before["organizations"][0]["revision"]
    return payload
