"""Every connection field of the graph, and an organization in which all of them hold enough."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, build_schema, get_named_type

import schema
from models.groups import create_group
from models.kinds import BOTS, KINDS, PERSONAS, USERS
from models.membership_writes import add_members
from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from tests.client import Asker, Client, asker
from tests.factories import make_admin, make_entries, make_group

GRAPH = build_schema(schema.sdl()).type_map
PAGE = """{
    edges { cursor node { id } } nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}"""
NAMES = ["Ann", "ann", "Bob", "Bob", "Élodie", "Zoë", "王芳", "Bob", "Cid", "Dan", "Eve", "Fay"]


@dataclass(frozen=True)
class Connection:
    """One connection field: how to come to it from the root."""

    parent: str
    field: str

    def __str__(self) -> str:
        return f"{self.parent}.{self.field}"

    def query(self, arguments: str, selection: str, ids: dict[str, str]) -> str:
        """The query of a part of it, of the parent that `ids` has by type."""
        asked = f"{self.field}{f'({arguments})' if arguments else ''} {selection}"
        if self.parent == "Query":
            return f"{{ {asked} }}"
        if self.parent == "Viewer":
            return f"{{ viewer {{ {asked} }} }}"
        id = ids[self.parent]
        return f'{{ node(id: "{id}") {{ ... on {self.parent} {{ {asked} }} }} }}'

    def read(self, data: Any) -> Any:
        """The connection within the data of the answer."""
        holder = {"Query": data, "Viewer": data.get("viewer")}.get(self.parent, data.get("node"))
        return holder[self.field]


def connections() -> Iterator[Connection]:
    """Every connection below the root, the viewer, and whatever has an id."""
    for type_ in GRAPH.values():
        if not isinstance(type_, GraphQLObjectType):
            continue
        if type_.name in ("Query", "Viewer") or "Node" in [i.name for i in type_.interfaces]:
            for name, field in type_.fields.items():
                if get_named_type(field.type).name.endswith("Connection"):
                    yield Connection(type_.name, name)


CONNECTIONS = list(connections())


@dataclass(frozen=True)
class World:
    """An organization in which every list has seven rows and more; `ids` has one a type."""

    ask: Asker
    ids: dict[str, str]

    async def page(self, connection: Connection, arguments: str) -> Any:
        """A page of a connection; checks that edges, nodes and pageInfo agree."""
        page = connection.read(await self.ask(connection.query(arguments, PAGE, self.ids)))
        edges = page["edges"]
        assert [edge["node"] for edge in edges] == page["nodes"]
        assert page["pageInfo"]["startCursor"] == (edges[0]["cursor"] if edges else None)
        assert page["pageInfo"]["endCursor"] == (edges[-1]["cursor"] if edges else None)
        return page


async def make_world(client: Client, acme: Viewer) -> World:
    """Everything in one large group, the first of each kind in seven more."""
    admin = await make_admin(acme, "Ada")
    entries = {kind: await make_entries(acme, kind, NAMES) for kind in KINDS}
    users, bots, personas = [admin, *entries[USERS]], entries[BOTS], entries[PERSONAS]
    group = (await create_group(acme, "Large")).id or ""
    for index in range(7):
        await add_members(acme, USERS, group, users[index : index + 1])
    await add_members(acme, BOTS, group, bots[:7])
    await add_members(acme, PERSONAS, group, personas[:7])
    for index in range(7):
        await make_group(
            acme, f"Group {index}", users=[admin], bots=bots[:1], personas=personas[:1]
        )
        await create_token(acme, f"Token {index}", Role.AUDITOR)
    ids = {"Group": group, "User": admin, "Bot": bots[0], "Persona": personas[0]}
    return World(await asker(client, acme, user=admin), ids)
