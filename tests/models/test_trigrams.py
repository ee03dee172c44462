"""The index of trigrams: where PostgreSQL has it, searches find what they find without, and sooner.

The PostgreSQL that all other tests use lacks the extensions. An installed one that has them is
looked for; what needs it is skipped if there is none, and says so.
"""

import logging
import random
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count, product
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bench.installed import InstalledServer, with_trigrams
from models import database, listing
from models.database import connection, fetch, has_trigrams, migrate, snapshot, trigrams
from models.directory import USER_ORDERS, delete_entries, entries
from models.kinds import USERS
from models.listing import Listing, Slice, fetch_count, fetch_page, fetch_pages
from models.memberships import available
from models.organizations import create_organization
from models.tables import UserStatus
from models.viewer import Viewer
from tests.databases import opened
from tests.factories import make_entries, make_group, make_user, make_users, viewer_of

NAMES = [
    *("Ada Lovelace", "Ada Xu", "Adam Ant", "100% Ada", "under_score", r"back\slash", "a.b-c d"),
    *(
        "Zoë Müller",
        "Straße",
        "STRASSE",
        "Łukasz Novák",
        "日本語 太郎",
        "🦊 fox",
        "İstanbul",
        "ǅungla",
    ),
    *("Thomas O'Neill", "  ", "aaa", "aaaa", r"%_\%", "x" * 100, "tail%", "a  b", "ﬀ ligature"),
]
ANYTHING = "adlx%_\\ .-'öñ日🦊0"

# ------------------------------------------------------------------------------------- the server


@pytest.fixture(scope="module")
def server() -> Iterator[InstalledServer]:
    """A server that has the extensions."""
    programs = with_trigrams()
    if programs is None:
        pytest.skip("no PostgreSQL with pg_trgm and btree_gin is installed (postgresql-contrib)")
    with tempfile.TemporaryDirectory(prefix="cohort-trigrams-") as directory:
        server = InstalledServer(programs, Path(directory, "postgres"), "fsync=off")
        try:
            yield server
        finally:
            server.cleanup()


numbers = count(1)


@pytest.fixture
async def url(server: InstalledServer) -> str:
    """A new database there, without any table."""
    name = f"trigrams_{next(numbers)}"
    root = await asyncpg.connect(server.get_uri())
    await root.execute(f"CREATE DATABASE {name}")
    await root.close()
    return server.get_uri(database=name)


@pytest.fixture
async def viewer(url: str) -> AsyncIterator[Viewer]:
    """The operator's viewer of an organization there, which is empty."""
    async with opened(url):
        await migrate()
        yield await create_organization("Acme")


@contextmanager
def without_trigrams() -> Iterator[None]:
    """As if the index was not there."""
    connection().has_trigrams = False
    try:
        yield
    finally:
        connection().has_trigrams = True


# -------------------------------------------------------------------------- whether it can be had


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_without_the_extensions_one_line_says_so_and_searches_work(
    empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(empty_database_url):
        with caplog.at_level(logging.WARNING, "cohort.database"):
            assert await migrate()
        assert [line for line in caplog.messages if "without an index of trigrams" in line]
        assert len(caplog.messages) == 1
        assert not has_trigrams()
        viewer = await create_organization("Acme")
        ada = await make_user(viewer, "Ada Lovelace")
        page = await fetch_page(entries(viewer, USERS, "lovel"), Slice(10))
        assert [row["id"] for row in page.rows] == [ada]


async def test_sqlite_has_none(sqlite: Any) -> None:
    database_url = await sqlite.create()
    async with opened(database_url):
        assert not has_trigrams()
    await sqlite.drop(database_url)


async def test_migrate_makes_the_index_once_and_each_process_learns_of_it(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(url):
        assert await migrate()
        assert has_trigrams()
        assert await migrate() == []
        assert await database.pending_migrations() == []
    async with opened(url):
        assert not has_trigrams()  # nobody has connected yet
        await fetch("SELECT 1")
        assert has_trigrams()
        async with snapshot():
            assert has_trigrams()
    assert not caplog.messages


async def test_who_may_not_make_an_extension_goes_without(
    server: InstalledServer, caplog: pytest.LogCaptureFixture
) -> None:
    root = await asyncpg.connect(server.get_uri())
    await root.execute("CREATE ROLE plain LOGIN")
    await root.execute("CREATE DATABASE foreign_owned")
    await root.close()
    root = await asyncpg.connect(server.get_uri(database="foreign_owned"))
    await root.execute("GRANT ALL ON SCHEMA public TO plain")
    await root.close()
    async with opened(server.get_uri("plain", "foreign_owned")):
        assert await migrate()
        assert not has_trigrams()
        assert "permission denied" in caplog.text
        viewer = await create_organization("Acme")
        await make_user(viewer, "Ada Lovelace")
        assert await fetch_count(entries(viewer, USERS, "lovel")) == 1


async def test_an_index_that_was_not_finished_is_not_used(url: str) -> None:
    async with opened(url):
        await migrate()
        await fetch(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = $1::text::regclass",
            trigrams.INDEX,
        )
    async with opened(url):
        await fetch("SELECT 1")
        assert not has_trigrams()


# ------------------------------------------------------------------------------ what a search finds


async def _people(viewer: Viewer, rng: random.Random) -> list[str]:
    """People with names that are hard to search, many of which look alike; some are deleted."""
    names = [name for name in NAMES if name.strip()]
    names += ["".join(rng.choices(ANYTHING, k=rng.randint(1, 12))) for _ in range(200)]
    ids = await make_entries(viewer, USERS, [name for name in names if name.strip()])
    ids += await make_users(viewer, 60)
    await make_user(viewer, "Nobody", email="ada@lovelace.example", status=UserStatus.DEACTIVATED)
    await delete_entries(viewer, USERS, ids[5::9])
    return [id for place, id in enumerate(ids) if place % 9 != 5]


def _searches(rng: random.Random, names: list[str]) -> Iterator[str]:
    """Parts of names, parts of emails, and anything at all."""
    yield from (
        "   ",
        "ada",
        " ada ",
        "ADA",
        "user",
        "example",
        "com",
        "%",
        "_",
        "\\",
        "zzz",
        "100%",
    )
    yield from (
        r"\%ada",
        "a_a",
        "e.com",
        "@example",
        "r0000",
        "strasse",
        "straße",
        "ﬀ lig",
        "x" * 99,
    )
    for _ in range(60):
        name = rng.choice(names)
        start = rng.randrange(len(name))
        yield name[start : start + rng.randint(1, 8)]
        yield "".join(rng.choices(ANYTHING, k=rng.randint(1, 5)))


async def _found(shown: Listing) -> list[Any]:
    """All that a search tells: its pages in both directions, and how many there are in all."""
    told: list[Any] = [await fetch_count(shown)]
    for backward in (False, True):
        page = await fetch_page(shown, Slice(3, backward))
        while page.rows:
            told += [(page.has_next, page.has_previous), *map(tuple, page.rows)]
            edge = page.rows[0 if backward else -1]
            key = tuple(edge[column] for column in shown.order.columns)
            part = Slice(7, backward, *((None, key) if backward else (key,)))
            page = await fetch_page(shown, part)
    return told


async def test_a_search_finds_the_same_with_the_index_and_without(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "NEAR", 15)  # so that some pages are full by then, and some not
    rng = random.Random(7)
    ids = await _people(viewer, rng)
    names = [str(row[0]) for row in await fetch("SELECT name FROM users ORDER BY id")]
    sales = await make_group(viewer, "Sales", users=ids[::3])
    support = await make_group(viewer, "Support", users=ids[:40])
    viewers = (viewer, viewer_of(viewer, ids[0]))
    some_found = 0
    for number, search in enumerate(_searches(rng, names)):
        asking, order = list(product(viewers, USER_ORDERS.values()))[number % 4]
        status = (None, UserStatus.DEACTIVATED, UserStatus.ACTIVE)[number % 3]
        shown = entries(asking, USERS, search, status, order)
        missing = available(asking, USERS, search)
        found = await _found(shown)
        by_group = await fetch_pages(missing, Slice(5), [sales, support])
        with without_trigrams():
            assert await _found(shown) == found, search
            assert await fetch_pages(missing, Slice(5), [sales, support]) == by_group, search
        some_found += found[0] > 0
    assert some_found > 60


async def test_a_member_finds_nobody_by_an_email_with_the_index_either(viewer: Viewer) -> None:
    ada, eve = await make_entries(viewer, USERS, ["Ada", "Eve"])
    await make_group(viewer, "Both", users=[ada, eve])
    assert await fetch_count(entries(viewer, USERS, "example.com")) == 2
    assert await fetch_count(entries(viewer_of(viewer, ada), USERS, "example.com")) == 0
    page = await fetch_page(entries(viewer_of(viewer, ada), USERS, "example.com"), Slice(5))
    assert page.rows == []


async def test_another_organization_is_not_found(viewer: Viewer) -> None:
    other = await create_organization("Other")
    await make_user(other, "Ada Lovelace")
    assert await fetch_count(entries(viewer, USERS, "lovelace")) == 0
    assert (await fetch_page(entries(viewer, USERS, "lovelace"), Slice(5))).rows == []


# -------------------------------------------------------------------------------- how it is found


async def _plan(shown: Listing, monkeypatch: pytest.MonkeyPatch) -> str:
    """How PostgreSQL goes about a page of a listing."""
    lines: list[str] = []

    async def explained(sql: str, *values: Any) -> list[Any]:
        lines.extend(str(row[0]) for row in await fetch(f"EXPLAIN (ANALYZE) {sql}", *values))
        return []

    with monkeypatch.context() as patch:
        patch.setattr(listing, "read", explained)
        await fetch_page(shown, Slice(50))
    return "\n".join(lines)


async def test_what_few_names_hold_is_found_by_the_index_and_what_many_hold_along_the_names(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fetch(
        "INSERT INTO users (id, organization_id, name, name_key, email, email_key, role, status, "
        "group_count, created_at, since_revision) SELECT 'usr_' || n, $1, '', md5('a' || n::text), "
        "'', n || '@example.com', 'MEMBER', 'ACTIVE', 0, now(), 1 FROM generate_series(1, 20000) n",
        viewer.organization_id,
    )
    await fetch("VACUUM ANALYZE users")
    rare = await _plan(entries(viewer, USERS, "12345@"), monkeypatch)
    assert f"Bitmap Index Scan on {trigrams.INDEX}" in rare
    assert "never executed" not in rare.partition(trigrams.INDEX)[2].splitlines()[0]
    assert "Index Only Scan" in rare  # the first names are looked at without reading the rows
    common = await _plan(entries(viewer, USERS, "example"), monkeypatch)
    assert "never executed" in common.partition(trigrams.INDEX)[2].splitlines()[0]
    short = await _plan(entries(viewer, USERS, "5@"), monkeypatch)
    assert trigrams.INDEX not in short
