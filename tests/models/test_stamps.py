"""Whether all that a query read stood at one revision."""

import asyncio

from models.database import fetch, read
from models.database.stamps import Stamps
from models.directory import entries_by_id
from models.kinds import USERS
from models.ledger import TICK, current_revision, positions
from models.viewer import Viewer
from tests.factories import make_user

NAMES = "SELECT name, email FROM users WHERE name > $1 ORDER BY name DESC LIMIT 10"


async def _stamps(viewer: Viewer) -> Stamps:
    """Those of a query that begins now."""
    at = (await positions([viewer.organization_id]))[viewer.organization_id]
    return Stamps(viewer.organization_id, at.changed_at)


async def test_statements_tell_the_revision_at_which_they_saw_the_rows(viewer: Viewer) -> None:
    await make_user(viewer, "Ada")
    await make_user(viewer, "Alan")
    revision = await current_revision(viewer.organization_id)
    with await _stamps(viewer) as stamps:
        rows = await read(NAMES, "")
        assert [row["name"] for row in rows] == ["Alan", "Ada"]
        assert stamps.are_all(revision)
        assert not stamps.are_all(revision + 1)


async def test_one_that_finds_nothing_tells_it_too(viewer: Viewer) -> None:
    with await _stamps(viewer) as stamps:
        assert await read(NAMES, "Zoë") == []
    assert stamps.are_all(await current_revision(viewer.organization_id))


async def test_what_lands_between_two_of_them_is_noticed(viewer: Viewer) -> None:
    id = await make_user(viewer, "Ada")
    before = await current_revision(viewer.organization_id)
    with await _stamps(viewer) as stamps:
        await entries_by_id(viewer, USERS, [id])
        await make_user(viewer, "Alan")
        await read(NAMES, "")
    after = await current_revision(viewer.organization_id)
    assert before < after
    assert not stamps.are_all(before)
    assert not stamps.are_all(after)


async def test_a_revision_at_another_instant_is_another_state(viewer: Viewer) -> None:
    changed_at = (await _stamps(viewer)).changed_at + TICK
    with Stamps(viewer.organization_id, changed_at) as stamps:
        await read(NAMES, "")
    assert not stamps.are_all(await current_revision(viewer.organization_id))


async def test_a_statement_without_a_stamp_leaves_it_open(viewer: Viewer) -> None:
    with await _stamps(viewer) as stamps:
        await read(NAMES, "")
        await fetch(NAMES, "")
    assert not stamps.are_all(await current_revision(viewer.organization_id))


async def test_no_statement_tells_nothing(viewer: Viewer) -> None:
    with await _stamps(viewer) as stamps:
        pass
    assert not stamps.are_all(await current_revision(viewer.organization_id))


async def test_the_tasks_of_a_block_are_its_own_and_no_others(viewer: Viewer) -> None:
    revision = await current_revision(viewer.organization_id)
    with await _stamps(viewer) as one:
        task = asyncio.create_task(read(NAMES, ""))
        with Stamps("org_of_somebody_else", one.changed_at) as other:
            assert await read(NAMES, "") == []
        await task
    await fetch(NAMES, "")
    assert one.are_all(revision)
    assert not other.are_all(revision)
