"""The CSV files that are imported and exported: their columns, reading them, and writing them.

UTF-8, with or without a byte order mark, cells separated by commas (RFC 4180). `features` holds
labels separated by semicolons; a label that contains one is quoted like a cell.

Cells are written as they are: a leading `=` is not escaped for spreadsheets, since an export must
be the same again when it is imported.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from commands.console import Findings, Refusal
from models.kinds import KINDS, Kind
from models.text import quantity


class Content(StrEnum):
    """What a file holds."""

    USERS = "users"
    BOTS = "bots"
    PERSONAS = "personas"
    MEMBERSHIPS = "memberships"

    @property
    def entries(self) -> Kind | None:
        """The kind of its entries, if these are of the directory; None for memberships."""
        return {kind.plural: kind for kind in KINDS}.get(self.value)


COLUMNS = {
    Content.USERS: ("external_id", "name", "email", "avatar_url", "role", "status"),
    Content.BOTS: ("external_id", "name", "description", "avatar_url", "features"),
    Content.PERSONAS: ("external_id", "name", "description", "avatar_url"),
    Content.MEMBERSHIPS: ("group", "kind", "member"),
}
REQUIRED = {
    Content.USERS: ("name", "email"),
    Content.BOTS: ("name",),
    Content.PERSONAS: ("name",),
    Content.MEMBERSHIPS: COLUMNS[Content.MEMBERSHIPS],
}
# A column that only files of one content have.
DISTINCTIVE = {"email": Content.USERS, "features": Content.BOTS, "member": Content.MEMBERSHIPS}


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a file, and the number of the line on which it begins."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """A mistake on a line. Number 0 means the file as a whole."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}" if self.number else self.reason


def nothing_imported(mistakes: Iterable[Mistake]) -> Findings:
    """The error that lists all mistakes, in the order of their lines."""
    found = sorted(set(mistakes))
    count = quantity(len(found), "mistake")
    return Findings([str(mistake) for mistake in found], f"Nothing was imported: {count}.")


# --------------------------------------------------------------------------------------- reading


def read_file(
    path: Path, content: Content | None = None
) -> tuple[Content, list[Line], list[Mistake]]:
    """The content of a file, its good lines, and the mistakes on others.

    `content` is recognised by the header if it is not given. Raises Refusal for a file that cannot
    be read or recognised, and Findings for one that is malformed as a whole.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refusal(f"The file {path} can't be read: {error.strerror}.") from error
    records, mistakes = _records(_decode(data))
    if not records:
        raise nothing_imported([*mistakes, Mistake(0, "the file has no header")])
    header = [cell.strip().casefold() for cell in records[0][1]]
    content = content or _recognise(header)
    if wrong := list(_wrong_with(header, content)):
        raise nothing_imported(Mistake(records[0][0], reason) for reason in wrong)
    lines = []
    for number, cells in records[1:]:
        if len(cells) == len(header):
            lines.append(Line(number, dict(zip(header, cells, strict=True))))
        else:
            counts = f"{quantity(len(cells), 'cell')} instead of {len(header)}"
            mistakes.append(Mistake(number, f"it has {counts}"))
    return content, lines, mistakes


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        reason = "it is not in UTF-8. Save the file as “CSV UTF-8”"
        raise nothing_imported([Mistake(number, reason)]) from error


def _records(text: str) -> tuple[list[tuple[int, list[str]]], list[Mistake]]:
    """The number of the first line of each record, and its cells; empty lines are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            if any(cells):
                records.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        return records, [
            Mistake(begins, f"it is not valid CSV ({error}); nothing after it was read")
        ]
    return records, []


def _recognise(header: Sequence[str]) -> Content:
    """The content of a file with this header. Raises Refusal if the header is ambiguous."""
    for column, content in DISTINCTIVE.items():
        if column in header:
            return content
    raise Refusal(
        "The header does not show what the file contains. Add --kind users, bots, personas or "
        "memberships."
    )


def _wrong_with(header: Sequence[str], content: Content) -> Iterable[str]:
    known = COLUMNS[content]
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        yield "the cells must be separated by commas"
        return
    for column in dict.fromkeys(header):
        if column not in known:
            yield f"there is no column “{column}”; {content} have {', '.join(known)}"
        elif header.count(column) > 1:
            yield f"the column {column} appears more than once"
    for column in REQUIRED[content]:
        if column not in header:
            yield f"the column {column} is missing"


# --------------------------------------------------------------------------------------- writing


def to_csv(rows: Iterable[Sequence[str | None]]) -> str:
    """Records as text."""
    text = io.StringIO(newline="")
    # The terminator has both characters so that cells are quoted which contain either.
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def join_labels(labels: Sequence[str]) -> str:
    """The cell that holds several labels."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="").writerow(labels)
    return text.getvalue()


def split_labels(cell: str) -> list[str]:
    """The labels in a cell. Raises csv.Error."""
    labels = next(csv.reader([cell], delimiter=";", skipinitialspace=True, strict=True), [])
    return [label for label in map(str.strip, labels) if label]
