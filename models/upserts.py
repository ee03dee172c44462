"""Adding and updating users, bots and personas in bulk, for imports and the host product.

An input is matched with a row by its id or external id if it has one, else (users) by email; if
none matches, it is new. Values that an input omits stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from models.database import Row, fetch, fetch_each, plan_anew
from models.directory import close_activations, entries_by_id, keeping_an_admin, must_be_few
from models.errors import Code, DomainError, Problem
from models.kinds import USERS, Kind
from models.ledger import Draft, Outcome, write
from models.tables import Role, UserStatus
from models.text import (
    DESCRIPTION_LENGTH,
    EXTERNAL_ID_LENGTH,
    Reader,
    differ_in_case_only,
    in_words,
    name_key,
)
from models.viewer import Viewer

FEATURES = 20
FEATURE_LENGTH = 40

Values = dict[str, Any]


@dataclass(slots=True)
class Work:
    """What inputs amount to: the id of each, rows to insert, and rows to update; or problems."""

    ids: list[str] = field(default_factory=list)
    inserts: list[Values] = field(default_factory=list)
    updates: list[tuple[Row, Values]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The live rows that inputs may refer to, by the keys that inputs can have."""

    by_id: Mapping[str, Row]
    by_external_id: Mapping[str, Row]
    by_email: Mapping[str, Row]

    def match(self, values: Values) -> Row | None:
        """The row that an input refers to; None if it is new, or its id does not exist."""
        if "id" in values:
            return self.by_id.get(values["id"])
        if by_external_id := self.by_external_id.get(values.get("external_id", "")):
            return by_external_id
        # The key is unique, but it joins addresses that may be two people's.
        by_email = self.by_email.get(values.get("email_key", ""))
        is_theirs = by_email and differ_in_case_only(by_email["email"], values["email"])
        return by_email if is_theirs else None


async def upsert_entries(
    viewer: Viewer,
    kind: Kind,
    inputs: Sequence[Mapping[str, Any]],
    expected_revision: int | None = None,
) -> Outcome:
    """Add or update rows. `inputs` hold the given columns; `changed` are the ids of all of them.

    Raises DomainError: BLANK, TOO_LONG, INVALID, TOO_MANY, TAKEN, NOT_FOUND, LAST_ADMIN, CONFLICT.
    """
    viewer.must_administrate()
    must_be_few(kind, inputs, kind.plural)
    cleaned = _clean(kind, inputs)
    async with write(viewer, expected_revision) as draft:
        await plan_anew(len(cleaned))
        work = _match(draft, kind, cleaned, await _find(draft, kind, cleaned))
        if work.problems:
            raise DomainError(work.problems)
        if work.inserts or work.updates:
            async with keeping_an_admin(draft, kind, kind.plural):
                await _insert(draft, kind, work.inserts)
                await _update(draft, kind, work.updates)
            draft.counts[kind.counter] += len(work.inserts)
            _record(draft, kind, work)
    return Outcome(draft.landed_revision, changed=work.ids)


# ----------------------------------------------------------------------------------- cleaning


def _clean(kind: Kind, inputs: Sequence[Mapping[str, Any]]) -> list[Values]:
    """The column values of each input. Raises DomainError with all problems of all inputs."""
    problems: list[Problem] = []
    cleaned = []
    for index, given in enumerate(inputs):
        reader = Reader(kind.plural, str(index))
        cleaned.append(_clean_one(reader, kind, given))
        problems += reader.problems
    if problems:
        raise DomainError(problems)
    for values in cleaned:
        values["name_key"] = name_key(values["name"])
        if kind is USERS:
            values["email_key"] = name_key(values["email"])
    return cleaned


def _clean_one(reader: Reader, kind: Kind, given: Mapping[str, Any]) -> Values:
    values: Values = {"name": reader.required(given["name"], "name", "Name")}
    if external_id := reader.optional(
        given.get("external_id"), "externalId", "External id", EXTERNAL_ID_LENGTH
    ):
        values["external_id"] = external_id
    if "avatar_url" in given:
        values["avatar_url"] = reader.url(given["avatar_url"], "avatarUrl")
    if kind is USERS:
        values["email"] = reader.email(given["email"])
        values |= {key: given[key] for key in ("role", "status") if given.get(key)}
        return values
    if "description" in given:
        values["description"] = reader.optional(
            given["description"], "description", "Description", DESCRIPTION_LENGTH, lines=True
        )
    if "features" in given:
        values["features"] = _features(reader, given["features"] or [])
    if given.get("id") is not None:  # a blank id is not a missing one: it names nothing
        values["id"] = given["id"]
    return values


def _features(reader: Reader, labels: Sequence[str]) -> str:
    """Short labels as a JSON array, each once."""
    if len(labels) > FEATURES:
        reader.refuse(
            Code.TOO_MANY, f"At most {FEATURES} features; this bot has {len(labels):,}.", "features"
        )
        return "[]"
    texts = [reader.required(label, "features", "A feature", FEATURE_LENGTH) for label in labels]
    return orjson.dumps(list(dict.fromkeys(texts))).decode()


# ----------------------------------------------------------------------------------- matching


async def _find(draft: Draft, kind: Kind, inputs: Sequence[Values]) -> Candidates:
    """The live rows that the inputs name by any key."""
    named = [values["id"] for values in inputs if "id" in values]
    return Candidates(
        by_id={row["id"]: row for row in await entries_by_id(draft.viewer, kind, named)},
        by_external_id=await _rows_by(draft, kind, "external_id", inputs),
        by_email=await _rows_by(draft, kind, "email_key", inputs) if kind is USERS else {},
    )


async def _rows_by(
    draft: Draft, kind: Kind, column: str, inputs: Sequence[Values]
) -> dict[str, Row]:
    """The live rows that have one of the inputs' values in a column, by that value."""
    wanted = [values[column] for values in inputs if column in values]
    if not wanted:
        return {}
    rows = await fetch(
        f"SELECT * FROM {kind.table} WHERE organization_id = $1 AND {column} = ANY($2) "
        "AND until_revision IS NULL",
        draft.viewer.organization_id,
        wanted,
    )
    return {row[column]: row for row in rows}


def _match(draft: Draft, kind: Kind, inputs: Sequence[Values], candidates: Candidates) -> Work:
    """Match each input with a row, without writing anything."""
    work = Work()
    seen: set[tuple[str, str]] = set()
    for index, values in enumerate(inputs):
        row = candidates.match(values)
        row_id = row["id"] if row else draft.new_id(kind.prefix)
        reasons = list(_contradictions(kind, values, row, candidates))
        marks = {("id", row_id)}
        marks |= {(key, values[key]) for key in ("external_id", "email_key") if key in values}
        if seen & marks:
            reasons.append((Code.INVALID, f"This {kind.noun} is in the list twice.", "name"))
        seen |= marks
        work.problems += [
            Problem(code, message, (kind.plural, str(index), name))
            for code, message, name in reasons
        ]
        work.ids.append(row_id)
        if row is None:
            work.inserts.append({**values, "id": row_id})
        elif changed := {key: new for key, new in values.items() if row[key] != new}:
            work.updates.append((row, changed))
    return work


def _contradictions(
    kind: Kind, values: Values, row: Row | None, candidates: Candidates
) -> Iterator[tuple[Code, str, str]]:
    """Why an input cannot be written to its row: the code, message and field of each problem."""
    if "id" in values and row is None:
        yield Code.NOT_FOUND, f"There is no such {kind.noun}.", "id"
        return
    external_id = values.get("external_id", "")
    holder = candidates.by_external_id.get(external_id)
    if holder and row and holder["id"] != row["id"]:
        yield Code.TAKEN, f"Another {kind.noun} has this external id.", "externalId"
    holder = candidates.by_email.get(values.get("email_key", ""))
    if holder and (row is None or holder["id"] != row["id"]):
        yield Code.TAKEN, f"Another {kind.noun} has this email.", "email"
    if row and external_id and "id" not in values:
        if row["external_id"] not in (None, external_id):
            yield Code.TAKEN, f"This {kind.noun} already has a different external id.", "externalId"


# ------------------------------------------------------------------------------------ writing


async def _insert(draft: Draft, kind: Kind, inserts: Sequence[Values]) -> None:
    if not inserts:
        return
    defaults: Values = {
        "organization_id": draft.viewer.organization_id,
        "group_count": 0,
        "created_at": draft.now,
        "since_revision": draft.revision,
        "external_id": None,
        "avatar_url": None,
    }
    if kind is USERS:
        defaults |= {"role": Role.MEMBER, "status": UserStatus.ACTIVE}
    else:
        defaults |= {"description": None}
        if "features" in kind.model._meta.fields_map:
            defaults |= {"features": "[]"}
    rows = [{**defaults, **values} for values in inserts]
    columns = list(rows[0])
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await fetch_each(
        f"INSERT INTO {kind.table} ({', '.join(columns)}) VALUES ({places})",
        [[row[column] for column in columns] for row in rows],
    )
    if kind is USERS:
        await _activate(draft, [row["id"] for row in rows if row["status"] == UserStatus.ACTIVE])


async def _update(draft: Draft, kind: Kind, updates: Sequence[tuple[Row, Values]]) -> None:
    if not updates:
        return
    columns = sorted({column for _, changed in updates for column in changed})
    places = ", ".join(f"{column} = ${number}" for number, column in enumerate(columns, 2))
    await fetch_each(
        f"UPDATE {kind.table} SET {places} WHERE id = $1",
        [
            [row["id"], *(changed.get(column, row[column]) for column in columns)]
            for row, changed in updates
        ],
    )
    # Memberships have a copy of the name as their sort key (`memberships.members`).
    await fetch_each(
        f"UPDATE {kind.memberships} SET sort_key = $2 "
        f"WHERE {kind.column} = $1 AND until_revision IS NULL",
        [[row["id"], changed["name_key"]] for row, changed in updates if "name_key" in changed],
    )
    status = {row["id"]: changed["status"] for row, changed in updates if "status" in changed}
    await _activate(draft, [id for id, now in status.items() if now == UserStatus.ACTIVE])
    if ended := [id for id, now in status.items() if now != UserStatus.ACTIVE]:
        await close_activations(draft, ended)


async def _activate(draft: Draft, user_ids: Sequence[str]) -> None:
    """Make these users active from this revision on."""
    await fetch_each(
        "INSERT INTO activations (id, organization_id, user_id, since_revision) "
        "VALUES ($1, $2, $3, $4)",
        [
            [draft.change_id + id, draft.viewer.organization_id, id, draft.revision]
            for id in user_ids
        ],
    )


def _record(draft: Draft, kind: Kind, work: Work) -> None:
    """Record in the ledger what was added and updated, with the values before."""
    said = []
    if work.inserts:
        said.append(f"added {in_words(work.inserts, kind.noun)}")
    if work.updates:
        said.append(f"updated {in_words([row for row, _ in work.updates], kind.noun)}")
    touched = {values["id"] for values in work.inserts} | {row["id"] for row, _ in work.updates}
    before = {row["id"]: {key: row[key] for key in changed} for row, changed in work.updates}
    draft.record(
        kind.upserted,
        " and ".join(said),
        details={kind.plural: [id for id in work.ids if id in touched], "before": before},
    )
