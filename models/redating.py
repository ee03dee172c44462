"""Dating the changes of a long transaction anew, at its end.

A write's instant is taken when it begins. Whoever asks, before others can see the write, what stood
at a later instant is told what stood without it. For a single write these are milliseconds; for a
transaction of many they would be as long as it takes.
"""

from models.database import fetch, fetch_each
from models.ledger import TICK, utc_now

# What shows the instant of a change: the table, the column, and the one that tells the change.
DATED = (
    *((table, "created_at", "since_revision") for table in ("users", "bots", "personas", "groups")),
    ("groups", "updated_at", "updated_revision"),
    *((f"group_{held}", "added_at", "since_revision") for held in ("users", "bots", "personas")),
)


async def redate(organization_id: str, revision: int) -> None:
    """Date all changes behind a revision as made now: inside of the transaction that made them."""
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
