"""Signing a browser in and out: links that work once, and sessions.

A session is a token, so it is listed, expires, and can be revoked like any other.
"""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from models import ids
from models.database import fetch, transaction
from models.errors import Unauthenticated
from models.ledger import Draft, utc_now, write
from models.tables import Action, ActorKind, Role, UserStatus
from models.tokens import hash_secret, insert_token, revoke_with_sessions
from models.viewer import Viewer


async def create_sign_in_link(
    organization_id: str, user_id: str, lifetime: timedelta = timedelta(hours=1)
) -> str:
    """The secret of a link that signs a browser in as a user, once. For the operator."""
    secret = secrets.token_urlsafe(32)
    async with transaction():
        await fetch(
            "INSERT INTO sign_in_links (id, organization_id, user_id, secret_hash, expires_at) "
            "VALUES ($1, $2, $3, $4, $5)",
            ids.new_id(ids.SIGN_IN_LINK),
            organization_id,
            user_id,
            hash_secret(secret),
            utc_now() + lifetime,
        )
    return secret


async def sign_in(link_secret: str, lifetime: timedelta) -> str | None:
    """Use up a link; returns the secret of a new session, or None if the link is not valid.

    The session is a token of the link's user, which expires after `lifetime`.
    """
    rows = await fetch(
        "SELECT l.id, l.organization_id, l.user_id, u.name, o.revision, o.changed_at "
        "FROM sign_in_links l JOIN organizations o ON o.id = l.organization_id "
        "JOIN users u ON u.id = l.user_id WHERE l.secret_hash = $1 AND l.used_at IS NULL "
        "AND l.expires_at > $2 AND u.until_revision IS NULL AND u.status = $3",
        hash_secret(link_secret),
        utc_now(),
        UserStatus.ACTIVE,
    )
    if not rows:
        return None
    link = rows[0]
    # Signing in needs no role, so a role that is lowered meanwhile must not refuse it.
    person = Viewer(
        link["organization_id"],
        Role.MEMBER,
        ActorKind.USER,
        link["name"],
        link["user_id"],
        revision=link["revision"],
        changed_at=link["changed_at"],
    )
    try:
        async with write(person) as draft:
            used = await fetch(
                "UPDATE sign_in_links SET used_at = $2 "
                "WHERE id = $1 AND used_at IS NULL RETURNING id",
                link["id"],
                draft.now,
            )
            return await _begin_session(draft, None, utc_now() + lifetime) if used else None
    except Unauthenticated:  # the user was deactivated or deleted while this waited for its turn
        return None


async def exchange(viewer: Viewer, lifetime: timedelta) -> str:
    """Exchange a browser's token for a session; returns the session's secret.

    The session may do what the token may, and ends with it.
    """
    async with write(viewer) as draft:
        end = utc_now() + lifetime  # the ledger may be ahead of all clocks: one may have been wrong
        end = min(end, viewer.expires_at or end)
        return await _begin_session(draft, viewer.role, end, viewer.token_id)


async def _begin_session(
    draft: Draft, role: Role | None, expires_at: datetime, parent_id: str | None = None
) -> str:
    user_id = draft.viewer.user_id
    token_id, secret = await insert_token(
        draft, "Browser session", role, user_id, expires_at, parent_id
    )
    draft.record(Action.TOKEN_CREATED, "signed in", details={"token": token_id})
    return secret


async def sign_out(viewer: Viewer) -> None:
    """Revoke the viewer's own token, whatever its rights are by now."""
    async with write(replace(viewer, role=Role.MEMBER)) as draft:
        rows = await fetch(
            "SELECT id, name FROM tokens WHERE id = $1 AND organization_id = $2 "
            "AND revoked_at IS NULL",
            viewer.token_id,
            viewer.organization_id,
        )
        if rows:
            await revoke_with_sessions(draft, rows[0])
