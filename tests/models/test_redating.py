"""Dating the changes of a long transaction anew."""

import pytest

from models.database import fetch, transaction, watch_statements
from models.redating import DATED, redate
from models.viewer import Viewer
from tests.factories import make_group, make_user


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
