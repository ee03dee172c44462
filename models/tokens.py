"""Tokens: whom a secret stands for, and creating, listing and revoking them.

A secret is random and shown once; only its SHA-256 is stored. (A secret of 256 random bits needs no
slow hash: it cannot be guessed.)
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from models import ids
from models.columns import columns, listed
from models.database import Row, fetch, fetch_each, transaction
from models.directory import entries_by_id
from models.errors import Code, DomainError
from models.ids import is_well_formed, well_formed
from models.kinds import USERS
from models.ledger import TICK, Draft, Outcome, utc_now, write
from models.listing import Listing, Order
from models.sql import Params
from models.tables import Action, ActorKind, Role, Token, UserStatus
from models.text import Reader, differ_in_case_only, is_storable, name_key
from models.viewer import Viewer, effective_role

# asyncpg stores the last instant that Python knows as infinity, and reads it without a time zone.
LATEST_EXPIRY = datetime.max.replace(tzinfo=UTC) - TICK
NEWEST_FIRST = Order("token", "t.id", descending=True)
COLUMNS = {**columns(Token, "t"), "user_role": "u.role AS user_role"}
FROM_TOKENS = "FROM tokens t LEFT JOIN users u ON u.id = t.user_id"


def hash_secret(secret: str) -> str:
    """The form in which a secret is stored."""
    return sha256(secret.encode(errors="replace")).hexdigest()


# ----------------------------------------------------------------------------------- recognising


async def authenticate(secret: str) -> Viewer | None:
    """The viewer that a secret stands for; None if it is unknown, expired or revoked, or its user
    is deleted or deactivated."""
    rows = await fetch(
        "SELECT t.id, t.organization_id, t.user_id, t.name, t.role, t.expires_at, t.revoked_at, "
        "o.revision, o.changed_at, "
        "u.name AS user_name, u.role AS user_role, u.status, u.until_revision "
        "FROM tokens t JOIN organizations o ON o.id = t.organization_id "
        "LEFT JOIN users u ON u.id = t.user_id WHERE t.secret_hash = $1",
        hash_secret(secret),
    )
    if not rows:
        return None
    row = rows[0]
    if row["revoked_at"] or (row["expires_at"] and row["expires_at"] <= utc_now()):
        return None
    if row["user_id"] and (row["status"] != UserStatus.ACTIVE or row["until_revision"]):
        return None
    return Viewer(
        organization_id=row["organization_id"],
        role=effective_role(row["role"], row["user_role"]),
        kind=ActorKind.USER if row["user_id"] else ActorKind.TOKEN,
        name=row["user_name"] if row["user_id"] else row["name"],
        user_id=row["user_id"],
        token_id=row["id"],
        expires_at=row["expires_at"],
        revision=row["revision"],
        changed_at=row["changed_at"],
    )


async def recognise_user(
    organization: str, email: str, role: Role | None, expires_at: datetime
) -> Viewer | None:
    """The viewer for a user whom an OpenID Connect issuer vouches for, until `expires_at`.

    `organization` is its id or its name. None if there is no such organization or user, or the user
    is deactivated. `role` can lower what the user may do, but never raise it.

    Names that are compared as one may be those of two mailboxes: straße.example and strasse.example
    may belong to two people. So a user is found by the email's key, but must have that very email.
    """
    if not is_storable(organization + email):
        return None
    is_id = is_well_formed(organization)
    rows = await fetch(
        "SELECT u.id, u.name, u.email, u.role, o.id AS organization_id, o.revision, o.changed_at "
        "FROM organizations o JOIN users u ON u.organization_id = o.id "
        f"WHERE {'o.id' if is_id else 'o.name_key'} = $1 AND u.email_key = $2 "
        "AND u.until_revision IS NULL AND u.status = $3",
        organization if is_id else name_key(organization),
        name_key(email),
        UserStatus.ACTIVE,
    )
    if not rows or not differ_in_case_only(rows[0]["email"], email):
        return None
    row = rows[0]
    return Viewer(
        organization_id=row["organization_id"],
        role=effective_role(role, row["role"]),
        kind=ActorKind.USER,
        name=row["name"],
        user_id=row["id"],
        expires_at=expires_at,
        revision=row["revision"],
        changed_at=row["changed_at"],
    )


async def mark_used(used: Mapping[str, datetime]) -> None:
    """Store when tokens were last used: many in one transaction, outside of the ledger.

    A token that another transaction has locked is skipped. This one locks many rows, in an order of
    its own: if it waited for one, it could deadlock with a write that revokes several.
    """
    async with transaction():
        await fetch_each(
            "UPDATE tokens SET last_used_at = $2 WHERE id = (SELECT id FROM tokens WHERE id = $1 "
            "AND (last_used_at IS NULL OR last_used_at < $2) FOR NO KEY UPDATE SKIP LOCKED)",
            [[id, at] for id, at in used.items()],
        )


# --------------------------------------------------------------------------------------- reading


def tokens(viewer: Viewer) -> Listing:
    """The organization's tokens, newest first; revoked and expired ones too."""
    viewer.must_see_all()

    def source(params: Params, parent: str) -> str:
        return f"{FROM_TOKENS} WHERE t.organization_id = {params.add(viewer.organization_id)}"

    return Listing(COLUMNS, source, NEWEST_FIRST)


async def tokens_by_id(viewer: Viewer, token_ids: Sequence[str]) -> list[Row]:
    """The tokens with these ids; none for a MEMBER."""
    if not viewer.sees_all:
        return []
    return list(
        await fetch(
            f"SELECT {listed(COLUMNS)} {FROM_TOKENS} "
            "WHERE t.organization_id = $1 AND t.id = ANY($2)",
            viewer.organization_id,
            well_formed(token_ids),
        )
    )


# --------------------------------------------------------------------------------------- writing


async def create_token(
    viewer: Viewer,
    name: str,
    role: Role | None = None,
    user_id: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[Outcome, str]:
    """Create a token; also returns its secret, which cannot be read again.

    A user's token may do what the user may do, or less if a `role` is given. A token without a user
    needs a role, and cannot be a MEMBER: a member sees its own groups, and it has none. Raises
    DomainError: BLANK, TOO_LONG, INVALID, NOT_FOUND.
    """
    viewer.must_administrate()
    reader = Reader()
    name = reader.required(name, "name", "Name")
    if user_id is None and role is None:
        reader.refuse(Code.BLANK, "Give a role, or a user to whom the token belongs.", "role")
    if user_id is None and role is Role.MEMBER:
        reader.refuse(Code.INVALID, "A token with the role MEMBER must belong to a user.", "userId")
    if expires_at is not None and expires_at <= utc_now():
        reader.refuse(Code.INVALID, "This time is in the past; choose a later one.", "expiresAt")
    reader.finish()
    if expires_at is not None:
        expires_at = min(expires_at, LATEST_EXPIRY)
    async with write(viewer) as draft:
        if user_id is not None and not await entries_by_id(viewer, USERS, [user_id]):
            raise DomainError.of(Code.NOT_FOUND, "There is no such user.", "userId")
        token_id, secret = await insert_token(draft, name, role, user_id, expires_at)
        draft.record(Action.TOKEN_CREATED, f"created the token {name}", details={"token": token_id})
    return Outcome(draft.landed_revision, token_id), secret


async def revoke_token(viewer: Viewer, token_id: str) -> Outcome:
    """Revoke a token, at once. Raises DomainError NOT_FOUND."""
    viewer.must_administrate()
    async with write(viewer) as draft:
        found = await tokens_by_id(viewer, [token_id])
        if not found:
            raise DomainError.of(Code.NOT_FOUND, "There is no such token.", "id")
        if found[0]["revoked_at"] is None:
            await revoke_with_sessions(draft, found[0])
    return Outcome(draft.landed_revision, token_id)


async def insert_token(
    draft: Draft,
    name: str,
    role: Role | None,
    user_id: str | None,
    expires_at: datetime | None,
    parent_id: str | None = None,
) -> tuple[str, str]:
    """Add the row of a token; returns its id and its secret."""
    token_id, secret = draft.new_id(ids.TOKEN), f"cohort_{secrets.token_urlsafe(32)}"
    await fetch(
        "INSERT INTO tokens "
        "(id, organization_id, user_id, name, role, secret_hash, created_at, expires_at, "
        "parent_id) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        token_id,
        draft.viewer.organization_id,
        user_id,
        name,
        role,
        hash_secret(secret),
        draft.now,
        expires_at,
        parent_id,
    )
    return token_id, secret


async def revoke_with_sessions(draft: Draft, token: Row) -> None:
    """Revoke a token, the sessions that it was exchanged for, and recursively theirs."""
    await fetch(
        "WITH RECURSIVE ended (id) AS (SELECT id FROM tokens WHERE id = $1 "
        "UNION ALL SELECT t.id FROM tokens t JOIN ended ON t.parent_id = ended.id) "
        "UPDATE tokens SET revoked_at = $2 WHERE id IN (SELECT id FROM ended) "
        "AND revoked_at IS NULL",
        token["id"],
        draft.now,
    )
    draft.record(
        Action.TOKEN_REVOKED, f"revoked the token {token['name']}", details={"token": token["id"]}
    )
