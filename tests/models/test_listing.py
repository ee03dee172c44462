"""Pages by keyset: whole, in order, and steady while rows come and go around them."""

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from models.database import is_postgres
from models.directory import USER_ORDERS, delete_entries, entries
from models.errors import BadRequest
from models.groups import ORDERS, GroupOrderField, groups, groups_of, update_group
from models.kinds import BOTS, USERS
from models.listing import (
    Listing,
    Page,
    Slice,
    fetch_count,
    fetch_counts,
    fetch_page,
    fetch_pages,
    page_of,
)
from models.memberships import members
from models.sql import SEARCH_LENGTH
from models.text import NAME_LENGTH, name_key
from models.viewer import Viewer
from tests.factories import count_statements, make_entries, make_entry, make_group, make_users

both_directions = pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
both_orders = pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])

SAME = ["Ada", "ADA", "ada"]  # one key: only the id tells them apart
UNICODE = [
    "Zoë",
    "zebra",
    "Äpfel",
    "apple",
    "Straße",
    "STRASSE",
    "Ølberg",
    "日本",
    "🦊",
    "\ue000",
    "ﬀ",
]


def keys(rows: Sequence[Any], listing: Listing) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in listing.order.columns) for row in rows]


async def plain(listing: Listing) -> list[tuple[Any, ...]]:
    """All keys of a listing, sorted by Python."""
    page = await fetch_page(listing, Slice(1_000))
    return sorted(keys(page.rows, listing), reverse=listing.order.descending)


async def next_page(
    listing: Listing, limit: int, backward: bool, last: tuple[Any, ...] | None
) -> tuple[Page, list[tuple[Any, ...]]]:
    """The page behind a key, or in front of it, and its keys in the order of reading."""
    bound = {"before" if backward else "after": last}
    page = await fetch_page(listing, Slice(limit, backward, **bound))
    found = keys(page.rows, listing)
    return page, found[::-1] if backward else found


async def walk(listing: Listing, limit: int, backward: bool) -> list[tuple[Any, ...]]:
    """All keys of a listing, page by page from one end to the other, in the listing's order."""
    read: list[tuple[Any, ...]] = []
    more = True
    while more:
        page, found = await next_page(listing, limit, backward, read[-1] if read else None)
        more, behind = page.has_next, page.has_previous
        if backward:
            more, behind = behind, more
        assert behind is bool(read)
        assert len(found) == limit or not more
        read += found
    return read[::-1] if backward else read


@both_directions
@both_orders
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
async def test_the_pages_of_a_listing_are_the_sorted_list(
    viewer: Viewer, limit: int, backward: bool, descending: bool
) -> None:
    await make_entries(viewer, USERS, ["Grace", "Alan", *SAME, "Zuse"])
    for order in USER_ORDERS.values():
        listing = entries(viewer, USERS, order=replace(order, descending=descending))
        expected = await plain(listing)
        assert len(expected) == 6
        assert await walk(listing, limit, backward) == expected
        assert await fetch_count(listing) == 6


@both_directions
@both_orders
@pytest.mark.parametrize("field", GroupOrderField)
async def test_groups_page_by_every_order(
    viewer: Viewer, field: GroupOrderField, backward: bool, descending: bool
) -> None:
    users, groups_by_name = await make_users(viewer, 3), {}
    for name, count in (("B", 1), ("D", 3), ("A", 1), ("C", 0), ("E", 3)):
        groups_by_name[name] = await make_group(viewer, name, users=users[:count])
    await update_group(viewer, groups_by_name["D"], {"description": "The last one"})
    listing = groups(viewer, order=replace(ORDERS[field], descending=descending))
    expected = await plain(listing)
    assert await walk(listing, 2, backward) == expected
    names = "".join(row["name"] for row in (await fetch_page(listing, Slice(9))).rows)
    assert (names[::-1] if descending else names) == {
        GroupOrderField.NAME: "ABCDE",
        GroupOrderField.CREATED_AT: "BDACE",
        GroupOrderField.UPDATED_AT: "BACED",
        GroupOrderField.USER_COUNT: "CBADE",
    }[field]


@both_directions
async def test_an_empty_listing_has_one_empty_page(viewer: Viewer, backward: bool) -> None:
    page = await fetch_page(groups(viewer), Slice(10, backward))
    assert page == Page([], has_next=False, has_previous=False)


async def test_a_slice_may_have_two_bounds(viewer: Viewer) -> None:
    await make_entries(viewer, BOTS, list("ABCDEF"))
    listing = entries(viewer, BOTS)
    a, b, c, d, e, _ = await plain(listing)
    inside = await fetch_page(listing, Slice(10, after=a, before=e))
    assert keys(inside.rows, listing) == [b, c, d]
    first = await fetch_page(listing, Slice(2, after=a, before=e))
    assert keys(first.rows, listing) == [b, c]
    assert (first.has_previous, first.has_next) == (True, True)
    last = await fetch_page(listing, Slice(2, backward=True, after=a, before=e))
    assert keys(last.rows, listing) == [c, d]
    assert (last.has_previous, last.has_next) == (True, True)
    assert (await fetch_page(listing, Slice(2, after=e, before=a))).rows == []


async def test_a_cursor_outlives_its_row(viewer: Viewer) -> None:
    ids = await make_entries(viewer, BOTS, list("ABC"))
    listing = entries(viewer, BOTS)
    _, b, c = await plain(listing)
    await delete_entries(viewer, BOTS, [ids[1]])
    assert keys((await fetch_page(listing, Slice(1, after=b))).rows, listing) == [c]


@both_directions
@both_orders
@pytest.mark.parametrize("seed", range(3))
async def test_rows_that_stay_are_read_once_while_others_come_and_go(
    viewer: Viewer, seed: int, backward: bool, descending: bool
) -> None:
    chance = random.Random(seed)
    names = [f"{chance.choice('abc')}{number}" for number in range(20)]
    ids = await make_entries(viewer, BOTS, names)
    listing = entries(viewer, BOTS)
    listing = replace(listing, order=replace(listing.order, descending=descending))
    mortal = chance.sample(ids, 8)
    stays = {id for id in ids if id not in mortal}
    read: list[tuple[Any, ...]] = []
    more = True
    while more:
        page, found = await next_page(listing, 3, backward, read[-1] if read else None)
        more = page.has_previous if backward else page.has_next
        read += found
        if mortal:
            await delete_entries(viewer, BOTS, [mortal.pop(), mortal.pop()])
            await make_entry(viewer, BOTS, f"{chance.choice('abc')}{chance.random()}")
    ids_read = [key[-1] for key in read]
    assert len(set(ids_read)) == len(ids_read)
    assert stays <= set(ids_read)
    assert read == sorted(read, reverse=backward is not descending)


@both_directions
@pytest.mark.parametrize("limit", [1, 2, 4, 9])
async def test_rows_at_hand_are_cut_as_the_database_cuts_them(
    viewer: Viewer, limit: int, backward: bool
) -> None:
    await make_entries(viewer, BOTS, ["Grace", *SAME, "Zuse"])
    listing = entries(viewer, BOTS)
    rows = (await fetch_page(listing, Slice(100))).rows
    bounds = [None, *keys(rows, listing), ("b", ""), ("zz", "")]
    for after, before in product(bounds, bounds):
        part = Slice(limit, backward, after, before)
        page, expected = page_of(rows, listing.order, part), await fetch_page(listing, part)
        assert keys(page.rows, listing) == keys(expected.rows, listing)
        assert (page.has_next, page.has_previous) == (expected.has_next, expected.has_previous)


# ---------------------------------------------------------------------------------- many parents


async def test_each_parent_has_its_own_page_by_one_statement(viewer: Viewer) -> None:
    users = await make_users(viewer, 5)
    parents = [await make_group(viewer, f"G{size}", users=users[:size]) for size in range(6)]
    listing = members(viewer, USERS)
    with count_statements() as statements:
        pages = await fetch_pages(listing, Slice(2), parents)
    assert len(statements) == 1
    assert list(pages) == parents
    for size, parent in enumerate(parents):
        assert [row["id"] for row in pages[parent].rows] == users[: min(size, 2)]
        assert pages[parent].has_next is (size > 2)
        assert pages[parent].has_previous is False


async def test_each_parent_has_its_own_page_from_the_other_end(viewer: Viewer) -> None:
    users = await make_users(viewer, 5)
    parents = [await make_group(viewer, f"G{size}", users=users[:size]) for size in range(6)]
    listing = members(viewer, USERS)
    bound = (name_key("User 00004"), users[4])
    pages = await fetch_pages(listing, Slice(2, backward=True, before=bound), parents)
    for size, parent in enumerate(parents):
        assert [row["id"] for row in pages[parent].rows] == users[: min(size, 4)][-2:]
        assert pages[parent].has_previous is (size > 2)


async def test_each_parent_has_its_own_count_by_one_statement(viewer: Viewer) -> None:
    users = await make_users(viewer, 3)
    parents = [await make_group(viewer, f"G{size}", users=users[:size]) for size in range(4)]
    with count_statements() as statements:
        counts = await fetch_counts(members(viewer, USERS).source, parents)
    assert len(statements) == 1
    assert counts == dict(zip(parents, range(4), strict=True))


async def test_parents_without_rows_and_parents_that_are_none_have_empty_pages(
    viewer: Viewer,
) -> None:
    pages = await fetch_pages(members(viewer, USERS), Slice(2), ["grp_0", "grp_1"])
    assert pages == {"grp_0": Page([]), "grp_1": Page([])}
    assert await fetch_pages(members(viewer, USERS), Slice(2), []) == {}
    assert await fetch_counts(members(viewer, USERS).source, []) == {}


async def test_more_parents_than_one_statement_can_join(viewer: Viewer) -> None:
    users = await make_users(viewer, 250)
    group = await make_group(viewer, users=users)
    with count_statements() as statements:
        pages = await fetch_pages(groups_of(viewer, USERS), Slice(1), users)
    assert len(statements) == (1 if is_postgres() else 10)
    assert all([row["id"] for row in pages[user].rows] == [group] for user in users)
    counts = await fetch_counts(groups_of(viewer, USERS).source, users)
    assert counts == dict.fromkeys(users, 1)


async def test_the_last_page_costs_the_statements_of_the_first(viewer: Viewer) -> None:
    users = await make_users(viewer, 30)
    group = await make_group(viewer, users=users)
    listing = members(viewer, USERS)
    all_keys = keys((await fetch_pages(listing, Slice(50), [group]))[group].rows, listing)
    for bound in (None, all_keys[0], all_keys[-3]):
        with count_statements() as statements:
            await fetch_pages(listing, Slice(2, after=bound), [group])
        assert len(statements) == 1


# ------------------------------------------------------------------------------ order and search


@both_directions
async def test_names_of_all_scripts_sort_by_their_keys(viewer: Viewer, backward: bool) -> None:
    await make_entries(viewer, BOTS, UNICODE)
    expected = sorted(name_key(name) for name in UNICODE)
    read = await walk(entries(viewer, BOTS), 4, backward)
    assert [key for key, _ in read] == expected


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("%", ["100% Sure"]),
        ("_", ["snake_case"]),
        ("\\", ["back\\slash"]),
        ("100%", ["100% Sure"]),
        ("0%s", []),
        ("a_e", []),
        ("'", ["O'Hara"]),
        ('"', []),
        ("{parent}", ["{parent}"]),
        ("$1", ["$1 Shop"]),
        ("?1", []),
        ("SNAKE", ["snake_case"]),
        ("straße", ["STRASSE"]),
        ("ss", ["STRASSE"]),
        ("  sure ", ["100% Sure"]),
        ("re\u0301sume\u0301", ["Résumé"]),
        ("", "all"),
        (" \t ", "all"),
    ],
)
async def test_a_search_finds_what_a_name_contains(
    viewer: Viewer, search: str, found: list[str] | str
) -> None:
    names = ["100% Sure", "snake_case", "back\\slash", "O'Hara", "{parent}", "$1 Shop",
             "STRASSE", "Résumé"]  # fmt: skip
    bots = await make_entries(viewer, BOTS, names)
    group = await make_group(viewer, bots=bots)
    expected = sorted(names if found == "all" else found, key=name_key)
    listing = entries(viewer, BOTS, search)
    assert [row["name"] for row in (await fetch_page(listing, Slice(50))).rows] == expected
    assert await fetch_count(listing) == len(expected)
    pages = await fetch_pages(members(viewer, BOTS, search), Slice(50), [group])
    assert [row["name"] for row in pages[group].rows] == expected


async def test_a_search_for_users_looks_into_emails_too(viewer: Viewer) -> None:
    await make_entry(viewer, USERS, "Ada", email="Countess@Example.COM")
    for search, found in (("countess@", 1), ("EXAMPLE", 1), ("ada", 1), ("grace", 0)):
        assert await fetch_count(entries(viewer, USERS, search)) == found


async def test_whatever_can_be_kept_can_be_searched_for(viewer: Viewer) -> None:
    name, email = "ﬃ" * NAME_LENGTH, f"{62 * 'ß'}@{'.'.join(['x' * 60] * 3)}.examples"
    assert len(name_key(name)) > SEARCH_LENGTH
    await make_entry(viewer, USERS, name, email=email)
    for search in (name, unicodedata.normalize("NFD", name), email, f"  {email}  "):
        assert await fetch_count(entries(viewer, USERS, search)) == 1
        assert len((await fetch_page(entries(viewer, USERS, search), Slice(1))).rows) == 1


@pytest.mark.parametrize("search", ["x" * (SEARCH_LENGTH + 1), "a\x00b", "\ud800", "a\x07"])
async def test_a_search_for_what_no_name_can_contain_is_refused(
    viewer: Viewer, search: str
) -> None:
    with pytest.raises(BadRequest):
        await fetch_page(entries(viewer, BOTS, search), Slice(1))
