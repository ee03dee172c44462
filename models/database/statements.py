"""Statements, and those who are told of each: the counts of the tests, the log, the figures."""

from collections.abc import Callable, Sequence
from typing import Any

Statement = tuple[str, Sequence[Any]]  # with its parameters

FIRST = "first_of_all"  # how those that run together name the one that decides whether they do

watchers: list[Callable[[str], None]] = []


def seen(sql: str) -> None:
    """Tell everyone who watches that a statement is about to run."""
    for watcher in watchers:
        watcher(sql)
