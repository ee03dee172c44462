"""The service in this process, without a network: what tests of its answers ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from models.tables import Role
from models.tokens import create_token
from models.viewer import Viewer
from runtime.settings import Settings
from server import create_app

JSON = "application/json"


@dataclass(frozen=True)
class Client:
    """A client of the service, and the service's own application."""

    app: Starlette
    http: httpx.AsyncClient

    async def post(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        token: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """The response to a GraphQL request; `token` is the secret to come with."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = {"query": query, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def ask(
        self, query: str, variables: dict[str, Any] | None = None, token: str | None = None
    ) -> dict[str, Any]:
        """The JSON of the answer, whatever it is."""
        answer: dict[str, Any] = (await self.post(query, variables, token)).json()
        return answer


@dataclass(frozen=True)
class Asker:
    """Somebody who asks: a client with a token."""

    client: Client
    token: str
    viewer: Viewer

    async def __call__(self, query: str, **variables: Any) -> Any:
        """The data of the answer, which must be without errors."""
        answer = await self.client.ask(query, variables, self.token)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def errors(self, query: str, **variables: Any) -> list[tuple[str, str]]:
        """The code and the message of each top-level error of the answer."""
        answer = await self.client.ask(query, variables, self.token)
        return [
            (error["extensions"]["code"], error["message"]) for error in answer.get("errors", [])
        ]

    async def codes(self, query: str, **variables: Any) -> list[str]:
        """The codes of the top-level errors of the answer."""
        return [code for code, _ in await self.errors(query, **variables)]


@asynccontextmanager
async def serving(url: str, **settings: Any) -> AsyncIterator[Client]:
    """The service over the database of `url`; verbs of models/ in the test work on it too.

    It freezes nothing unless it is asked to: each start would look through all that the tests made.
    """
    app = create_app(Settings(database_url=url, **{"without": "frozen"} | settings))
    # A fault becomes a response, as it does in a real server, instead of being raised here.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://cohort.test") as http,
    ):
        yield Client(app, http)


async def asker(
    client: Client, viewer: Viewer, role: Role | None = Role.ADMIN, user: str | None = None
) -> Asker:
    """Somebody with a new token: of a role of its own, or a user's."""
    name = f"Token of {user or role}"
    _, secret = await create_token(viewer, name, None if user else role, user)
    return Asker(client, secret, viewer)
