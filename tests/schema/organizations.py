"""A small organization that has something of everything, every row of it marked."""

from dataclasses import replace

from models.groups import create_group, update_group
from models.history import changes
from models.kinds import BOTS, PERSONAS, USERS
from models.listing import Slice, fetch_page
from models.membership_writes import add_members, remove_members
from models.tables import Role, UserStatus
from models.tokens import create_token
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.schema.walking import Ids

NAMES = ("Ada", "Bob")


async def furnish(viewer: Viewer, mark: str, prefix: str = "") -> Ids:
    """Fill an organization; returns ids of each kind.

    Names are `prefix` and the same for every mark; all other texts bear the mark.
    """
    viewer = replace(viewer, name=f"{mark} operator")
    users = await upsert_entries(
        viewer,
        USERS,
        [
            {
                "name": f"{prefix}{name}",
                "email": f"{name}@{mark}.example",
                "external_id": f"{mark}-{name}",
                "avatar_url": f"https://{mark}.example/{name}.png",
                "role": Role.ADMIN,
                "status": UserStatus.ACTIVE,
            }
            for name in NAMES
        ],
    )
    more = {"description": f"{mark} says so.", "avatar_url": f"/{mark}.png"}
    bots = await upsert_entries(
        viewer,
        BOTS,
        [
            {"name": f"{prefix}{n}", "external_id": f"{mark}-{n}", "features": [mark], **more}
            for n in ("Coach", "Critic")
        ],
    )
    personas = await upsert_entries(
        viewer,
        PERSONAS,
        [{"name": f"{prefix}{n}", "external_id": f"{mark}-{n}", **more} for n in ("Buyer", "Boss")],
    )
    members = {
        "user": users.changed[:1],
        "bot": bots.changed[:1],
        "persona": personas.changed[:1],
    }
    groups = [
        str((await create_group(viewer, f"{prefix}{name}", f"{mark} team.", members)).id)
        for name in ("Sales", "Support")
    ]
    await add_members(viewer, USERS, groups[0], users.changed[1:])
    await remove_members(viewer, BOTS, groups[1], bots.changed[:1])
    await update_group(viewer, groups[1], {"description": f"{mark} team, renewed."})
    token, _ = await create_token(viewer, f"{mark} token", None, users.changed[0])
    page = await fetch_page(changes(viewer), Slice(2))
    return Ids(
        {
            "organization": [viewer.organization_id],
            "user": list(users.changed),
            "bot": list(bots.changed),
            "persona": list(personas.changed),
            "group": groups,
            "token": [str(token.id)],
            "change": [row["id"] for row in page.rows],
        }
    )
