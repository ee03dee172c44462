"""What commands print, and their exit codes: results on stdout, all else on stderr.

0: success. 1: `verify` or `import` found something wrong. 2: the command could not be run as given.
"""

import asyncio
import os
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from models.errors import Busy, DomainError, Unavailable

T = TypeVar("T")

FOUND, REFUSED = 1, 2


def open_standard_streams() -> None:
    """Open those of the standard streams that are closed, as /dev/null, for child processes, too.

    Otherwise sockets and pipes would get their numbers, and child processes would lose or share
    them: workers could not be told to end.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free


class Refusal(Exception):
    """A command cannot be run as it was given. The text is one sentence for the operator."""


class Findings(Exception):
    """Something was found wrong: a line for each problem, and a conclusion."""

    def __init__(self, lines: Sequence[str], conclusion: str) -> None:
        super().__init__(conclusion)
        self.lines = lines


def say(text: str) -> None:
    """Print a message that is not a result, on standard error."""
    typer.echo(text, err=True)


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Raise Refusal, in one line, if what the block writes to can't be written."""
    try:
        yield
    except BrokenPipeError:  # the reader wants no more
        raise
    except OSError as error:
        raise Refusal(f"{what} can't be written: {error.strerror}.") from error


def write_out(text: str) -> None:
    """Write a part of a result to standard output. Raises Refusal."""
    with writing("Standard output"):
        typer.echo(text, nl=False)


@contextmanager
def plainly() -> Iterator[None]:
    """Turn errors that the operator can fix into lines on standard error, and an exit code."""
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


def show(text: str) -> None:
    """Print a result, on standard output; errors are handled by `plainly`."""
    with plainly():
        write_out(f"{text}\n")


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run a command; errors are handled by `plainly`."""
    with plainly():
        return asyncio.run(command)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of rows below their headings, in columns as wide as their contents."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
    return "\n".join(lines)
