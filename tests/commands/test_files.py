"""Reading CSV: what a file holds is recognised, and what is wrong with it is told by line."""

from pathlib import Path

import pytest

from commands.console import Findings, Refusal
from commands.files import Content, Mistake, join_labels, read_file, split_labels, to_csv

NOT_UTF8 = "it is not in UTF-8. Save the file as “CSV UTF-8”"


def reasons(path: Path, data: bytes, content: Content | None = None) -> list[str]:
    """What is wrong with a file that makes no sense as a whole."""
    path.write_bytes(data)
    with pytest.raises(Findings, match="Nothing was imported") as caught:
        read_file(path, content)
    return list(caught.value.lines)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file may be."""
    return tmp_path / "file.csv"


@pytest.mark.parametrize(
    ("header", "content"),
    [
        ("name,email", Content.USERS),
        ("features,name", Content.BOTS),
        (" Group , KIND , Member ", Content.MEMBERSHIPS),
        ("\ufeffname,email", Content.USERS),
    ],
)
def test_the_header_tells_what_a_file_holds(path: Path, header: str, content: Content) -> None:
    path.write_text(f"{header}\n", encoding="utf-8")
    assert read_file(path) == (content, [], [])


def test_a_header_of_bots_or_personas_needs_to_be_told_which(path: Path) -> None:
    path.write_text("name,description\nAngry customer,\n")
    with pytest.raises(Refusal, match="--kind"):
        read_file(path)
    content, lines, _ = read_file(path, Content.PERSONAS)
    assert content is Content.PERSONAS
    assert lines[0].cells == {"name": "Angry customer", "description": ""}


def test_lines_are_numbered_as_an_editor_does(path: Path) -> None:
    path.write_bytes(b'\nname,description\r\nA,"two\nlines"\n\n,\nB,\nC\nD,1,2\n')
    _, lines, mistakes = read_file(path, Content.BOTS)
    assert [(line.number, line.cells["name"]) for line in lines] == [(3, "A"), (7, "B")]
    assert mistakes == [
        Mistake(8, "it has 1 cell instead of 2"),
        Mistake(9, "it has 3 cells instead of 2"),
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", ["the file has no header"]),
        (b"\nname,email\nZo\xeb,z@x\n", [f"line 3: {NOT_UTF8}"]),
        ("name,email\n".encode("utf-16"), [f"line 1: {NOT_UTF8}"]),
        (b"name;email\n", ["line 1: the cells must be separated by commas"]),
        (b"name\temail\n", ["line 1: the cells must be separated by commas"]),
        (
            b"\nname,mail,name\n",
            [
                "line 2: the column email is missing",
                "line 2: the column name appears more than once",
                "line 2: there is no column “mail”; users have external_id, name, email, "
                "avatar_url, role, status",
            ],
        ),
        (
            b'"name',
            [
                "the file has no header",
                "line 1: it is not valid CSV (unexpected end of data); nothing after it was read",
            ],
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_told(path: Path, data: bytes, told: list[str]) -> None:
    assert reasons(path, data, Content.USERS) == told


def test_what_follows_a_broken_line_is_not_read(path: Path) -> None:
    path.write_text('name,email\nAda,a@x\nBob,"b"@x\nCid,c@x\n')
    _, lines, mistakes = read_file(path)
    assert [line.cells["name"] for line in lines] == ["Ada"]
    assert [mistake.number for mistake in mistakes] == [3]
    assert "nothing after it was read" in mistakes[0].reason


def test_a_file_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(Refusal, match=r"can't be read: No such file or directory\."):
        read_file(path)


@pytest.mark.parametrize(
    "labels", [[], ["Voice"], ["a;b", 'say "no"', "c,d", "=1+1"], ["'", '"', "…"]]
)
def test_labels_come_back_from_their_cell(labels: list[str]) -> None:
    assert split_labels(join_labels(labels)) == labels


def test_labels_may_be_typed_with_blanks_between() -> None:
    assert split_labels(" Voice ; Hard mode;; ") == ["Voice", "Hard mode"]
    assert split_labels('Voice; "a;b"') == ["Voice", "a;b"]


def test_cells_are_written_as_they_are() -> None:
    assert to_csv([["=1+1", 'a "b"', "c,d", None, "e\nf", "g\rh"]]) == (
        '=1+1,"a ""b""","c,d",,"e\nf","g\rh"\r\n'
    )
