"""Listing organizations on the command line."""

from commands.console import table
from models.directory import organization
from models.organizations import all_organizations
from models.viewer import Viewer

HEADS = ("NAME", "REVISION", "GROUPS", "USERS", "BOTS", "PERSONAS")


async def list_organizations() -> str:
    """A table of all organizations by name, with their counters."""
    rows = []
    for found in await all_organizations():
        row = await organization(Viewer.operator(found["id"]))
        counts = (row[f"{noun}_count"] for noun in ("group", "user", "bot", "persona"))
        rows.append((row["name"], row["revision"], *counts))
    return table(HEADS, rows) if rows else "There are no organizations yet."
