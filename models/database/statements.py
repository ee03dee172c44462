"""The type of a statement, and watchers, which are called with each: in tests and benchmarks."""

from collections.abc import Callable, Sequence
from typing import Any

Statement = tuple[str, Sequence[Any]]  # with its parameters

FIRST = "first_of_all"  # the name, within a combined statement, of the one that decides

watchers: list[Callable[[str], None]] = []


def seen(sql: str) -> None:
    """Call the watchers with a statement that is about to run."""
    for watcher in watchers:
        watcher(sql)
