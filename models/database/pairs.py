"""The index of pairs: with it PostgreSQL finds a rare text among very many people at once.

Of each user it holds every two characters in a row. (Trigrams are what is common, of an extension
that not everybody can have; they know nothing of texts of two letters, which is what people have
typed when a picker first asks.) It holds for all rows that match a search, and for a few more, so
it only narrows what the search's own condition is asked of.
"""

TABLE = "users"
INDEX = "user_pairs"

# What a search looks at. All but the status is in the index of names; what it knows of the rows by
# then it need not ask again.
READ = "id, name_key, email_key, status"

# The index's own expression, made by the migration 0002, about the alias that searches use.
INDEXED = "search_pairs(e.organization_id, e.name_key || ' ' || e.email_key)"
# Where it is valid (to make it CONCURRENTLY may have failed), and where a character is one to both.
IS_THERE = (
    f"SELECT EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{INDEX}') "
    "AND indisvalid) AND current_setting('server_encoding') = 'UTF8'"
)
TELLING = 8  # characters of an organization's id, from its end, which nearly no other one shares


def pairs(organization_id: str, key: str) -> list[str]:
    """What the index holds of a row of this organization that contains the key; none of a single
    character."""
    of = organization_id[-TELLING:]
    return list(dict.fromkeys(of + key[at : at + 2] for at in range(len(key) - 1)))
