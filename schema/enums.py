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

# Leap seconds aside, which Python does not know.
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_instant(text: Any) -> datetime:
    """An RFC 3339 date and time. Raises ValueError for anything else: an offset is a must."""
    if not isinstance(text, str):
        raise ValueError("DateTime is a text such as 2026-01-31T12:00:00Z.")
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
    description="An instant, as RFC 3339 says it, in UTC: `2026-01-31T12:00:00Z`.",
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
    """Which way a list is sorted."""

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
    AUDITOR="May read everything, and change nothing.",
    MEMBER="May read their own groups, and what those hold.",
)
_describe(
    UserStatus,
    "UserStatus",
    "Whether a person may use anything at all.",
    ACTIVE="May use what their groups give.",
    DEACTIVATED="May use nothing, and not sign in; their memberships stay.",
)
_describe(
    ActorKind,
    "ActorKind",
    "What kind of party made a change.",
    USER="A person.",
    TOKEN="A token that is no person's.",
    OPERATOR="The operator at the command line.",
)
_describe(
    Action,
    "ChangeAction",
    "What a change did.",
    GROUP_CREATED="A group was created, perhaps with members.",
    GROUP_UPDATED="A group was renamed, or described anew.",
    GROUP_DELETED="A group was deleted; its memberships ended.",
    USERS_ADDED="Users were put into a group.",
    USERS_REMOVED="Users were taken out of a group.",
    BOTS_ADDED="Bots were put into a group.",
    BOTS_REMOVED="Bots were taken out of a group.",
    PERSONAS_ADDED="Personas were put into a group.",
    PERSONAS_REMOVED="Personas were taken out of a group.",
    USERS_UPSERTED="Users were added to the directory, or updated in it.",
    USERS_DELETED="Users were deleted; their memberships ended.",
    BOTS_UPSERTED="Bots were added to the directory, or updated in it.",
    BOTS_DELETED="Bots were deleted; their memberships ended.",
    PERSONAS_UPSERTED="Personas were added to the directory, or updated in it.",
    PERSONAS_DELETED="Personas were deleted; their memberships ended.",
    TOKEN_CREATED="A token was created, or somebody signed in.",
    TOKEN_REVOKED="A token was revoked, or somebody signed out.",
    CHANGE_UNDONE="An earlier change was undone.",
)
_describe(
    Reason,
    "AccessReason",
    "Why somebody may use something, or may not.",
    GRANTED="Some live group holds both, and the user is active.",
    NO_COMMON_GROUP="Groups hold it, but none that the user is in.",
    RESOURCE_IN_NO_GROUP="No group holds it, so nobody may use it.",
    USER_DEACTIVATED="The user is deactivated.",
    NOT_FOUND="There is no such user, bot or persona, as far as you may see.",
)
_describe(
    Code,
    "UserErrorCode",
    "Why a write was refused. Stable: programs may switch on it.",
    BLANK="What is needed is blank, or was left out.",
    TOO_LONG="A text is too long.",
    TOO_MANY="More rows than one write takes, or more features than a bot may have.",
    INVALID="A value makes no sense where it stands.",
    TAKEN="The name, email or external id is in use.",
    NOT_FOUND="There is no such row, as far as you may see.",
    CONFLICT="`expectedRevision` is no longer the organization's revision.",
    LAST_ADMIN="It would leave the organization with no active administrator.",
    NOTHING_TO_UNDO="The change was undone already, or later ones have made it moot.",
)
_describe(
    OrderDirection,
    "OrderDirection",
    "Which way a list is sorted.",
    ASC="From the least to the greatest: A to Z, oldest to newest.",
    DESC="From the greatest to the least.",
)
_describe(
    GroupOrderField,
    "GroupOrderField",
    "What groups may be sorted by.",
    NAME="By name, whatever its case.",
    CREATED_AT="By when they were created.",
    UPDATED_AT="By when their name, description or members last changed.",
    USER_COUNT="By how many users they hold.",
)
_describe(
    UserOrderField,
    "UserOrderField",
    "What users may be sorted by.",
    NAME="By name, whatever its case.",
    CREATED_AT="By when they came into the directory.",
)
