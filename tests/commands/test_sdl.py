"""`sdl` prints the schema, and nothing else."""

from schema import sdl
from tests.commands.running import manage


async def test_it_prints_the_schema_without_any_database() -> None:
    ran = await manage("sqlite://no/such/directory/file", "sdl")
    assert (ran.out, ran.said) == (sdl(), [])
