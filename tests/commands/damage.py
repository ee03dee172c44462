"""An organization with a history, and every kind of damage to it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from models.database import fetch, is_postgres, transaction
from models.directory import delete_entries
from models.groups import delete_group, update_group
from models.history import changes
from models.kinds import KINDS, USERS, Kind
from models.listing import Slice, fetch_page
from models.membership_writes import add_members, remove_members
from models.tables import UserStatus
from models.undo import undo_change
from models.upserts import upsert_entries
from models.verify import KEYS
from models.viewer import Viewer
from tests.factories import make_group, with_emails

IN_OTHER = "organization_id = (SELECT id FROM organizations WHERE name = 'Other')"


@dataclass(frozen=True, slots=True)
class Damage:
    """What is done by hand, which check finds it, and how it is told (`*` stands for anything)."""

    check: str
    told: str
    statements: tuple[str, ...]


async def make_history(viewer: Viewer) -> None:
    """Every kind of row, open and closed. The comments are the revisions."""
    made: dict[Kind, list[str]] = {}
    for kind in KINDS:  # 1, 2, 3
        names = [f"{name} {kind.noun}" for name in ("Ada", "Bob", "Gone")]
        inputs = with_emails(kind, *({"name": name, "external_id": name} for name in names))
        made[kind] = list((await upsert_entries(viewer, kind, inputs)).changed)
    sales = await make_group(viewer, "Sales", **{k.plural: made[k] for k in KINDS})  # 4
    for kind in KINDS:
        await remove_members(viewer, kind, sales, made[kind][:1])  # 5, 7, 9
        await add_members(viewer, kind, sales, made[kind][:1])  # 6, 8, 10
    old = await make_group(viewer, "Old", **{k.plural: made[k][1:2] for k in KINDS})  # 11
    await delete_group(viewer, old)  # 12
    for kind in KINDS:
        await delete_entries(viewer, kind, made[kind][2:])  # 13, 14, 15
    for status in (UserStatus.DEACTIVATED, UserStatus.ACTIVE):  # 16, 17
        bob = {"name": "Bob user", "email": "1@example.com", "status": status}
        await upsert_entries(viewer, USERS, [bob])
    await update_group(viewer, sales, {"description": "Those who sell."})  # 18
    newest = await fetch_page(changes(viewer), Slice(1))
    await undo_change(viewer, newest.rows[0]["id"])  # 19


class _Restored(Exception):
    """Rolls a damage back."""


@asynccontextmanager
async def damaged(damage: Damage) -> AsyncIterator[None]:
    """The database with a damage, which its keys do not keep it from; as it was, afterwards."""
    with suppress(_Restored):
        async with transaction():
            if is_postgres():
                await fetch("SET LOCAL session_replication_role = replica")
            else:
                await fetch("PRAGMA defer_foreign_keys = ON")
            for statement in damage.statements:
                await fetch(statement)
            yield
            raise _Restored


def damages() -> Iterator[Damage]:
    """Every kind of damage to what `make_history` makes in Acme; “Other” is empty."""
    yield from _to_counters()
    yield from _to_revisions()
    for kind in KINDS:
        yield from _to_memberships(kind)
    yield from _to_activations()
    yield from _to_names()
    yield from _to_keys()
    yield from _to_ledger()
    yield from _to_causes()
    yield from _to_contents()


def _to_counters() -> Iterator[Damage]:
    for table, found in (("groups", 1), *((kind.table, 2) for kind in KINDS)):
        yield Damage(
            f"the {table} that an organization counts",
            f"Acme counts 9 {table}, and has {found}.",
            (f"UPDATE organizations SET {table[:-1]}_count = 9 WHERE name = 'Acme'",),
        )
    for kind in KINDS:
        yield Damage(
            f"the {kind.plural} that a group counts",
            f"Acme: the group Sales counts 9 {kind.plural}, and holds 2.",
            (f"UPDATE groups SET {kind.counter} = 9 WHERE name = 'Sales'",),
        )
        yield Damage(
            f"the groups that a {kind.noun} counts",
            f"Acme: the {kind.noun} Ada {kind.noun} counts 9 groups, and is in 1.",
            (f"UPDATE {kind.table} SET group_count = 9 WHERE name = 'Ada {kind.noun}'",),
        )


def _to_revisions() -> Iterator[Damage]:
    tables = (*(kind.table for kind in KINDS), *(kind.memberships for kind in KINDS))
    ways = (
        ("since_revision = 0, until_revision = NULL", "0 to None"),
        ("since_revision = 20, until_revision = NULL", "20 to None"),
        ("since_revision = 12, until_revision = 12", "12 to 12"),
        ("since_revision = 12, until_revision = 20", "12 to 20"),
    )
    for number, table in enumerate(("groups", "activations", *tables)):
        for values, told in ways if table == "users" else ways[number % 4 :][:1]:
            yield Damage(
                f"the revisions of {table}",
                f"Acme, at revision 19: the row * of {table} stands from {told}.",
                (f"UPDATE {table} SET {values} WHERE id = (SELECT MAX(id) FROM {table})",),
            )
    for revision in (3, 20):
        yield Damage(
            "the revisions at which groups were updated",
            f"Acme, at revision 19: the group Sales was last updated at {revision}.",
            (f"UPDATE groups SET updated_revision = {revision} WHERE name = 'Sales'",),
        )
    yield Damage(
        "the revisions of the last changes about viewers",
        "Acme: the last change about viewers was 17, and not 2.",
        ("UPDATE organizations SET viewers_revision = 2",),
    )


def _to_memberships(kind: Kind) -> Iterator[Damage]:
    noun, table = kind.noun, kind.memberships
    of_ada = f"{kind.column} = (SELECT id FROM {kind.table} WHERE name = 'Ada {noun}')"
    begins = 6 + 2 * KINDS.index(kind)
    yield Damage(
        f"no two memberships of a {noun} in a group at once",
        f"Acme: the row * of {table} begins at {begins}, before the one ahead of it has ended.",
        (f"UPDATE {table} SET until_revision = 19 WHERE since_revision = 4 AND {of_ada}",),
    )
    for statement in (
        "UPDATE groups SET until_revision = 11 WHERE name = 'Sales'",
        "UPDATE groups SET since_revision = 11 WHERE name = 'Sales'",
        f"UPDATE {kind.table} SET until_revision = 18 WHERE name = 'Ada {noun}'",
        f"UPDATE {kind.table} SET since_revision = 18 WHERE name = 'Ada {noun}'",
    ):
        yield Damage(
            f"memberships of {kind.plural} within their groups and members",
            f"Acme: the {noun} Ada {noun} is in the group Sales at a revision at which one of them "
            "did not stand.",
            (statement,),
        )
    yield Damage(
        f"the sort keys of {kind.plural}",
        f"Acme: the {noun} Ada {noun} is sorted as “zoe” in the group Sales.",
        (f"UPDATE {table} SET sort_key = 'zoe' WHERE until_revision IS NULL AND {of_ada}",),
    )
    nowhere = f"the row * of {table} refers to a row of another organization, or to none."
    check = f"memberships of {kind.plural} in one organization"
    yield Damage(check, f"Other: {nowhere}", (f"UPDATE {table} SET {IN_OTHER}",))
    yield Damage(check, f"Acme: {nowhere}", (f"DELETE FROM {kind.table}",))
    yield Damage(check, f"Acme: {nowhere}", ("DELETE FROM groups",))


def _to_activations() -> Iterator[Damage]:
    yield Damage(
        "no two activations of a user at once",
        "Acme: the row * of activations begins at 17, before the one ahead of it has ended.",
        ("UPDATE activations SET until_revision = 18 WHERE until_revision = 16",),
    )
    yield Damage(
        "an activation for each active user",
        "Acme: the user Ada user is active, but no activation is open.",
        ("UPDATE activations SET until_revision = 19 WHERE until_revision IS NULL",),
    )
    for change in ("status = 'DEACTIVATED'", "until_revision = 19"):
        yield Damage(
            "no activation for any other user",
            "Acme: the user Ada user is not active, but an activation is open.",
            (f"UPDATE users SET {change} WHERE name = 'Ada user'",),
        )
    yield Damage(
        "activations and users of one organization",
        "Other: the row * of activations refers to a user of another organization, or to none.",
        (f"UPDATE activations SET {IN_OTHER}",),
    )


def _to_names() -> Iterator[Damage]:
    yield Damage(
        "each name_key of groups once",
        "Acme: 2 live groups have the name_key “sales”.",
        (
            "DROP INDEX live_group_name",
            "UPDATE groups SET name_key = 'sales', until_revision = NULL",
        ),
    )
    yield Damage(
        "each email_key of users once",
        "Acme: 2 live users have the email_key “same”.",
        ("DROP INDEX live_user_email", "UPDATE users SET email_key = 'same'"),
    )
    for kind in KINDS:
        yield Damage(
            f"each external_id of {kind.table} once",
            f"Acme: 2 live {kind.table} have the external_id “same”.",
            (
                f"DROP INDEX live_{kind.noun}_external_id",
                f"UPDATE {kind.table} SET external_id = 'same'",
            ),
        )


def _to_keys() -> Iterator[Damage]:
    names = {"organizations": "Acme", "groups": "Sales"}
    names |= {kind.table: f"Ada {kind.noun}" for kind in KINDS}
    for table, _, key in KEYS:
        yield Damage(
            f"the {key} of {table}",
            f"{table}: * has a wrong {key}: “wrong”.",
            (f"UPDATE {table} SET {key} = 'wrong' WHERE name = '{names[table]}'",),
        )


def _to_ledger() -> Iterator[Damage]:
    yield Damage(
        "no gap in the ledger",
        "Acme: the change of revision 6 follows that of 4.",
        ("DELETE FROM changes WHERE revision = 5",),
    )
    yield Damage(
        "the ledger up to the organization's revision",
        "Acme is at revision 19, but its ledger ends at 18.",
        ("DELETE FROM changes WHERE revision = 19",),
    )
    yield Damage(
        "time in the ledger",
        "Acme: revision 6 is told to be older than the one before it.",
        (
            "UPDATE changes SET at = (SELECT created_at FROM organizations WHERE name = 'Acme') "
            "WHERE revision = 6",
        ),
    )
    yield Damage(
        "when an organization was last changed",
        "Acme is told to be unchanged since before its last change.",
        ("UPDATE organizations SET changed_at = created_at",),
    )
    for statement in (
        "UPDATE changes SET undone_by_id = NULL",
        "UPDATE changes SET undoes_id = NULL",
        "UPDATE changes SET undoes_id = (SELECT id FROM changes WHERE revision = 17) "
        "WHERE revision = 19",
    ):
        yield Damage(
            "changes and their undoing",
            "Acme: the change of revision 19 and the one that it undoes, or does not, tell "
            "otherwise of one another.",
            (statement,),
        )


def _to_causes() -> Iterator[Damage]:
    rows = [
        ("groups", "begin", 4, "GROUP_CREATED"),
        ("groups", "end", 12, "GROUP_DELETED"),
        ("activations", "begin", 1, ""),
        ("activations", "end", 16, ""),
    ]
    for number, kind in enumerate(KINDS):
        rows += [
            (kind.table, "begin", 1 + number, ""),
            (kind.table, "end", 13 + number, ""),
            (kind.memberships, "begin", 6 + 2 * number, kind.added.value),
            (kind.memberships, "end", 5 + 2 * number, kind.removed.value),
        ]
    for table, moment, revision, action in rows:
        check = f"the change that makes rows of {table} {moment}"
        told = f"Acme: rows of {table} {moment} at revision {revision} *, whose change is"
        of_change = f"WHERE revision = {revision}"
        yield Damage(
            check,
            f"{told} TOKEN_CREATED.",
            (f"UPDATE changes SET action = 'TOKEN_CREATED' {of_change}",),
        )
        yield Damage(check, f"{told} missing.", (f"DELETE FROM changes {of_change}",))
        if action:  # one that must be of the same group
            statement = f"UPDATE changes SET group_id = NULL {of_change}"
            yield Damage(check, f"{told} {action}.", (statement,))


def _to_contents() -> Iterator[Damage]:
    for number, kind in enumerate(KINDS):
        end, begin = 5 + 2 * number, 6 + 2 * number
        yield Damage(
            f"the memberships of {kind.plural} that begin by a change",
            f"Acme: by the change of revision {begin}, 0 memberships of {kind.plural} begin; "
            "there are 1.",
            (f"UPDATE changes SET details = '{{}}' WHERE revision = {begin}",),
        )
        yield Damage(
            f"the memberships of {kind.plural} that end by a change",
            f"Acme: by the change of revision {end}, 1 memberships of {kind.plural} end; "
            "there are 0.",
            (f"DELETE FROM {kind.memberships} WHERE until_revision = {end}",),
        )
