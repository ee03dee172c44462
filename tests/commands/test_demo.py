"""The demo organization: as promised, the same every time, and made once."""

import asyncio
from collections import Counter

from commands.demo import make
from models.database import fetch
from models.directory import organization
from models.history import changes
from models.listing import Slice, fetch_page
from models.organizations import find_organization
from models.verify import differences
from tests.commands.running import manage
from tests.databases import Databases, opened
from tests.refusals import unchanged

NAME = "Larkspur Supplies"


async def test_it_has_what_was_promised(database_url: str) -> None:
    ran = await manage(database_url, "demo")
    assert "12 groups, 60 people, 20 bots and 15 personas" in ran.out
    async with opened(database_url):
        viewer = await find_organization(NAME)
        assert viewer is not None
        row = await organization(viewer)
        assert [row[f"{n}_count"] for n in ("group", "user", "bot", "persona")] == [12, 60, 20, 15]
        people = await fetch("SELECT name, email, role, status, group_count FROM users")
        assert Counter(person["role"] for person in people) == {
            "ADMIN": 2,
            "AUDITOR": 3,
            "MEMBER": 55,
        }
        assert [p["name"] for p in people if p["status"] == "DEACTIVATED"] == ["Daniel Kowalczyk"]
        assert all(person["email"].endswith("@example.com") for person in people)
        assert all(person["email"].isascii() for person in people)
        assert max(person["group_count"] for person in people) >= 3
        assert min(person["group_count"] for person in people) >= 1
        for table in ("bots", "personas"):
            counts = [row[0] for row in await fetch(f"SELECT group_count FROM {table}")]
            assert min(counts) == 1 < max(counts)
        assert await differences() == []


async def test_its_history_tells_who_did_what(database_url: str) -> None:
    await manage(database_url, "demo")
    async with opened(database_url):
        viewer = await find_organization(NAME)
        assert viewer is not None
        newest = (await fetch_page(changes(viewer), Slice(7))).rows
        assert [row["summary"] for row in reversed(newest)] == [
            "Ravi Subramaniam added Siddharth Iyer to Presenting",
            "Ravi Subramaniam added Wen Zhao to Team Leads",
            "Ravi Subramaniam removed Priya Raghunathan from Objection Handling",
            "Ravi Subramaniam removed Abena Mensah from New Hires",
            "Ravi Subramaniam renamed Sales Closers to Account Executives",
            "Ravi Subramaniam deleted Summer Campaign, with 2 users, 1 bot and 0 personas",
            "Ravi Subramaniam updated Daniel Kowalczyk",
        ]


async def test_it_is_made_once(database_url: str) -> None:
    await manage(database_url, "demo")
    async with opened(database_url):
        viewer = await find_organization(NAME)
        assert viewer is not None
        async with unchanged(viewer):
            ran = await manage(database_url, "demo")
    assert ran.out == f"The organization {NAME} already exists; nothing was changed.\n"


async def test_of_two_who_make_it_at_once_one_does(database_url: str) -> None:
    async with opened(database_url):
        created, exists = sorted(await asyncio.gather(make(), make()))
    assert created.startswith(f"Created the organization {NAME}")
    assert exists == f"The organization {NAME} already exists; nothing was changed."


async def _content(url: str) -> list[str]:
    """Everything but ids and times."""
    await manage(url, "demo")
    out = []
    for kind in ("users", "bots", "personas", "memberships"):
        ran = await manage(url, "export", "--organization", NAME, "--kind", kind)
        out.append(ran.out)
    async with opened(url):
        rows = await fetch("SELECT revision, actor_name, summary FROM changes ORDER BY revision")
        return [*out, *(str(tuple(row)) for row in rows)]


async def test_it_is_the_same_every_time(databases: Databases) -> None:
    urls = [await databases.create() for _ in range(2)]
    assert await _content(urls[0]) == await _content(urls[1])
    for url in urls:
        await databases.drop(url)
