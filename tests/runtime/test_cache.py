"""What is kept in memory: so many bytes, and the least recently used go first."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.cache import LARGEST_PART, OVERHEAD, Kept, KeptResponses

ROOM = 40 * OVERHEAD
STEPS = st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, ROOM // 8)), max_size=150)


@given(steps=STEPS)
def test_it_never_takes_more_than_its_room_and_what_was_used_last_stays(
    steps: list[tuple[int, int | None]],
) -> None:
    kept, expected = Kept[int](ROOM), dict[int, int]()  # the first is the least recently used
    for name, size in steps:
        if size is None:
            assert kept.get((name,)) == expected.get(name)
            if name in expected:
                expected[name] = expected.pop(name)
            continue
        kept.keep((name,), size, size)
        expected.pop(name, None)
        if size + OVERHEAD <= ROOM // LARGEST_PART:
            expected[name] = size
        while sum(expected.values()) + OVERHEAD * len(expected) > ROOM:
            del expected[next(iter(expected))]
        assert kept.size == sum(expected.values()) + OVERHEAD * len(expected) <= ROOM


def test_what_was_used_least_recently_goes_first() -> None:
    kept, number = Kept[int](20 * OVERHEAD), 20
    for each in range(number):
        kept.keep((each,), each, 0)
    assert kept.get((0,)) == 0
    kept.keep((number,), number, 0)
    assert [each for each in range(number + 1) if kept.get((each,)) is None] == [1]


def test_no_room_keeps_nothing() -> None:
    kept = Kept[str](0)
    kept.keep(("a",), "", 0)
    assert kept.get(("a",)) is None
    assert kept.size == 0


def test_a_response_is_good_at_its_own_revision_alone() -> None:
    kept = KeptResponses(1_000_000)
    kept.keep(("ada", b"{ a }"), 7, b"seven")
    assert [kept.get(("ada", b"{ a }"), revision) for revision in (6, 7, 8)] == [
        None, b"seven", None,
    ]  # fmt: skip
    kept.keep(("ada", b"{ a }"), 8, b"eight")
    assert [kept.get(("ada", b"{ a }"), revision) for revision in (7, 8)] == [None, b"eight"]
    assert kept.get(("bob", b"{ a }"), 8) is None
