from tortoise import migrations

from models.database.operations import OnPostgres

# Every two characters in a row, less those that a search finds by the index of names: the first of
# the name, and the first of an email that begins with the same word. (`models/database/pairs.py`
# relies on it, and knows these words and what ends them.) First come those at odd places, then those
# at even ones. Each is told apart by the end of its organization's id, and none can hold the control
# character between. The one that may be left at the end does no harm. The cost tells PostgreSQL to
# ask the index, and not to make the pairs of one row after the other.
SEARCH_PAIRS = r"""
CREATE OR REPLACE FUNCTION search_pairs(organization_id text, name_key text, email_key text)
RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
DECLARE
    own text := right(organization_id, 8);
    word text := split_part(name_key, ' ', 1);
    key text := substr(name_key, 2) || ' ';
BEGIN
    IF length(word) >= 2 AND starts_with(email_key, word)
        AND strpos('.@_-+', substr(email_key, length(word) + 1, 1)) > 0
    THEN
        key := key || substr(email_key, 2);
    ELSE
        key := key || email_key;
    END IF;
    RETURN string_to_array(
        own || regexp_replace(key, '(..)', E'\\1' || chr(1) || own, 'g') || chr(1)
        || own || regexp_replace(substr(key, 2), '(..)', E'\\1' || chr(1) || own, 'g'),
        chr(1));
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    operations = [
        OnPostgres(
            [
                SEARCH_PAIRS,
                # New rows wait in a list, since many at once are added faster; a search reads the
                # whole list, so it is kept short (kB).
                "CREATE INDEX IF NOT EXISTS user_inner_pairs ON users "
                "USING gin (search_pairs(organization_id, name_key, email_key)) "
                "WITH (gin_pending_list_limit = 256) WHERE until_revision IS NULL;",
            ]
        ),
    ]
