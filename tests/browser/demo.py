"""Makes demo organizations, with tokens for some of their people; prints all as JSON."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from commands import demo, demo_data
from commands.tokens import create
from models import database
from models.organizations import find_organization


async def make(file: Path, first: int, count: int, people: list[str]) -> list[dict[str, Any]]:
    """Make `count` of them, numbered from `first`; returns names, and tokens by email address."""
    name = demo_data.ORGANIZATION
    made = []
    async with database.opened(f"sqlite://{file}"):
        await database.migrate()
        for number in range(first, first + count):
            demo_data.ORGANIZATION = f"{name} {number}" if number > 1 else name
            await demo.make()
            operator = await find_organization(demo_data.ORGANIZATION)
            assert operator
            tokens = {
                email: await create(operator, f"Browser of {email}", None, email, None)
                for email in people
            }
            made.append({"name": demo_data.ORGANIZATION, "tokens": tokens})
    return made


if __name__ == "__main__":
    file, first, count, *people = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(make(Path(file), int(first), int(count), people))))
