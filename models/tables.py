"""What is stored: every table, with its columns and indexes. The verbs are in the files beside it.

Rows are never deleted. One that goes is closed (`until_revision`), so that the past can be told. A
membership is an interval of revisions: adding opens a row, removing closes it; who did it, and
when, is told by the changes of those two revisions.

Tables refer to one another within one organization only: `user_id`, `bot_id`, `persona_id` and
`group_id` are foreign keys together with `organization_id` (`database/operations.py`).
Unique indexes of live rows, which Tortoise cannot declare for SQLite, are in the migration too: one
open membership a pair, one live group a name, one live user an email, one live row an external id.
"""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from models.columns import KeyField, LiveIndex, PastIndex


class Role(StrEnum):
    """What a person or a token may do."""

    ADMIN = "ADMIN"
    AUDITOR = "AUDITOR"
    MEMBER = "MEMBER"


class UserStatus(StrEnum):
    """Whether a person may use anything at all."""

    ACTIVE = "ACTIVE"
    DEACTIVATED = "DEACTIVATED"


class ActorKind(StrEnum):
    """What kind of party made a change."""

    USER = "USER"
    TOKEN = "TOKEN"
    OPERATOR = "OPERATOR"


class Action(StrEnum):
    """What a change did."""

    GROUP_CREATED = "GROUP_CREATED"
    GROUP_UPDATED = "GROUP_UPDATED"
    GROUP_DELETED = "GROUP_DELETED"
    USERS_ADDED = "USERS_ADDED"
    USERS_REMOVED = "USERS_REMOVED"
    BOTS_ADDED = "BOTS_ADDED"
    BOTS_REMOVED = "BOTS_REMOVED"
    PERSONAS_ADDED = "PERSONAS_ADDED"
    PERSONAS_REMOVED = "PERSONAS_REMOVED"
    USERS_UPSERTED = "USERS_UPSERTED"
    USERS_DELETED = "USERS_DELETED"
    BOTS_UPSERTED = "BOTS_UPSERTED"
    BOTS_DELETED = "BOTS_DELETED"
    PERSONAS_UPSERTED = "PERSONAS_UPSERTED"
    PERSONAS_DELETED = "PERSONAS_DELETED"
    TOKEN_CREATED = "TOKEN_CREATED"
    TOKEN_REVOKED = "TOKEN_REVOKED"
    CHANGE_UNDONE = "CHANGE_UNDONE"


class Organization(Model):
    """A tenant. Its row is the lock of every write, and carries the revision and the counters.

    `viewers_revision` is that of the last change that may have made a viewer another, or nobody.
    """

    id = KeyField(primary_key=True)
    name = fields.TextField()
    name_key = KeyField(unique=True)
    revision = fields.BigIntField(default=0)
    viewers_revision = fields.BigIntField(default=0)
    group_count = fields.IntField(default=0)
    user_count = fields.IntField(default=0)
    bot_count = fields.IntField(default=0)
    persona_count = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "organizations"


class Entry(Model):
    """What the users, bots and personas of a directory have in common."""

    id = KeyField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "models.Organization", on_delete=fields.RESTRICT
    )
    external_id = fields.TextField(null=True)
    name = fields.TextField()
    name_key = KeyField()
    avatar_url = fields.TextField(null=True)
    group_count = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    since_revision = fields.BigIntField()
    until_revision = fields.BigIntField(null=True)

    class Meta:
        abstract = True
        unique_together = (("organization_id", "id"),)
        indexes = (LiveIndex(fields=("organization_id", "name_key", "id")),)


class User(Entry):
    """A person."""

    email = fields.TextField()
    email_key = KeyField()
    role = fields.CharEnumField(Role, max_length=16, default=Role.MEMBER)
    status = fields.CharEnumField(UserStatus, max_length=16, default=UserStatus.ACTIVE)

    class Meta(Entry.Meta):
        abstract = False
        table = "users"
        # With the email, so that a search reads nothing but this.
        indexes = (LiveIndex(fields=("organization_id", "name_key", "id", "email_key")),)


class Bot(Entry):
    """An AI training agent."""

    description = fields.TextField(null=True)
    features = fields.TextField(default="[]", description="a JSON array of short labels")

    class Meta(Entry.Meta):
        abstract = False
        table = "bots"


class Persona(Entry):
    """A character that a bot plays."""

    description = fields.TextField(null=True)

    class Meta(Entry.Meta):
        abstract = False
        table = "personas"


class Activation(Model):
    """A span of revisions during which a user was active, so that past access can be told."""

    id = KeyField(primary_key=True)
    organization_id = KeyField()
    user_id = KeyField()
    since_revision = fields.BigIntField()
    until_revision = fields.BigIntField(null=True)

    class Meta:
        table = "activations"
        indexes = (PastIndex(fields=("user_id",)),)


class Group(Model):
    """A team: users, and the bots and personas that they may use because of it."""

    id = KeyField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "models.Organization", on_delete=fields.RESTRICT
    )
    name = fields.TextField()
    name_key = KeyField()
    description = fields.TextField(null=True)
    user_count = fields.IntField(default=0)
    bot_count = fields.IntField(default=0)
    persona_count = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    updated_revision = fields.BigIntField()
    since_revision = fields.BigIntField()
    until_revision = fields.BigIntField(null=True)

    class Meta:
        table = "groups"
        unique_together = (("organization_id", "id"),)
        indexes = (
            LiveIndex(fields=("organization_id", "name_key", "id")),
            LiveIndex(fields=("organization_id", "updated_revision", "id")),
            LiveIndex(fields=("organization_id", "user_count", "id")),
        )


class Membership(Model):
    """What the three kinds of membership have in common."""

    id = KeyField(primary_key=True)
    organization_id = KeyField()
    group_id = KeyField()
    sort_key = KeyField(description="the member's name_key, so that a page comes off the index")
    added_at = fields.DatetimeField()
    since_revision = fields.BigIntField()
    until_revision = fields.BigIntField(null=True)

    class Meta:
        abstract = True


class GroupUser(Membership):
    """A user in a group."""

    user_id = KeyField()

    class Meta:
        table = "group_users"
        indexes = (
            LiveIndex(fields=("group_id", "sort_key", "user_id")),
            LiveIndex(fields=("user_id", "group_id")),
            LiveIndex(fields=("group_id", "since_revision")),
            PastIndex(fields=("group_id", "until_revision")),
            PastIndex(fields=("user_id", "until_revision")),
        )


class GroupBot(Membership):
    """A bot in a group."""

    bot_id = KeyField()

    class Meta:
        table = "group_bots"
        indexes = (
            LiveIndex(fields=("group_id", "sort_key", "bot_id")),
            LiveIndex(fields=("bot_id", "group_id")),
            LiveIndex(fields=("group_id", "since_revision")),
            PastIndex(fields=("group_id", "until_revision")),
            PastIndex(fields=("bot_id", "until_revision")),
        )


class GroupPersona(Membership):
    """A persona in a group."""

    persona_id = KeyField()

    class Meta:
        table = "group_personas"
        indexes = (
            LiveIndex(fields=("group_id", "sort_key", "persona_id")),
            LiveIndex(fields=("persona_id", "group_id")),
            LiveIndex(fields=("group_id", "since_revision")),
            PastIndex(fields=("group_id", "until_revision")),
            PastIndex(fields=("persona_id", "until_revision")),
        )


class Change(Model):
    """One entry of the ledger: what one write did. There is exactly one a revision."""

    id = KeyField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "models.Organization", on_delete=fields.RESTRICT
    )
    revision = fields.BigIntField()
    at = fields.DatetimeField()
    actor_kind = fields.CharEnumField(ActorKind, max_length=16)
    actor_name = fields.TextField()
    actor_user_id = KeyField(null=True)
    action = fields.CharEnumField(Action, max_length=32)
    group_id = KeyField(null=True)
    group_name = fields.TextField(null=True)
    summary = fields.TextField()
    undoes_id = KeyField(null=True)
    undone_by_id = KeyField(null=True)
    details = fields.TextField(
        description="JSON: ids of the rows it touched, and what stood before"
    )

    class Meta:
        table = "changes"
        unique_together = (("organization_id", "revision"),)
        indexes = (("organization_id", "group_id", "revision"), ("organization_id", "at"))


class Token(Model):
    """What proves who is asking. Only the hash of the secret is kept."""

    id = KeyField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "models.Organization", on_delete=fields.RESTRICT
    )
    user_id = KeyField(null=True)
    parent_id = KeyField(null=True, description="the token that a session was exchanged for")
    name = fields.TextField()
    role = fields.CharEnumField(Role, max_length=16, null=True)
    secret_hash = KeyField(unique=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "tokens"
        indexes = (("organization_id", "id"), ("user_id",), ("parent_id",))


class SignInLink(Model):
    """A link that signs a browser in, once."""

    id = KeyField(primary_key=True)
    organization: fields.ForeignKeyRelation[Organization] = fields.ForeignKeyField(
        "models.Organization", on_delete=fields.RESTRICT
    )
    user_id = KeyField()
    secret_hash = KeyField(unique=True)
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sign_in_links"
