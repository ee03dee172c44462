"""Dating the changes of a long transaction anew."""

from datetime import timedelta

import pytest

from models.database import fetch, transaction, watch_statements
from models.ledger import TICK, utc_now
from models.redating import DATED, redate
from models.viewer import Viewer
from tests.factories import make_group, make_user
from tests.refusals import unchanged


@pytest.mark.usefixtures("consistent")
async def test_it_is_later_than_all_that_is_left_and_of_one_organization_alone(
    viewer: Viewer, other: Viewer
) -> None:
    for each in (viewer, other):  # at the same revisions
        await make_group(each, users=[await make_user(each)])
    ahead = utc_now() + timedelta(hours=1)  # the clock of another machine was
    async with unchanged(other), transaction():
        await fetch(
            "UPDATE organizations SET changed_at = $2 WHERE id = $1", viewer.organization_id, ahead
        )
        await redate(viewer.organization_id, 1)
    first, second = await fetch(
        "SELECT at FROM changes WHERE organization_id = $1 ORDER BY revision",
        viewer.organization_id,
    )
    assert first["at"] < ahead
    assert second["at"] == ahead + TICK


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_a_table_is_gone_through_once_and_not_once_a_change(viewer: Viewer) -> None:
    await make_group(viewer, users=[await make_user(viewer)])
    statements: list[str] = []
    async with transaction():
        with watch_statements(statements.append):
            await redate(viewer.organization_id, 0)
    updates = [sql for sql in statements if any(f"UPDATE {dated[0]} " in sql for dated in DATED)]
    assert len(updates) == len(DATED)
    for sql in updates:
        outermost = (await fetch(f"EXPLAIN QUERY PLAN {sql}", None, None))[0]
        assert sql.split()[1] in outermost["detail"].split()
