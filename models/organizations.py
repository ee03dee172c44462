"""Tenants: only the operator creates and finds them. No request ever names one."""

from models import ids
from models.database import Row, fetch, transaction
from models.errors import Code, DomainError
from models.ledger import utc_now
from models.text import Reader, is_storable, name_key
from models.viewer import Viewer


async def create_organization(name: str) -> Viewer:
    """Create an organization, at revision 0; returns the operator's viewer in it.

    Raises DomainError: BLANK, TOO_LONG, INVALID, TAKEN.
    """
    reader = Reader()
    name = reader.required(name, "name", "Name")
    reader.finish()
    id = ids.new_id(ids.ORGANIZATION)
    async with transaction():
        created = await fetch(
            "INSERT INTO organizations (id, name, name_key, revision, viewers_revision, "
            "group_count, user_count, bot_count, persona_count, created_at, changed_at) "
            "VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, $4, $4) ON CONFLICT DO NOTHING RETURNING id",
            id,
            name,
            name_key(name),
            utc_now(),
        )
        if not created:
            raise DomainError.of(
                Code.TAKEN, f"There is already an organization named “{name}”.", "name"
            )
    return Viewer.operator(id)


async def all_organizations() -> list[Row]:
    """Every organization, by name: `id`, `name`, `name_key`, `revision`."""
    return list(
        await fetch("SELECT id, name, name_key, revision FROM organizations ORDER BY name_key")
    )


async def find_organization(name: str) -> Viewer | None:
    """The operator's viewer in the organization with this name, ignoring case; or None."""
    key = name_key(name.strip())
    if not is_storable(key):
        return None
    rows = await fetch("SELECT id FROM organizations WHERE name_key = $1", key)
    return Viewer.operator(rows[0]["id"]) if rows else None
