"""Exporting the directory and the memberships as CSV that `import` can read."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import copymode

import orjson

from commands.console import write_out, writing
from commands.directory import Directory, every
from commands.files import COLUMNS, Content, join_labels, to_csv
from models.database import Row, snapshot
from models.directory import entries
from models.groups import groups
from models.kinds import KINDS, Kind
from models.memberships import members
from models.viewer import Viewer

Out = Callable[[str], object]


async def export(viewer: Viewer, content: Content, path: Path | None) -> int:
    """Write all live records, as of one moment, to a file or standard output; returns how many.

    A file is written completely or not at all. Raises Refusal.
    """
    if path is None or _is_standard_output(path):
        return await write_csv(viewer, content, write_out)
    with writing(f"The file {path}"), _opened(path) as write:
        return await write_csv(viewer, content, write)


def _is_standard_output(path: Path) -> bool:
    """Whether a path, such as /dev/stdout, leads where standard output goes: possibly to a file
    that already has other content."""
    with suppress(OSError):  # nothing is there, or standard output is closed
        return os.path.samestat(path.stat(), os.fstat(1))
    return False


def _opened(path: Path) -> AbstractContextManager[Out]:
    is_special = path.exists() and not path.is_file()
    return _special_file(path) if is_special else _atomic_file(path)


@contextmanager
def _special_file(path: Path) -> Iterator[Out]:
    """A pipe or a device: it must not be replaced by a file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file.write


@contextmanager
def _atomic_file(path: Path) -> Iterator[Out]:
    """A file that appears under its name only when it is finished, and on the disk; symbolic links
    are followed.

    One that it replaces may be closed to others, and so is the new one, from its first line on.
    """
    path = Path(os.path.realpath(path))
    # Under a name of its own: another export of the same file may be under way.
    unfinished = path.with_name(f".{path.name}.{token_hex(4)}.unfinished")
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as file:
            if path.exists():
                copymode(path, unfinished)
            yield file.write
            file.flush()
            os.fsync(file.fileno())  # or its name could outlast a power cut, without its content
        unfinished.replace(path)
        _sync_directory(path.parent)
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _sync_directory(path: Path) -> None:
    """Have the names in a directory survive a power cut, where that can be asked for."""
    with suppress(OSError):  # it may not be read, or be of a file system that syncs only files
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


async def write_csv(viewer: Viewer, content: Content, write: Out) -> int:
    """Pass the header and the records, a page at a time, to `write`; returns how many records."""
    write(to_csv([COLUMNS[content]]))
    async with snapshot():
        if content.entries:
            return await _write_entries(viewer, content, content.entries, write)
        return await _write_memberships(viewer, write)


async def _write_entries(viewer: Viewer, content: Content, kind: Kind, write: Out) -> int:
    count = 0
    async for page in every(entries(viewer, kind)):
        write(to_csv(_cells(content, row) for row in page))
        count += len(page)
    return count


def _cells(content: Content, row: Row) -> Sequence[str | None]:
    return [
        join_labels(orjson.loads(row[column])) if column == "features" else row[column]
        for column in COLUMNS[content]
    ]


async def _write_memberships(viewer: Viewer, write: Out) -> int:
    """Groups by name; in each its users, bots and personas, by name."""
    count = 0
    directories = [await Directory.load(viewer, kind) for kind in KINDS]
    async for page in every(groups(viewer)):
        for group in page:
            for directory in directories:
                count += await _write_members(viewer, group, directory, write)
    return count


async def _write_members(viewer: Viewer, group: Row, directory: Directory, write: Out) -> int:
    kind = directory.kind
    if not group[kind.counter]:
        return 0
    async for page in every(members(viewer, kind), group["id"]):
        write(to_csv((group["name"], kind.noun, directory.call(row)) for row in page))
    return int(group[kind.counter])
