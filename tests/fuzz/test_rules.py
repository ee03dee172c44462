"""Any sequence of writes, by several viewers of two organizations, does what a plain model says."""

import os
from itertools import count
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from models.tables import Role
from tests.databases import Databases
from tests.fuzz.model import KINDS, Entry
from tests.fuzz.realms import Tenant
from tests.fuzz.service import Served, served

RUNS = int(os.environ.get("COHORT_FUZZ_RUNS", "15"))
STEPS = 30
NAMES = ("Sales", "SALES", "Support", "Straße", "STRASSE")
TEXTS = (None, "About it", "More about it")
KEYS = {"user": [f"{n}@example.com" for n in range(4)], "bot": list("abc"), "persona": list("ab")}

numbers = count(1)
tenants = st.integers(0, 1)
# Most writes are by somebody who may write.
roles = st.sampled_from([Role.ADMIN] * 8 + [Role.AUDITOR, Role.MEMBER])
revisions = st.sampled_from(["left out"] * 6 + ["right", "wrong"])
places = st.integers(0, 9)  # which of those that there are; 0 is the latest
FOREIGN, GONE = 9, 8  # one of the other organization; one that may be deleted
kinds = st.sampled_from(KINDS)
some = st.lists(places, min_size=1, max_size=3)


class Rules(RuleBasedStateMachine):
    """Two organizations with the same names in them."""

    served: ClassVar[Served]

    def __init__(self) -> None:
        super().__init__()
        number = next(numbers)
        self.tenants = [
            self.served.run(Tenant.make(self.served, f"{name} {number}"))
            for name in ("Acme", "Other")
        ]
        for at in (0, 1):  # something to begin with, with the same names in both
            for kind in KINDS:
                for place in (0, 1):
                    self.upsert(at, Role.ADMIN, "right", kind, place, NAMES[place], False, True)
            self.create_group(at, Role.ADMIN, "right", "Sales", [1, 2], [1, 2])

    def _pick(self, tenant: Tenant, noun: str, place: int) -> str:
        of = self.tenants[1 - self.tenants.index(tenant)] if place == FOREIGN else tenant
        known = of.known[noun] if place >= GONE else of.live(noun)
        return known[-1 - place % len(known)] if known else f"{noun}_0"

    def _picked(self, tenant: Tenant, noun: str, some_places: list[int]) -> list[str]:
        return [self._pick(tenant, noun, place) for place in some_places]

    def _write(
        self, tenant: Tenant, role: Role, expect: str, name: str, given: dict[str, Any], apply: Any
    ) -> None:
        if expect != "left out":
            given["expectedRevision"] = tenant.realm.revision - (expect == "wrong")
        tenant.write(role, name, given, apply)

    @rule(
        at=tenants, role=roles, expect=revisions, name=st.sampled_from(NAMES), users=some, bots=some
    )
    def create_group(
        self, at: int, role: Role, expect: str, name: str, users: list[int], bots: list[int]
    ) -> None:
        tenant = self.tenants[at]
        ids = {"user": self._picked(tenant, "user", users), "bot": []}
        if tenant.known["bot"]:
            ids["bot"] = self._picked(tenant, "bot", bots)
        self._write(
            tenant, role, expect, "createGroup",
            {"name": name, "userIds": ids["user"], "botIds": ids["bot"]},
            lambda id: tenant.realm.create(id, name, ids),
        )  # fmt: skip

    @rule(
        at=tenants,
        role=roles,
        expect=revisions,
        place=places,
        texts=st.fixed_dictionaries(
            {}, optional={"name": st.sampled_from(NAMES), "description": st.sampled_from(TEXTS)}
        ),
    )
    def rewrite_group(
        self, at: int, role: Role, expect: str, place: int, texts: dict[str, str | None]
    ) -> None:
        tenant = self.tenants[at]
        id = self._pick(tenant, "group", place)
        self._write(
            tenant, role, expect, "updateGroup", {"id": id, **texts},
            lambda _: tenant.realm.rewrite(id, texts),
        )  # fmt: skip

    @rule(at=tenants, role=roles, expect=revisions, place=places)
    def delete_group(self, at: int, role: Role, expect: str, place: int) -> None:
        tenant = self.tenants[at]
        id = self._pick(tenant, "group", place)
        self._write(
            tenant, role, expect, "deleteGroup", {"id": id}, lambda _: tenant.realm.delete(id)
        )

    @rule(at=tenants, role=roles, expect=revisions, place=places, kind=kinds, members=some)
    def add(
        self, at: int, role: Role, expect: str, place: int, kind: str, members: list[int]
    ) -> None:
        tenant = self.tenants[at]
        id, ids = self._pick(tenant, "group", place), self._picked(tenant, kind, members)
        self._write(
            tenant, role, expect, f"add{kind.title()}sToGroup",
            {"groupId": id, f"{kind}Ids": ids},
            lambda _: tenant.realm.add(id, kind, ids),
        )  # fmt: skip

    @rule(at=tenants, role=roles, expect=revisions, place=places, kind=kinds, members=some)
    def remove(
        self, at: int, role: Role, expect: str, place: int, kind: str, members: list[int]
    ) -> None:
        tenant = self.tenants[at]
        id, ids = self._pick(tenant, "group", place), self._picked(tenant, kind, members)
        self._write(
            tenant, role, expect, f"remove{kind.title()}sFromGroup",
            {"groupId": id, f"{kind}Ids": ids},
            lambda _: tenant.realm.remove(id, kind, ids),
        )  # fmt: skip

    @rule(
        at=tenants,
        role=roles,
        expect=revisions,
        kind=kinds,
        place=places,
        name=st.sampled_from(NAMES),
        is_admin=st.booleans(),
        is_active=st.booleans(),
    )
    def upsert(
        self, at: int, role: Role, expect: str, kind: str, place: int, name: str,
        is_admin: bool, is_active: bool,
    ) -> None:  # fmt: skip
        tenant = self.tenants[at]
        key = KEYS[kind][place % len(KEYS[kind])]
        entry = Entry("", key, name)
        given = {"name": name, "email" if kind == "user" else "externalId": key}
        if kind == "user":
            entry.role = "ADMIN" if is_admin else "MEMBER"
            entry.status = "ACTIVE" if is_active else "DEACTIVATED"
            given |= {"role": entry.role, "status": entry.status}

        def apply(id: str) -> None:
            entry.id = id
            tenant.realm.upsert(kind, entry)

        self._write(tenant, role, expect, f"upsert{kind.title()}s", {f"{kind}s": [given]}, apply)

    @rule(at=tenants, role=roles, expect=revisions, kind=kinds, members=some)
    def delete(self, at: int, role: Role, expect: str, kind: str, members: list[int]) -> None:
        tenant = self.tenants[at]
        ids = [id for id in self._picked(tenant, kind, members) if id != tenant.member]
        self._write(
            tenant, role, expect, f"delete{kind.title()}s", {f"{kind}Ids": ids},
            lambda _: tenant.realm.delete_entries(kind, ids),
        )  # fmt: skip

    @rule(at=tenants, role=roles, expect=revisions, place=places)
    @precondition(lambda self: any(tenant.known["change"] for tenant in self.tenants))
    def undo(self, at: int, role: Role, expect: str, place: int) -> None:
        tenant = self.tenants[at]
        id = self._pick(tenant, "change", place)
        self._write(
            tenant, role, expect, "undoChange", {"changeId": id},
            lambda _: tenant.realm.undo(id),
        )  # fmt: skip

    @invariant()
    def both_sides_agree(self) -> None:
        first, second = self.tenants
        first.compare(second)
        second.compare(first)

    def teardown(self) -> None:
        for tenant in self.tenants:
            assert tenant.differences() == []


def test_model_and_service_agree_whatever_is_written(databases: Databases) -> None:
    with served(databases) as service:

        class Machine(Rules):
            served = service

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=RUNS,
                stateful_step_count=STEPS,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            ),
        )
