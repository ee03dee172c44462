from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.columns import KeyField, LiveIndex, PastIndex
from models.database.operations import CreateTenantModel
from models.tables import Action, ActorKind, Role, UserStatus

UNIQUE_AMONG_LIVE_ROWS = [
    "live_group_name ON groups (organization_id, name_key) WHERE until_revision IS NULL",
    "live_user_email ON users (organization_id, email_key) WHERE until_revision IS NULL",
    "live_user_external_id ON users (organization_id, external_id) WHERE until_revision IS NULL",
    "live_bot_external_id ON bots (organization_id, external_id) WHERE until_revision IS NULL",
    "live_persona_external_id ON personas (organization_id, external_id) WHERE until_revision IS NULL",
    "open_group_user ON group_users (group_id, user_id) WHERE until_revision IS NULL",
    "open_group_bot ON group_bots (group_id, bot_id) WHERE until_revision IS NULL",
    "open_group_persona ON group_personas (group_id, persona_id) WHERE until_revision IS NULL",
    "open_activation ON activations (user_id) WHERE until_revision IS NULL",
]


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                ("name", fields.TextField(unique=False)),
                ("name_key", KeyField(unique=True, generated=False, null=False)),
                ("revision", fields.BigIntField(default=0)),
                ("viewers_revision", fields.BigIntField(default=0)),
                ("group_count", fields.IntField(default=0)),
                ("user_count", fields.IntField(default=0)),
                ("bot_count", fields.IntField(default=0)),
                ("persona_count", fields.IntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "organizations",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A tenant. Its row is the lock of every write, and carries the revision and the counters.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Bot",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("external_id", fields.TextField(null=True, unique=False)),
                ("name", fields.TextField(unique=False)),
                ("name_key", KeyField(generated=False, null=False, unique=False)),
                ("avatar_url", fields.TextField(null=True, unique=False)),
                ("group_count", fields.IntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
                ("description", fields.TextField(null=True, unique=False)),
                (
                    "features",
                    fields.TextField(
                        default="[]", description="a JSON array of short labels", unique=False
                    ),
                ),
            ],
            options={
                "table": "bots",
                "app": "models",
                "unique_together": (("organization_id", "id"),),
                "indexes": [LiveIndex(fields=["organization_id", "name_key", "id"])],
                "pk_attr": "id",
                "table_description": "An AI training agent.",
            },
            bases=["Entry"],
        ),
        ops.CreateModel(
            name="Group",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.TextField(unique=False)),
                ("name_key", KeyField(generated=False, null=False, unique=False)),
                ("description", fields.TextField(null=True, unique=False)),
                ("user_count", fields.IntField(default=0)),
                ("bot_count", fields.IntField(default=0)),
                ("persona_count", fields.IntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_revision", fields.BigIntField()),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
            ],
            options={
                "table": "groups",
                "app": "models",
                "unique_together": (("organization_id", "id"),),
                "indexes": [
                    LiveIndex(fields=["organization_id", "name_key", "id"]),
                    LiveIndex(fields=["organization_id", "updated_revision", "id"]),
                    LiveIndex(fields=["organization_id", "user_count", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "A team: users, and the bots and personas that they may use because of it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Persona",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("external_id", fields.TextField(null=True, unique=False)),
                ("name", fields.TextField(unique=False)),
                ("name_key", KeyField(generated=False, null=False, unique=False)),
                ("avatar_url", fields.TextField(null=True, unique=False)),
                ("group_count", fields.IntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
                ("description", fields.TextField(null=True, unique=False)),
            ],
            options={
                "table": "personas",
                "app": "models",
                "unique_together": (("organization_id", "id"),),
                "indexes": [LiveIndex(fields=["organization_id", "name_key", "id"])],
                "pk_attr": "id",
                "table_description": "A character that a bot plays.",
            },
            bases=["Entry"],
        ),
        ops.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("external_id", fields.TextField(null=True, unique=False)),
                ("name", fields.TextField(unique=False)),
                ("name_key", KeyField(generated=False, null=False, unique=False)),
                ("avatar_url", fields.TextField(null=True, unique=False)),
                ("group_count", fields.IntField(default=0)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
                ("email", fields.TextField(unique=False)),
                ("email_key", KeyField(generated=False, null=False, unique=False)),
                (
                    "role",
                    fields.CharEnumField(
                        default=Role.MEMBER,
                        description="ADMIN: ADMIN\nAUDITOR: AUDITOR\nMEMBER: MEMBER",
                        enum_type=Role,
                        max_length=16,
                    ),
                ),
                (
                    "status",
                    fields.CharEnumField(
                        default=UserStatus.ACTIVE,
                        description="ACTIVE: ACTIVE\nDEACTIVATED: DEACTIVATED",
                        enum_type=UserStatus,
                        max_length=16,
                    ),
                ),
            ],
            options={
                "table": "users",
                "app": "models",
                "unique_together": (("organization_id", "id"),),
                "indexes": [
                    LiveIndex(fields=["organization_id", "name_key", "id", "email_key"])
                ],
                "pk_attr": "id",
                "table_description": "A person.",
            },
            bases=["Entry"],
        ),
        CreateTenantModel(
            name="Activation",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                ("organization_id", KeyField(generated=False, null=False, unique=False)),
                ("user_id", KeyField(generated=False, null=False, unique=False)),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
            ],
            options={
                "table": "activations",
                "app": "models",
                "indexes": [PastIndex(fields=["user_id"])],
                "pk_attr": "id",
                "table_description": "A span of revisions during which a user was active, so that past access can be told.",
            },
            bases=["Model"],
        ),
        CreateTenantModel(
            name="GroupBot",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                ("organization_id", KeyField(generated=False, null=False, unique=False)),
                ("group_id", KeyField(generated=False, null=False, unique=False)),
                (
                    "sort_key",
                    KeyField(
                        description="the member's name_key, so that a page comes off the index",
                        generated=False,
                        null=False,
                        unique=False,
                    ),
                ),
                ("added_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
                ("bot_id", KeyField(generated=False, null=False, unique=False)),
            ],
            options={
                "table": "group_bots",
                "app": "models",
                "indexes": [
                    LiveIndex(fields=["group_id", "sort_key", "bot_id"]),
                    LiveIndex(fields=["bot_id", "group_id"]),
                    LiveIndex(fields=["group_id", "since_revision"]),
                    PastIndex(fields=["group_id", "until_revision"]),
                    PastIndex(fields=["bot_id", "until_revision"]),
                ],
                "pk_attr": "id",
                "table_description": "A bot in a group.",
            },
            bases=["Membership"],
        ),
        CreateTenantModel(
            name="GroupPersona",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                ("organization_id", KeyField(generated=False, null=False, unique=False)),
                ("group_id", KeyField(generated=False, null=False, unique=False)),
                (
                    "sort_key",
                    KeyField(
                        description="the member's name_key, so that a page comes off the index",
                        generated=False,
                        null=False,
                        unique=False,
                    ),
                ),
                ("added_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
                ("persona_id", KeyField(generated=False, null=False, unique=False)),
            ],
            options={
                "table": "group_personas",
                "app": "models",
                "indexes": [
                    LiveIndex(fields=["group_id", "sort_key", "persona_id"]),
                    LiveIndex(fields=["persona_id", "group_id"]),
                    LiveIndex(fields=["group_id", "since_revision"]),
                    PastIndex(fields=["group_id", "until_revision"]),
                    PastIndex(fields=["persona_id", "until_revision"]),
                ],
                "pk_attr": "id",
                "table_description": "A persona in a group.",
            },
            bases=["Membership"],
        ),
        CreateTenantModel(
            name="GroupUser",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                ("organization_id", KeyField(generated=False, null=False, unique=False)),
                ("group_id", KeyField(generated=False, null=False, unique=False)),
                (
                    "sort_key",
                    KeyField(
                        description="the member's name_key, so that a page comes off the index",
                        generated=False,
                        null=False,
                        unique=False,
                    ),
                ),
                ("added_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("since_revision", fields.BigIntField()),
                ("until_revision", fields.BigIntField(null=True)),
                ("user_id", KeyField(generated=False, null=False, unique=False)),
            ],
            options={
                "table": "group_users",
                "app": "models",
                "indexes": [
                    LiveIndex(fields=["group_id", "sort_key", "user_id"]),
                    LiveIndex(fields=["user_id", "group_id"]),
                    LiveIndex(fields=["group_id", "since_revision"]),
                    PastIndex(fields=["group_id", "until_revision"]),
                    PastIndex(fields=["user_id", "until_revision"]),
                ],
                "pk_attr": "id",
                "table_description": "A user in a group.",
            },
            bases=["Membership"],
        ),
        CreateTenantModel(
            name="Change",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("revision", fields.BigIntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "actor_kind",
                    fields.CharEnumField(
                        description="USER: USER\nTOKEN: TOKEN\nOPERATOR: OPERATOR",
                        enum_type=ActorKind,
                        max_length=16,
                    ),
                ),
                ("actor_name", fields.TextField(unique=False)),
                ("actor_user_id", KeyField(null=True, generated=False, unique=False)),
                (
                    "action",
                    fields.CharEnumField(
                        description="GROUP_CREATED: GROUP_CREATED\nGROUP_UPDATED: GROUP_UPDATED\nGROUP_DELETED: GROUP_DELETED\nUSERS_ADDED: USERS_ADDED\nUSERS_REMOVED: USERS_REMOVED\nBOTS_ADDED: BOTS_ADDED\nBOTS_REMOVED: BOTS_REMOVED\nPERSONAS_ADDED: PERSONAS_ADDED\nPERSONAS_REMOVED: PERSONAS_REMOVED\nUSERS_UPSERTED: USERS_UPSERTED\nUSERS_DELETED: USERS_DELETED\nBOTS_UPSERTED: BOTS_UPSERTED\nBOTS_DELETED: BOTS_DELETED\nPERSONAS_UPSERTED: PERSONAS_UPSERTED\nPERSONAS_DELETED: PERSONAS_DELETED\nTOKEN_CREATED: TOKEN_CREATED\nTOKEN_REVOKED: TOKEN_REVOKED\nCHANGE_UNDONE: CHANGE_UNDONE",
                        enum_type=Action,
                        max_length=32,
                    ),
                ),
                ("group_id", KeyField(null=True, generated=False, unique=False)),
                ("group_name", fields.TextField(null=True, unique=False)),
                ("summary", fields.TextField(unique=False)),
                ("undoes_id", KeyField(null=True, generated=False, unique=False)),
                ("undone_by_id", KeyField(null=True, generated=False, unique=False)),
                (
                    "details",
                    fields.TextField(
                        description="JSON: ids of the rows it touched, and what stood before",
                        unique=False,
                    ),
                ),
            ],
            options={
                "table": "changes",
                "app": "models",
                "unique_together": (("organization_id", "revision"),),
                "indexes": [
                    Index(fields=["organization_id", "group_id", "revision"]),
                    Index(fields=["organization_id", "at"]),
                ],
                "pk_attr": "id",
                "table_description": "One entry of the ledger: what one write did. There is exactly one a revision.",
            },
            bases=["Model"],
        ),
        CreateTenantModel(
            name="SignInLink",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("user_id", KeyField(generated=False, null=False, unique=False)),
                ("secret_hash", KeyField(unique=True, generated=False, null=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sign_in_links",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A link that signs a browser in, once.",
            },
            bases=["Model"],
        ),
        CreateTenantModel(
            name="Token",
            fields=[
                (
                    "id",
                    KeyField(
                        primary_key=True, unique=True, db_index=True, generated=False, null=False
                    ),
                ),
                (
                    "organization",
                    fields.ForeignKeyField(
                        "models.Organization",
                        source_field="organization_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("user_id", KeyField(null=True, generated=False, unique=False)),
                (
                    "parent_id",
                    KeyField(
                        null=True,
                        description="the token that a session was exchanged for",
                        generated=False,
                        unique=False,
                    ),
                ),
                ("name", fields.TextField(unique=False)),
                (
                    "role",
                    fields.CharEnumField(
                        null=True,
                        description="ADMIN: ADMIN\nAUDITOR: AUDITOR\nMEMBER: MEMBER",
                        enum_type=Role,
                        max_length=16,
                    ),
                ),
                ("secret_hash", KeyField(unique=True, generated=False, null=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "last_used_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "tokens",
                "app": "models",
                "indexes": [
                    Index(fields=["organization_id", "id"]),
                    Index(fields=["user_id"]),
                    Index(fields=["parent_id"]),
                ],
                "pk_attr": "id",
                "table_description": "What proves who is asking. Only the hash of the secret is kept.",
            },
            bases=["Model"],
        ),
        ops.RunSQL([f"CREATE UNIQUE INDEX {index};" for index in UNIQUE_AMONG_LIVE_ROWS]),
    ]
