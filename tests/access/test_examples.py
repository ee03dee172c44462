"""The examples of docs/access.md: queries of this schema, and answers that fit."""

import re
from pathlib import Path

import orjson
import pytest
from graphql import parse, validate

from models.access import Reason
from runtime.settings import Settings
from schema import schema

TEXT = (Path(__file__).parent.parent.parent / "docs" / "access.md").read_text()


def blocks(language: str) -> list[str]:
    """The examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("query", blocks("graphql"))
def test_each_query_is_valid(query: str) -> None:
    assert not validate(schema._schema, parse(query))


def test_each_query_of_a_program_is_valid() -> None:
    queries = [
        query
        for program in blocks("js")
        for _, query in re.findall(r"query: ([\"`])(.*?)\1", program, re.DOTALL)
    ]
    assert len(queries) == 2
    for query in queries:
        assert not validate(schema._schema, parse(query))


def test_each_query_has_its_answer() -> None:
    answers = [orjson.loads(answer) for answer in blocks("json")]
    assert len(answers) == len(blocks("graphql")) >= 7
    for query, answer in zip(blocks("graphql"), answers, strict=True):
        for name in answer.get("data", answer):
            assert name in query


def test_each_reason_and_each_setting_that_is_named_is_there() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \| ", TEXT, re.MULTILINE)) == set(Reason)
    for name in re.findall(r"COHORT_(\w+)", TEXT):
        assert name.lower() in Settings.model_fields
