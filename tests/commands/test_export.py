"""`export`: what it writes can be imported, and is the same then."""

import asyncio
import errno
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from commands import directory, exporting
from commands.files import Content
from models.database import Row
from models.kinds import BOTS, KINDS
from models.listing import Listing
from models.tables import Role, UserStatus
from models.viewer import Viewer
from tests.commands.running import manage, refusal
from tests.databases import ROOT
from tests.factories import make_bot, make_entries, make_group, make_persona, make_user

pytestmark = pytest.mark.usefixtures("consistent")

CONTENTS = ("users", "bots", "personas", "memberships")


async def export(url: str, organization: str, content: str, *options: object) -> str:
    """What a command writes to standard output."""
    ran = await manage(url, "export", "--organization", organization, "--kind", content, *options)
    return ran.out


async def fill(viewer: Viewer) -> None:
    """Rows whose texts are hard on CSV, and names that several have."""
    ada = await make_user(
        viewer, '=HYPERLINK("x")', email="ada@example.com", external_id="u,1", role=Role.ADMIN
    )
    await make_user(
        viewer, "Zoë, née “O'Neill”", email="zoe@example.com", status=UserStatus.DEACTIVATED
    )
    bots = [
        await make_bot(
            viewer,
            'Coach "X"',
            external_id="c;1",
            description="Two\nlines,\tand more.\r\n- one\r- two",
            avatar_url="https://example.com/a,b",
            features=["a;b", 'say "no"', "c,d"],
        ),
        await make_bot(viewer, "-1"),
    ]
    personas = [await make_persona(viewer, "Busy Buyer", external_id=mark) for mark in ("p1", "p2")]
    await make_group(viewer, "Sales, north", users=[ada], bots=bots, personas=personas)
    await make_group(viewer, "@Support", users=[ada], bots=bots[1:])


async def test_what_is_exported_is_the_same_once_it_is_imported(
    viewer: Viewer, other: Viewer, database_url: str, tmp_path: Path
) -> None:
    await fill(viewer)
    for content in CONTENTS:
        path = tmp_path / f"{content}.csv"
        assert await export(database_url, "Acme", content, path) == ""
        await manage(database_url, "import", "--organization", "Other", "--kind", content, path)
        written = path.read_bytes().decode()  # noqa: ASYNC240
        assert len(written.splitlines()) > 2
        assert await export(database_url, "Other", content) == written
        assert await export(database_url, "Acme", content) == written


async def test_importing_what_was_exported_changes_nothing(
    viewer: Viewer, database_url: str, tmp_path: Path
) -> None:
    await fill(viewer)
    for content in CONTENTS:
        path = tmp_path / f"{content}.csv"
        await export(database_url, "Acme", content, path)
        ran = await manage(
            database_url, "import", "--organization", "Acme", "--kind", content, path
        )
        assert ran.said == ["All of it was already in Acme; nothing was changed."]


async def test_a_member_whose_name_others_have_is_called_by_its_id(
    viewer: Viewer, database_url: str
) -> None:
    twins = [await make_bot(viewer, "Coach") for _ in range(2)]
    alias = await make_bot(viewer, "Alias")
    await make_bot(viewer, "Other", external_id="Alias")
    await make_group(viewer, "Sales", bots=[*twins, alias])
    text = await export(database_url, "Acme", "memberships")
    assert text.splitlines() == [
        "group,kind,member",
        f"Sales,bot,{alias}",
        *sorted(f"Sales,bot,{twin}" for twin in twins),
    ]


async def test_a_long_list_is_written_whole_and_each_line_once(
    viewer: Viewer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "ROWS_AT_ONCE", 2)
    names = [f"Bot {number}" for number in range(5)]
    bots = await make_entries(viewer, BOTS, names)
    await make_group(viewer, "Sales", bots=bots)
    for content, lines in (
        ("bots", [f",{name},,," for name in names]),
        ("memberships", [f"Sales,bot,{name}" for name in names]),
    ):
        path = tmp_path / f"{content}.csv"
        acme = ("--organization", "Acme", "--kind", content)
        ran = await manage(database_url, "export", *acme, path)
        assert path.read_text().splitlines()[1:] == lines  # noqa: ASYNC240
        assert ran.said == ["Wrote 5 lines."]


async def test_what_is_written_meanwhile_is_not_exported(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, done = asyncio.Event(), asyncio.Event()

    async def slowly(listing: Listing) -> AsyncIterator[Sequence[Row]]:
        async for page in directory.every(listing):
            yield page
            begun.set()
            await done.wait()

    monkeypatch.setattr(directory, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(exporting, "every", slowly)
    await make_entries(viewer, BOTS, ["A", "B"])
    parts: list[str] = []
    writing = asyncio.create_task(exporting.write_csv(viewer, Content.BOTS, parts.append))
    await begun.wait()
    await make_bot(viewer, "Z")
    done.set()
    assert await writing == 2
    assert parts[1:] == [",A,,,\r\n", ",B,,,\r\n"]


async def test_an_empty_organization_is_a_header(
    viewer: Viewer, other: Viewer, database_url: str
) -> None:
    await fill(other)
    for content in CONTENTS:
        ran = await manage(database_url, "export", "--organization", "Acme", "--kind", content)
        assert len(ran.out.splitlines()) == 1
        assert ran.said == ["Wrote 0 lines."]


async def test_a_file_that_cannot_be_written_is_refused(
    viewer: Viewer, database_url: str, tmp_path: Path
) -> None:
    for path, reason in ((tmp_path / "no" / "file.csv", "No such file"), (tmp_path, "directory")):
        said = await refusal(
            database_url, "export", "--organization", "Acme", "--kind", "users", path
        )
        assert "can't be written" in said
        assert reason in said
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_what_is_no_file_is_written_to_and_stays_what_it_is(
    viewer: Viewer, database_url: str, tmp_path: Path
) -> None:
    await fill(viewer)
    users = await export(database_url, "Acme", "users")
    pipe, file, link = tmp_path / "pipe", tmp_path / "file", tmp_path / "link"
    os.mkfifo(pipe)
    file.touch()  # noqa: ASYNC240
    link.symlink_to(file)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    await export(database_url, "Acme", "users", pipe)
    assert pipe.is_fifo()  # noqa: ASYNC240
    assert os.read(reader, 65_536).decode() == users
    os.close(reader)
    await export(database_url, "Acme", "users", link)
    assert link.is_symlink()  # noqa: ASYNC240
    assert file.read_bytes().decode() == users  # noqa: ASYNC240


async def test_a_power_cut_leaves_the_old_file_or_the_new_one(
    viewer: Viewer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "users.csv"
    path.write_text("old")  # noqa: ASYNC240
    synced: list[tuple[int, int, bytes]] = []

    def sync(file: int) -> None:
        synced.append((os.fstat(file).st_ino, os.fstat(file).st_size, path.read_bytes()))

    monkeypatch.setattr(os, "fsync", sync)
    await fill(viewer)
    await export(database_url, "Acme", "users", path)
    new = path.read_bytes()  # noqa: ASYNC240
    file, directory = synced
    assert file == (path.stat().st_ino, len(new), b"old")  # noqa: ASYNC240
    assert (directory[0], directory[2]) == (tmp_path.stat().st_ino, new)  # noqa: ASYNC240


async def test_of_two_exports_to_one_file_at_once_one_is_there_whole(
    viewer: Viewer, tmp_path: Path
) -> None:
    await fill(viewer)
    path, whole = tmp_path / "file.csv", []
    for content in (Content.USERS, Content.BOTS):
        await exporting.export(viewer, content, path)
        whole.append(path.read_text())
    await asyncio.gather(
        exporting.export(viewer, Content.USERS, path), exporting.export(viewer, Content.BOTS, path)
    )
    assert path.read_text() in whole
    assert os.listdir(tmp_path) == [path.name]


async def test_a_disk_that_is_full_leaves_the_old_file_and_no_part_of_the_new_one(
    viewer: Viewer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "users.csv"
    path.write_text("old")  # noqa: ASYNC240
    monkeypatch.setattr(os, "fsync", sync)
    said = await refusal(database_url, "export", "--organization", "Acme", "--kind", "users", path)
    assert said == f"The file {path} can't be written: No space left on device."
    assert path.read_text() == "old"  # noqa: ASYNC240
    assert list(tmp_path.iterdir()) == [path]  # noqa: ASYNC240


async def test_a_file_that_is_closed_to_others_stays_so(
    viewer: Viewer, database_url: str, tmp_path: Path
) -> None:
    await make_user(viewer, "Ada")
    path = tmp_path / "users.csv"
    path.touch(0o600)  # noqa: ASYNC240
    await export(database_url, "Acme", "users", path)
    assert "Ada" in path.read_text()  # noqa: ASYNC240
    assert path.stat().st_mode & 0o777 == 0o600  # noqa: ASYNC240


async def export_to(output: Path | int, url: str, *options: str) -> tuple[int | None, str]:
    """The exit code and the messages of a command whose standard output is added to a file."""
    with open(output, "a") as file:  # noqa: ASYNC230
        process = await asyncio.create_subprocess_exec(
            sys.executable, "manage.py", "export", "--organization", "Acme", "--kind", "users",
            *options, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=file, stderr=PIPE,
        )  # fmt: skip
        _, said = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, said.decode()


async def test_an_output_that_cannot_be_written_is_told(viewer: Viewer, database_url: str) -> None:
    code, said = await export_to(Path("/dev/full"), database_url)
    assert said == "Standard output can't be written: No space left on device.\n"
    assert code == 2


async def test_a_reader_that_wants_no_more_is_told_nothing(
    viewer: Viewer, database_url: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    assert await export_to(writer, database_url) == (1, "")


@pytest.mark.parametrize("options", [(), ("/dev/stdout",)])
async def test_a_file_that_standard_output_is_added_to_keeps_what_it_had(
    viewer: Viewer, database_url: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    await fill(viewer)
    output = tmp_path / "output"
    output.write_text("kept\n")  # noqa: ASYNC240
    code, said = await export_to(output, database_url, *options)
    assert code == 0, said
    users = await export(database_url, "Acme", "users")
    assert output.read_bytes().decode() == f"kept\n{users}"  # noqa: ASYNC240


async def test_kinds_have_the_names_of_the_house() -> None:
    assert [kind.plural for kind in KINDS] == list(CONTENTS[:3])
