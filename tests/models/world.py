"""An organization in plain Python: what the database must agree with, told without any SQL."""

from copy import deepcopy
from dataclasses import dataclass, field

from models.access import Reason
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind


@dataclass
class World:
    """Who there is, who of the users is active, and what each group holds."""

    names: dict[Kind, dict[str, str]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    active: set[str] = field(default_factory=set)
    groups: dict[str, dict[Kind, set[str]]] = field(default_factory=dict)

    def copy(self) -> "World":
        """The same state, which later writes do not touch."""
        return deepcopy(self, {id(kind): kind for kind in KINDS})  # of which there are no copies

    def holding(self, kind: Kind, id: str) -> set[str]:
        """The groups that hold somebody, or something."""
        return {group for group, held in self.groups.items() if id in held[kind]}

    def via(self, user: str, kind: Kind, resource: str) -> set[str]:
        """The rule itself: the groups that give a user a bot or a persona."""
        if user not in self.active:
            return set()
        return self.holding(USERS, user) & self.holding(kind, resource)

    def reached(
        self, holder: Kind, held: Kind, parent: str, visible: set[str] | None = None
    ) -> list[tuple[str, set[str]]]:
        """What a parent reaches, by name and id, with the groups that give it.

        `visible` are the groups of which a member is told; None for those who see all.
        """
        found = []
        for id in sorted(self.names[held], key=lambda id: (self.names[held][id], id)):
            if holder is USERS:
                via = self.via(parent, held, id)
            else:
                via = self.via(id, holder, parent)
            if visible is not None:
                via &= visible
            if via:
                found.append((id, via))
        return found

    def reason(self, user: str, kind: Kind, resource: str) -> Reason:
        """Why a user may use a bot or a persona, or may not."""
        if user not in self.names[USERS] or resource not in self.names[kind]:
            return Reason.NOT_FOUND
        if user not in self.active:
            return Reason.USER_DEACTIVATED
        if self.via(user, kind, resource):
            return Reason.GRANTED
        if self.holding(kind, resource):
            return Reason.NO_COMMON_GROUP
        return Reason.RESOURCE_IN_NO_GROUP

    def pairs(self) -> set[tuple[str, Kind, str]]:
        """Every user with every bot and persona that they may use."""
        return {
            (user, kind, resource)
            for user in self.active
            for kind in (BOTS, PERSONAS)
            for resource in self.names[kind]
            if self.via(user, kind, resource)
        }
