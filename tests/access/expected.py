"""What the answers about access must be, from a state as brute force tells it; and asking them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from models.access import Decision, Question, Reach, Reason, access_pages, decide, holders, ids_of
from models.database import Row
from models.history import revision_at
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.listing import Slice, fetch_pages
from models.memberships import members
from models.viewer import Viewer
from tests.access.world import State

ALL = Slice(100)
RESOURCES = (BOTS, PERSONAS)


def holding(state: State, kind: Kind, id: str) -> set[str]:
    """The groups that hold a user, a bot or a persona."""
    return {group for group, team in state.teams.items() if id in team.held[kind]}


Answer = tuple[Decision, list[str]]


def decision(state: State, question: Question) -> Answer:
    """What a question must be answered, and the groups to join; in the order of their ids."""
    users, resources = state.entries[USERS], state.entries[question.kind]
    if question.user_id not in users or question.resource_id not in resources:
        return Decision(question, Reason.NOT_FOUND), []
    held_by = holding(state, question.kind, question.resource_id)
    via = held_by & holding(state, USERS, question.user_id)
    if question.user_id not in state.active:
        return Decision(question, Reason.USER_DEACTIVATED), sorted(held_by)
    if via:
        return Decision(question, Reason.GRANTED, tuple(sorted(via))), []
    reason = Reason.NO_COMMON_GROUP if held_by else Reason.RESOURCE_IN_NO_GROUP
    return Decision(question, reason), sorted(held_by)


async def decisions(viewer: Viewer, questions: list[Question]) -> list[Answer]:
    """What they are answered, and the groups to join; in the order of their ids."""
    found = await decide(viewer, questions)
    return [
        (replace(each, via=tuple(sorted(each.via))), sorted(row["id"] for row in rows))
        for each, rows in zip(found, await holders(viewer, found), strict=True)
    ]


Told = dict[str, Any]


def told_of(state: State, users: list[str]) -> Told:
    """What each group must be told to hold, and what each user must be told to reach, and how."""
    reached = {
        (user, kind.noun): {
            id: holding(state, kind, id) & holding(state, USERS, user)
            for reached_user, id in state.access
            if reached_user == user and id in state.entries[kind]
        }
        for user in users
        for kind in RESOURCES
    }
    groups = {
        (group, kind.noun): set(team.held[kind])
        for group, team in state.teams.items()
        for kind in KINDS
        if team.held[kind]
    }
    return {"groups": groups, "reached": reached}


async def tell(
    viewer: Viewer, groups: list[str], users: list[str], at: datetime | None = None
) -> Told:
    """What they are told to hold and to reach, now or as of an instant."""
    moment = None if at is None else await revision_at(viewer, at)
    held, reached = {}, {}
    for kind in KINDS:
        pages = await fetch_pages(members(viewer, kind, None, moment), ALL, groups)
        for group, page in pages.items():
            if page.rows:
                held[group, kind.noun] = {row["id"] for row in page.rows}
    for kind in RESOURCES:
        pages = await access_pages(Reach(viewer, USERS, kind, None, moment), ALL, users)
        for user, page in pages.items():
            found: list[Row] = list(page.rows)
            reached[user, kind.noun] = {each["id"]: set(ids_of(each["via"])) for each in found}
    return {"groups": held, "reached": reached}
