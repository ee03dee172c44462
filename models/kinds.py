"""The kinds of members of a group: users, bots and personas. They differ only in the names here."""

from dataclasses import dataclass

from models import ids
from models.tables import (
    Action,
    Bot,
    Entry,
    GroupBot,
    GroupPersona,
    GroupUser,
    Membership,
    Persona,
    User,
)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One of the three kinds, with the names of its tables, columns, actions and words.

    They are singletons, compared and hashed by identity.
    """

    noun: str
    prefix: str
    model: type[Entry]
    membership: type[Membership]
    added: Action
    removed: Action
    upserted: Action
    deleted: Action

    @property
    def plural(self) -> str:
        """`users`, `bots`, `personas`: also the name of its table."""
        return f"{self.noun}s"

    @property
    def table(self) -> str:
        """The directory's table."""
        return str(self.model._meta.db_table)

    @property
    def memberships(self) -> str:
        """The table of memberships."""
        return str(self.membership._meta.db_table)

    @property
    def column(self) -> str:
        """The column of a membership that names the member."""
        return f"{self.noun}_id"

    @property
    def ids_field(self) -> str:
        """The input field for ids of this kind: `userIds`."""
        return f"{self.noun}Ids"

    @property
    def search_keys(self) -> tuple[str, ...]:
        """The columns that a search looks in."""
        return ("name_key", "email_key") if self.model is User else ("name_key",)

    @property
    def counter(self) -> str:
        """The column of a group, and of the organization, that counts them."""
        return f"{self.noun}_count"


USERS = Kind(
    "user",
    ids.USER,
    User,
    GroupUser,
    Action.USERS_ADDED,
    Action.USERS_REMOVED,
    Action.USERS_UPSERTED,
    Action.USERS_DELETED,
)
BOTS = Kind(
    "bot",
    ids.BOT,
    Bot,
    GroupBot,
    Action.BOTS_ADDED,
    Action.BOTS_REMOVED,
    Action.BOTS_UPSERTED,
    Action.BOTS_DELETED,
)
PERSONAS = Kind(
    "persona",
    ids.PERSONA,
    Persona,
    GroupPersona,
    Action.PERSONAS_ADDED,
    Action.PERSONAS_REMOVED,
    Action.PERSONAS_UPSERTED,
    Action.PERSONAS_DELETED,
)
KINDS = (USERS, BOTS, PERSONAS)
