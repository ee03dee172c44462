"""The index of pairs: with it PostgreSQL finds a rare text among very many people at once.

Of each user it holds every two characters in a row. (Trigrams are what is common, of an extension
that not everybody can have; they know nothing of texts of two letters, which is what people have
typed when a picker first asks.) It leaves out the pair that a name begins with, and that of an
email which begins with the same word. Most texts that are looked for begin a name: those rows lie
together in the index of names, in their order, and only the few others that match are left to this
one.

It holds for all of those, and for a few more, so it only narrows what the search's own condition is
asked of.
"""

import sys

TABLE = "users"
INDEX = "user_inner_pairs"

# What a search looks at. All but the status is in the index of names; what it knows of the rows by
# then it need not ask again.
READ = "id, name_key, email_key, status"

# The index's own expression, made by the migration 0002, about the alias that searches use.
INDEXED = "search_pairs(e.organization_id, e.name_key, e.email_key)"
# Where it is valid (to make it CONCURRENTLY may have failed), and where a character is one to both.
IS_THERE = (
    f"SELECT EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{INDEX}') "
    "AND indisvalid) AND current_setting('server_encoding') = 'UTF8'"
)
TELLING = 8  # characters of an organization's id, from its end, which nearly no other one shares
# The word with which a name and an email both begin, as the migration says: how long it is at
# least, and what stands behind it in the email.
SHORTEST_WORD = 2
BEHIND_WORD = frozenset(".@_-+")
SURROGATES = range(0xD800, 0xE000)  # which are no characters


def pairs(organization_id: str, key: str) -> list[str]:
    """What the index holds of each row of this organization that the key matches, but for those
    whose name begins with it. None of a single character."""
    # Where an email begins with the key and the name does not, the word that they share is shorter.
    inner = key if BEHIND_WORD.isdisjoint(key[SHORTEST_WORD:]) else key[1:]
    of = organization_id[-TELLING:]
    return list(dict.fromkeys(of + inner[at : at + 2] for at in range(len(inner) - 1)))


def beginning(key: str) -> tuple[str, str] | None:
    """Where the names lie that begin with the key: from it on, up to another text.

    None if there is no text behind them all.
    """
    after = ord(key[-1]) + 1
    if after > sys.maxunicode:
        return None
    return key, key[:-1] + chr(SURROGATES.stop if after in SURROGATES else after)
