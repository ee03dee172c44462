"""`import`: a file whole, or nothing of it."""

import asyncio
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from commands import importing
from commands.files import Content, Line
from models.database import connections, fetch
from models.history import revision_at
from models.ledger import Outcome, current_revision, utc_now
from models.membership_writes import add_members
from models.redating import DATED
from models.tables import Role, UserStatus
from models.upserts import upsert_entries
from models.viewer import Viewer
from tests.commands.running import manage, refusal
from tests.databases import end_connections
from tests.factories import make_admin, make_bot, make_group, make_persona, make_user, make_users
from tests.refusals import unchanged

pytestmark = pytest.mark.usefixtures("consistent")


class Importer:
    """Imports texts as files into Acme."""

    def __init__(self, url: str, path: Path) -> None:
        self.url = url
        self.path = path

    async def __call__(self, text: str, *options: str) -> str:
        """Import a file that is all right; returns what is said."""
        return (await self._run(text, *options, code=0))[-1]

    async def mistakes(self, text: str, *options: str) -> list[str]:
        """Import a file with mistakes; returns them."""
        *told, last = await self._run(text, *options, code=1)
        plural = "mistake" if len(told) == 1 else "mistakes"
        assert last == f"Nothing was imported: {len(told)} {plural}."
        return told

    async def _run(self, text: str, *options: str, code: int) -> Sequence[str]:
        self.path.write_text(text, encoding="utf-8")  # noqa: ASYNC240
        acme = ("--organization", "Acme")
        ran = await manage(self.url, "import", *acme, self.path, *options, code=code)
        assert ran.out == ""
        return ran.said


@pytest.fixture
def run(viewer: Viewer, database_url: str, tmp_path: Path) -> Importer:
    """Imports into the organization of `viewer`."""
    return Importer(database_url, tmp_path / "file.csv")


async def rows(table: str, *columns: str) -> list[tuple[Any, ...]]:
    """The live rows of a table, by name."""
    found: Any = await fetch(
        f"SELECT {', '.join(columns)} FROM {table} WHERE until_revision IS NULL ORDER BY name_key"
    )
    return [tuple(row) for row in found]


async def members(kind: str) -> list[tuple[str, str]]:
    """The open memberships of a kind: the group's name and the member's."""
    found: Any = await fetch(
        f"SELECT g.name, e.name FROM group_{kind}s m JOIN groups g ON g.id = m.group_id "
        f"JOIN {kind}s e ON e.id = m.{kind}_id WHERE m.until_revision IS NULL "
        "ORDER BY g.name_key, e.name_key"
    )
    return [tuple(row) for row in found]


async def test_what_stood_while_a_file_was_read_stays_true(
    viewer: Viewer, run: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_group(viewer, "Sales")
    await make_bot(viewer, "Coach")
    await make_persona(viewer, "Buyer")
    before = await current_revision(viewer.organization_id)
    instants = []

    async def add(*arguments: Any) -> Outcome:
        outcome = await add_members(*arguments)
        instants.append(utc_now())
        return outcome

    monkeypatch.setattr(importing, "add_members", add)
    await run("group,kind,member\nSales,bot,Coach\nSupport,persona,Buyer\n")
    assert {await revision_at(viewer, instant) for instant in instants} == {before}


async def test_all_that_shows_when_it_was_made_shows_when_its_change_was(
    viewer: Viewer, run: Importer
) -> None:
    await run("name,email\nAda,ada@example.com\n")
    for kind in ("bots", "personas"):
        await run("name\nCoach\n", "--kind", kind)
    everybody = (("user", "ada@example.com"), ("bot", "Coach"), ("persona", "Coach"))
    lines = [f"Sales,{kind},{member}\n" for kind, member in everybody]
    await run(f"group,kind,member\n{''.join(lines)}")
    dates = {row[0]: row[1] for row in await fetch("SELECT revision, at FROM changes")}
    assert len(set(dates.values())) == len(dates)
    shown = {
        (table, column): await fetch(f"SELECT {column}, {known_by} FROM {table}")
        for table, column, known_by in DATED
    }
    assert {len(found) for found in shown.values()} == {1}
    assert len(shown) == 8
    assert all(dates[revision] == date for ((date, revision),) in shown.values())


@pytest.mark.parametrize("databases", ["postgres"], indirect=True)
async def test_nothing_of_a_file_is_left_where_the_connection_ends(
    viewer: Viewer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def upsert(*arguments: Any) -> Outcome:
        outcome = await upsert_entries(*arguments)
        await end_connections(database_url)
        return outcome

    monkeypatch.setattr(importing, "upsert_entries", upsert)
    monkeypatch.setattr(importing, "IDS_AT_ONCE", 1)
    file = tmp_path / "file.csv"
    file.write_text("name\nCoach\nClerk\n")  # noqa: ASYNC240
    async with unchanged(viewer):
        arguments = ("--organization", "Acme", file, "--kind", "bots")
        said = await refusal(database_url, "import", *arguments)
        async with asyncio.timeout(10):
            while connections() != (0, 0):  # noqa: ASYNC110  # those of the test were ended, too
                await asyncio.sleep(0.01)
    assert said.startswith("The database can't be used at the moment: ")


# ---------------------------------------------------------------------- users, bots and personas


async def test_users_are_added_and_updated(viewer: Viewer, run: Importer) -> None:
    ada = await make_admin(viewer, "Ada", email="ada@example.com", external_id="x1")
    said = await run(
        "external_id,name,email,role,status\n"
        "x1,Ada Lovelace,ADA@example.com,,\n"
        ",Bob,bob@example.com,auditor,Deactivated\n"
    )
    assert said == "Imported 2 lines of users into Acme, in 1 change."
    assert await rows("users", "name", "email", "role", "status", "external_id") == [
        ("Ada Lovelace", "ADA@example.com", Role.ADMIN, UserStatus.ACTIVE, "x1"),
        ("Bob", "bob@example.com", Role.AUDITOR, UserStatus.DEACTIVATED, None),
    ]
    assert (await rows("users", "id"))[0] == (ada,)


async def test_a_file_that_changes_nothing_takes_no_revision(viewer: Viewer, run: Importer) -> None:
    text = "name,features\nCoach,Voice; Hard mode\n"
    await run(text)
    async with unchanged(viewer):
        assert await run(text) == "All of it was already in Acme; nothing was changed."
    assert await rows("bots", "name", "features") == [("Coach", '["Voice","Hard mode"]')]


async def test_an_empty_cell_empties_and_a_missing_column_leaves(
    viewer: Viewer, run: Importer
) -> None:
    await make_bot(viewer, "Coach", description="Old.", features=["Voice"], avatar_url="/coach")
    await run("name,description,avatar_url\nCoach,,\n", "--kind", "bots")
    assert await rows("bots", "description", "avatar_url", "features") == [
        (None, None, '["Voice"]')
    ]


async def test_without_an_external_id_a_persona_is_matched_by_name(
    viewer: Viewer, run: Importer
) -> None:
    await make_persona(viewer, "Busy Buyer", external_id="p1")
    await make_persona(viewer, "Busy buyer")
    await make_persona(viewer, "Calm", external_id="p2")
    await run("name,description\nBUSY BUYER,a\ncalm,b\n", "--kind", "personas")
    assert sorted(await rows("personas", "name", "external_id", "description"), key=str) == [
        ("BUSY BUYER", None, "a"),
        ("Busy Buyer", "p1", None),
        ("calm", "p2", "b"),
    ]


async def test_users_may_share_a_name(viewer: Viewer, run: Importer) -> None:
    for _ in range(2):
        await make_user(viewer, "Ada")
    await run("name,email\nAda,ada@example.com\n")
    assert await rows("users", "name") == [("Ada",)] * 3


async def test_blanks_around_a_cell_are_not_of_it(viewer: Viewer, run: Importer) -> None:
    await run("name,email,role\n Ada , ada@example.com , auditor \n")
    assert await rows("users", "name", "email", "role") == [
        ("Ada", "ada@example.com", Role.AUDITOR)
    ]
    await make_bot(viewer, "Coach")
    async with unchanged(viewer):
        await run("name,features\n Coach ,\n")
    await run("group,kind,member\n Sales , Bot , Coach \n")
    assert await members("bot") == [("Sales", "Coach")]


async def test_an_external_id_that_shows_nothing_is_none(viewer: Viewer, run: Importer) -> None:
    await make_bot(viewer, "Coach")
    async with unchanged(viewer):
        await run("external_id,name,features\n\u200b,Coach,\n")


async def test_a_name_that_several_have_is_told(viewer: Viewer, run: Importer) -> None:
    for _ in range(2):
        await make_bot(viewer, "Coach")
    async with unchanged(viewer):
        assert await run.mistakes("name,features\nNew,\nCoach,\n") == [
            "line 3: name: 2 bots have this name. Say which with external_id."
        ]


async def test_every_mistake_is_told_and_nothing_is_written(viewer: Viewer, run: Importer) -> None:
    await make_user(viewer, email="ada@example.com", external_id="x1")
    async with unchanged(viewer):
        told = await run.mistakes(
            "external_id,name,email,role,status\n"
            ",Good,good@example.com,,\n"
            ",,nameless@example.com,,\n"
            ",Bob,nowhere,king,gone\n"
            ",Bob,nowhere,,\n"
            "x1,Ada,other@example.com,,\n"
            "x2,Eve,ADA@example.com,,\n"
            ",Short,short@example.com\n"
            ",Again,GOOD@example.com,,\n"
        )
    assert told == [
        "line 3: name: Name can't be blank.",
        "line 4: role: “king” is not one of ADMIN, AUDITOR, MEMBER.",
        "line 4: status: “gone” is not one of ACTIVE, DEACTIVATED.",
        "line 5: email: “nowhere” is not an email address.",
        "line 7: external_id: This user already has a different external id.",
        "line 7: name: This user is in the list twice.",
        "line 8: it has 3 cells instead of 5",
        "line 9: name: This user is in the list twice.",
    ]


async def test_a_mistake_is_told_by_the_column_that_has_it(viewer: Viewer, run: Importer) -> None:
    assert await run.mistakes("name,features,avatar_url\nCoach,,ftp://coach\n") == [
        "line 2: avatar_url: Address must begin with https://, http:// or a slash."
    ]


async def test_labels_must_be_well_quoted_and_few(viewer: Viewer, run: Importer) -> None:
    many = ";".join(f"label {number}" for number in range(21))
    assert await run.mistakes(f'name,features\nA,"""Voice"\nB,{many}\n') == [
        "line 2: features: separate labels with semicolons, and close every quote.",
        "line 3: features: At most 20 features; this bot has 21.",
    ]


async def test_the_last_administrator_stays(viewer: Viewer, run: Importer) -> None:
    await make_admin(viewer, "Ada", email="ada@example.com")
    demote = "name,email,role\nAda,ada@example.com,member\n"
    async with unchanged(viewer):
        told = await run.mistakes(demote)
    assert told == [
        "This would leave the organization without an active administrator. "
        "Make somebody else an administrator first."
    ]
    await run(f"{demote}Bob,bob@example.com,admin\n")
    assert await rows("users", "role") == [(Role.MEMBER,), (Role.ADMIN,)]


# ----------------------------------------------------------------- files longer than one write


def many_users(number: int) -> str:
    """A file of so many users."""
    lines = (f"User {n:05},user{n}@example.com,member\n" for n in range(number))
    return "name,email,role\n" + "".join(lines)


async def test_a_long_file_is_several_changes(viewer: Viewer, run: Importer) -> None:
    said = await run(many_users(2_001))
    assert said == "Imported 2,001 lines of users into Acme, in 3 changes."
    assert await current_revision(viewer.organization_id) == 3
    assert len(await rows("users", "id")) == 2_001


async def test_a_mistake_at_the_end_of_a_long_file_undoes_all_of_it(
    viewer: Viewer, run: Importer
) -> None:
    await make_user(viewer, "User 00000", email="user0@example.com")
    async with unchanged(viewer):
        assert await run.mistakes(
            many_users(2_000) + "Bob,nowhere,\nAgain,USER7@example.com,member\n"
        ) == [
            "line 2002: email: “nowhere” is not an email address.",
            "line 2003: this user is already on line 9.",
        ]


async def test_administrators_may_change_over_in_a_long_file(viewer: Viewer, run: Importer) -> None:
    await make_admin(viewer, "User 00000", email="user0@example.com")
    await run(many_users(1_500) + "New,new@example.com,admin\n")
    found = await fetch("SELECT name FROM users WHERE role = $1", Role.ADMIN)
    assert [row["name"] for row in found] == ["New"]


async def test_how_far_it_is_is_told_as_it_goes(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "IDS_AT_ONCE", 2)
    names = ("A", "B", "C")
    done: list[int] = []
    bots = [Line(number, {"name": name}) for number, name in enumerate(names, 2)]
    await importing.import_lines(viewer, Content.BOTS, bots, advance=done.append)
    memberships = [
        Line(number, {"group": "Sales", "kind": "bot", "member": name})
        for number, name in enumerate(names, 2)
    ]
    await importing.import_lines(viewer, Content.MEMBERSHIPS, memberships, advance=done.append)
    assert done == [2, 1] * 2


# ----------------------------------------------------------------------------------- memberships


async def test_memberships_are_added_and_groups_created(viewer: Viewer, run: Importer) -> None:
    await make_user(viewer, "Ada", email="ada@example.com", external_id="u1")
    await make_user(viewer, "Bob", email="bob@example.com")
    await make_bot(viewer, "Coach", external_id="c1")
    await make_persona(viewer, "Busy Buyer")
    await make_group(viewer, "Sales")
    said = await run(
        "group,kind,member\n"
        "SALES,user,ADA@example.com\n"
        "Support,Users,u1\n"
        " Support ,user,bob\n"
        "support,bot,c1\n"
        "Support,personas,busy buyer\n"
        "Support,personas,Busy Buyer\n"
    )
    assert said == "Imported 6 lines of memberships into Acme, in 5 changes."
    assert await members("user") == [("Sales", "Ada"), ("Support", "Ada"), ("Support", "Bob")]
    assert await members("bot") == [("Support", "Coach")]
    assert await members("persona") == [("Support", "Busy Buyer")]


async def test_an_external_id_is_found_however_its_accents_are_written(
    viewer: Viewer, run: Importer
) -> None:
    apart = unicodedata.normalize("NFD", "für-anfänger")  # as names of files are on a Mac
    await run(f"external_id,name,features\n{apart},Coach,\n")
    await run(f"group,kind,member\nSales,bot,{apart}\n")
    assert await members("bot") == [("Sales", "Coach")]


async def test_the_members_of_a_file_join_those_that_are_there(
    viewer: Viewer, run: Importer
) -> None:
    ada = await make_user(viewer, "Ada", email="ada@example.com")
    await make_user(viewer, "Bob", email="bob@example.com")
    await make_group(viewer, "Sales", users=[ada])
    await run("group,kind,member\nSales,user,bob@example.com\n")
    assert await members("user") == [("Sales", "Ada"), ("Sales", "Bob")]


async def test_unknown_and_ambiguous_members_are_told(
    viewer: Viewer, other: Viewer, run: Importer
) -> None:
    for _ in range(2):
        await make_bot(viewer, "Coach")
        await make_user(viewer, "Ada")
    await make_user(other, "Eve", email="eve@example.com")
    await make_user(viewer, "Bob", email="bob@strasse.example")
    async with unchanged(viewer):
        told = await run.mistakes(
            "group,kind,member\n"
            "Sales,bot,coach\n"
            "Sales,user,Ada\n"
            "Sales,user,eve@example.com\n"
            "Sales,team,Ada\n"
            "Sales,persona,\n"
            "Sales,user,bob@straße.example\n"
            "Sales,user,BOB@strasse.example\n"
        )
    assert told == [
        "line 2: member: 2 bots are named “coach”. Give the external id instead.",
        "line 3: member: 2 users are named “Ada”. Give the email instead.",
        "line 4: member: there is no user “eve@example.com”.",
        "line 5: kind: “team” is not one of user, bot, persona.",
        "line 6: member: there is no persona “”.",
        "line 7: member: there is no user “bob@straße.example”.",
    ]


async def test_a_group_that_cannot_be_is_told_where_it_is_named_first(
    viewer: Viewer, run: Importer
) -> None:
    await make_user(viewer, email="ada@example.com")
    async with unchanged(viewer):
        told = await run.mistakes(
            "group,kind,member\n"
            "Good,user,ada@example.com\n"
            f"{'x' * 121},user,ada@example.com\n"
            ",user,ada@example.com\n"
            ",user,ada@example.com\n"
        )
    assert told == [
        "line 3: group: Name is too long: at most 120 characters, this one has 121.",
        "line 4: group: Name can't be blank.",
    ]


async def test_a_group_may_get_more_members_than_one_write_takes(
    viewer: Viewer, run: Importer
) -> None:
    for _ in range(2):
        await make_users(viewer, 600)
    emails = [row[0] for row in await rows("users", "email")]
    await run("group,kind,member\n" + "".join(f"All,user,{email}\n" for email in emails))
    assert await current_revision(viewer.organization_id) == 5
    assert await rows("groups", "name", "user_count") == [("All", 1_200)]
