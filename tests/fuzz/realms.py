"""Organizations of the service beside their models: written to together, and compared."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models.ledger import current_revision
from models.organizations import create_organization
from models.tables import Role
from models.verify import differences
from models.viewer import Viewer
from tests.client import Asker, asker
from tests.factories import make_user
from tests.fuzz.model import KINDS, Change, Entry, Group, Realm, Refused
from tests.fuzz.service import Served

SHOWN = 8  # more than there ever are of anything
ALL = f"""{{
    organization {{ revision groupCount userCount botCount personaCount }}
    groups(first: {SHOWN}) {{ nodes {{ id name description userCount botCount personaCount
        users(first: {SHOWN}) {{ nodes {{ id }} }}
        bots(first: {SHOWN}) {{ nodes {{ id }} }}
        personas(first: {SHOWN}) {{ nodes {{ id }} }} }} }}
    users(first: {SHOWN}) {{ nodes {{ id name email role status groupCount
        bots(first: {SHOWN}) {{ nodes {{ id }} }}
        personas(first: {SHOWN}) {{ nodes {{ id }} }} }} }}
    bots(first: {SHOWN}) {{ nodes {{ id name users(first: {SHOWN}) {{ nodes {{ id }} }} }} }}
    changes(first: {SHOWN}) {{ totalCount nodes {{ id revision action undoable }} }} }}"""
OWN = f"""{{
    organization {{ revision }}
    viewer {{ user {{ id bots(first: {SHOWN}) {{ nodes {{ id }} }}
        personas(first: {SHOWN}) {{ nodes {{ id }} }} }} }}
    groups(first: {SHOWN}) {{ nodes {{ id name }} }}
    users(first: {SHOWN}) {{ nodes {{ id email }} }} }}"""
RESULTS = {
    "createGroup": "group { id }",
    "upsertUsers": "users { id }",
    "upsertBots": "bots { id }",
    "upsertPersonas": "personas { id }",
}


def ids_in(connection: dict[str, Any]) -> set[str]:
    """The ids of a page, each of which must be there once."""
    ids = [node["id"] for node in connection["nodes"]]
    assert len(ids) == len(set(ids))
    return set(ids)


@dataclass
class Tenant:
    """An organization of the service, its model, and those who ask."""

    served: Served
    viewer: Viewer
    askers: dict[Role, Asker]
    member: str
    realm: Realm
    known: dict[str, list[str]] = field(default_factory=dict)  # every id there ever was

    @classmethod
    async def make(cls, served: Served, name: str) -> "Tenant":
        """A new organization with three who ask: two tokens, and a person who is a member."""
        viewer = await create_organization(name)
        member = await make_user(viewer, "Member", email="member@example.com")
        askers = {
            Role.ADMIN: await asker(served.client, viewer),
            Role.AUDITOR: await asker(served.client, viewer, Role.AUDITOR),
            Role.MEMBER: await asker(served.client, viewer, user=member),
        }
        realm = Realm(revision=await current_revision(viewer.organization_id))
        realm.entries["user"][member] = Entry(member, "member@example.com", "Member")
        known: dict[str, list[str]] = {kind: [] for kind in (*KINDS, "group", "change")}
        known["user"].append(member)
        return cls(served, viewer, askers, member, realm, known)

    def live(self, noun: str) -> list[str]:
        """The ids of those that there are, and of the changes of groups."""
        if noun == "group":
            return [group.id for group in self.realm.live_groups()]
        if noun == "change":
            return [change.id for change in self.realm.ledger if change.group]
        return list(self.realm.entries[noun])

    # ------------------------------------------------------------------------------- writing

    def write(
        self, role: Role, name: str, given: dict[str, Any], apply: Callable[[str], None]
    ) -> None:
        """Write to both sides, and assert that they agree on what comes of it.

        `apply` is given the id that the service made, and writes to the model.
        """
        type_name = f"{name[0].upper()}{name[1:]}Input"
        result = RESULTS.get(name, "")
        document = (
            f"mutation($input: {type_name}!) {{ {name}(input: $input) "
            f"{{ revision userErrors {{ code }} {result} }} }}"
        )
        asked = self.askers[role].client.ask(document, {"input": given}, self.askers[role].token)
        answer = self.served.run(asked)
        if role is not Role.ADMIN:
            assert [e["extensions"]["code"] for e in answer["errors"]] == ["FORBIDDEN"]
            return
        assert "errors" not in answer, answer
        payload = answer["data"][name]
        made = payload.get(result.partition(" ")[0]) if result else None
        id = (made[0] if isinstance(made, list) and made else made or {"id": ""})["id"]
        self._agree(payload, given.get("expectedRevision"), lambda: apply(id))
        if id and name == "createGroup":
            self.known["group"].append(id)
        elif id and id not in self.known[result.partition("s ")[0]]:
            self.known[result.partition("s ")[0]].append(id)

    def _agree(
        self, payload: dict[str, Any], expected: int | None, apply: Callable[[], None]
    ) -> None:
        codes: list[str] = []
        landed = len(self.realm.ledger)
        try:
            self.realm.expect(expected)
            apply()
        except Refused as refused:
            codes = refused.codes
        assert [error["code"] for error in payload["userErrors"]] == codes
        assert payload["revision"] == self.realm.revision
        if len(self.realm.ledger) > landed:
            ask = self.askers[Role.ADMIN]("{ changes(first: 1) { nodes { id } } }")
            id = self.served.run(ask)["changes"]["nodes"][0]["id"]
            self.realm.ledger[-1].id = id
            self.known["change"].append(id)

    # ------------------------------------------------------------------------------- comparing

    def compare(self, other: "Tenant") -> None:
        """Assert that everybody sees what the model says, and nothing of the other."""
        foreign = {id for ids in other.known.values() for id in ids}
        for role, asker_ in self.askers.items():
            seen = self.served.run(asker_(OWN if role is Role.MEMBER else ALL))
            assert not [id for id in foreign if id in str(seen)]
            if role is Role.MEMBER:
                self._compare_own(seen)
            else:
                self._compare_all(seen)

    def _compare_all(self, seen: dict[str, Any]) -> None:
        realm = self.realm
        assert seen["organization"] == {
            "revision": realm.revision,
            "groupCount": len(realm.live_groups()),
            **{f"{kind}Count": len(realm.entries[kind]) for kind in KINDS},
        }
        groups = {node["id"]: node for node in seen["groups"]["nodes"]}
        assert groups.keys() == {group.id for group in realm.live_groups()}
        for group in realm.live_groups():
            self._compare_group(group, groups[group.id])
        users = {node["id"]: node for node in seen["users"]["nodes"]}
        assert users.keys() == realm.entries["user"].keys()
        for user in realm.entries["user"].values():
            self._compare_user(user, users[user.id])
        for node in seen["bots"]["nodes"]:
            users_of = {u for u in users if node["id"] in realm.usable(u, "bot")}
            assert ids_in(node["users"]) == users_of
        self._compare_ledger(seen["changes"])

    def _compare_group(self, group: Group, node: dict[str, Any]) -> None:
        assert (node["name"], node["description"]) == (
            group.texts["name"],
            group.texts["description"],
        )
        for kind in KINDS:
            held = self.realm.held(group, kind)
            assert ids_in(node[f"{kind}s"]) == held
            assert node[f"{kind}Count"] == len(held)

    def _compare_user(self, user: Entry, node: dict[str, Any]) -> None:
        told = (node["name"], node["email"], node["role"], node["status"])
        assert told == (user.name, user.key, user.role, user.status)
        groups = [group for group in self.realm.live_groups() if ("user", user.id) in group.open]
        assert node["groupCount"] == len(groups)
        for kind in ("bot", "persona"):
            assert ids_in(node[f"{kind}s"]) == self.realm.usable(user.id, kind)

    def _compare_ledger(self, changes: dict[str, Any]) -> None:
        before = self.realm.revision - len(self.realm.ledger)  # what was there from the start
        assert changes["totalCount"] == self.realm.revision
        newest: list[Change] = self.realm.ledger[::-1][:SHOWN]
        told = [node for node in changes["nodes"] if node["revision"] > before]
        assert told == [
            {
                "id": change.id,
                "revision": change.revision,
                "action": change.action,
                "undoable": self.realm.is_undoable(change),
            }
            for change in newest
        ]

    def _compare_own(self, seen: dict[str, Any]) -> None:
        realm = self.realm
        own = [group for group in realm.live_groups() if ("user", self.member) in group.open]
        assert seen["organization"] == {"revision": realm.revision}
        assert ids_in(seen["groups"]) == {group.id for group in own}
        fellows = {id for group in own for id in realm.held(group, "user")}
        assert ids_in(seen["users"]) == fellows | {self.member}
        emails = {node["id"]: node["email"] for node in seen["users"]["nodes"]}
        assert {id for id, email in emails.items() if email} == {self.member}
        for kind in ("bot", "persona"):
            usable = realm.usable(self.member, kind)
            assert ids_in(seen["viewer"]["user"][f"{kind}s"]) == usable

    def differences(self) -> list[str]:
        """What `verify` finds."""
        return self.served.run(differences(self.viewer.organization_id))
