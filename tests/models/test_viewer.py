"""What a viewer sees: all of its organization, or what its own groups hold; nothing of another."""

import pytest

from models.access import Question, Reach, Reason, access_pages, decide, holders
from models.directory import entries, entries_by_id
from models.errors import Forbidden
from models.groups import delete_group, groups, groups_by_id, groups_of
from models.kinds import BOTS, KINDS, USERS, Kind
from models.ledger import current_revision
from models.listing import Listing, Slice, fetch_count, fetch_page, fetch_pages
from models.membership_writes import add_members, remove_members
from models.memberships import available
from models.tables import ActorKind, Role
from models.viewer import Viewer
from tests.factories import make_entry, make_group, make_user, viewer_of

pytestmark = pytest.mark.usefixtures("consistent")

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)


async def ids(listing: Listing) -> set[str]:
    rows = (await fetch_page(listing, Slice(100))).rows
    assert await fetch_count(listing) == len(rows)
    return {row["id"] for row in rows}


async def ids_of(listing: Listing, parent: str) -> set[str]:
    return {row["id"] for row in (await fetch_pages(listing, Slice(100), [parent]))[parent].rows}


def test_the_operator_may_do_everything() -> None:
    operator = Viewer.operator("org_1")
    operator.must_administrate()
    operator.must_see_all()
    assert (operator.organization_id, operator.kind) == ("org_1", ActorKind.OPERATOR)


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [(Role.ADMIN, True, True), (Role.AUDITOR, True, False), (Role.MEMBER, False, False)],
)
def test_what_each_role_may_do(role: Role, reads: bool, writes: bool) -> None:
    viewer = viewer_of(Viewer.operator("org_1"), "usr_1", role)
    assert viewer.sees_all is reads
    for allowed, check in ((reads, viewer.must_see_all), (writes, viewer.must_administrate)):
        if allowed:
            check()
        else:
            with pytest.raises(Forbidden, match="Only administrators"):
                check()


async def test_an_auditor_sees_what_an_administrator_sees(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    group = await make_group(viewer)
    auditor = viewer_of(viewer, ada, Role.AUDITOR)
    assert await ids(groups(auditor)) == {group}
    assert await ids(entries(auditor, USERS)) == {ada}


async def test_a_member_sees_the_groups_it_is_in(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    mine, left, gone = [
        await make_group(viewer, name, users=[ada]) for name in ("Mine", "Left", "Gone")
    ]
    foreign = await make_group(viewer, "Foreign")
    await remove_members(viewer, USERS, left, [ada])
    await delete_group(viewer, gone)
    member = viewer_of(viewer, ada)
    assert await ids(groups(member)) == {mine}
    asked = [mine, left, gone, foreign]
    assert [row["id"] for row in await groups_by_id(member, asked)] == [mine]
    assert [row["id"] for row in await groups_by_id(member, asked, deleted_after=0)] == [mine]


@every_kind
async def test_a_member_sees_what_its_groups_hold(viewer: Viewer, kind: Kind) -> None:
    ada = await make_user(viewer)
    mine, alien, left = [await make_entry(viewer, kind, name) for name in ("Mine", "Alien", "Left")]
    group = await make_group(viewer, "Sales", users=[ada])
    await add_members(viewer, kind, group, [mine, left])
    await make_group(viewer, "Support", **{kind.plural: [alien]})
    await remove_members(viewer, kind, group, [left])
    member = viewer_of(viewer, ada)
    seen = {mine, ada} if kind is USERS else {mine}
    assert await ids(entries(member, kind)) == seen
    found = await entries_by_id(member, kind, [mine, alien, left], deleted_after=0)
    assert [row["id"] for row in found] == [mine]


async def test_a_member_without_groups_sees_itself(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    await make_group(viewer, users=[await make_user(viewer)])
    member = viewer_of(viewer, ada)
    assert await ids(entries(member, USERS)) == {ada}
    assert await ids(entries(member, BOTS)) == set()
    assert await ids(groups(member)) == set()


@every_kind
async def test_a_member_sees_of_anothers_groups_only_those_it_is_in_too(
    viewer: Viewer, kind: Kind
) -> None:
    ada = await make_user(viewer)
    both = await make_entry(viewer, kind, "Both")
    shared = await make_group(viewer, "Shared", **{kind.plural: [both]})
    await add_members(viewer, USERS, shared, [ada])
    foreign = await make_group(viewer, "Foreign", **{kind.plural: [both]})
    member = viewer_of(viewer, ada)
    assert await ids_of(groups_of(member, kind), both) == {shared}
    assert await ids_of(groups_of(viewer, kind), both) == {shared, foreign}


@every_kind
async def test_a_member_sees_of_anothers_past_groups_only_those_it_was_in_then(
    viewer: Viewer, kind: Kind
) -> None:
    ada, entry = await make_user(viewer), await make_entry(viewer, kind, "Both")
    group = await make_group(viewer, **{kind.plural: [entry]})
    before = await current_revision(viewer.organization_id)
    since = (await add_members(viewer, USERS, group, [ada])).revision
    member = viewer_of(viewer, ada)
    assert await ids_of(groups_of(viewer, kind, before), entry) == {group}
    assert await ids_of(groups_of(member, kind, before), entry) == set()
    assert await ids_of(groups_of(member, kind, since), entry) == {group}


async def test_a_member_is_offered_only_what_it_sees(viewer: Viewer) -> None:
    ada = await make_user(viewer)
    seen, unseen = await make_entry(viewer, BOTS, "Seen"), await make_entry(viewer, BOTS, "Unseen")
    await make_group(viewer, "Sales", users=[ada], bots=[seen])
    group = await make_group(viewer, "Support", users=[ada])
    member = viewer_of(viewer, ada)
    assert await ids_of(available(member, BOTS), group) == {seen}
    assert await ids_of(available(viewer, BOTS), group) == {seen, unseen}


async def test_a_member_asks_about_itself_only(viewer: Viewer) -> None:
    ada, alan = await make_user(viewer), await make_user(viewer)
    coach = await make_entry(viewer, BOTS, "Coach")
    group = await make_group(viewer, users=[ada, alan], bots=[coach])
    member = viewer_of(viewer, ada)
    mine, others = await decide(member, [Question(ada, BOTS, coach), Question(alan, BOTS, coach)])
    assert (mine.reason, mine.via) == (Reason.GRANTED, (group,))
    assert (others.reason, others.via) == (Reason.NOT_FOUND, ())
    assert await holders(member, [mine, others]) == [(), ()]


async def test_a_member_is_not_told_of_groups_that_it_would_have_to_join(viewer: Viewer) -> None:
    ada, coach = await make_user(viewer), await make_entry(viewer, BOTS, "Coach")
    await make_group(viewer, "Foreign", bots=[coach])
    member = viewer_of(viewer, ada)
    (decision,) = await decide(member, [Question(ada, BOTS, coach)])
    assert decision.reason is Reason.NOT_FOUND
    assert await holders(member, [decision]) == [()]


async def test_who_uses_a_bot_is_told_to_a_member_within_its_groups(viewer: Viewer) -> None:
    ada, alan = await make_user(viewer, "Ada"), await make_user(viewer, "Alan")
    coach = await make_entry(viewer, BOTS, "Coach")
    shared = await make_group(viewer, "Shared", users=[ada], bots=[coach])
    await make_group(viewer, "Foreign", users=[alan], bots=[coach])
    reach = Reach(viewer_of(viewer, ada), BOTS, USERS)
    pages = await access_pages(reach, Slice(10), [coach])
    assert [(row["id"], row["via"]) for row in pages[coach].rows] == [(ada, shared)]


@every_kind
async def test_nothing_of_another_organization_is_seen(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    ada = await make_user(other)
    entry = await make_entry(other, kind, "Theirs")
    group = await make_group(other, "Sales", users=[ada])
    await add_members(other, kind, group, [entry])
    for stranger in (viewer, viewer_of(viewer, ada), viewer_of(viewer, ada, Role.AUDITOR)):
        assert await ids(groups(stranger)) == set()
        assert await ids(entries(stranger, kind)) == set()
        assert await groups_by_id(stranger, [group], deleted_after=0) == []
        assert await entries_by_id(stranger, kind, [entry], deleted_after=0) == []
        assert await ids_of(groups_of(stranger, kind), entry) == set()
        assert await ids_of(available(stranger, kind), group) == set()
