"""GraphQL documents: parsed and validated once, then kept."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)

from models.errors import BadRequest
from schema import schema

MOST_ERRORS = 20
MOVES_BY_ITSELF = "lastUsedAt"  # the one field that changes without a change of the ledger
KEPT = 500
LARGEST_KEPT = 20_000  # characters; the rest is parsed anew each time


class InvalidDocument(Exception):
    """A text that is no document of this schema. `errors` says why, a line and column each."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation of a document that a request asks for."""

    document: DocumentNode
    type: OperationType
    plans: dict[Any, Any]
    is_lasting: bool  # whether its answer stays the same until the next revision


def _prepare(text: str, max_tokens: int) -> tuple[DocumentNode, dict[Any, Any]]:
    """The document, and a place for the plans that will be made for it."""
    try:
        document = parse(text, max_tokens=max_tokens)
    except GraphQLError as error:
        raise InvalidDocument([error]) from None
    if errors := validate(schema._schema, document, max_errors=MOST_ERRORS):
        raise InvalidDocument(errors)
    return document, {}


_prepare_once = lru_cache(maxsize=KEPT)(_prepare)


def operation_of(text: str, name: str | None, max_tokens: int) -> Operation:
    """The named operation of a valid document; the only one, if no name is given.

    Raises InvalidDocument, or BadRequest if there is no such operation.
    """
    prepare = _prepare_once if len(text) <= LARGEST_KEPT else _prepare
    document, plans = prepare(text, max_tokens)
    operation = get_operation_ast(document, name)
    if operation is None:
        raise BadRequest(_which(document, name))
    return Operation(document, operation.operation, plans, MOVES_BY_ITSELF not in text)


def _which(document: DocumentNode, name: str | None) -> str:
    if name is not None:
        return f"`operationName`: the document has no operation named {name[:100]!r}."
    count = sum(isinstance(part, OperationDefinitionNode) for part in document.definitions)
    if not count:
        return "The document has no operation."
    return f"`operationName`: say which of the document's {count} operations to run."
