"""What PostgreSQL looks at, and what it leaves alone."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from models.access import Reach, access_pages
from models.database import MANY, fetch, watch_statements
from models.directory import delete_entries
from models.kinds import BOTS, USERS
from models.ledger import Outcome
from models.listing import Slice, fetch_counts, fetch_pages
from models.membership_writes import add_members, remove_members
from models.memberships import members
from models.undo import undoable
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.factories import make_entries, make_group, make_user, make_users
from tests.models.explaining import plans_of

pytestmark = pytest.mark.parametrize("databases", ["postgres"], indirect=True)


async def forget_statistics() -> None:
    """Have PostgreSQL plan as in a new database, whether or not it has analyzed this one."""
    await fetch("DELETE FROM pg_statistic")
    await fetch(
        "SELECT pg_clear_relation_stats('public', relname) FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
    )


@pytest.mark.parametrize("verb", [add_members, remove_members])
async def test_a_write_of_one_membership_looks_each_row_up_by_its_key(
    viewer: Viewer, verb: Callable[..., Awaitable[Outcome]]
) -> None:
    users = await make_users(viewer, 4)
    group = await make_group(viewer, users=users if verb is remove_members else [])
    await forget_statistics()
    (alone,) = await plans_of(lambda: verb(viewer, USERS, group, users[:1]))
    # The organization, the group and the user: each is looked up, and written.
    assert alone.count("Index Cond: (id = ") == 6
    reading, writing = await plans_of(lambda: verb(viewer, USERS, group, users[1:2] * 2))
    assert "Function Scan" not in reading + writing
    assert "Index Cond: (id = $" in writing  # of the group, of the user: by a parameter
    *_, of_many = await plans_of(lambda: verb(viewer, USERS, group, users[2:]))
    assert "Function Scan" in of_many


async def test_a_member_that_is_only_counted_is_not_looked_up(viewer: Viewer) -> None:
    bots = await make_entries(viewer, BOTS, ["Coach", "Clerk"])
    group = await make_group(viewer, bots=bots)
    listing = members(viewer, BOTS)
    (page,) = await plans_of(lambda: fetch_pages(listing, Slice(10), [group]))
    (count,) = await plans_of(lambda: fetch_counts(listing.source, [group]))
    assert " on bots e" in page
    assert " on bots e" not in count


async def test_of_what_a_user_reaches_only_what_is_shown_is_looked_up(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    bots = await make_entries(viewer, BOTS, ["Coach", "Clerk"])
    await make_group(viewer, users=[ada], bots=bots)
    (plan,) = await plans_of(lambda: access_pages(Reach(viewer, USERS, BOTS), Slice(1), [ada]))
    (merging,) = [line for line in plan.splitlines() if "Aggregate" in line]
    (looking_up,) = [line for line in plan.splitlines() if " on bots " in line]
    assert depth(looking_up) < depth(merging)  # behind what is cut off


@pytest.mark.parametrize("rows", [MANY - 1, MANY])
async def test_a_write_of_many_rows_is_planned_for_them(viewer: Viewer, rows: int) -> None:
    group, users = await make_group(viewer), await make_users(viewer, rows)
    people = [{"name": f"New {n}", "email": f"new.{n}@example.com"} for n in range(rows)]
    writes = [
        partial(add_members, viewer, USERS, group, users),
        partial(remove_members, viewer, USERS, group, users),
        partial(upsert_entries, viewer, USERS, people),
        partial(delete_entries, viewer, USERS, users),
    ]
    for write in writes:
        seen: list[str] = []
        with watch_statements(seen.append):
            await write()
        assert any("force_custom_plan" in sql for sql in seen) == (rows == MANY)
        (mode,) = await fetch("SHOW plan_cache_mode")
        assert mode[0] == "force_generic_plan"  # of the connection, for the next write


def depth(line: str) -> int:
    """How deep a node lies in a plan."""
    return len(line) - len(line.lstrip())


async def test_one_parent_is_asked_for_by_itself(viewer: Viewer) -> None:
    groups = [await make_group(viewer, name) for name in ("A", "B")]
    listing = members(viewer, USERS)
    (of_one,) = await plans_of(lambda: fetch_pages(listing, Slice(10), groups[:1]))
    (of_many,) = await plans_of(lambda: fetch_pages(listing, Slice(10), groups))
    assert "Function Scan" not in of_one
    assert "Function Scan" in of_many


async def test_of_what_groups_hold_only_what_the_changes_opened_is_looked_at(
    viewer: Viewer,
) -> None:
    users = await make_users(viewer, 500)
    group = await make_group(viewer, users=users[1:])
    await add_members(viewer, USERS, group, users)
    changes = await fetch("SELECT * FROM changes WHERE group_id = $1", group)
    await fetch("ANALYZE group_users, changes")
    plans = await plans_of(lambda: undoable(viewer, changes))
    (opening,) = [plan for plan in plans if "CTE held" in plan and "group_users" in plan]
    assert "Seq Scan on group_users" not in opening
    conditions = [line for line in opening.splitlines() if "Index Cond: " in line]
    assert all("revision" in each for each in conditions if "group_id" in each), opening
