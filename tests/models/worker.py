"""What other processes do to the database of a test: `python -m tests.models.worker VERB URL …`."""

import asyncio
import random
import sys
from collections.abc import Sequence

from models.database import fetch
from models.kinds import KINDS, Kind
from models.ledger import write
from models.membership_writes import add_members, remove_members
from models.organizations import find_organization
from models.tables import Action
from models.viewer import Viewer
from tests.databases import opened


async def quarrel(
    viewer: Viewer, seed: int, writes: int, groups: Sequence[str], ids: dict[Kind, list[str]]
) -> None:
    """Put random ones of all kinds into random groups, and take them out again."""
    chance = random.Random(seed)
    for _ in range(writes):
        kind = chance.choice(KINDS)
        verb = chance.choice((add_members, remove_members))
        chosen = chance.sample(ids[kind], chance.randint(1, len(ids[kind])))
        await verb(viewer, kind, chance.choice(groups), chosen)


async def quarrel_alone(url: str, seed: str, writes: str) -> None:
    """Quarrel over what “Acme” has, in three tasks at once."""
    async with opened(url):
        viewer = await find_organization("Acme")
        assert viewer is not None
        ids = {kind: [row[0] for row in await fetch(f"SELECT id FROM {kind.table}")]
               for kind in KINDS}  # fmt: skip
        groups = [row[0] for row in await fetch("SELECT id FROM groups")]
        await asyncio.gather(
            *(quarrel(viewer, int(seed) + task, int(writes), groups, ids) for task in range(3))
        )


async def hang(url: str) -> None:
    """Change everything about “Acme” in one write, say so, and never finish."""
    async with opened(url):
        viewer = await find_organization("Acme")
        assert viewer is not None
        async with write(viewer) as draft:
            await fetch("UPDATE groups SET user_count = 99")
            await fetch("UPDATE organizations SET revision = 99")
            draft.record(Action.GROUP_UPDATED, "did harm", details={})
            sys.stdout.write("written\n")
            sys.stdout.flush()
            await asyncio.sleep(60)


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    asyncio.run(hang(*arguments) if verb == "hang" else quarrel_alone(*arguments))
