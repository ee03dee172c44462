"""Ids: what they look like, and in which order they come."""

import re
import time
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest

from models.ids import CHANGE, GROUP, MICROSECOND, kind_of, new_id, uuid7_hex, well_formed


def test_an_id_is_a_prefix_and_a_uuid_of_version_7() -> None:
    prefix, hexadecimal = new_id(GROUP).split("_")
    assert prefix == "grp"
    assert re.fullmatch("[0-9a-f]{32}", hexadecimal)
    assert UUID(hexadecimal).version == 7
    assert UUID(hexadecimal).variant == RFC_4122


def test_an_id_begins_with_the_millisecond_it_was_made_in() -> None:
    before = time.time_ns() // 1_000_000
    made = int(uuid7_hex()[:12], 16)
    after = time.time_ns() // 1_000_000
    assert before <= made <= after


def test_ids_are_different_and_sort_by_the_time_they_were_made() -> None:
    made = []
    for _ in range(500):
        made.append(new_id(CHANGE))
        begin = time.time_ns()
        while time.time_ns() - begin < 1_000:  # ids of the same quarter of a microsecond may tie
            pass
    assert made == sorted(set(made))


def test_ids_for_an_instant_tell_it_and_sort_by_number() -> None:
    instant = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
    made = [uuid7_hex(at, n) for at in (instant, instant + MICROSECOND) for n in (0, 1, 65_535)]
    assert made == sorted(set(made))
    assert {int(id[:12], 16) for id in made} == {1_770_091_506_789}
    assert {(UUID(id).version, UUID(id).variant) for id in made} == {(7, RFC_4122)}


@pytest.mark.parametrize(
    ("id", "kind"), [("grp_1", "grp"), ("grp", ""), ("", ""), ("_", ""), ("a_b_c", "a")]
)
def test_the_kind_of_an_id_is_its_prefix(id: str, kind: str) -> None:
    assert kind_of(id) == kind


def test_only_texts_of_the_form_of_an_id_are_looked_up_each_once() -> None:
    first, second = new_id(GROUP), new_id(GROUP)
    strange = ["", "grp", "grp_", first.upper(), first + "0", first + "\n", " " + first, "\x00"]
    assert well_formed([second, *strange, first, second]) == [second, first]
