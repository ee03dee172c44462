"""Running `manage.py` as an operator does: arguments in, output and exit code out."""

import asyncio
from dataclasses import dataclass

from typer.testing import CliRunner

from manage import app


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: its exit code, its results, and the lines that it said besides."""

    code: int
    out: str
    said: list[str]


async def manage(url: str, *arguments: object, code: int = 0, **environment: str) -> Ran:
    """Run a command on the database of `url`; asserts its exit code, and that it was no crash."""
    result = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        [str(argument) for argument in arguments],
        env={"DATABASE_URL": url, **environment},
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return Ran(result.exit_code, result.stdout_bytes.decode(), result.stderr.splitlines())


async def refusal(url: str, *arguments: object, **environment: str) -> str:
    """Run a command that cannot be run as it is given; returns the one line that says why."""
    ran = await manage(url, *arguments, code=2, **environment)
    assert ran.out == ""
    assert len(ran.said) == 1, ran.said
    return ran.said[0]
