"""Making the demo organization step by step, as people would, so that it has a history."""

from collections.abc import Mapping, Sequence
from typing import Any

from commands import demo_data as data
from models.database import transaction
from models.errors import DomainError
from models.groups import create_group, delete_group, update_group
from models.kinds import BOTS, PERSONAS, USERS, Kind
from models.ledger import current_revision
from models.membership_writes import add_members, remove_members
from models.organizations import create_organization
from models.tables import ActorKind, Role, UserStatus
from models.upserts import upsert_entries
from models.viewer import Viewer

Ids = Mapping[str, str]

NAMES = {local: name for team in data.PEOPLE.values() for name, local in team}


async def make() -> str:
    """Make the demo organization, unless it exists; returns a message."""
    async with transaction():  # all or nothing: the next run would take half of it for all of it
        try:
            operator = await create_organization(data.ORGANIZATION)
        except DomainError:  # it exists, maybe because another process has just made it
            return f"The organization {data.ORGANIZATION} already exists; nothing was changed."
        people = await _people(operator)
        bots = await _upsert(operator, BOTS, [_bot(*row) for row in data.BOTS])
        personas = await _upsert(operator, PERSONAS, [_persona(*row) for row in data.PERSONAS])
        admins = [
            _as_person(operator, email, people)
            for email, role in data.ROLES.items()
            if role is Role.ADMIN
        ]
        groups = await _groups(admins[0], people, bots, personas)
        await _history(admins[1], groups, people, bots)
        revision = await current_revision(operator.organization_id)
    return (
        f"Created the organization {data.ORGANIZATION}, in {revision} changes: "
        f"{len(groups)} groups, {len(people)} people, {len(bots)} bots "
        f"and {len(personas)} personas."
    )


# ------------------------------------------------------------------------------------- directory


async def _people(operator: Viewer) -> Ids:
    """Add all people, a department at a time; returns ids by the local part of the address."""
    ids: dict[str, str] = {}
    for team in data.PEOPLE.values():
        outcome = await upsert_entries(operator, USERS, [_person(local) for _, local in team])
        ids |= zip((local for _, local in team), outcome.changed, strict=True)
    return ids


def _person(local: str) -> dict[str, Any]:
    return {
        "external_id": f"employee-{list(NAMES).index(local) + 1:03}",
        "name": NAMES[local],
        "email": f"{local}@example.com",
        "role": data.ROLES.get(local, Role.MEMBER),
    }


def _bot(name: str, description: str, features: Sequence[str]) -> dict[str, Any]:
    return {**_persona(name, description), "features": features}


def _persona(name: str, description: str) -> dict[str, Any]:
    return {
        "external_id": name.casefold().replace(" ", "-"),
        "name": name,
        "description": description,
    }


async def _upsert(viewer: Viewer, kind: Kind, inputs: Sequence[dict[str, Any]]) -> Ids:
    """Add rows; returns ids by name."""
    outcome = await upsert_entries(viewer, kind, inputs)
    return dict(zip((row["name"] for row in inputs), outcome.changed, strict=True))


def _as_person(operator: Viewer, local: str, people: Ids) -> Viewer:
    """A person of the organization as a viewer, so that the history shows who did what."""
    return Viewer(
        operator.organization_id, Role.ADMIN, ActorKind.USER, NAMES[local], user_id=people[local]
    )


# ---------------------------------------------------------------------------- groups and history


async def _groups(admin: Viewer, people: Ids, bots: Ids, personas: Ids) -> Ids:
    """Create the groups, with all their members; returns ids by name."""
    first_name, last_name = data.RENAMED
    ids: dict[str, str] = {}
    for name, description, departments, single, held_bots, held_personas in data.GROUPS:
        locals_ = [local for team in departments for _, local in data.PEOPLE[team]]
        outcome = await create_group(
            admin,
            first_name if name == last_name else name,
            description,
            {"user": [people[local] for local in (*locals_, *single)]},
        )
        ids[name] = str(outcome.id)
        await add_members(admin, BOTS, ids[name], [bots[bot] for bot in held_bots])
        await add_members(admin, PERSONAS, ids[name], [personas[one] for one in held_personas])
    return ids


async def _history(admin: Viewer, groups: Ids, people: Ids, bots: Ids) -> None:
    """Make the changes that came after the groups were created."""
    name, members, held = data.SHORT_LIVED
    campaign = await create_group(
        admin,
        name,
        members={
            "user": [people[local] for local in members],
            "bot": [bots[bot] for bot in held],
        },
    )
    for group, local in data.JOINED:
        await add_members(admin, USERS, groups[group], [people[local]])
    for group, local in data.LEFT:
        await remove_members(admin, USERS, groups[group], [people[local]])
    await update_group(admin, groups[data.RENAMED[1]], {"name": data.RENAMED[1]})
    await delete_group(admin, str(campaign.id))
    gone = _person(data.DEACTIVATED) | {"status": UserStatus.DEACTIVATED}
    await upsert_entries(admin, USERS, [gone])
