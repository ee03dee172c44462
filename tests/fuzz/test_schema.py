"""Whatever the schema allows is answered: no fault of ours, and nothing of another organization."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.graphql import nodes

from models.database import fetch
from models.kinds import BOTS, KINDS, PERSONAS, USERS
from models.organizations import create_organization
from models.tables import Role
from models.verify import differences
from models.viewer import Viewer
from tests.client import asker
from tests.databases import ROOT, Databases
from tests.factories import Snapshot, make_admin, make_entry, make_group, make_user, snapshot
from tests.fuzz.service import Served, served

EXAMPLES = int(os.environ.get("COHORT_FUZZ_EXAMPLES", "5"))
FOREIGN = "Foreign"  # stands in every text of the organization that nobody here is of
THINGS = ("user", "bot", "persona", "group", "change", "token", "organization")
# An id stands in a document as one of these, and becomes a real one when it is sent.
PLACES = [f"<{whose} {thing}>" for whose in ("own", "foreign") for thing in THINGS]
SPOKEN = {
    Role.ADMIN: {"BAD_REQUEST", "LIMIT_EXCEEDED"},
    Role.AUDITOR: {"BAD_REQUEST", "LIMIT_EXCEEDED", "FORBIDDEN"},
    Role.MEMBER: {"BAD_REQUEST", "LIMIT_EXCEEDED", "FORBIDDEN"},
}

NOT_ONE_OF = "Within OneOf Input Object type"  # of which what makes the documents knows nothing

schemathesis.graphql.scalar("ID", st.sampled_from([*PLACES, "", "usr_0"]).map(nodes.String))
schema = schemathesis.graphql.from_path(ROOT / "schema" / "schema.graphql")
OPERATIONS = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
DOCUMENTS = {operation.label: operation.as_strategy() for operation in OPERATIONS}


@dataclass
class Target:
    """The service, who asks it, and what an id in a document stands for."""

    served: Served
    foreign: Viewer
    tokens: dict[Role, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, role: Role, document: str) -> None:
        """Send a document, and assert that the answer is none of a fault, and tells no secret."""
        document = re.sub(r"<\w+ \w+>", lambda found: self.ids[found.group()], document)
        post = self.served.client.post(document, token=self.tokens[role])
        response = self.served.run(post)
        assert response.status_code == 200, response.text
        body = response.json()
        assert body.keys() <= {"data", "errors", "extensions"}
        errors = body.get("errors", ())
        codes = {error["extensions"]["code"] for error in errors}
        if any(error["message"].startswith(NOT_ONE_OF) for error in errors):
            codes -= {"GRAPHQL_VALIDATION_FAILED"}
        assert codes <= SPOKEN[role], body
        assert "data" in body or errors
        assert FOREIGN not in response.text.replace(document, "")
        if role is Role.MEMBER:
            assert "secret@" not in response.text

    def foreign_rows(self) -> Snapshot:
        """All that the other organization has."""
        return self.served.run(snapshot(self.foreign.organization_id))

    def differences(self) -> list[str]:
        """What is not as it should be."""
        return self.served.run(differences())


async def _fill(viewer: Viewer, whose: str, name: str) -> dict[str, str]:
    """One of everything; returns their ids by the places that stand for them."""
    ids = {kind.noun: await make_entry(viewer, kind, f"{name} {kind.noun}") for kind in KINDS}
    await make_admin(viewer, f"{name} boss", email=f"secret@{name.lower()}.example")
    ids["group"] = await make_group(
        viewer,
        f"{name} group",
        **{kind.plural: [ids[kind.noun]] for kind in (USERS, BOTS, PERSONAS)},
    )
    ids["organization"] = viewer.organization_id
    for thing in ("change", "token"):
        rows = await fetch(
            f"SELECT id FROM {thing}s WHERE organization_id = $1 ORDER BY id DESC LIMIT 1",
            viewer.organization_id,
        )
        ids[thing] = rows[0][0] if rows else "tok_0"
    return {f"<{whose} {thing}>": id for thing, id in ids.items()}


async def _prepare(target: Target, own: Viewer) -> None:
    client = target.served.client
    await asker(client, target.foreign)
    await asker(client, own)  # the token that documents may revoke
    target.ids = {
        **await _fill(target.foreign, "foreign", FOREIGN),
        **await _fill(own, "own", "Own"),
    }
    member = await make_user(own, "Member", role=Role.MEMBER)
    await make_group(own, "Of the member", users=[member], bots=[target.ids["<own bot>"]])
    target.tokens = {
        Role.ADMIN: (await asker(client, own)).token,
        Role.AUDITOR: (await asker(client, own, Role.AUDITOR)).token,
        Role.MEMBER: (await asker(client, own, user=member)).token,
    }


@pytest.fixture
def target(databases: Databases) -> Iterator[Target]:
    """The service over two organizations that each have one of everything."""
    with served(databases) as service:
        made = Target(service, service.run(create_organization(FOREIGN)))
        service.run(_prepare(made, service.run(create_organization("Acme"))))
        yield made


def test_every_operation_has_its_documents() -> None:
    assert len(DOCUMENTS) == 34


def test_whatever_the_schema_allows_is_answered(target: Target) -> None:
    foreign = target.foreign_rows()
    roles = st.sampled_from(list(Role))
    for label, documents in DOCUMENTS.items():

        @settings(
            max_examples=EXAMPLES,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(documents, roles)
        def ask(case: schemathesis.Case[Any], role: Role) -> None:
            target.ask(role, str(case.body))

        ask()
        assert target.differences() == [], label
    assert target.foreign_rows() == foreign
