"""Reading texts that people type: trimmed, bounded, normalised to compare. Wording of summaries."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from models.errors import Code, DomainError, Problem

NAME_LENGTH = 120
EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
DESCRIPTION_LENGTH = 2_000
URL_LENGTH = 2_000
EXTERNAL_ID_LENGTH = 200
# Letters and a symbol that look like a space: fillers of Hangul, and a pattern of Braille.
LOOK_BLANK = "\u115f\u1160\u3164\uffa0\u2800"
# Marks that show nothing by themselves: a joiner, inherent vowels of Khmer, and variation selectors
# (Default_Ignorable_Code_Point).
HIDDEN = frozenset(
    {
        *"\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f",
        *map(chr, range(0xFE00, 0xFE10)),
        *map(chr, range(0xE0100, 0xE01F0)),
    }
)
# Of the characters that format others, those that are drawn (Prepended_Concatenation_Mark).
DRAWN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
# As many combining marks in a row as Python takes long to sort; or other signs, but no letters.
MANY_MARKS = re.compile(r"\W{100,}")
# The most characters that are composed into one, such as U+1F82. A text of more than so many times
# its limit is known to be too long without composing it: a request may have the same one, as large
# as a body may be, in hundreds of places.
MOST_COMPOSED = 4


def composed(text: str) -> str:
    """A text as it is stored and counted: composed (NFC), without surrounding white space."""
    return _compose(text).strip()


def is_longer(text: str, length: int) -> bool:
    """Whether a text has more than so many characters once it is composed."""
    return len(text.strip()) > MOST_COMPOSED * length or len(composed(text)) > length


def name_key(name: str) -> str:
    """The form in which names are compared, sorted and searched: casefolded, composed (NFC)."""
    return _compose(_compose(name).casefold())


def differ_in_case_only(text: str, other: str) -> bool:
    """Whether two texts are the same but for upper and lower case.

    `name_key` also joins what no case joins, such as “ß” and “ss”, or a ligature and its letters.
    """
    return _lower(text) == _lower(other)


def _lower(text: str) -> str:
    """A text in lower case, composed again: some letters are composed in lower case only (“ǰ”).

    A dot ends a word, as in addresses: “ΚΌΣΜΟΣ.ΕΛ” is “κόσμος.ελ”, which Python ends with “σ”.
    """
    return _compose(".".join(word.lower() for word in composed(text).split(".")))


def _compose(text: str) -> str:
    """A text in NFC, in time proportional to its length.

    Python sorts the combining marks of a character by insertion, so half a megabyte of them would
    take an hour. Marks that are in order already take no time.
    """
    if not text.isascii() and MANY_MARKS.search(text):
        text = "".join(_in_order(text))
    return unicodedata.normalize("NFC", text)


def _in_order(text: str) -> Iterator[str]:
    """The parts of a text, decomposed, with marks in canonical order (Unicode, section 3.11)."""
    decomposed = "".join([unicodedata.normalize("NFD", character) for character in text])
    for _, part in groupby(decomposed, lambda character: unicodedata.combining(character) > 0):
        yield from sorted(part, key=unicodedata.combining)


def is_storable(text: str, *, lines: bool = False) -> bool:
    """Whether every character can be stored and shown: no control characters, line breaks or lone
    surrogates.

    `lines` allows line breaks and tabs.
    """
    allowed = "\n\r\t\u2028\u2029" if lines else ""
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") and character not in allowed
        for character in text
    )


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: only white space, what looks like it, and characters that
    format what is around them, such as a zero-width space, or choose a variant of it."""
    return all(
        character.isspace()
        or character in LOOK_BLANK
        or character in HIDDEN
        or (unicodedata.category(character) == "Cf" and character not in DRAWN)
        for character in text
    )


class Reader:
    """Reads the texts of one input, collecting `problems`."""

    def __init__(self, *path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def refuse(self, code: Code, message: str, field: str) -> None:
        """Note one problem with `field`."""
        self.problems.append(Problem(code, message, (*self.path, field)))

    def finish(self) -> None:
        """Raise a DomainError with all problems, if there are any."""
        if self.problems:
            raise DomainError(self.problems)

    def required(self, value: str, field: str, label: str, length: int = NAME_LENGTH) -> str:
        """A text of one line that must not be blank."""
        text = self.optional(value, field, label, length)
        if text is None:
            self.refuse(Code.BLANK, f"{label} can't be blank.", field)
        return text or ""

    def optional(
        self, value: str | None, field: str, label: str, length: int, *, lines: bool = False
    ) -> str | None:
        """A text that may be missing; blank counts as missing, unless it is too long."""
        text = (value or "").strip()
        if len(text) <= MOST_COMPOSED * length:
            text = composed(text)
        if len(text) > length:
            self.refuse(
                Code.TOO_LONG,
                f"{label} is too long: at most {length:,} characters, this one has {len(text):,}.",
                field,
            )
        elif is_blank(text):
            return None
        elif not is_storable(text, lines=lines):
            self.refuse(
                Code.INVALID,
                f"{label} contains a character that can't be displayed; remove it.",
                field,
            )
        return text

    def email(self, value: str) -> str:
        """An email address: text around an @, no white space. Delivery will show the rest."""
        text = self.required(value, "email", "Email", EMAIL_LENGTH)
        local, at, domain = text.rpartition("@")
        if text and (not (local and at and domain) or len(text.split(maxsplit=1)) > 1):
            self.refuse(Code.INVALID, f"“{text[:80]}” is not an email address.", "email")
        return text

    def url(self, value: str | None, field: str) -> str | None:
        """An http(s) URL of an image, or its path on this host. (Our pages show none over http.)"""
        text = self.optional(value, field, "Address", URL_LENGTH)
        if text and not text.startswith(("https://", "http://", "/")):
            self.refuse(
                Code.INVALID, "Address must begin with https://, http:// or a slash.", field
            )
        return text


def quantity(count: int, noun: str) -> str:
    """A count in words for a sentence: `1 user`, `3 users`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def in_words(rows: Sequence[Any], noun: str) -> str:
    """Rows in words: the name of one (`Ada Lovelace`), the number of several (`3 users`)."""
    return str(rows[0]["name"]) if len(rows) == 1 else quantity(len(rows), noun)
