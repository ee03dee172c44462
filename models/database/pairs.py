"""The index of pairs, by which PostgreSQL finds users whose name or email contains a rare text.

For each user it holds every pair of adjacent characters. (Trigrams are more common, but need an
extension that not everybody can install, and cannot find texts of two letters, which is what people
have typed when a picker first asks.) It leaves out the pair at the beginning of a name, and of an
email that begins with the same word. Most searches are for the beginning of a name, and those rows
are adjacent in the index of names, already sorted; this index only has to find the few others.

It may find rows that do not match, so a search must still check its own condition on each.
"""

import sys

TABLE = "users"
INDEX = "user_inner_pairs"

# The columns that a search reads. All but the status are in the index of names.
READ = "id, name_key, email_key, status"

# The index's expression, as in migration 0002, with the alias that searches use.
INDEXED = "search_pairs(e.organization_id, e.name_key, e.email_key)"
# Whether it is usable: it is valid (creating it CONCURRENTLY may have failed), and the server's
# characters are the same as Python's.
IS_THERE = (
    f"SELECT EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{INDEX}') "
    "AND indisvalid) AND current_setting('server_encoding') = 'UTF8'"
)
SUFFIX = 8  # characters at the end of an organization's id, which make it all but unique
# The first word that a name and an email share, as defined in the migration: its least length, and
# the characters that may follow it in the email.
SHORTEST_WORD = 2
AFTER_WORD = frozenset(".@_-+")
SURROGATES = range(0xD800, 0xE000)  # code points that are not characters


def pairs(organization_id: str, key: str) -> list[str]:
    """The pairs that the index holds for every matching row of this organization, except for rows
    whose name begins with the key. Empty for a single character."""
    # If an email begins with the key and its name does not, the word that they share is shorter.
    inner = key if AFTER_WORD.isdisjoint(key[SHORTEST_WORD:]) else key[1:]
    of = organization_id[-SUFFIX:]
    return list(dict.fromkeys(of + inner[at : at + 2] for at in range(len(inner) - 1)))


def beginning(key: str) -> tuple[str, str] | None:
    """The range of the names that begin with the key: from the first text on, before the second.

    None if no text sorts after all of them.
    """
    after = ord(key[-1]) + 1
    if after > sys.maxunicode:
        return None
    return key, key[:-1] + chr(SURROGATES.stop if after in SURROGATES else after)
