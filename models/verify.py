"""Whether what is stored keeps its own rules: counters, intervals, keys and ledger, from scratch.

Each check is one statement that finds differences, and the sentence that tells one. Every statement
joins `o`, the organizations that are looked at. All of them see one and the same state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.database import Row, fetch, is_postgres, snapshot
from models.kinds import KINDS, USERS, Kind
from models.ledger import ABOUT_VIEWERS
from models.sql import Params
from models.tables import Action, UserStatus
from models.text import name_key

TOLD = 20  # differences that one check tells; that there are more, it only mentions
ROWS_AT_ONCE = 5_000

TABLES = ("groups", *(kind.table for kind in KINDS))
KEYS = (  # table, column, and the column that is computed from it
    ("organizations", "name", "name_key"),
    ("groups", "name", "name_key"),
    *((kind.table, "name", "name_key") for kind in KINDS),
    (USERS.table, "email", "email_key"),
)
UNDONE = Action.CHANGE_UNDONE


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant.

    `sql` gives a row for each violation; `sentence` is formatted with the columns of the row.
    """

    name: str
    sql: str
    sentence: str


async def differences(organization_id: str | None = None) -> list[str]:
    """All violations, a sentence each: of one organization, or of all."""
    async with snapshot():
        return await differences_here(organization_id)


async def differences_here(organization_id: str | None = None) -> list[str]:
    """The same, within the caller's transaction."""
    told = [sentence for check in checks() for sentence in await _run(check, organization_id)]
    return told + await _wrong_keys(organization_id)


def checks() -> Iterator[Check]:
    """Every check that is a statement."""
    yield from _counters()
    yield from _revisions()
    yield from _memberships()
    yield from _activations()
    yield from _names()
    yield from _ledger()
    yield from _causes()
    yield from _contents()


async def _run(check: Check, organization_id: str | None) -> list[str]:
    """The sentences of one check, at most TOLD and one more."""
    params = Params()
    scope = f" WHERE id = {params.add(organization_id)}" if organization_id else ""
    sql = (
        f"WITH o AS (SELECT * FROM organizations{scope}) "
        f"SELECT * FROM ({check.sql}) AS found LIMIT {TOLD + 1}"
    )
    return _tell(check, await fetch(sql, *params.values))


def _tell(check: Check, rows: Sequence[Row]) -> list[str]:
    told = [check.sentence.format_map(row) for row in rows[:TOLD]]
    if len(rows) > TOLD:
        told.append(f"… and more of the kind: {check.name}.")
    return told


# -------------------------------------------------------------------------------------- counters


def _counters() -> Iterator[Check]:
    """What is counted, against what there is."""
    for table in TABLES:
        counter = f"{table[:-1]}_count"
        yield Check(
            f"the {table} that an organization counts",
            f"SELECT o.name AS organization, o.{counter} AS told, COUNT(e.id) AS found "
            f"FROM o LEFT JOIN {table} e ON e.organization_id = o.id AND e.until_revision IS NULL "
            f"GROUP BY o.id, o.name, o.{counter} HAVING o.{counter} <> COUNT(e.id)",
            f"{{organization}} counts {{told}} {table}, and has {{found}}.",
        )
    for kind in KINDS:
        yield Check(
            f"the {kind.plural} that a group counts",
            f"SELECT o.name AS organization, g.name, g.{kind.counter} AS told, "
            "COUNT(m.id) AS found FROM o JOIN groups g ON g.organization_id = o.id "
            f"LEFT JOIN {kind.memberships} m ON m.group_id = g.id AND m.until_revision IS NULL "
            f"WHERE g.until_revision IS NULL GROUP BY o.name, g.id, g.name, g.{kind.counter} "
            f"HAVING g.{kind.counter} <> COUNT(m.id)",
            f"{{organization}}: the group {{name}} counts {{told}} {kind.plural}, "
            "and holds {found}.",
        )
        yield Check(
            f"the groups that a {kind.noun} counts",
            "SELECT o.name AS organization, e.name, e.group_count AS told, COUNT(m.id) AS found "
            f"FROM o JOIN {kind.table} e ON e.organization_id = o.id "
            f"LEFT JOIN {kind.memberships} m ON m.{kind.column} = e.id "
            "AND m.until_revision IS NULL GROUP BY o.name, e.id, e.name, e.group_count "
            "HAVING e.group_count <> COUNT(m.id)",
            f"{{organization}}: the {kind.noun} {{name}} counts {{told}} groups, "
            "and is in {found}.",
        )


# ------------------------------------------------------------------------------------- intervals


def _revisions() -> Iterator[Check]:
    """since < until, and both are revisions that there were."""
    memberships = (kind.memberships for kind in KINDS)
    for table in (*TABLES, *memberships, "activations"):
        yield Check(
            f"the revisions of {table}",
            "SELECT o.name AS organization, o.revision, t.id, t.since_revision, t.until_revision "
            f"FROM o JOIN {table} t ON t.organization_id = o.id WHERE t.since_revision < 1 "
            "OR t.since_revision > o.revision OR t.until_revision <= t.since_revision "
            "OR t.until_revision > o.revision",
            f"{{organization}}, at revision {{revision}}: the row {{id}} of {table} stands "
            "from {since_revision} to {until_revision}.",
        )
    yield Check(
        "the revisions at which groups were updated",
        "SELECT o.name AS organization, o.revision, g.name, g.updated_revision "
        "FROM o JOIN groups g ON g.organization_id = o.id "
        "WHERE g.updated_revision < g.since_revision OR g.updated_revision > o.revision",
        "{organization}, at revision {revision}: the group {name} was last updated at "
        "{updated_revision}.",
    )
    actions = ", ".join(f"'{action}'" for action in ABOUT_VIEWERS)
    last = (
        "COALESCE((SELECT MAX(c.revision) FROM changes c WHERE c.organization_id = o.id "
        f"AND c.action IN ({actions})), 0)"
    )
    yield Check(
        "the revisions of the last changes about viewers",
        f"SELECT o.name AS organization, o.viewers_revision, {last} AS last FROM o "
        f"WHERE o.viewers_revision <> {last}",
        "{organization}: the last change about viewers was {last}, and not {viewers_revision}.",
    )


def _overlap(table: str, *pair: str) -> str:
    """The rows of a table that begin before an earlier one of the same pair has ended."""
    columns = ", ".join(f"t.{column}" for column in pair)
    return (
        "SELECT * FROM (SELECT o.name AS organization, t.id, t.since_revision, "
        "MAX(COALESCE(t.until_revision, o.revision + 1)) OVER (PARTITION BY "
        f"{columns} ORDER BY t.since_revision, t.id "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended "
        f"FROM o JOIN {table} t ON t.organization_id = o.id) AS spans WHERE ended > since_revision"
    )


def _memberships() -> Iterator[Check]:
    """A membership lies within its group and its member, of one organization, once at a time."""
    for kind in KINDS:
        of_all = (
            f"FROM o JOIN {kind.memberships} m ON m.organization_id = o.id "
            f"LEFT JOIN groups g ON g.id = m.group_id LEFT JOIN {kind.table} e "
            f"ON e.id = m.{kind.column}"
        )
        yield Check(
            f"no two memberships of a {kind.noun} in a group at once",
            _overlap(kind.memberships, "group_id", kind.column),
            f"{{organization}}: the row {{id}} of {kind.memberships} begins at {{since_revision}}, "
            "before the one ahead of it has ended.",
        )
        yield Check(
            f"memberships of {kind.plural} within their groups and members",
            f"SELECT o.name AS organization, m.id, g.name AS group_name, e.name {of_all} "
            "WHERE m.since_revision < g.since_revision OR m.since_revision < e.since_revision "
            "OR COALESCE(m.until_revision, o.revision + 1) > g.until_revision "
            "OR COALESCE(m.until_revision, o.revision + 1) > e.until_revision",
            f"{{organization}}: the {kind.noun} {{name}} is in the group {{group_name}} at a "
            "revision at which one of them did not stand.",
        )
        yield Check(
            f"the sort keys of {kind.plural}",
            f"SELECT o.name AS organization, g.name AS group_name, e.name, m.sort_key {of_all} "
            "WHERE m.until_revision IS NULL AND m.sort_key <> e.name_key",
            f"{{organization}}: the {kind.noun} {{name}} is sorted as “{{sort_key}}” in the group "
            "{group_name}.",
        )
        yield Check(
            f"memberships of {kind.plural} in one organization",
            f"SELECT o.name AS organization, m.id {of_all} "
            "WHERE COALESCE(g.organization_id, '') <> o.id "
            "OR COALESCE(e.organization_id, '') <> o.id",
            f"{{organization}}: the row {{id}} of {kind.memberships} refers to a row of "
            "another organization, or to none.",
        )


def _activations() -> Iterator[Check]:
    """A user has an open activation if, and only if, it is live and active."""
    yield Check(
        "no two activations of a user at once",
        _overlap("activations", "user_id"),
        "{organization}: the row {id} of activations begins at {since_revision}, before the one "
        "ahead of it has ended.",
    )
    active = f"u.until_revision IS NULL AND u.status = '{UserStatus.ACTIVE}'"
    of_all = (
        "SELECT o.name AS organization, u.name FROM o JOIN users u ON u.organization_id = o.id "
        "LEFT JOIN activations a ON a.user_id = u.id AND a.until_revision IS NULL"
    )
    yield Check(
        "an activation for each active user",
        f"{of_all} WHERE {active} AND a.id IS NULL",
        "{organization}: the user {name} is active, but no activation is open.",
    )
    yield Check(
        "no activation for any other user",
        f"{of_all} WHERE NOT ({active}) AND a.id IS NOT NULL",
        "{organization}: the user {name} is not active, but an activation is open.",
    )
    yield Check(
        "activations and users of one organization",
        "SELECT o.name AS organization, a.id FROM o JOIN activations a ON a.organization_id = o.id "
        "LEFT JOIN users u ON u.id = a.user_id WHERE COALESCE(u.organization_id, '') <> o.id",
        "{organization}: the row {id} of activations refers to a user of another organization, "
        "or to none.",
    )


# ----------------------------------------------------------------------------------------- names


def _names() -> Iterator[Check]:
    """What must be unique among live rows."""
    unique = (
        ("groups", "name_key"),
        ("users", "email_key"),
        *((kind.table, "external_id") for kind in KINDS),
    )
    for table, column in unique:
        yield Check(
            f"each {column} of {table} once",
            f"SELECT o.name AS organization, t.{column} AS value, COUNT(*) AS number "
            f"FROM o JOIN {table} t ON t.organization_id = o.id "
            f"WHERE t.until_revision IS NULL AND t.{column} IS NOT NULL "
            f"GROUP BY o.id, o.name, t.{column} HAVING COUNT(*) > 1",
            f"{{organization}}: {{number}} live {table} have the {column} “{{value}}”.",
        )


async def _wrong_keys(organization_id: str | None) -> list[str]:
    """The keys that are not what Python makes of their texts: no database folds case alike."""
    told: list[str] = []
    for table, column, key in KEYS:
        check = Check(f"the {key} of {table}", "", f"{table}: {{id}} has a wrong {key}: “{{key}}”.")
        wrong: list[Row] = []
        after = ""
        owner = "id" if table == "organizations" else "organization_id"
        while len(wrong) <= TOLD:
            params = Params(after, ROWS_AT_ONCE)
            scope = f"AND {owner} = {params.add(organization_id)}" if organization_id else ""
            rows = await fetch(
                f"SELECT id, {column} AS text, {key} AS key FROM {table} "
                f"WHERE id > $1 {scope} ORDER BY id LIMIT $2",
                *params.values,
            )
            wrong += [row for row in rows if row["key"] != name_key(row["text"])]
            if len(rows) < ROWS_AT_ONCE:
                break
            after = rows[-1]["id"]
        told += _tell(check, wrong)
    return told


# ---------------------------------------------------------------------------------------- ledger


def _ledger() -> Iterator[Check]:
    """Revisions are 1, 2, 3 … up to the organization's, and time does not go back."""
    yield Check(
        "no gap in the ledger",
        "SELECT * FROM (SELECT o.name AS organization, c.revision, COALESCE(LAG(c.revision) "
        "OVER (PARTITION BY o.id ORDER BY c.revision), 0) AS previous "
        "FROM o JOIN changes c ON c.organization_id = o.id) AS steps "
        "WHERE revision <> previous + 1",
        "{organization}: the change of revision {revision} follows that of {previous}.",
    )
    yield Check(
        "the ledger up to the organization's revision",
        "SELECT o.name AS organization, o.revision, COALESCE(MAX(c.revision), 0) AS last "
        "FROM o LEFT JOIN changes c ON c.organization_id = o.id GROUP BY o.id, o.name, o.revision "
        "HAVING COALESCE(MAX(c.revision), 0) <> o.revision",
        "{organization} is at revision {revision}, but its ledger ends at {last}.",
    )
    yield Check(
        "time in the ledger",
        "SELECT * FROM (SELECT o.name AS organization, c.revision, c.at, "
        "LAG(c.at) OVER (PARTITION BY o.id ORDER BY c.revision) AS previous "
        "FROM o JOIN changes c ON c.organization_id = o.id) AS steps WHERE at < previous",
        "{organization}: revision {revision} is told to be older than the one before it.",
    )
    yield Check(
        "when an organization was last changed",
        "SELECT o.name AS organization FROM o JOIN changes c ON c.organization_id = o.id "
        "GROUP BY o.id, o.name, o.changed_at HAVING MAX(c.at) > o.changed_at",
        "{organization} is told to be unchanged since before its last change.",
    )
    yield Check(
        "changes and their undoing",
        "SELECT o.name AS organization, c.revision FROM o "
        "JOIN changes c ON c.organization_id = o.id "
        "LEFT JOIN changes undone ON undone.id = c.undoes_id "
        f"WHERE (c.action = '{UNDONE}') <> (COALESCE(undone.undone_by_id, '') = c.id)",
        "{organization}: the change of revision {revision} and the one that it undoes, or does "
        "not, tell otherwise of one another.",
    )


def _cause(table: str, column: str, *actions: Action, in_group: tuple[Action, ...] = ()) -> Check:
    """Rows that begin or end (`column`) at a revision whose change does no such thing.

    `in_group` are the actions that do it only to the group that the change is about.
    """
    same = ""
    if in_group:
        group = "t.id" if table == "groups" else "t.group_id"
        same = f" OR c.action IN ({_listed(in_group)}) AND COALESCE(c.group_id, '') = {group}"
    moment = "begin" if column == "since_revision" else "end"
    return Check(
        f"the change that makes rows of {table} {moment}",
        f"SELECT o.name AS organization, t.{column} AS revision, COUNT(*) AS number, "
        f"COALESCE(c.action, 'missing') AS action FROM o "
        f"JOIN {table} t ON t.organization_id = o.id AND t.{column} IS NOT NULL "
        f"LEFT JOIN changes c ON c.organization_id = o.id AND c.revision = t.{column} "
        f"WHERE c.action IS NULL OR NOT (c.action IN ({_listed((*actions, UNDONE))}){same}) "
        f"GROUP BY o.id, o.name, t.{column}, c.action",
        f"{{organization}}: rows of {table} {moment} at revision {{revision}} ({{number}}), "
        "whose change is {action}.",
    )


def _listed(actions: tuple[Action, ...]) -> str:
    return ", ".join(f"'{action}'" for action in actions)


def _causes() -> Iterator[Check]:
    """Every row that begins or ends does so by a change of a fitting action."""
    since, until = "since_revision", "until_revision"
    yield _cause("groups", since, in_group=(Action.GROUP_CREATED,))
    yield _cause("groups", until, in_group=(Action.GROUP_DELETED,))
    yield _cause("activations", since, Action.USERS_UPSERTED)
    yield _cause("activations", until, Action.USERS_UPSERTED, Action.USERS_DELETED)
    for kind in KINDS:
        yield _cause(kind.table, since, kind.upserted)
        yield _cause(kind.table, until, kind.deleted)
        yield _cause(kind.memberships, since, in_group=(Action.GROUP_CREATED, kind.added))
        yield _cause(
            kind.memberships, until, kind.deleted, in_group=(Action.GROUP_DELETED, kind.removed)
        )


def _contents() -> Iterator[Check]:
    """As many memberships begin or end at a revision as its change tells."""
    for kind in KINDS:
        yield _content(kind, "since_revision", "begin", (Action.GROUP_CREATED, kind.added))
        yield _content(kind, "until_revision", "end", (kind.removed,))


def _content(kind: Kind, column: str, moment: str, actions: tuple[Action, ...]) -> Check:
    length = f"json_array_length(c.details, '$.{kind.plural}')"
    if is_postgres():
        length = f"json_array_length(c.details::json -> '{kind.plural}')"
    return Check(
        f"the memberships of {kind.plural} that {moment} by a change",
        "SELECT organization, revision, told, found FROM (SELECT o.name AS organization, "
        f"c.revision, COALESCE({length}, 0) AS told, COALESCE(m.number, 0) AS found "
        "FROM o JOIN changes c ON c.organization_id = o.id "
        f"LEFT JOIN (SELECT organization_id, {column} AS revision, COUNT(*) AS number "
        f"FROM {kind.memberships} GROUP BY organization_id, {column}) AS m "
        "ON m.organization_id = o.id AND m.revision = c.revision "
        f"WHERE c.action IN ({_listed(actions)})) AS sides WHERE told <> found",
        f"{{organization}}: by the change of revision {{revision}}, {{told}} memberships of "
        f"{kind.plural} {moment}; there are {{found}}.",
    )
