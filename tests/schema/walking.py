"""Walks the whole graph, so that a new field is tested for leaks without anyone remembering it.

The queries are made from the schema: every field of every type that is met within a few steps of
the root, with every argument, each id in turn in each argument that takes one. Whatever is selected
bears its type and its name as alias (`Group__users`), so that answers and errors tell the field.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

from annotated_types import Le
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

import schema
from models.ids import kind_of, new_id
from models.ledger import utc_now
from runtime.settings import Settings
from tests.client import Asker

GRAPH = build_schema(schema.sdl())
STEPS = 2  # from an object of the root's to those whose plain fields are the last ones
NOUNS = ("organization", "persona", "change", "token", "group", "user", "bot")
PAGING = {"first", "after", "last", "before"}


def _highest(name: str) -> int:
    """The highest value that a setting may have, or one that is as good."""
    limits = [limit.le for limit in Settings.model_fields[name].metadata if isinstance(limit, Le)]
    return int(str(limits[0])) if limits else 10_000_000


# No query is too large, and none is answered from what was kept of an earlier one.
NO_LIMITS = {name: _highest(name) for name in Settings.model_fields if name.startswith("max_")}
NO_LIMITS |= {"kept_megabytes": 0, "max_answer_bytes": 1_000_000_000}


@dataclass
class Ids:
    """Ids to ask about, by noun, and instants to ask about besides the present."""

    by_noun: dict[str, list[str]] = field(default_factory=dict)
    moments: list[datetime] = field(default_factory=list)

    def of(self, argument: str, owner: str) -> list[str]:
        """Those that an argument is about, by its name or its owner's; or else all of them."""
        for text in (argument, owner):
            for noun in NOUNS:
                if noun in text.lower():
                    return self.by_noun.get(noun, [])
        return self.all()

    def all(self) -> list[str]:
        return [id for ids in self.by_noun.values() for id in ids]

    def renamed(self, names: dict[str, str]) -> "Ids":
        """The same with other ids in their place."""
        by_noun = {noun: [names[id] for id in ids] for noun, ids in self.by_noun.items()}
        return Ids(by_noun, self.moments)


def unknown(ids: Ids) -> dict[str, str]:
    """For each id one that no row has."""
    return {id: new_id(kind_of(id)) for id in ids.all()}


def renamed(value: Any, names: dict[str, str]) -> Any:
    """A value with some texts in it replaced."""
    text = json.dumps(value)
    for old, new in names.items():
        text = text.replace(old, new)
    return json.loads(text)


async def assert_like_unknown(ask: Asker, ids: Ids) -> dict[str, Any]:
    """Assert that ids are answered, whoever asks about them, like ids that no row has; returns the
    answers."""
    nothing = unknown(ids)
    answers = await walk(ask, ids, steps=0)
    of_unknown = await walk(ask, ids.renamed(nothing), steps=0)
    back = {unknown: id for id, unknown in nothing.items()}
    assert list(renamed(of_unknown, back).values()) == list(answers.values())
    return answers


def literals(type_: Any, name: str, owner: str, ids: Ids) -> list[str]:
    """Values of an input type, as a document has them: one for each choice of ids in it."""
    nullable = get_nullable_type(type_)
    if isinstance(nullable, GraphQLList):
        return [f"[{value}]" for value in literals(nullable.of_type, name, owner, ids)]
    if isinstance(nullable, GraphQLEnumType):
        return list(nullable.values)
    if isinstance(nullable, GraphQLInputObjectType):
        return list(_objects(nullable, ids))
    return {
        "ID": [json.dumps(id) for id in ids.of(name, owner)],
        "Int": ["1"],
        "Boolean": ["true", "false"],
        "DateTime": [json.dumps(at.isoformat()) for at in (utc_now(), *ids.moments)],
        "String": ['"walked@walk.example"' if name == "email" else '"a"'],
    }[nullable.name]


def _objects(type_: GraphQLInputObjectType, ids: Ids) -> Iterator[str]:
    """Input objects with all ids that they can take; of the rest, what they must have."""
    values = {
        name: literals(value.type, name, type_.name, ids)
        for name, value in type_.fields.items()
        if type_.is_one_of or is_required_input_field(value) or _takes_ids(value.type)
    }
    if type_.is_one_of:
        yield from (f"{{{name}: {one}}}" for name, some in values.items() for one in some)
        return
    for choice in product(*values.values()):
        pairs = (f"{name}: {one}" for name, one in zip(values, choice, strict=True))
        yield f"{{{', '.join(pairs)}}}"


def _takes_ids(type_: Any) -> bool:
    """Whether an id can be given somewhere in an input type."""
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        return any(_takes_ids(value.type) for value in named.fields.values())
    return str(named) == "ID"


def arguments_of(name: str, of: GraphQLField, ids: Ids) -> Iterator[str]:
    """The argument lists with which to ask for a field: what it must have, then each other one."""
    page = {"first": "20"} if "first" in of.args else {}
    must = {
        argument: literals(value.type, argument, name, ids)
        for argument, value in of.args.items()
        if is_required_argument(value)
    }
    for choice in product(*must.values()):
        given = page | dict(zip(must, choice, strict=True))
        yield _written(given)
        for argument, value in of.args.items():
            if argument not in PAGING and argument not in must:
                for literal in literals(value.type, argument, name, ids):
                    yield _written(given | {argument: literal})


def _written(arguments: dict[str, str]) -> str:
    pairs = ", ".join(f"{name}: {value}" for name, value in arguments.items())
    return f"({pairs})" if pairs else ""


def selection(type_: GraphQLNamedType, steps: int, ids: Ids, hidden: set[str]) -> str:
    """All fields of a type, and of what they lead to within so many steps."""
    if isinstance(type_, GraphQLInterfaceType):
        possible = GRAPH.get_possible_types(type_)
        parts = (f"... on {t.name} {selection(t, min(steps, 1), ids, hidden)}" for t in possible)
        return f"{{ __typename {' '.join(parts)} }}"
    assert isinstance(type_, GraphQLObjectType)
    is_step = not type_.name.endswith(("Connection", "Edge", "Payload"))
    parts = (
        _selected(type_, name, steps - is_step, ids, hidden)
        for name, value in type_.fields.items()
        if is_leaf_type(get_named_type(value.type)) or steps or not is_step
    )
    return f"{{ __typename {' '.join(parts)} }}"


def _selected(type_: GraphQLObjectType, name: str, steps: int, ids: Ids, hidden: set[str]) -> str:
    """One field of an object, and once more with each argument that it may have."""
    alias = f"{type_.name}__{name}"
    of = type_.fields[name]
    inner = get_named_type(of.type)
    if alias in hidden:
        return ""
    if is_leaf_type(inner):
        return f"{alias}: {name}"
    parts = []
    for number, arguments in enumerate(arguments_of(name, of, ids)):
        if number and not steps:
            break
        # What the plain field leads to is walked on from there; the rest only looked at.
        onward = 0 if number or name == "nodes" else steps
        marked = f"{alias}__{number}" if number else alias
        parts.append(f"{marked}: {name}{arguments} {selection(inner, onward, ids, hidden)}")
    return " ".join(parts)


async def walk(ask: Asker, ids: Ids, steps: int = STEPS) -> dict[str, Any]:
    """Every answer that somebody gets, by the field and the arguments that were asked for.

    A field that is FORBIDDEN, below the root, is left out of what is asked next, since it would
    take the objects around it out of the answer.
    """
    query_type = GRAPH.query_type
    assert query_type is not None
    hidden: set[str] = set()
    answers: dict[str, Any] = {}
    for name, of in query_type.fields.items():
        # What is listed can be asked for by id as well, and is walked on from there.
        onward = min(steps, 1) if name.removesuffix("s") in {*query_type.fields} - {name} else steps
        for number, arguments in enumerate(arguments_of(name, of, ids)):
            refused = {""}
            while refused:
                inner = selection(get_named_type(of.type), 0 if number else onward, ids, hidden)
                query = f"{{ Query__{name}: {name}{arguments} {inner} }}"
                answer = await ask.client.ask(query, token=ask.token)
                refused = _refused_below_the_root(answer)
                hidden |= refused
            answers[f"{name}{arguments}"] = answer
    return answers


def _refused_below_the_root(answer: Any) -> set[str]:
    refused = set()
    for error in answer.get("errors", []):
        path = [part for part in error.get("path", []) if isinstance(part, str)]
        if error["extensions"]["code"] == "FORBIDDEN" and len(path) > 1:
            refused.add("__".join(path[-1].split("__")[:2]))
    return refused


def texts(value: Any, key: str = "") -> Iterator[str]:
    """Every text in an answer, with what the cursors hold."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str):
        yield value
        if key.lower().endswith("cursor"):
            yield base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()


def visited(value: Any) -> Iterator[str]:
    """The fields (`Group.users`) that an answer holds, wherever they are in it."""
    if isinstance(value, list):
        for inner in value:
            yield from visited(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if "__" in name.lstrip("_"):
                yield ".".join(name.split("__")[:2])
            yield from visited(inner)


def without_revisions(value: Any) -> Any:
    """The same answer less the revisions, which every change moves."""
    if isinstance(value, list):
        return [without_revisions(inner) for inner in value]
    if isinstance(value, dict):
        return {k: without_revisions(v) for k, v in value.items() if not k.endswith("revision")}
    return value
