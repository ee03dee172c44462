"""Those who are told of each statement: the query counts of the tests, the log and the figures."""

from collections.abc import Callable

watchers: list[Callable[[str], None]] = []


def seen(sql: str) -> None:
    """Tell everyone who watches that a statement is about to run."""
    for watcher in watchers:
        watcher(sql)
