"""How commands speak: results on standard output, all else on standard error, and exit codes.

0: done. 1: something was found wrong, by `verify` or in a file to import. 2: the command could not
be run as it was given.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from models.errors import Busy, DomainError, Unavailable

T = TypeVar("T")

FOUND, REFUSED = 1, 2


class Refusal(Exception):
    """A command that cannot be run as it was given; the text is one sentence for the operator."""


class Findings(Exception):
    """What was found wrong: a line each, and a last one that says what comes of it."""

    def __init__(self, lines: Sequence[str], conclusion: str) -> None:
        super().__init__(conclusion)
        self.lines = lines


def say(text: str) -> None:
    """Tell something that is no result, on standard error."""
    typer.echo(text, err=True)


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what the operator can put right into lines on standard error, and an exit code."""
    try:
        yield
    except Refusal as error:
        say(str(error))
        raise typer.Exit(REFUSED) from error
    except DomainError as error:
        for problem in error.problems:
            say(problem.message)
        raise typer.Exit(REFUSED) from error
    except (Busy, Unavailable) as error:
        say(f"The database can't be used at the moment: {error}")
        raise typer.Exit(REFUSED) from error
    except Findings as error:
        for line in (*error.lines, str(error)):
            say(line)
        raise typer.Exit(FOUND) from error


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run a command to its end, and tell plainly what is in its way."""
    with plainly():
        return asyncio.run(command)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows below their heads, in columns as wide as they need to be: nothing is cut off."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
    return "\n".join(lines)
