"""The real service for the browser tests: one process on one SQLite file, many organizations."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.browser.until import LONGEST

ROOT = Path(__file__).parent.parent.parent
ADMIN, OTHER_ADMIN, AUDITOR, MEMBER = (
    "fatima.el-sayed@example.com",
    "ravi.subramaniam@example.com",
    "chidi.eze@example.com",
    "hana.sato@example.com",
)
PEOPLE = (ADMIN, OTHER_ADMIN, AUDITOR, MEMBER)
SECONDS_TO_START = 180.0
ORGANIZATIONS_AT_ONCE = 20


class Server:
    """A process that serves on a port; `url` is its origin."""

    def __init__(self, file: Path, port: int) -> None:
        self.file = file
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers. Raises TimeoutError, and leaves no process then."""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": f"sqlite://{self.file}",
                "PORT": str(self.port),
                "COHORT_LOG_LEVEL": "ERROR",
            },
        )
        deadline = time.monotonic() + SECONDS_TO_START
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/readyz").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.stop()
        raise TimeoutError("The service did not start.")

    def stop(self) -> None:
        """Stop it, as an operator would."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def sign_in_link(self, organization: str, email: str) -> str:
        """A link that signs a browser in, once."""
        told = subprocess.check_output(
            [
                *(sys.executable, "manage.py", "sign-in-link"),
                *("--organization", organization, "--user", email),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": f"sqlite://{self.file}",
                "COHORT_PUBLIC_URL": self.url,
            },
            text=True,
        )
        return told.split()[-1]


@dataclass
class Organization:
    """A demo organization, and tokens by the address of whom they are for."""

    name: str
    tokens: dict[str, str]


def organizations_in(file: Path) -> Iterator[Organization]:
    """Organizations without end, made a few at a time in a process that is not the browser's."""
    for first in count(1, ORGANIZATIONS_AT_ONCE):
        numbers = (str(first), str(ORGANIZATIONS_AT_ONCE))
        told = subprocess.check_output(
            [sys.executable, "-m", "tests.browser.demo", str(file), *numbers, *PEOPLE],
            cwd=ROOT,
            text=True,
        )
        yield from (Organization(**made) for made in json.loads(told))


@dataclass
class Service:
    """The service, as one organization knows it."""

    server: Server
    organization: Organization

    @property
    def url(self) -> str:
        """Its origin."""
        return self.server.url

    @property
    def tokens(self) -> dict[str, str]:
        """Tokens by the address of whom they are for."""
        return self.organization.tokens

    def sign_in_link(self, email: str) -> str:
        """A link that signs a browser in, once."""
        return self.server.sign_in_link(self.organization.name, email)

    def ask(self, query: str, email: str = ADMIN, **variables: Any) -> Any:
        """The data that the API answers somebody."""
        response = httpx.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self.tokens[email]}"},
            timeout=LONGEST / 1_000,
        )
        answer = response.json()
        assert "errors" not in answer, answer
        return answer["data"]

    # ------------------------------------------------------------------- what tests need to know

    def group(self, name: str) -> str:
        """The id of a group."""
        groups = self.ask("query ($s: String) { groups(search: $s) { nodes { id name } } }", s=name)
        return _id(groups["groups"]["nodes"], name)

    def user(self, name: str) -> str:
        """The id of a user."""
        users = self.ask("query ($s: String) { users(search: $s) { nodes { id name } } }", s=name)
        return _id(users["users"]["nodes"], name)

    def bot(self, name: str) -> str:
        """The id of a bot."""
        bots = self.ask("query ($s: String) { bots(search: $s) { nodes { id name } } }", s=name)
        return _id(bots["bots"]["nodes"], name)

    def users_of(self, group: str) -> set[str]:
        """The names of all in a group that has at most a hundred."""
        answer = self.ask(
            "query ($id: ID!) { group(id: $id) { users(first: 100) { nodes { name } } } }",
            id=self.group(group),
        )
        return {user["name"] for user in answer["group"]["users"]["nodes"]}

    # ------------------------------------------------------------------------ what others change

    def add_users(self, group: str, *names: str) -> None:
        """Put users into a group, as the other administrator."""
        self.write("addUsersToGroup", group, [self.user(name) for name in names])

    def remove_users(self, group: str, *names: str) -> None:
        """Take users out of a group, as the other administrator."""
        self.write("removeUsersFromGroup", group, [self.user(name) for name in names])

    def add_bots(self, group: str, *names: str) -> None:
        """Put bots into a group, as the other administrator."""
        self.write("addBotsToGroup", group, [self.bot(name) for name in names], "botIds")

    def write(self, mutation: str, group: str, ids: list[str], field: str = "userIds") -> None:
        """Add members to a group, or remove them."""
        self.ask(
            f"mutation ($g: ID!, $ids: [ID!]!) {{ {mutation}(input: {{groupId: $g, {field}: $ids}})"
            " { userErrors { message } } }",
            OTHER_ADMIN,
            g=self.group(group),
            ids=ids,
        )

    def create_groups(self, *names: str) -> None:
        """Create groups, many in one request."""
        for start in range(0, len(names), 50):
            fields = " ".join(
                f'g{number}: createGroup(input: {{name: "{name}"}}) {{ userErrors {{ message }} }}'
                for number, name in enumerate(names[start : start + 50])
            )
            self.ask(f"mutation {{ {fields} }}")

    def rename_group(self, name: str, to: str) -> None:
        """Give a group another name, as the other administrator."""
        self.ask(
            "mutation ($id: ID!, $to: String!)"
            " { updateGroup(input: {id: $id, name: $to}) { userErrors { message } } }",
            OTHER_ADMIN,
            id=self.group(name),
            to=to,
        )

    def delete_group(self, name: str) -> None:
        """Delete a group, as the other administrator."""
        self.ask(
            "mutation ($id: ID!) { deleteGroup(input: {id: $id}) { userErrors { message } } }",
            OTHER_ADMIN,
            id=self.group(name),
        )

    def create_users(self, group: str, count: int) -> None:
        """Create `Person 001` and so on, at most a thousand, and put them into a group."""
        answer = self.ask(
            "mutation ($users: [UserInput!]!) { upsertUsers(input: {users: $users})"
            " { users { id } } }",
            users=[
                {"name": f"Person {number:03}", "email": f"person{number:03}@example.com"}
                for number in range(1, count + 1)
            ],
        )
        ids = [user["id"] for user in answer["upsertUsers"]["users"]]
        self.write("addUsersToGroup", group, ids)


def _id(nodes: list[dict[str, str]], name: str) -> str:
    return next(node["id"] for node in nodes if node["name"] == name)
