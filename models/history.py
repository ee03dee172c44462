"""Reading the ledger: what changed, who changed it, and the revision as of an instant."""

from collections.abc import Sequence
from datetime import datetime

from models.columns import columns, select
from models.database import Row, fetch, read
from models.errors import BadRequest
from models.ids import is_well_formed, well_formed
from models.ledger import utc_now
from models.listing import Listing, Order
from models.sql import Params
from models.tables import Change
from models.viewer import Viewer

CHANGE_COLUMNS = select(Change, "c")
NEWEST_FIRST = Order("change", "c.id", "revision", "c.revision", numeric=True, descending=True)


async def changes_after(organization_id: str, revision: int, limit: int) -> list[Row]:
    """The changes after a revision, oldest first: those of all groups, so whoever passes them on
    must ask `is_told` for each viewer."""
    rows = await fetch(
        f"SELECT {CHANGE_COLUMNS} FROM changes c WHERE c.organization_id = $1 "
        "AND c.revision > $2 ORDER BY c.revision LIMIT $3",
        organization_id,
        revision,
        limit,
    )
    return list(rows)


async def must_have_landed(viewer: Viewer, revision: int, change_id: str) -> None:
    """Raise BadRequest unless it was this change that made the revision.

    A subscriber that resumed from a change of another organization, or from one that was lost when
    a backup was restored, would miss changes without knowing.
    """
    rows = await fetch(
        "SELECT 1 FROM changes WHERE organization_id = $1 AND revision = $2 AND id = $3",
        viewer.organization_id,
        revision,
        change_id,
    )
    if not rows:
        raise BadRequest(
            "`after` is not the cursor of any change in this organization. Load the current state, "
            "and continue from there."
        )


async def is_told(viewer: Viewer, change: Row) -> bool:
    """Whether a subscription shows the viewer a change.

    To a MEMBER it does if the member was in the change's group then, or left by that change: so it
    gets the same changes live as when it resumes later.
    """
    if viewer.sees_all:
        return True
    rows = await fetch(
        "SELECT 1 FROM group_users WHERE organization_id = $1 AND group_id = $2 AND user_id = $3 "
        "AND since_revision <= $4 AND (until_revision IS NULL OR until_revision >= $4) LIMIT 1",
        viewer.organization_id,
        change["group_id"] or "",
        viewer.user_id,
        change["revision"],
    )
    return bool(rows)


def changes(viewer: Viewer, group_id: str | None = None) -> Listing:
    """The changes that the viewer may see, newest first: all of them, or those of one group.

    A MEMBER sees those of the groups it is in.
    """

    def source(params: Params, parent: str) -> str:
        of_group = f" AND c.group_id = {parent}" if parent else ""
        if group_id is not None:
            known = group_id if is_well_formed(group_id) else ""
            of_group = f" AND c.group_id = {params.add(known)}"
        return f"FROM changes c WHERE {viewer.sees(params, 'changes', 'c')}{of_group}"

    return Listing(columns(Change, "c"), source, NEWEST_FIRST)


async def changes_by_id(viewer: Viewer, change_ids: Sequence[str]) -> list[Row]:
    """The changes with these ids that the viewer may see."""
    params = Params()
    sees = viewer.sees(params, "changes", "c")
    rows = await read(
        f"SELECT {CHANGE_COLUMNS} FROM changes c WHERE {sees} "
        f"AND c.id = ANY({params.add(well_formed(change_ids))})",
        *params.values,
    )
    return list(rows)


async def revision_at(viewer: Viewer, instant: datetime) -> int:
    """The organization's revision as of an instant; 0 before its first change.

    Raises BadRequest for the future: after both this machine's clock and the last change.
    """
    if instant > utc_now() and instant > await _last_changed(viewer):
        raise BadRequest("`at` is in the future; give a time that is not.")
    return await landed_by(viewer.organization_id, instant)


async def landed_by(organization_id: str, instant: datetime) -> int:
    """The revision of an organization's last change up to an instant; 0 before its first one."""
    rows = await fetch(
        "SELECT revision FROM changes WHERE organization_id = $1 AND at <= $2 "
        "ORDER BY at DESC, revision DESC LIMIT 1",
        organization_id,
        instant,
    )
    return int(rows[0][0]) if rows else 0


async def _last_changed(viewer: Viewer) -> datetime:
    rows = await fetch("SELECT changed_at FROM organizations WHERE id = $1", viewer.organization_id)
    changed_at: datetime = rows[0][0]
    return changed_at


async def actors_by_revision(viewer: Viewer, revisions: Sequence[int]) -> list[Row]:
    """The actors of the changes with these revisions: `revision` and the `actor_…` columns."""
    return list(
        await read(
            "SELECT revision, actor_kind, actor_name, actor_user_id FROM changes "
            "WHERE organization_id = $1 AND revision = ANY($2)",
            viewer.organization_id,
            list(revisions),
        )
    )
