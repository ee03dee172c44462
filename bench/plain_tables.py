"""The plain server's own models, over the tables that Cohort's migrations made.

Relations are declared, as Tortoise's documentation teaches, so that members come with their
memberships by `select_related`. Columns that no operation here needs are left out, which spares
the plain server the work of reading them.
"""

from tortoise import fields
from tortoise.models import Model


class Group(Model):
    """A team."""

    id = fields.TextField(primary_key=True)
    organization_id = fields.TextField()
    name = fields.TextField()
    name_key = fields.TextField()
    description = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    until_revision = fields.BigIntField(null=True)

    class Meta:
        table = "groups"


class User(Model):
    """A person."""

    id = fields.TextField(primary_key=True)
    organization_id = fields.TextField()
    name = fields.TextField()
    name_key = fields.TextField()
    email = fields.TextField()
    email_key = fields.TextField()
    avatar_url = fields.TextField(null=True)
    status = fields.TextField()
    until_revision = fields.BigIntField(null=True)

    class Meta:
        table = "users"


class Bot(Model):
    """An AI training agent."""

    id = fields.TextField(primary_key=True)
    name = fields.TextField()
    description = fields.TextField(null=True)
    avatar_url = fields.TextField(null=True)
    features: list[str] = fields.JSONField()

    class Meta:
        table = "bots"


class Persona(Model):
    """A character that a bot plays."""

    id = fields.TextField(primary_key=True)
    name = fields.TextField()
    description = fields.TextField(null=True)
    avatar_url = fields.TextField(null=True)

    class Meta:
        table = "personas"


class Membership(Model):
    """What the three kinds of membership have in common."""

    id = fields.TextField(primary_key=True)
    organization_id = fields.TextField()
    sort_key = fields.TextField()
    added_at = fields.DatetimeField()
    since_revision = fields.BigIntField()
    until_revision = fields.BigIntField(null=True)
    group: fields.ForeignKeyRelation[Group] = fields.ForeignKeyField(
        "models.Group", related_name=False
    )
    group_id: str

    class Meta:
        abstract = True


class GroupUser(Membership):
    """A user in a group."""

    user: fields.ForeignKeyRelation[User] = fields.ForeignKeyField(
        "models.User", related_name=False
    )
    user_id: str

    class Meta:
        table = "group_users"


class GroupBot(Membership):
    """A bot in a group."""

    bot: fields.ForeignKeyRelation[Bot] = fields.ForeignKeyField("models.Bot", related_name=False)
    bot_id: str

    class Meta:
        table = "group_bots"


class GroupPersona(Membership):
    """A persona in a group."""

    persona: fields.ForeignKeyRelation[Persona] = fields.ForeignKeyField(
        "models.Persona", related_name=False
    )
    persona_id: str

    class Meta:
        table = "group_personas"
