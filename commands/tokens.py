"""Tokens and sign-in links on the command line."""

from collections.abc import Sequence
from datetime import timedelta

from commands.console import Refusal, table
from commands.directory import every
from models.database import Row, fetch
from models.ledger import utc_now
from models.sessions import create_sign_in_link
from models.tables import Role, UserStatus
from models.text import differ_in_case_only, is_storable, name_key
from models.tokens import create_token, revoke_token, tokens, tokens_by_id
from models.viewer import Viewer, effective_role

HEADS = ("ID", "NAME", "ROLE", "USER", "CREATED", "LAST USED", "STATE")


async def create(
    viewer: Viewer, name: str, role: Role | None, email: str | None, expires_days: int | None
) -> str:
    """Create a token; returns its secret. Raises Refusal for an unknown user, and DomainError."""
    user = await user_with_email(viewer, email) if email else None
    expires_at = utc_now() + timedelta(days=expires_days) if expires_days else None
    _, secret = await create_token(viewer, name, role, user["id"] if user else None, expires_at)
    return secret


async def list_tokens(viewer: Viewer) -> str:
    """The organization's tokens, newest first, as a table."""
    rows = [row async for page in every(tokens(viewer)) for row in page]
    emails = {
        row["id"]: row["email"]
        for row in await fetch(
            "SELECT id, email FROM users WHERE organization_id = $1 AND id = ANY($2)",
            viewer.organization_id,
            [row["user_id"] for row in rows if row["user_id"]],
        )
    }
    cells = [
        (
            row["id"],
            row["name"],
            effective_role(row["role"], row["user_role"]),
            emails.get(row["user_id"], "-"),
            f"{row['created_at']:%Y-%m-%d}",
            f"{row['last_used_at']:%Y-%m-%d}" if row["last_used_at"] else "never",
            _state(row),
        )
        for row in rows
    ]
    return table(HEADS, cells) if cells else "There are no tokens yet."


def _state(token: Row) -> str:
    if token["revoked_at"]:
        return "revoked"
    if not token["expires_at"]:
        return "valid"
    past = token["expires_at"] <= utc_now()
    return f"{'expired' if past else 'valid until'} {token['expires_at']:%Y-%m-%d}"


async def revoke(viewer: Viewer, token_id: str) -> str:
    """Revoke a token; returns a message. Raises DomainError NOT_FOUND."""
    found = await tokens_by_id(viewer, [token_id])
    if found and found[0]["revoked_at"]:
        return f"The token {found[0]['name']} was already revoked."
    await revoke_token(viewer, token_id)
    return f"Revoked the token {found[0]['name']}. It no longer works."


async def sign_in_link(viewer: Viewer, base_url: str, email: str) -> str:
    """A URL that signs a browser in as a user, once. Raises Refusal."""
    user = await user_with_email(viewer, email)
    if user["status"] != UserStatus.ACTIVE:
        raise Refusal(f"{user['name']} is deactivated, and can't sign in.")
    return await link_for(viewer, base_url, user["id"])


async def link_for(viewer: Viewer, base_url: str, user_id: str) -> str:
    """The same, for the id of an active user."""
    return f"{base_url}/sign-in?secret={await create_sign_in_link(viewer.organization_id, user_id)}"


async def user_with_email(viewer: Viewer, email: str) -> Row:
    """The live user with this address: `id`, `name`, `status`. Raises Refusal if there is none.

    As with an issuer's tokens (`recognise_user`), it must be that very address, in any case.
    """
    key = name_key(email.strip())
    rows: Sequence[Row] = ()
    if is_storable(key):
        rows = await fetch(
            "SELECT id, name, email, status FROM users WHERE organization_id = $1 "
            "AND email_key = $2 AND until_revision IS NULL",
            viewer.organization_id,
            key,
        )
    if not rows or not differ_in_case_only(rows[0]["email"], email):
        raise Refusal(f"The organization has no user “{email}”.")
    return rows[0]


async def first_admin(viewer: Viewer) -> Row | None:
    """The active administrator who was added first: `id`, `name`."""
    rows = await fetch(
        "SELECT id, name FROM users WHERE organization_id = $1 AND role = $2 AND status = $3 "
        "AND until_revision IS NULL ORDER BY id LIMIT 1",
        viewer.organization_id,
        Role.ADMIN,
        UserStatus.ACTIVE,
    )
    return rows[0] if rows else None
