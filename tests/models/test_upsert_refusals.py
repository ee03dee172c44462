"""What cannot be added to the directory, nor updated in it, and how that is told."""

from typing import Any

import pytest

from models import upserts
from models.directory import IDS_AT_ONCE, delete_entries
from models.errors import Code
from models.kinds import BOTS, KINDS, PERSONAS, USERS, Kind
from models.text import DESCRIPTION_LENGTH, EMAIL_LENGTH, EXTERNAL_ID_LENGTH, NAME_LENGTH
from models.upserts import FEATURE_LENGTH, FEATURES, upsert_entries
from models.viewer import Viewer
from tests.factories import make_entry, make_user, with_emails
from tests.refusals import assert_forbidden, refused, unchanged

pytestmark = pytest.mark.usefixtures("consistent")

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
bots_and_personas = pytest.mark.parametrize("kind", [BOTS, PERSONAS], ids=lambda kind: kind.noun)

ADA: dict[str, Any] = {"name": "Ada Lovelace", "email": "ada@example.com"}
ALAN: dict[str, Any] = {"name": "Alan Turing", "email": "alan@example.com"}


@every_kind
@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": " "}, Code.BLANK, "name"),
        ({"name": "x" * (NAME_LENGTH + 1)}, Code.TOO_LONG, "name"),
        ({"name": "a\x00"}, Code.INVALID, "name"),
        ({"external_id": "x" * (EXTERNAL_ID_LENGTH + 1)}, Code.TOO_LONG, "externalId"),
        ({"external_id": "a\nb"}, Code.INVALID, "externalId"),
        ({"avatar_url": "javascript:alert(1)"}, Code.INVALID, "avatarUrl"),
        ({"avatar_url": "ftp://example.com/a.png"}, Code.INVALID, "avatarUrl"),
    ],
)
async def test_a_text_that_is_no_good_is_named_by_its_place(
    viewer: Viewer, kind: Kind, values: dict[str, str], code: Code, field: str
) -> None:
    given = with_emails(kind, {"name": "Good"}, {"name": "Bad", **values})
    async with refused(viewer, (code, kind.plural, "1", field)):
        await upsert_entries(viewer, kind, given)


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("", Code.BLANK),
        ("ada", Code.INVALID),
        ("@example.com", Code.INVALID),
        ("ada@", Code.INVALID),
        ("ada lovelace@example.com", Code.INVALID),
        ("a" * EMAIL_LENGTH + "@b", Code.TOO_LONG),
    ],
)
async def test_a_user_needs_an_email(viewer: Viewer, email: str, code: Code) -> None:
    async with refused(viewer, (code, "users", "0", "email")):
        await upsert_entries(viewer, USERS, [{"name": "Ada", "email": email}])


@pytest.mark.parametrize(
    ("features", "code"),
    [
        ([str(number) for number in range(FEATURES + 1)], Code.TOO_MANY),
        (["x" * (FEATURE_LENGTH + 1)], Code.TOO_LONG),
        (["Voice", " "], Code.BLANK),
        (["a\tb"], Code.INVALID),
    ],
)
async def test_features_are_few_and_short(viewer: Viewer, features: list[str], code: Code) -> None:
    async with refused(viewer, (code, "bots", "0", "features")):
        await upsert_entries(viewer, BOTS, [{"name": "Coach", "features": features}])


@bots_and_personas
async def test_a_description_is_bounded(viewer: Viewer, kind: Kind) -> None:
    given = {"name": "Coach", "description": "x" * (DESCRIPTION_LENGTH + 1)}
    async with refused(viewer, (Code.TOO_LONG, kind.plural, "0", "description")):
        await upsert_entries(viewer, kind, [given])


@every_kind
async def test_no_key_is_made_of_a_name_that_is_refused(
    viewer: Viewer, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upserts, "name_key", None)
    given = with_emails(kind, {"name": "Good"}, {"name": "é" * 1_000})
    async with refused(viewer, (Code.TOO_LONG, kind.plural, "1", "name")):
        await upsert_entries(viewer, kind, given)


async def test_all_that_is_wrong_is_told_at_once(viewer: Viewer) -> None:
    bad = {"name": "", "email": "ada"}
    async with refused(
        viewer,
        (Code.BLANK, "users", "0", "name"),
        (Code.INVALID, "users", "0", "email"),
        (Code.BLANK, "users", "2", "name"),
        (Code.INVALID, "users", "2", "email"),
    ):
        await upsert_entries(viewer, USERS, [bad, ADA, bad])


async def test_an_email_of_another_user_is_taken(viewer: Viewer) -> None:
    await make_user(viewer, **ADA)
    await make_user(viewer, **ALAN, external_id="2")
    async with refused(viewer, (Code.TAKEN, "users", "0", "email")):
        await upsert_entries(viewer, USERS, [{**ADA, "external_id": "2"}])


async def test_an_email_that_may_be_somebody_elses_is_not_that_users(viewer: Viewer) -> None:
    ada = await make_user(viewer, "Ada", email="Ada@Strasse.example")
    async with refused(viewer, (Code.TAKEN, "users", "0", "email")):
        await upsert_entries(viewer, USERS, [{"name": "Adam", "email": "ada@straße.example"}])
    given = {"name": "Ada L.", "email": "ada@STRASSE.example"}
    assert (await upsert_entries(viewer, USERS, [given])).changed == [ada]


async def test_two_users_cannot_swap_their_emails_at_once(viewer: Viewer) -> None:
    await make_user(viewer, **ADA, external_id="1")
    await make_user(viewer, **ALAN, external_id="2")
    taken = [(Code.TAKEN, "users", place, "email") for place in "01"]
    async with refused(viewer, *taken):
        await upsert_entries(
            viewer, USERS, [{**ALAN, "external_id": "1"}, {**ADA, "external_id": "2"}]
        )


@bots_and_personas
async def test_an_external_id_of_another_is_taken(viewer: Viewer, kind: Kind) -> None:
    await make_entry(viewer, kind, "First", external_id="1")
    second = await make_entry(viewer, kind, "Second")
    async with refused(viewer, (Code.TAKEN, kind.plural, "0", "externalId")):
        await upsert_entries(viewer, kind, [{"id": second, "name": "B", "external_id": "1"}])


@bots_and_personas
async def test_an_id_that_is_not_there_is_refused(
    viewer: Viewer, other: Viewer, kind: Kind
) -> None:
    gone, theirs = await make_entry(viewer, kind, "Gone"), await make_entry(other, kind, "Theirs")
    await delete_entries(viewer, kind, [gone])
    unknown = [gone, theirs, f"{kind.prefix}_0", "\x00", ""]
    problems = [(Code.NOT_FOUND, kind.plural, str(place), "id") for place in range(1, 6)]
    async with refused(viewer, *problems), unchanged(other):
        given = [{"name": "New"}, *({"id": id, "name": "Old"} for id in unknown)]
        await upsert_entries(viewer, kind, given)


@every_kind
async def test_one_that_is_in_the_list_twice_is_refused(viewer: Viewer, kind: Kind) -> None:
    given = with_emails(kind, {"name": "A", "external_id": "1"}, {"name": "B", "external_id": "1"})
    async with refused(viewer, (Code.INVALID, kind.plural, "1", "name")):
        await upsert_entries(viewer, kind, given)


async def test_a_user_who_is_in_the_list_twice_under_two_keys_is_refused(viewer: Viewer) -> None:
    await make_user(viewer, **ADA, external_id="1")
    moved = {"name": "Ada", "email": "new@example.com", "external_id": "1"}
    for bulk in ([moved, ADA], [ADA, moved], [ALAN, {**ALAN, "email": "ALAN@example.com"}]):
        async with refused(viewer, (Code.INVALID, "users", "1", "name")):
            await upsert_entries(viewer, USERS, bulk)


@bots_and_personas
async def test_a_row_that_is_named_by_id_twice_is_refused(viewer: Viewer, kind: Kind) -> None:
    entry = await make_entry(viewer, kind, "A", external_id="1")
    for again in ({"id": entry, "name": "C"}, {"external_id": "1", "name": "C"}):
        async with refused(viewer, (Code.INVALID, kind.plural, "1", "name")):
            await upsert_entries(viewer, kind, [{"id": entry, "name": "B"}, again])


@every_kind
async def test_more_than_are_allowed_at_once_are_refused(viewer: Viewer, kind: Kind) -> None:
    async with refused(viewer, (Code.TOO_MANY, kind.plural)):
        await upsert_entries(viewer, kind, [{"name": "A"}] * (IDS_AT_ONCE + 1))


@every_kind
async def test_another_revision_is_a_conflict(viewer: Viewer, kind: Kind) -> None:
    for expected in (1, -1):
        async with refused(viewer, (Code.CONFLICT, "expectedRevision")):
            await upsert_entries(viewer, kind, with_emails(kind, {"name": "A"}), expected)
    await upsert_entries(viewer, kind, with_emails(kind, {"name": "A"}), 0)


@every_kind
async def test_only_administrators_write_the_directory(viewer: Viewer, kind: Kind) -> None:
    given = with_emails(kind, {"name": "A"})
    await assert_forbidden(viewer, lambda anyone: upsert_entries(anyone, kind, given))
