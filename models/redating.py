"""Redating the changes of a long transaction, at its end.

A write's instant is that of its beginning. Until it is committed, a query for the state at a later
instant gets an answer without it, which would be different afterwards. For a single write this
window is milliseconds; for a transaction of many writes, it would be as long as that takes.
"""

from models.database import fetch, fetch_each
from models.ledger import TICK, utc_now

# Where the instant of a change is stored: a table, its column, and the column with the revision.
DATED = (
    *((table, "created_at", "since_revision") for table in ("users", "bots", "personas", "groups")),
    ("groups", "updated_at", "updated_revision"),
    *((f"group_{held}", "added_at", "since_revision") for held in ("users", "bots", "personas")),
)


async def redate(organization_id: str, revision: int) -> None:
    """Date all changes after a revision as of now, inside the transaction that made them."""
    rows = await fetch(
        "SELECT c.revision, o.changed_at FROM changes c JOIN organizations o "
        "ON o.id = c.organization_id WHERE o.id = $1 AND c.revision > $2 ORDER BY c.revision",
        organization_id,
        revision,
    )
    if not rows:
        return
    now = max(utc_now(), rows[0]["changed_at"] + TICK)
    dates = [(organization_id, row["revision"], now + n * TICK) for n, row in enumerate(rows)]
    await fetch_each(
        "UPDATE changes SET at = $3 WHERE organization_id = $1 AND revision = $2", dates
    )
    for table, column, known_by in DATED:
        await fetch(
            f"UPDATE {table} SET {column} = (SELECT c.at FROM changes c "
            f"WHERE c.organization_id = $1 AND c.revision = {table}.{known_by}) "
            f"WHERE organization_id = $1 AND {known_by} > $2",
            organization_id,
            revision,
        )
    await fetch(
        "UPDATE organizations SET changed_at = $2 WHERE id = $1", organization_id, dates[-1][2]
    )
