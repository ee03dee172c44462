"""Makes the demo organization, and tokens for some of its people; prints the tokens as JSON."""

import asyncio
import json
import sys
from pathlib import Path

from commands import demo
from commands.demo_data import ORGANIZATION
from commands.tokens import create
from models import database
from models.organizations import find_organization


async def make(file: Path, people: list[str]) -> dict[str, str]:
    """Tokens, by the address of whom they are for."""
    async with database.opened(f"sqlite://{file}"):
        await database.migrate()
        await demo.make()
        operator = await find_organization(ORGANIZATION)
        assert operator
        return {
            email: await create(operator, f"Browser of {email}", None, email, None)
            for email in people
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(make(Path(sys.argv[1]), sys.argv[2:]))))
