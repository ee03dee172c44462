"""One organization in plain Python: what every write does, and what must be seen afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

KINDS = ("user", "bot", "persona")
Member = tuple[str, str]  # a kind and an id


class Refused(Exception):
    """A write that the rules refuse, with the codes that it is told by."""

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = list(codes)


@dataclass
class Entry:
    """A user, a bot or a persona. `key` is what it is matched by: the email, or the external id."""

    id: str
    key: str
    name: str
    role: str = "MEMBER"
    status: str = "ACTIVE"


@dataclass
class Group:
    """A group; `open` tells which revisions each member that it holds is due to: the one since
    which it does, and, if that was an undo, those that had brought the member in before."""

    id: str
    texts: dict[str, str | None]
    live: bool = True
    open: dict[Member, tuple[int, ...]] = field(default_factory=dict)


@dataclass
class Change:
    """What one write did. `texts` are what stood before and what stands after, of a group; `closed`
    tells what each member that it took out had been due to."""

    revision: int
    action: str
    group: Group | None = None
    made_live: bool = False
    ended: bool = False
    texts: tuple[dict[str, Any], dict[str, Any]] | None = None
    closed: dict[Member, tuple[int, ...]] = field(default_factory=dict)
    undone: bool = False
    id: str = ""


@dataclass
class Realm:
    """An organization."""

    revision: int = 0
    entries: dict[str, dict[str, Entry]] = field(default_factory=lambda: {k: {} for k in KINDS})
    groups: dict[str, Group] = field(default_factory=dict)
    ledger: list[Change] = field(default_factory=list)

    # ---------------------------------------------------------------------------- what is seen

    def live_groups(self) -> list[Group]:
        """The groups that there are."""
        return [group for group in self.groups.values() if group.live]

    def held(self, group: Group, kind: str) -> set[str]:
        """What a group holds of one kind."""
        return {id for noun, id in group.open if noun == kind}

    def usable(self, user: str, kind: str) -> set[str]:
        """The rule: what a user may use, which some live group holds together with them."""
        if self.entries["user"][user].status != "ACTIVE":
            return set()
        of_user = [group for group in self.live_groups() if ("user", user) in group.open]
        return {id for group in of_user for id in self.held(group, kind)}

    def is_undoable(self, change: Change) -> bool:
        """Whether an undo would find something to reverse."""
        group = change.group
        if group is None or change.undone:
            return False
        if change.made_live or change.ended:
            return group.live is change.made_live
        if not group.live:
            return False
        return bool(self._texts_back(change) if change.texts else any(self._members_back(change)))

    # ---------------------------------------------------------------------------- what is written

    def expect(self, revision: int | None) -> None:
        """Refuse a write that expects the organization to be at another revision."""
        if revision is not None and revision != self.revision:
            raise Refused("CONFLICT")

    def create(self, id: str, name: str, members: Mapping[str, Sequence[str]]) -> None:
        """Create a group with what it holds from the start."""
        self._must_be_free(name)
        for kind in KINDS:
            self._must_exist(kind, members.get(kind, ()))
        group = self.groups[id] = Group(id, {"name": name, "description": None})
        change = self._land("GROUP_CREATED", group, made_live=True)
        self._open(change, {(kind, id): () for kind in members for id in members[kind]})

    def rewrite(self, id: str, texts: dict[str, str | None]) -> None:
        """Rename a group, or describe it."""
        group = self._group(id)
        after = {key: text for key, text in texts.items() if text != group.texts[key]}
        if after:
            self._rewrite("GROUP_UPDATED", group, after)

    def delete(self, id: str) -> None:
        """Delete a group."""
        group = self._group(id)
        self._end(self._land("GROUP_DELETED", group, ended=True))

    def add(self, id: str, kind: str, members: Sequence[str]) -> None:
        """Put members into a group."""
        group = self._group(id)
        self._must_exist(kind, members)
        if new := {(kind, member) for member in members} - set(group.open):
            self._open(self._land(f"{kind.upper()}S_ADDED", group), dict.fromkeys(new, ()))

    def remove(self, id: str, kind: str, members: Sequence[str]) -> None:
        """Take members out of a group."""
        group = self._group(id)
        self._must_exist(kind, members)
        if old := {(kind, member) for member in members} & set(group.open):
            self._close(self._land(f"{kind.upper()}S_REMOVED", group), old)

    def upsert(self, kind: str, given: Entry) -> None:
        """Add somebody or something, or update who has the same key."""
        admins = self._admins()
        found = next((e for e in self.entries[kind].values() if e.key == given.key), None)
        before = dict(self.entries[kind])
        if found:
            given.id = found.id
        self.entries[kind][given.id] = given
        if admins and not self._admins():
            self.entries[kind] = before
            raise Refused("LAST_ADMIN")
        if found != given:
            self._land(f"{kind.upper()}S_UPSERTED")

    def delete_entries(self, kind: str, ids: Sequence[str]) -> None:
        """Delete users, bots or personas."""
        self._must_exist(kind, ids)
        if not ids:
            return
        admins, before = self._admins(), dict(self.entries[kind])
        for id in ids:
            self.entries[kind].pop(id, None)
        if admins and not self._admins():
            self.entries[kind] = before
            raise Refused("LAST_ADMIN")
        self._land(f"{kind.upper()}S_DELETED")
        for group in self.groups.values():
            group.open = {m: since for m, since in group.open.items() if m[1] not in ids}

    def undo(self, id: str) -> None:
        """Reverse a change."""
        change = next((change for change in self.ledger if change.id == id), None)
        if change is None:
            raise Refused("NOT_FOUND")
        if change.group is None:
            raise Refused("INVALID")
        if not self.is_undoable(change):
            raise Refused("NOTHING_TO_UNDO")
        group = change.group
        if change.made_live:
            self._end(self._land("CHANGE_UNDONE", group, ended=True))
        elif change.ended:
            self._must_be_free(str(group.texts["name"]))
            group.live = True
            self._open(
                self._land("CHANGE_UNDONE", group, made_live=True), self._members_back(change)[1]
            )
        elif change.texts:
            self._rewrite("CHANGE_UNDONE", group, self._texts_back(change))
        else:
            gone, back = self._members_back(change)
            landed = self._land("CHANGE_UNDONE", group)
            self._close(landed, gone)
            self._open(landed, back)
        change.undone = True

    # ---------------------------------------------------------------------------- steps of a write

    def _land(
        self, action: str, group: Group | None = None, made_live: bool = False, ended: bool = False
    ) -> Change:
        self.revision += 1
        change = Change(self.revision, action, group, made_live, ended)
        self.ledger.append(change)
        return change

    def _open(self, change: Change, members: Mapping[Member, tuple[int, ...]]) -> None:
        assert change.group
        for member, before in members.items():
            change.group.open[member] = (change.revision, *before)

    def _close(self, change: Change, members: set[Member]) -> None:
        assert change.group
        for member in members:
            change.closed[member] = change.group.open.pop(member)

    def _end(self, change: Change) -> None:
        assert change.group
        change.group.live = False
        self._close(change, set(change.group.open))

    def _rewrite(self, action: str, group: Group, after: dict[str, Any]) -> None:
        name = after.get("name")
        if name and name.casefold() != str(group.texts["name"]).casefold():
            self._must_be_free(name)
        change = self._land(action, group)
        change.texts = ({key: group.texts[key] for key in after}, after)
        group.texts |= after

    def _texts_back(self, change: Change) -> dict[str, Any]:
        """What stood before a change, where nobody has changed it since."""
        assert change.group
        assert change.texts
        now, (before, after) = change.group.texts, change.texts
        return {
            key: text for key, text in before.items() if now[key] == after[key] and now[key] != text
        }

    def _members_back(self, change: Change) -> tuple[set[Member], dict[Member, tuple[int, ...]]]:
        """What an undo of a change takes out of the group, and what it puts back."""
        assert change.group
        held = change.group.open
        gone = {member for member, due_to in held.items() if change.revision in due_to}
        back = {
            (kind, id): due_to
            for (kind, id), due_to in change.closed.items()
            if (kind, id) not in held and id in self.entries[kind]
        }
        return gone, back

    def _admins(self) -> int:
        return sum(
            (user.role, user.status) == ("ADMIN", "ACTIVE")
            for user in self.entries["user"].values()
        )

    def _group(self, id: str) -> Group:
        if id not in self.groups or not self.groups[id].live:
            raise Refused("NOT_FOUND")
        return self.groups[id]

    def _must_be_free(self, name: str) -> None:
        if any(str(g.texts["name"]).casefold() == name.casefold() for g in self.live_groups()):
            raise Refused("TAKEN")

    def _must_exist(self, kind: str, ids: Sequence[str]) -> None:
        missing = [id for id in ids if id not in self.entries[kind]]
        if missing:
            raise Refused(*["NOT_FOUND"] * len(missing))
