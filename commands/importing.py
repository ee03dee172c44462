"""Importing CSV files into an organization: all of a file, or nothing.

The verbs of models/ take at most a thousand rows, and each call is a revision of its own. Here they
run inside one transaction, each in a savepoint. If one is refused, the next still runs, so that all
mistakes of a file are reported at once; then everything is rolled back. Others see the revisions of
a file together, when it is committed.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from commands.directory import Directory, every
from commands.files import Content, Line, Mistake, nothing_imported, split_labels
from models.directory import IDS_AT_ONCE, organization
from models.errors import DomainError
from models.groups import create_group, groups
from models.kinds import KINDS, USERS, Kind
from models.ledger import current_revision, write
from models.membership_writes import add_members
from models.redating import redate
from models.tables import Role, UserStatus
from models.text import is_blank, name_key, quantity
from models.upserts import upsert_entries
from models.viewer import Viewer

T = TypeVar("T")
Values = dict[str, Any]
Advance = Callable[[int], object]

CHOICES = {"role": Role, "status": UserStatus}
COLUMN_OF_FIELD = {"externalId": "external_id", "avatarUrl": "avatar_url"}
KIND_OF_WORD = {word: kind for kind in KINDS for word in (kind.noun, kind.plural)}


async def import_lines(
    viewer: Viewer,
    content: Content,
    lines: Sequence[Line],
    mistakes: Sequence[Mistake] = (),
    advance: Advance = lambda lines: None,
) -> str:
    """Write the lines of a file; returns a message.

    `mistakes` are those found while reading it. If there are any, or more turn up here, nothing is
    written, and Findings is raised. `advance` is called with the number of lines that are done.
    """
    found = list(mistakes)
    async with write(viewer) as enclosing:  # only locks the organization; the verbs take revisions
        if content.entries:
            await _import_entries(viewer, content.entries, lines, found, advance)
        else:
            await _import_memberships(viewer, lines, found, advance)
        if found:
            raise nothing_imported(found)
        await redate(viewer.organization_id, enclosing.landed_revision)
        revision = await current_revision(viewer.organization_id)
    made = revision - enclosing.landed_revision
    name = (await organization(viewer))["name"]
    if not made:
        return f"All of it was already in {name}; nothing was changed."
    return (
        f"Imported {quantity(len(lines), 'line')} of {content} into {name}, "
        f"in {quantity(made, 'change')}."
    )


def _parts(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in parts of at most as many as a verb takes."""
    rest = iter(items)
    while part := list(islice(rest, IDS_AT_ONCE)):
        yield part


# ---------------------------------------------------------------------- users, bots and personas


async def _import_entries(
    viewer: Viewer, kind: Kind, lines: Sequence[Line], mistakes: list[Mistake], advance: Advance
) -> None:
    directory = Directory(kind) if kind is USERS else await Directory.load(viewer, kind)
    inputs: list[tuple[Line, Values]] = []
    for line in lines:
        values, wrong = _input(line, directory)
        mistakes += (Mistake(line.number, reason) for reason in wrong)
        if not wrong:
            inputs.append((line, values))
    # Administrators first, so that no part removes the last one before another part adds a new one.
    inputs.sort(key=lambda pair: pair[1].get("role") is not Role.ADMIN)
    first: dict[str, int] = {}
    for part in _parts(inputs):
        for id, line in await _upsert(viewer, kind, part, mistakes):
            if first.setdefault(id, line.number) != line.number:
                reason = f"this {kind.noun} is already on line {first[id]}."
                mistakes.append(Mistake(line.number, reason))
        advance(len(part))


async def _upsert(
    viewer: Viewer, kind: Kind, part: list[tuple[Line, Values]], mistakes: list[Mistake]
) -> list[tuple[str, Line]]:
    """Write what can be written of a part; returns the ids of its lines.

    Lines that are refused are reported, and left out of the next attempt, with all the others: some
    mistakes exist only together with the lines around them.
    """
    while part:
        lines = [line for line, _ in part]
        try:
            outcome = await upsert_entries(viewer, kind, [values for _, values in part])
        except DomainError as error:
            found = list(_mistakes(error, lines))
            mistakes += found
            refused = {mistake.number for mistake in found}
            if refused.isdisjoint(line.number for line in lines):
                break
            part = [pair for pair in part if pair[0].number not in refused]
        else:
            return list(zip(outcome.changed, lines, strict=True))
    return []


def _input(line: Line, directory: Directory) -> tuple[Values, list[str]]:
    """The input of `upsert_entries` for a line, and the mistakes on it.

    An empty cell clears its column, except that a role, a status and an external id are kept.
    """
    values: Values = {**line.cells}
    wrong = []
    for column, choices in CHOICES.items():
        word = values.pop(column, "").strip()
        if word.upper() in choices.__members__:
            values[column] = choices(word.upper())
        elif word:
            wrong.append(f"{column}: “{word}” is not one of {', '.join(choices)}.")
    if "features" in values:
        try:
            values["features"] = split_labels(values["features"])
        except csv.Error:
            wrong.append("features: separate labels with semicolons, and close every quote.")
    if is_blank(values.get("external_id", "")):
        _match_by_name(values, directory, wrong)
    return values, wrong


def _match_by_name(values: Values, directory: Directory, wrong: list[str]) -> None:
    """Without an external id, match a row by its name, so that importing again adds nothing.

    (Users are matched by email when they are written. Their directory is empty here.)
    """
    named = directory.names.get(name_key(values["name"].strip()), [])
    meant = [row for row in named if not row["external_id"]] or named
    if len(meant) > 1:
        plural = directory.kind.plural
        wrong.append(f"name: {len(meant)} {plural} have this name. Say which with external_id.")
    elif meant:
        values["id"] = meant[0]["id"]


def _mistakes(error: DomainError, lines: Sequence[Line]) -> Iterator[Mistake]:
    """The problems of a write, as mistakes on its lines. Paths are like `users`, `3`, `email`."""
    for problem in error.problems:
        match problem.field:
            case [_, index, field] if index.isdigit():
                column = COLUMN_OF_FIELD.get(field, field)
                yield Mistake(lines[int(index)].number, f"{column}: {problem.message}")
            case _:
                yield Mistake(0, problem.message)


# ----------------------------------------------------------------------------------- memberships


async def _import_memberships(
    viewer: Viewer, lines: Sequence[Line], mistakes: list[Mistake], advance: Advance
) -> None:
    directories = {kind: await Directory.load(viewer, kind) for kind in KINDS}
    named: dict[str, Line] = {}
    members: dict[tuple[str, Kind], list[str]] = defaultdict(list)
    for line in lines:
        found = _member(line, directories)
        if isinstance(found, str):
            mistakes.append(Mistake(line.number, found))
            continue
        key = name_key(line.cells["group"].strip())
        named.setdefault(key, line)
        members[key, found[0]].append(found[1])
    group_ids = await _groups(viewer, named, mistakes)
    if mistakes:
        return
    for (key, kind), ids in members.items():
        for part in _parts(ids):
            await add_members(viewer, kind, group_ids[key], part)
            advance(len(part))


def _member(line: Line, directories: dict[Kind, Directory]) -> tuple[Kind, str] | str:
    """The kind and the id of the member that a line names, or the mistake on it."""
    kind = KIND_OF_WORD.get(line.cells["kind"].strip().casefold())
    if kind is None:
        return f"kind: “{line.cells['kind']}” is not one of user, bot, persona."
    word = line.cells["member"].strip()
    found = directories[kind].find(word)
    if len(found) > 1:
        other = "email" if kind is USERS else "external id"
        return f"member: {len(found)} {kind.plural} are named “{word}”. Give the {other} instead."
    if not found:
        return f"member: there is no {kind.noun} “{word}”."
    return kind, found[0]["id"]


async def _groups(
    viewer: Viewer, named: dict[str, Line], mistakes: list[Mistake]
) -> dict[str, str]:
    """The id of each group that a line names, by its key; missing groups are created."""
    ids = {row["name_key"]: row["id"] async for page in every(groups(viewer)) for row in page}
    for key, line in named.items():
        if key not in ids:
            try:
                created = await create_group(viewer, line.cells["group"])
            except DomainError as error:
                mistakes += (Mistake(line.number, f"group: {p.message}") for p in error.problems)
            else:
                ids[key] = str(created.id)
    return ids
