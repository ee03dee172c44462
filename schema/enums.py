"""Scalars and enums, with what GraphiQL shows of them."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryObjectDefinition, StrawberryType

from models.access import Reason
from models.directory import UserOrderField
from models.errors import Code
from models.groups import GroupOrderField
from models.tables import Action, ActorKind, Role, UserStatus

# Leap seconds aside, which Python does not know. It does know offsets of 60 minutes and more.
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII
)


def parse_instant(text: Any) -> datetime:
    """An RFC 3339 date and time. Raises ValueError for anything else: an offset is a must."""
    if not isinstance(text, str):
        raise ValueError("DateTime must be a string, such as 2026-01-31T12:00:00Z.")
    if RFC_3339.fullmatch(text):
        with suppress(ValueError, OverflowError):  # there is no such day, or such a year
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    raise ValueError(
        f"{text[:40]!r} is not a date and time with an offset, such as 2026-01-31T12:00:00Z."
    )


def print_instant(instant: datetime) -> datetime:
    """An instant as it is: the encoder of responses writes it as RFC 3339 in UTC."""
    return instant


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="A date and time in RFC 3339 format, returned in UTC: `2026-01-31T12:00:00Z`. "
    "Input may have any UTC offset, but no leap second (`:60`).",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=print_instant,
    parse_value=parse_instant,
)


def value_of(source: Any, name: str) -> Any:
    """A field without resolver: a column of a row, or else an attribute of an object."""
    try:
        return source[name]
    except TypeError:
        return getattr(source, name)


class Names(NameConverter):
    """Names a connection after its edges: `GroupUserEdge` gives `GroupUserConnection`."""

    def from_generic(
        self, generic_type: StrawberryObjectDefinition, types: list[StrawberryType | type]
    ) -> str:
        return self.get_name_from_type(types[0]).removesuffix("Edge") + generic_type.name


CONFIG = StrawberryConfig(
    default_resolver=value_of, scalar_map={datetime: DATE_TIME}, name_converter=Names()
)


class OrderDirection(StrEnum):
    """The direction in which a list is sorted."""

    ASC = "ASC"
    DESC = "DESC"


def _describe(enum: type[StrEnum], name: str, description: str, **values: str) -> None:
    """Make an enum of models/ one of the schema, with a description for each value."""
    definition: Any = strawberry.enum(enum, name=name, description=description)
    for value in definition.__strawberry_definition__.values:
        value.description = values[value.name]


_describe(
    Role,
    "Role",
    "What a person or a token may do.",
    ADMIN="May read and change everything.",
    AUDITOR="May read everything and change nothing.",
    MEMBER="May read their own data, their groups, and the users, bots and personas in them.",
)
_describe(
    UserStatus,
    "UserStatus",
    "Whether a person may use anything at all.",
    ACTIVE="May sign in, and use the bots and personas of their groups.",
    DEACTIVATED="May not sign in or use anything; their memberships are kept.",
)
_describe(
    ActorKind,
    "ActorKind",
    "The kind of actor that made a change.",
    USER="A user, signed in or through one of their tokens.",
    TOKEN="A token that belongs to no user.",
    OPERATOR="The operator at the command line.",
)
_describe(
    Action,
    "ChangeAction",
    "What a change did.",
    GROUP_CREATED="A group was created, possibly with members.",
    GROUP_UPDATED="A group was renamed, or its description was changed.",
    GROUP_DELETED="A group was deleted; its memberships ended.",
    USERS_ADDED="Users were added to a group.",
    USERS_REMOVED="Users were removed from a group.",
    BOTS_ADDED="Bots were added to a group.",
    BOTS_REMOVED="Bots were removed from a group.",
    PERSONAS_ADDED="Personas were added to a group.",
    PERSONAS_REMOVED="Personas were removed from a group.",
    USERS_UPSERTED="Users were added to the directory or updated.",
    USERS_DELETED="Users were deleted; their memberships ended.",
    BOTS_UPSERTED="Bots were added to the directory or updated.",
    BOTS_DELETED="Bots were deleted; their memberships ended.",
    PERSONAS_UPSERTED="Personas were added to the directory or updated.",
    PERSONAS_DELETED="Personas were deleted; their memberships ended.",
    TOKEN_CREATED="A token was created, or somebody signed in.",
    TOKEN_REVOKED="A token was revoked, or somebody signed out.",
    CHANGE_UNDONE="An earlier change was undone.",
)
_describe(
    Reason,
    "AccessReason",
    "Why a user may or may not use a bot or persona.",
    GRANTED="The user is active, and at least one group contains both.",
    NO_COMMON_GROUP="At least one group contains it, but none that the user is in.",
    RESOURCE_IN_NO_GROUP="No group contains it, so nobody may use it.",
    USER_DEACTIVATED="The user is deactivated.",
    NOT_FOUND="The user, bot or persona does not exist or is not visible to you.",
)
_describe(
    Code,
    "UserErrorCode",
    "Why a write was refused. Stable: safe for programs to switch on.",
    BLANK="A required value is blank or missing.",
    TOO_LONG="A text is too long.",
    TOO_MANY="More items than one write accepts, or more features than a bot may have.",
    INVALID="A value is not valid for this field.",
    TAKEN="The name, email or external id is already in use.",
    NOT_FOUND="The object does not exist or is not visible to you.",
    CONFLICT="`expectedRevision` is no longer the organization's revision.",
    LAST_ADMIN="It would leave the organization with no active administrator.",
    NOTHING_TO_UNDO="The change was already undone, or later changes left nothing to undo.",
)
_describe(
    OrderDirection,
    "OrderDirection",
    "The direction in which a list is sorted.",
    ASC="Ascending: A to Z, oldest to newest, smallest to largest.",
    DESC="Descending: Z to A, newest to oldest, largest to smallest.",
)
_describe(
    GroupOrderField,
    "GroupOrderField",
    "What groups can be sorted by.",
    NAME="By name, ignoring case.",
    CREATED_AT="By creation time.",
    UPDATED_AT="By the time their name, description or members last changed.",
    USER_COUNT="By the number of users in them.",
)
_describe(
    UserOrderField,
    "UserOrderField",
    "What users can be sorted by.",
    NAME="By name, ignoring case.",
    CREATED_AT="By the time they were added to the directory.",
)
