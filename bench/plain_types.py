"""The plain server's GraphQL types, made from hydrated models.

Names and answers are those of Cohort's contract, as far as `operations.py` asks.
"""

from collections import defaultdict
from datetime import datetime
from typing import Any, Generic, TypeVar

import strawberry
from tortoise.expressions import Q, Subquery

from bench import plain_tables as tables
from models.text import name_key

Info = strawberry.Info[dict[str, Any], None]
Node = TypeVar("Node")


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class Edge(Generic[Node]):
    added_at: datetime
    node: Node


@strawberry.type
class Members(Generic[Node]):
    """What a group holds of one kind."""

    edges: list[Edge[Node]]
    page_info: PageInfo
    group_id: strawberry.Private[str]
    noun: strawberry.Private[str]

    @strawberry.field
    def nodes(self) -> list[Node]:
        return [edge.node for edge in self.edges]

    @strawberry.field
    async def total_count(self, info: Info) -> int:
        return await _count(info, self.noun, self.group_id)


@strawberry.type
class Page(Generic[Node]):
    """A page of a list."""

    nodes: list[Node]
    page_info: PageInfo


@strawberry.type
class Bot:
    id: strawberry.ID
    name: str
    description: str | None
    avatar_url: str | None
    features: list[str]

    @classmethod
    def of(cls, row: tables.Bot) -> "Bot":
        return cls(
            id=strawberry.ID(row.id),
            name=row.name,
            description=row.description,
            avatar_url=row.avatar_url,
            features=row.features,
        )


@strawberry.type
class Persona:
    id: strawberry.ID
    name: str
    description: str | None
    avatar_url: str | None

    @classmethod
    def of(cls, row: tables.Persona) -> "Persona":
        return cls(
            id=strawberry.ID(row.id),
            name=row.name,
            description=row.description,
            avatar_url=row.avatar_url,
        )


@strawberry.type
class GivenBot:
    """A bot that a user may use, and the groups that give it."""

    node: Bot
    via: list["Group"]


@strawberry.type
class GivenBots:
    edges: list[GivenBot]
    total_count: int
    page_info: PageInfo


@strawberry.type
class User:
    id: strawberry.ID
    name: str
    email: str
    avatar_url: str | None
    status: strawberry.Private[str]

    @classmethod
    def of(cls, row: tables.User) -> "User":
        return cls(
            id=strawberry.ID(row.id),
            name=row.name,
            email=row.email,
            avatar_url=row.avatar_url,
            status=row.status,
        )

    @strawberry.field
    async def bots(self, first: int = 50) -> GivenBots:
        """Each bot once, however many of the user's groups hold it."""
        via: dict[str, list[tables.GroupBot]] = defaultdict(list)
        if self.status == "ACTIVE":
            groups = tables.GroupUser.filter(user_id=self.id, until_revision__isnull=True)
            for row in (
                await tables.GroupBot.filter(
                    group_id__in=Subquery(groups.values("group_id")), until_revision__isnull=True
                )
                .select_related("bot", "group")
                .order_by("sort_key", "bot_id", "group__name_key")
            ):
                via[row.bot_id].append(row)
        edges = [
            GivenBot(node=Bot.of(rows[0].bot), via=[Group.of(row.group) for row in rows])
            for rows in list(via.values())[:first]
        ]
        return GivenBots(
            edges=edges, total_count=len(via), page_info=PageInfo(has_next_page=len(via) > first)
        )


@strawberry.type
class Group:
    id: strawberry.ID
    name: str
    description: str | None
    created_at: datetime
    updated_at: datetime
    organization_id: strawberry.Private[str]

    @classmethod
    def of(cls, row: tables.Group) -> "Group":
        return cls(
            id=strawberry.ID(row.id),
            name=row.name,
            description=row.description,
            created_at=row.created_at,
            updated_at=row.updated_at,
            organization_id=row.organization_id,
        )

    @strawberry.field
    async def user_count(self, info: Info) -> int:
        return await _count(info, "user", self.id)

    @strawberry.field
    async def bot_count(self, info: Info) -> int:
        return await _count(info, "bot", self.id)

    @strawberry.field
    async def persona_count(self, info: Info) -> int:
        return await _count(info, "persona", self.id)

    @strawberry.field
    async def users(self, info: Info, first: int = 50) -> Members[User]:
        rows, more = await _members(info, "user", self.id, first)
        edges = [Edge(added_at=row.added_at, node=User.of(row.user)) for row in rows]
        return Members(edges=edges, page_info=more, group_id=self.id, noun="user")

    @strawberry.field
    async def bots(self, info: Info, first: int = 50) -> Members[Bot]:
        rows, more = await _members(info, "bot", self.id, first)
        edges = [Edge(added_at=row.added_at, node=Bot.of(row.bot)) for row in rows]
        return Members(edges=edges, page_info=more, group_id=self.id, noun="bot")

    @strawberry.field
    async def personas(self, info: Info, first: int = 50) -> Members[Persona]:
        rows, more = await _members(info, "persona", self.id, first)
        edges = [Edge(added_at=row.added_at, node=Persona.of(row.persona)) for row in rows]
        return Members(edges=edges, page_info=more, group_id=self.id, noun="persona")

    @strawberry.field
    async def available_users(self, search: str = "", first: int = 50) -> Page[User]:
        key = name_key(search)
        held = tables.GroupUser.filter(group_id=self.id, until_revision__isnull=True)
        rows = (
            await tables.User.filter(
                Q(name_key__contains=key) | Q(email_key__contains=key),
                organization_id=self.organization_id,
                until_revision__isnull=True,
                id__not_in=Subquery(held.values("user_id")),
            )
            .order_by("name_key", "id")
            .limit(first + 1)
        )
        return Page(
            nodes=[User.of(row) for row in rows[:first]],
            page_info=PageInfo(has_next_page=len(rows) > first),
        )


async def _count(info: Info, noun: str, group_id: str) -> int:
    count: int = await getattr(info.context["loaders"], f"{noun}_count").load(group_id)
    return count


async def _members(info: Info, noun: str, group_id: str, first: int) -> tuple[list[Any], PageInfo]:
    rows = await getattr(info.context["loaders"], f"{noun}s").load((group_id, first + 1))
    return rows[:first], PageInfo(has_next_page=len(rows) > first)
