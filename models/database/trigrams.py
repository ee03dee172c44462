"""The index of trigrams: with it PostgreSQL finds a rare name among very many people at once.

It is no migration, since not everybody can have it: its extensions come with a package of their
own (`postgresql-contrib`, as a rule), and to create them takes the right of CREATE on the database.
So a search is never without its own condition; the index only narrows what that is asked of.
"""

TABLE = "users"
INDEX = "user_trigrams"
TRIGRAM = r"[0-9a-z]{3}"  # of a key: those of other letters depend on the database's locale

# What a search looks at, as it is in the rows that stand now. All but the status is in the index of
# names: said so, since PostgreSQL would fetch each row to see that it stands.
READ = "id, organization_id, name_key, email_key, status, NULL::bigint AS until_revision"


def text(alias: str = "") -> str:
    """What is indexed of a user: all that a search looks at, in one."""
    return f"({alias}name_key || ' ' || {alias}email_key)"


# With the organization, so that no other's people are looked at. New rows wait in a list, since
# many at once are added faster; a search reads the whole list, so it is kept short (kB).
MAKE = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE EXTENSION IF NOT EXISTS btree_gin",
    f"CREATE INDEX IF NOT EXISTS {INDEX} ON {TABLE} "
    f"USING gin (organization_id, {text()} gin_trgm_ops) "
    "WITH (gin_pending_list_limit = 256) WHERE until_revision IS NULL",
)
IS_THERE = (
    f"SELECT EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{INDEX}') "
    "AND indisvalid)"
)
