"""Texts: trimmed, bounded, and in the form in which they are compared."""

import sys
import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import text
from models.errors import Code, DomainError
from models.kinds import KINDS
from models.text import (
    EMAIL_LENGTH,
    MANY_MARKS,
    MOST_COMPOSED,
    NAME_LENGTH,
    Reader,
    composed,
    in_words,
    is_longer,
    is_storable,
    name_key,
    quantity,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sales", "SALES"),
        ("Straße", "STRASSE"),
        ("Zoë", "Zoe\u0308"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
        ("ﬁne", "FINE"),
        ("\u212bngström", "ÅNGSTRÖM"),
        ("ᾳ", "ΑΙ"),
        ("α\u0345\u0301", "α\u0301\u0345"),
    ],
)
def test_names_that_differ_in_case_or_composition_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Zoe", "Zoë"), ("A B", "AB"), ("İ", "I"), ("1", "１")])
def test_names_that_differ_otherwise_have_two_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text())
def test_a_key_is_its_own_key_and_composed(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key
    assert unicodedata.is_normalized("NFC", key)


@given(st.text())
def test_composition_makes_no_difference(text: str) -> None:
    assert name_key(unicodedata.normalize("NFD", text)) == name_key(text)


@given(st.text())
def test_what_can_be_kept_has_a_key_that_can_be_kept(text: str) -> None:
    if is_storable(text):
        key = name_key(text)
        assert is_storable(key)
        assert key.encode().decode() == key


# Among them some that begin with a mark when decomposed, and some that compose with one.
MARKS = "\u0300\u0323\u0344\u0345\u0f73\u0f81\u05b0\u3099\u1100\u1161\u11a8aeυか각ạǖ"


@given(st.text(st.sampled_from(MARKS)), st.text(), st.text(st.sampled_from(MARKS)))
def test_many_marks_are_composed_like_few(before: str, within: str, after: str) -> None:
    text = before + "\u0301" * 100 + within + after
    assert MANY_MARKS.search(text)
    assert composed(text) == unicodedata.normalize("NFC", text).strip()


def test_whatever_is_sorted_as_a_mark_counts_as_one() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    marks = [c for c in characters if unicodedata.combining(unicodedata.normalize("NFD", c)[0])]
    assert marks
    assert all(MANY_MARKS.fullmatch(mark * 100) for mark in marks)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [("\u0300\u0323", ("\u0323", "\u0300")), ("\u0f73", ("\u0f71", "\u0f72"))],
)
def test_very_many_marks_are_composed(marks: str, expected: tuple[str, str]) -> None:
    """Before the tests are stopped: sorted by insertion, they would take an hour."""
    first, second = expected
    assert composed("x" + marks * 150_000) == f"x{first * 150_000}{second * 150_000}"


@given(st.text(st.sampled_from(MARKS)), st.integers(0, 8))
def test_a_text_is_longer_if_it_is_once_it_is_composed(text: str, length: int) -> None:
    assert is_longer(text, length) is (len(composed(text)) > length)


def test_no_character_is_composed_of_more_than_a_longer_text_may_have() -> None:
    decomposed = (unicodedata.normalize("NFD", chr(code)) for code in range(sys.maxunicode + 1))
    assert max(map(len, decomposed)) == MOST_COMPOSED


def test_a_text_that_is_too_long_is_so_though_it_shows_nothing() -> None:
    reader = Reader()
    reader.required("\u200b" * (NAME_LENGTH + 1), "name", "Name")
    reader.required("\u200b" * NAME_LENGTH, "name", "Name")
    assert [problem.code for problem in reader.problems] == [Code.TOO_LONG, Code.BLANK]


@pytest.mark.parametrize("character", ["x", "é", "\u0301", "\u200b"])
def test_a_text_that_is_much_too_long_is_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, character: str
) -> None:
    """It may be a megabyte, in hundreds of places of one request."""
    monkeypatch.setattr(text, "_compose", None)
    long = character * (MOST_COMPOSED * EMAIL_LENGTH + 1)
    reader = Reader()
    reader.required(long, "name", "Name")
    reader.email(f"{long}@example.com")
    assert [problem.code for problem in reader.problems] == [Code.TOO_LONG] * 2
    assert is_longer(long, EMAIL_LENGTH)


def test_an_email_that_is_much_too_long_is_not_split_into_all_its_words() -> None:
    long, reader = "ab " * 100_000 + "@example.com", Reader()
    tracemalloc.start()
    try:
        reader.email(long)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [problem.code for problem in reader.problems] == [Code.TOO_LONG, Code.INVALID]
    assert most < 4 * len(long)  # bytes, of some copies of it


@pytest.mark.parametrize(
    "text",
    ["\x00", "a\x07", "\x7f", "\x85", "\ud800", "a\nb", "a\tb", "a\u2028b", "a\u2029b"],
)
def test_control_characters_and_halves_of_characters_cannot_be_kept(text: str) -> None:
    assert not is_storable(text)


@pytest.mark.parametrize("text", ["", "Zoë", "日本", "🦊", "a\u200db", "שלום"])
def test_all_that_people_write_can_be_kept(text: str) -> None:
    assert is_storable(text)


def test_lines_may_be_kept_where_lines_are_wanted() -> None:
    assert is_storable("one\r\n\ttwo\u2028three\u2029", lines=True)
    assert not is_storable("one\x0btwo", lines=True)


def test_a_required_text_is_trimmed_and_composed() -> None:
    reader = Reader()
    assert reader.required(" \u00a0Zoe\u0308 \n", "name", "Name") == "Zoë"
    assert reader.required("\u2067שלום\u2069", "name", "Name") == "\u2067שלום\u2069"
    reader.finish()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "   ",
        "\t\u3000",
        "\u200b",
        " \u2060\u202e \u00ad\ufeff",
        "\u3164",
        "\u115f\u1160\uffa0\u2800",
        "\ufe0f",
        "\u034f\u17b4\u180b \ufe00\U000e0100\U000e01ef",
    ],
)
def test_blank_is_missing(value: str) -> None:
    reader = Reader("users", "3")
    assert reader.optional(value, "description", "Description", 10) is None
    assert reader.optional(None, "description", "Description", 10) is None
    reader.finish()
    assert reader.required(value, "name", "Name") == ""
    with pytest.raises(DomainError, match="Name can't be blank") as refusal:
        reader.finish()
    assert refusal.value.problems[0].field == ("users", "3", "name")


@pytest.mark.parametrize(
    "value", ["\u0600", "\u06dd", "a\u200b", "\u3164a", "\u2764\ufe0f", "\ufe10", "\u0301", "."]
)
def test_what_is_drawn_is_not_blank(value: str) -> None:
    reader = Reader()
    assert reader.required(value, "name", "Name") == value
    reader.finish()


def test_a_text_may_be_as_long_as_its_limit_in_characters() -> None:
    reader = Reader()
    assert reader.required("🦊" * NAME_LENGTH, "name", "Name")
    reader.finish()
    reader.required("🦊" * (NAME_LENGTH + 1), "name", "Name")
    with pytest.raises(DomainError, match="at most 120 characters, this one has 121"):
        reader.finish()


def test_a_text_has_one_problem_at_a_time() -> None:
    reader = Reader()
    reader.email(" ")
    reader.email("a\x00@b")
    reader.email("a\x00@" + "b" * EMAIL_LENGTH)
    assert [problem.code for problem in reader.problems] == [
        *(Code.BLANK, Code.INVALID, Code.TOO_LONG)
    ]


@pytest.mark.parametrize("value", ["a@b", "ada@example.com", "ada+1@münchen.de", '"a@b"@c'])
def test_an_address_of_mail(value: str) -> None:
    reader = Reader()
    assert reader.email(f" {value} ") == value
    reader.finish()


@pytest.mark.parametrize("value", ["a", "@", "a@", "@b", "a b@c", "a@b c", "a@\u00a0b"])
def test_no_address_of_mail(value: str) -> None:
    reader = Reader()
    reader.email(value)
    assert [(problem.code, problem.field) for problem in reader.problems] == [
        (Code.INVALID, ("email",))
    ]


@pytest.mark.parametrize("value", ["https://example.com/a.png", "http://a", "/avatars/1.png", None])
def test_an_address_of_a_picture(value: str | None) -> None:
    reader = Reader()
    assert reader.url(value, "avatarUrl") == value
    reader.finish()


@pytest.mark.parametrize("value", ["a.png", "javascript:1", "data:,", "ftp://a", "https:a"])
def test_no_address_of_a_picture(value: str) -> None:
    reader = Reader()
    reader.url(value, "avatarUrl")
    assert [problem.code for problem in reader.problems] == [Code.INVALID]


def test_counts_in_words() -> None:
    assert [quantity(count, "user") for count in (0, 1, 2, 1_000)] == [
        "0 users",
        "1 user",
        "2 users",
        "1,000 users",
    ]


def test_some_rows_in_words() -> None:
    rows = [{"name": "Ada"}] * 1_000
    for kind in KINDS:
        assert in_words(rows[:1], kind.noun) == "Ada"
        assert in_words(rows[:2], kind.noun) == f"2 {kind.plural}"
        assert in_words(rows, kind.noun) == f"1,000 {kind.plural}"
