"""The plain server that Cohort is measured against: Strawberry and Tortoise as their docs teach.

Models are hydrated, DataLoaders batch, and Strawberry's own executor and ASGI view answer. It knows
the fields that `operations.py` asks for, under the same names and with the same answers, and has
neither sign-in nor ledger. It counts by GROUP BY, so it keeps no counters. Beyond the plainest it
has what a careful developer adds in a line: parsed and validated documents are kept.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import strawberry
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from tortoise.contrib.starlette import RegisterTortoise
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from bench import plain_tables as tables
from bench.plain_loaders import Loaders
from bench.plain_types import Group, Page, PageInfo, User
from models import ids
from models.database import config

ENGINES = {
    "models.database.sqlite": "tortoise.backends.sqlite",
    "models.database.postgres": "tortoise.backends.asyncpg",
}
# What Tortoise's own engines are told of a connection; the rest is for Cohort's.
CREDENTIALS = ("host", "port", "user", "password", "database", "maxsize", "file_path")


Info = strawberry.Info[dict[str, Any], None]


def live_groups(info: Info) -> QuerySet[tables.Group]:
    """The groups that stand, of the one organization that this server serves."""
    return tables.Group.filter(
        organization_id=info.context["organization_id"], until_revision__isnull=True
    )


def live_users(info: Info) -> QuerySet[tables.User]:
    """The users that stand, of that organization."""
    return tables.User.filter(
        organization_id=info.context["organization_id"], until_revision__isnull=True
    )


@strawberry.type
class Groups(Page[Group]):
    """A page of the groups table."""

    @strawberry.field
    async def total_count(self, info: Info) -> int:
        return await live_groups(info).count()


@strawberry.type
class Query:
    @strawberry.field
    async def groups(self, info: Info, first: int = 50) -> Groups:
        rows = await live_groups(info).order_by("name_key", "id").limit(first + 1)
        return Groups(
            nodes=[Group.of(row) for row in rows[:first]],
            page_info=PageInfo(has_next_page=len(rows) > first),
        )

    @strawberry.field
    async def group(self, info: Info, id: strawberry.ID) -> Group | None:
        row = await live_groups(info).get_or_none(id=id)
        return Group.of(row) if row else None

    @strawberry.field
    async def user(self, info: Info, id: strawberry.ID) -> User | None:
        row = await live_users(info).get_or_none(id=id)
        return User.of(row) if row else None


@strawberry.input
class AddUsersToGroupInput:
    group_id: strawberry.ID
    user_ids: list[strawberry.ID]


@strawberry.input
class RemoveUsersFromGroupInput:
    group_id: strawberry.ID
    user_ids: list[strawberry.ID]


@strawberry.type
class UserError:
    code: str
    message: str


@strawberry.type
class Payload:
    group: Group | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)

    @classmethod
    def not_found(cls) -> "Payload":
        return cls(user_errors=[UserError(code="NOT_FOUND", message="There is no such row.")])


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add_users_to_group(self, info: Info, input: AddUsersToGroupInput) -> Payload:
        async with in_transaction():
            group = await live_groups(info).get_or_none(id=input.group_id)
            users = await live_users(info).filter(id__in=input.user_ids)
            if group is None or len(users) != len(set(input.user_ids)):
                return Payload.not_found()
            now = datetime.now(UTC)
            await tables.GroupUser.bulk_create(
                [
                    tables.GroupUser(
                        id=ids.new_id("mem"),
                        organization_id=group.organization_id,
                        group_id=group.id,
                        user_id=user.id,
                        sort_key=user.name_key,
                        added_at=now,
                        since_revision=0,
                    )
                    for user in users
                ],
                ignore_conflicts=True,
            )
        return Payload(group=Group.of(group))

    @strawberry.mutation
    async def remove_users_from_group(
        self, info: Info, input: RemoveUsersFromGroupInput
    ) -> Payload:
        async with in_transaction():
            group = await live_groups(info).get_or_none(id=input.group_id)
            if group is None:
                return Payload.not_found()
            await tables.GroupUser.filter(
                group_id=group.id, user_id__in=input.user_ids, until_revision__isnull=True
            ).update(until_revision=1)
        return Payload(group=Group.of(group))


class PlainGraphQL(GraphQL[Any, None]):
    """Strawberry's view, with loaders of its own for each request."""

    organization_id = ""

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> dict[str, Any]:
        return {"organization_id": self.organization_id, "loaders": Loaders()}


def create_app(url: str, organization_id: str) -> Starlette:
    """The application on a database that already has its tables and rows."""
    settings = config(url)
    for connection in settings["connections"].values():
        connection["engine"] = ENGINES[connection["engine"]]
        given = connection["credentials"]
        connection["credentials"] = {name: given[name] for name in CREDENTIALS if name in given}
    settings["apps"] = {"models": {"models": ["bench.plain_tables"]}}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with RegisterTortoise(app, config=settings):
            yield

    schema = strawberry.Schema(Query, Mutation, extensions=[ParserCache, ValidationCache])
    view = PlainGraphQL(schema, graphql_ide=None)
    view.organization_id = organization_id
    return Starlette(routes=[Route("/graphql", view)], lifespan=lifespan)


def main(
    database: Annotated[str, typer.Option()],
    organization: Annotated[str, typer.Option()],
    host: Annotated[str, typer.Option()],
    port: Annotated[int, typer.Option()],
) -> None:
    """Serve one organization of a database."""
    uvicorn.run(
        create_app(database, organization),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    typer.run(main)
