"""The benchmark's plain server does the same work: it answers what Cohort answers."""

import json
from typing import Any

import httpx

from bench import plain
from bench.operations import ADD, GROUP_EXPANDED, GROUPS_TABLE, NESTED, PICKER, USER_BOTS
from models.organizations import create_organization
from tests.client import asker, serving
from tests.factories import make_bot, make_group, make_persona, make_users


async def test_the_plain_server_answers_the_same(database_url: str) -> None:
    async with serving(database_url) as client:
        acme = await create_organization("Acme")
        users, bot = await make_users(acme, 3), await make_bot(acme, features=["Voice"])
        held: dict[str, Any] = {"bots": [bot], "personas": [await make_persona(acme)]}
        sales = await make_group(acme, "Sales", users=users[:2], **held)
        await make_group(acme, "Support", users=users[:1], bots=[bot])
        queries: list[tuple[str, dict[str, Any]]] = [
            (GROUPS_TABLE, {}),
            (GROUP_EXPANDED, {"id": sales}),
            (NESTED, {}),
            (PICKER, {"id": sales, "search": "a"}),
            (USER_BOTS, {"id": users[0]}),
            (ADD, {"input": {"groupId": sales, "userIds": [users[0]]}}),  # who is in it already
        ]
        ask = await asker(client, acme)
        expected = [await ask(query, **variables) for query, variables in queries]

    app = plain.create_app(database_url, acme.organization_id)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://plain.test") as http,
    ):
        for (query, variables), data in zip(queries, expected, strict=True):
            answer = await http.post("/graphql", json={"query": query, "variables": variables})
            # Strawberry writes instants with an offset.
            assert json.loads(answer.text.replace("+00:00", "Z")) == {"data": data}
