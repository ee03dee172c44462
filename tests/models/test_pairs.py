"""The index of pairs: with it PostgreSQL finds what it finds without, and sooner."""

import random
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import groups, ids, listing, sql
from models.database import (
    connection,
    fetch,
    has_pairs,
    migrate,
    pairs,
    snapshot,
    transaction,
    watch_statements,
)
from models.directory import USER_ORDERS, UserOrderField, delete_entries, entries
from models.errors import BadRequest
from models.kinds import USERS
from models.listing import (
    Listing,
    Slice,
    fetch_count,
    fetch_known_pages,
    fetch_page,
    fetch_pages,
)
from models.memberships import available
from models.organizations import create_organization
from models.sql import Params
from models.tables import UserStatus
from models.text import is_storable, name_key
from models.viewer import Viewer
from tests.databases import opened
from tests.factories import make_entries, make_group, make_user, make_users, viewer_of

pytestmark = pytest.mark.parametrize("databases", ["postgres"], indirect=True)

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
# Names and emails that begin alike, for one character to many, or do not.
ALIKE = [
    *(("Kat Smith", "katy.s@c.example"), ("Katy", "kat@c.example"), ("Kay Doe", "kathe@c.example")),
    *(("Li Wei", "li.wei@c.example"), ("Lia", "li@c.example"), ("Al", "al@c.example")),
    *(("K", "ka@c.example"), ("Mika", "kat.mika@c.example"), ("Ka", "mika@c.example")),
    *(("x\U0010ffffy", "x\U0010ffffz@c.example"), ("ab\ud7ffc", "ab\ud7ffc@c.example")),
    *((f"Bo Ek{ends}", f"bo{ends}x@c.example") for ends in ".@_-+ö"),
    *(("ab\ue000c", "z@c.example"), ("\U0010ffff\U0010ffff\U0010ffff", "y@c.example")),
]
ANYTHING = "adlx%_\\ .-'öñ日🦊0"

# ------------------------------------------------------------------------------ what a search finds


async def _people(viewer: Viewer, rng: random.Random) -> list[str]:
    """People with names that are hard to search, many of which look alike; some are deleted."""
    names = [name for name in NAMES if name.strip()]
    names += ["".join(rng.choices(ANYTHING, k=rng.randint(1, 12))) for _ in range(200)]
    ids = await make_entries(viewer, USERS, [name for name in names if name.strip()])
    ids += await make_users(viewer, 60)
    ids += [await make_user(viewer, name, email=email) for name, email in ALIKE]
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
    for alike in ALIKE:
        for text in alike:
            yield from (text[start : start + length] for start in (0, 1) for length in (2, 3, 4, 5))
    for _ in range(60):
        name = rng.choice(names)
        start = rng.randrange(len(name))
        yield name[start : start + rng.randint(1, 8)]
        yield "".join(rng.choices(ANYTHING, k=rng.randint(1, 5)))
    yield "comple"  # which nobody's email holds, but all of its pairs


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


@contextmanager
def without_pairs() -> Iterator[None]:
    """As if the index was not there."""
    connection().has_pairs = False
    try:
        yield
    finally:
        connection().has_pairs = True


async def test_a_server_that_reads_backslashes_as_it_did_long_ago_makes_the_same_pairs(
    database_url: str,
) -> None:
    """Else a search finds nothing, without an error."""
    organization_id = "org_12345678"
    async with opened(database_url), transaction():
        await fetch("SET LOCAL standard_conforming_strings = off")
        (row,) = await fetch(
            "SELECT search_pairs($1, $2, $3)", organization_id, "ada xu", "ada.xu@c.example"
        )
    assert set(pairs.pairs(organization_id, "xu@c")) <= set(row[0])


async def test_a_search_finds_the_same_with_the_index_and_without(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "NEAR", 1)  # so that some pages are full by then, and some not
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
        by_group = await _missing(missing, asking, [sales, support])
        with without_pairs():
            assert await _found(shown) == found, search
            assert await _missing(missing, asking, [sales, support]) == by_group, search
        some_found += found[0] > 0
    assert some_found > 60


async def _missing(missing: Listing, asking: Viewer, group_ids: list[str]) -> list[Any]:
    """Who is not in these groups yet, and who is not where a group is not there, either."""

    def known(params: Params, parent: str) -> str:
        return groups.known(asking, params, parent)

    ids = [*group_ids, "grp_0"]
    return [
        await fetch_pages(missing, Slice(5), group_ids),
        await fetch_known_pages(missing, Slice(5), ids, known),
    ]


async def test_it_is_used_inside_of_a_snapshot_too(viewer: Viewer) -> None:
    await make_user(viewer, "Ada Lovelace")
    statements: list[str] = []
    async with snapshot():
        with watch_statements(statements.append):
            assert await fetch_count(entries(viewer, USERS, "lovel")) == 1
    assert ["search_pairs" in statement for statement in statements] == [True]


@pytest.mark.parametrize("spoiled", ["indisvalid = false", None])
async def test_an_index_that_is_not_valid_or_not_there_is_not_used(
    empty_database_url: str, spoiled: str | None
) -> None:
    async with opened(empty_database_url):
        await migrate()
        if spoiled:
            await fetch(
                f"UPDATE pg_index SET {spoiled} WHERE indexrelid = $1::text::regclass", pairs.INDEX
            )
        else:
            await fetch(f"DROP INDEX {pairs.INDEX}")
    async with opened(empty_database_url):
        viewer = await create_organization("Acme")
        await make_user(viewer, "Ada Lovelace")
        assert not has_pairs()
        assert await fetch_count(entries(viewer, USERS, "lovel")) == 1


async def test_a_text_that_is_too_long_is_refused_before_it_is_looked_at(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "pairs", None)
    too_long = "x" * (sql.SEARCH_LENGTH + 1)
    with pytest.raises(BadRequest, match="too long"):
        await fetch_page(entries(viewer, USERS, too_long), Slice(5))
    with pytest.raises(BadRequest, match="too long"):
        await fetch_count(entries(viewer, USERS, too_long))


async def test_a_member_finds_nobody_by_an_email(viewer: Viewer) -> None:
    ada, eve = await make_entries(viewer, USERS, ["Ada", "Eve"])
    await make_group(viewer, "Both", users=[ada, eve])
    assert await fetch_count(entries(viewer, USERS, "example.com")) == 2
    assert await fetch_count(entries(viewer_of(viewer, ada), USERS, "example.com")) == 0
    page = await fetch_page(entries(viewer_of(viewer, ada), USERS, "example.com"), Slice(5))
    assert page.rows == []


async def test_another_organization_is_not_found_though_its_id_ends_alike(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alike = f"org_{24 * '0'}{viewer.organization_id[-8:]}"
    with monkeypatch.context() as patch:
        patch.setattr(ids, "new_id", lambda prefix: alike)
        other = await create_organization("Other")
    await make_user(other, "Ada Lovelace")
    for search in ("lovelace", "lo"):
        assert await fetch_count(entries(viewer, USERS, search)) == 0
        assert (await fetch_page(entries(viewer, USERS, search), Slice(5))).rows == []
        assert await fetch_count(entries(other, USERS, search)) == 1


# ----------------------------------------------------------------------------------- what it holds


async def test_it_holds_the_pairs_of_any_part_but_of_how_a_name_begins(viewer: Viewer) -> None:
    rows: list[tuple[str, str]] = []

    @given(*[st.text(max_size=30).map(name_key).filter(is_storable)] * 2)
    def collect(name: str, email: str) -> None:
        rows.append((name, email))

    collect()
    assert len(rows) > 50
    rows += [(name_key(name), name_key(email)) for name, email in ALIKE]
    for name, email in [*rows, ("aba", ""), (r"\1&", ""), ("日本語 太郎", "🦊🦊🦊")]:
        ((held,),) = await fetch(
            "SELECT search_pairs($1, $2, $3)", viewer.organization_id, name, email
        )
        word = name.partition(" ")[0]
        behind = email[len(word) : len(word) + 1]
        is_alike = len(word) > 1 and email.startswith(word) and behind in ".@_-+"
        key = f"{name[1:]} {email[1:] if is_alike else email}"
        of = viewer.organization_id[-8:]
        wanted = {of + key[at : at + 2] for at in range(len(key) - 1)}
        # What else there is may be the one that was left at the end.
        assert wanted <= set(held) <= {*wanted, of, of + key[-1:]}, (name, email)


# -------------------------------------------------------------------------------- how it is found


def _literal(value: Any) -> str:
    """A parameter as SQL."""
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(_literal, value))}]::text[]"
    return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else str(value)


async def _plan(ask: Callable[[], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch) -> str:
    """How PostgreSQL goes about what is asked: by the plan that it has for any parameters."""
    lines: list[str] = []

    async def explained(sql: str, *values: Any) -> list[Any]:
        given = ", ".join(map(_literal, values))
        async with transaction():  # on one connection
            await fetch(f"PREPARE shown AS {sql}")
            rows = await fetch(f"EXPLAIN (ANALYZE) EXECUTE shown ({given})")
            await fetch("DEALLOCATE shown")
        lines.extend(str(row[0]) for row in rows)
        return [[0]]

    with monkeypatch.context() as patch:
        patch.setattr(listing, "read", explained)
        with suppress(TypeError, IndexError):  # of rows that are none
            await ask()
    return "\n".join(lines)


async def test_what_few_names_hold_is_found_by_the_index_and_what_many_hold_along_the_names(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = await make_group(viewer, "Empty")
    await fetch(
        "INSERT INTO users (id, organization_id, name, name_key, email, email_key, role, status, "
        "group_count, created_at, since_revision) SELECT 'usr_' || n, $1, '', md5('a' || n::text), "
        "'', n || '@example.com', 'MEMBER', 'ACTIVE', 0, now(), 1 FROM generate_series(1, 20000) n",
        viewer.organization_id,
    )
    await fetch(  # the last of all, whose emails begin as their names do
        "UPDATE users SET name_key = 'zed ' || id, email_key = 'zed.' || id WHERE id LIKE 'usr_15%'"
    )
    await fetch("UPDATE organizations SET user_count = 20000")
    await fetch("VACUUM ANALYZE users")

    def asks(text: str) -> list[Callable[[], Awaitable[Any]]]:
        by_name = entries(viewer, USERS, text)
        by_age = entries(viewer, USERS, text, order=USER_ORDERS[UserOrderField.CREATED_AT])
        of_member = entries(viewer_of(viewer, "usr_1"), USERS, text)
        missing = available(viewer, USERS, text)
        return [
            lambda: fetch_page(by_name, Slice(50)),
            lambda: fetch_page(by_age, Slice(50)),
            lambda: fetch_page(of_member, Slice(50)),
            lambda: fetch_pages(missing, Slice(50), [group]),
            lambda: fetch_count(by_name),
        ]

    try:
        for ask in (*asks("12345@"), *asks("9z")):
            rare = await _plan(ask, monkeypatch)
            assert f"Bitmap Index Scan on {pairs.INDEX}" in rare
            assert "never executed" not in _line(rare)
        page, _, _, missing, _ = asks("12345@")
        for ask in (page, missing):  # the first names are looked at, reading no row
            assert "Index Only Scan" in await _plan(ask, monkeypatch)
        for text in ("example", "5@"):
            for ask in (asks(text)[0], asks(text)[3]):
                assert "never executed" in _line(await _plan(ask, monkeypatch))
        for ask in (asks("zed")[0], asks("zed")[3]):
            found = await _plan(ask, monkeypatch)
            assert re.search(r"Index Cond: .*name_key >=", found)
            assert "rows=0" in _line(found)  # the index of names has found them all
        for ask in asks("z"):
            assert pairs.INDEX not in await _plan(ask, monkeypatch)
    finally:
        await fetch("UPDATE organizations SET user_count = 0")  # as the ledger tells it


def _line(plan: str) -> str:
    """The line of a plan that tells how the index was used."""
    return plan.partition(pairs.INDEX)[2].splitlines()[0]
