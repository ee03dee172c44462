"""What is in the way of a command is told in one line, and nothing is left behind."""

from pathlib import Path

import pytest
from tortoise.exceptions import IntegrityError

from commands import opening
from models.database import fetch, pending_migrations, sqlite, transaction
from models.kinds import KINDS
from models.organizations import create_organization, find_organization
from runtime.settings import Settings
from tests.commands.running import manage, refusal
from tests.databases import opened, with_rights
from tests.factories import make_entries, make_group, make_user

LIST = ("org", "list")
EXPORT = ("export", "--organization", "Acme", "--kind", "users")
PAGE = 4096  # bytes of a file of SQLite
on_sqlite = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("databases", ["postgres"], indirect=True)


async def test_migrate_makes_the_tables_once(empty_database_url: str) -> None:
    ran = await manage(empty_database_url, "migrate")
    assert ran.out.startswith("Applied 0001_initial")
    async with opened(empty_database_url):
        assert await pending_migrations() == []
        assert list(await fetch("SELECT * FROM organizations")) == []
    ran = await manage(empty_database_url, "migrate")
    assert ran.out == "The tables are up to date.\n"


@on_postgres
async def test_commands_have_each_statement_planned_anew(database_url: str) -> None:
    """A plan for the rows that there were when an import began takes hours for those it adds."""
    async with opening.opened(Settings(database_url=database_url)):
        ((mode,),) = await fetch("SHOW plan_cache_mode")
    assert mode == "force_custom_plan"


@pytest.mark.parametrize(
    "arguments",
    [
        LIST,
        ("org", "create", "Acme"),
        ("verify",),
        ("token", "list", "--organization", "Acme"),
        EXPORT,
    ],
    ids=lambda arguments: arguments[0],
)
async def test_a_command_does_not_begin_before_the_tables_are_made(
    empty_database_url: str, arguments: tuple[str, ...]
) -> None:
    said = await refusal(empty_database_url, *arguments)
    assert said.endswith("Run `python manage.py migrate` first.")
    assert not left_behind(empty_database_url)


def left_behind(url: str) -> list[Path]:
    """The files of a database of SQLite; none for one of PostgreSQL."""
    if not url.startswith("sqlite"):
        return []
    path = Path(url.removeprefix("sqlite://"))
    return list(path.parent.glob(f"{path.name}*"))


@on_postgres
@pytest.mark.parametrize("command", ["serve", "demo"])
async def test_on_postgresql_no_command_but_migrate_makes_tables(
    empty_database_url: str, command: str
) -> None:
    said = await refusal(empty_database_url, command)
    assert said.endswith("Run `python manage.py migrate` first.")
    async with opened(empty_database_url):
        assert await pending_migrations() != []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "it is '' now"),
        ("mysql://localhost/cohort", "it is 'mysql' now"),
        ("sqlite://", "needs a file"),
        ("sqlite://:memory:", "needs a file"),
        ("sqlite://no/such/directory/file", "there is no such directory"),
        ("sqlite://.", "which is not a file"),
        ("sqlite://pyproject.toml", "file is not a database"),
        ("postgres://localhost:1/cohort", "Connect call failed"),
        ("postgres://nobody.invalid/cohort", "can't be used"),
        ("postgres://localhost:port/cohort", "its port must be a number"),
        ("postgres://localhost/cohort?wrong=option", "wrong"),
    ],
)
async def test_a_wrong_database_url_is_told(url: str, reason: str) -> None:
    assert reason in await refusal(url, *LIST)


@on_postgres
async def test_an_unknown_database_and_user_are_told(database_url: str) -> None:
    wrong = database_url.replace("/cohort_", "/no_such_")
    assert "no_such_" in await refusal(wrong, *LIST)
    wrong = database_url.replace("postgres:@", "nobody:secret@")
    said = await refusal(wrong, *LIST)
    assert "nobody" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "http"), ("PORT", "70000"), ("COHORT_POOL_SIZE", "0")]
)
async def test_a_wrong_setting_is_told_by_its_variable(
    database_url: str, variable: str, value: str
) -> None:
    said = await refusal(database_url, *LIST, **{variable: value})
    assert said.startswith(f"{variable}: Input should be")
    assert value in said


async def test_organizations_are_created_and_listed(database_url: str) -> None:
    ran = await manage(database_url, *LIST)
    assert ran.out == "There are no organizations yet.\n"
    for name in ("Zoë & Co", "Acme"):
        ran = await manage(database_url, "org", "create", name)
        assert (ran.out, ran.said) == ("", [f"Created the organization {name}."])
    async with opened(database_url):
        acme = await find_organization("Acme")
        assert acme is not None
        await make_group(acme)
        for kind, number in zip(KINDS, (2, 3, 4), strict=True):
            await make_entries(acme, kind, [str(n) for n in range(number)])
    ran = await manage(database_url, *LIST)
    assert ran.out.splitlines() == [
        "NAME      REVISION  GROUPS  USERS  BOTS  PERSONAS",
        "Acme      4         1       2      3     4",
        "Zoë & Co  0         0       0      0     0",
    ]


@on_sqlite
async def test_a_database_that_is_busy_is_told_in_one_line(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sqlite.PRAGMAS, "busy_timeout", 100)
    async with opened(database_url), transaction():
        assert await refusal(database_url, "org", "create", "Acme") == (
            "The database can't be used at the moment: "
            "Another process is writing, and took too long. Try again."
        )
        assert list(await fetch("SELECT * FROM organizations")) == []


@on_sqlite
async def test_a_file_that_is_damaged_is_told_in_one_line(
    database_url: str, tmp_path: Path
) -> None:
    async with opened(database_url):
        await make_user(await create_organization("Acme"))
        (page,) = await fetch("SELECT rootpage FROM sqlite_schema WHERE name = 'users'")
    path = Path(database_url.removeprefix("sqlite://"))
    content = bytearray(path.read_bytes())  # noqa: ASYNC240
    content[(page[0] - 1) * PAGE : page[0] * PAGE] = b"\xff" * PAGE
    path.write_bytes(content)  # noqa: ASYNC240
    for arguments in (("verify",), (*EXPORT, tmp_path / "users.csv")):
        assert await refusal(database_url, *arguments) == (
            "The database that DATABASE_URL names can't be used: database disk image is malformed"
        )
    assert not list(tmp_path.iterdir())  # noqa: ASYNC240


@on_postgres
async def test_rights_that_are_missing_are_told_in_one_line(database_url: str) -> None:
    async with with_rights(database_url, "SELECT") as url:
        assert "permission denied for table" in await refusal(url, "org", "create", "Acme")
        assert (await manage(url, *LIST)).out == "There are no organizations yet.\n"


@on_postgres
async def test_tables_that_may_not_be_read_are_not_taken_for_none(database_url: str) -> None:
    async with with_rights(database_url) as url:
        assert await refusal(url, *LIST) == (
            "The database that DATABASE_URL names can't be used: "
            "permission denied for table tortoise_migrations"
        )


@on_postgres
async def test_where_nothing_is_pending_migrate_needs_no_rights_to_make_tables(
    database_url: str,
) -> None:
    async with with_rights(database_url, "SELECT") as url:
        assert (await manage(url, "migrate")).out == "The tables are up to date.\n"


async def test_an_error_that_may_be_ours_is_no_refusal(database_url: str) -> None:
    async with opened(database_url):
        await create_organization("Acme")

    with pytest.raises(IntegrityError):
        async with opening.opened(Settings(database_url=database_url)), transaction():
            await fetch("UPDATE organizations SET name = NULL")


async def test_an_organization_needs_a_name_of_its_own(database_url: str) -> None:
    async with opened(database_url):
        await create_organization("Acme")
    assert await refusal(database_url, "org", "create", " ACME ") == (
        "There is already an organization named “ACME”."
    )
    assert await refusal(database_url, "org", "create", " ") == "Name can't be blank."
    async with opened(database_url):
        assert len(await fetch("SELECT id FROM organizations")) == 1
