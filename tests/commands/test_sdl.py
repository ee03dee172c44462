"""`sdl` prints the schema, and nothing else."""

import subprocess
import sys
from pathlib import Path

from schema import sdl
from tests.commands.running import manage
from tests.databases import ROOT


async def test_it_prints_the_schema_without_any_database() -> None:
    ran = await manage("sqlite://no/such/directory/file", "sdl")
    assert (ran.out, ran.said) == (sdl(), [])


def test_an_output_that_cannot_be_written_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "manage.py", "sdl"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.stderr == "Standard output can't be written: No space left on device.\n"
    assert ended.returncode == 2
