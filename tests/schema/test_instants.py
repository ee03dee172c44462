"""Instants as clients write them: RFC 3339, and nothing else."""

from datetime import UTC, datetime

import pytest

from schema.enums import parse_instant

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00.000000000Z",
        "2026-01-31T13:30:00+01:30",
        "2026-01-30T23:00:00.0-13:00",
    ],
)
def test_an_instant_is_taken_whatever_its_offset(text: str) -> None:
    assert parse_instant(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00+24:00",
        "2016-12-31T23:59:60Z",
        "2026-01-31T12:00:00,5Z",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "٢026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z\n",
        1769860800,
    ],
)
def test_what_is_none_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="2026-01-31T12:00:00Z"):
        parse_instant(text)
