"""GraphQL documents: parsed, validated and priced once, then cached."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    specified_rules,
    validate,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.validation import MaxIntrospectionDepthRule

from models.errors import BadRequest
from runtime.cache import Kept
from runtime.metrics import CACHE
from schema import schema
from schema.arguments import NotPlain
from schema.cost import Price, PriceList, bytes_of, reckon
from schema.limits import Limits, check_shape, parse_within, too_deep
from schema.variables import Variable, variables_of

MOST_ERRORS = 3  # reported of a document; each may quote a large part of it
MOVES_BY_ITSELF = "lastUsedAt"  # the one field whose value changes without a change in the ledger
LARGEST_KEPT = 8_000  # characters; longer documents are parsed each time
ROOM = 48_000_000  # bytes that all cached documents may take together, with their plans
# What they take for each character of the text, measured: at most, for nothing but short literals.
DOCUMENT_BYTES, PLAN_BYTES = 160, 100
# A setting of ours limits the depth of introspection instead.
RULES = [rule for rule in specified_rules if rule is not MaxIntrospectionDepthRule]
LOOKUPS = {
    "hits": CACHE.labels("documents", "hit"),
    "misses": CACHE.labels("documents", "miss"),
}


class InvalidDocument(Exception):
    """A text that is not a valid document of this schema. `errors` say why, with their places."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Opening:
    """What executing an operation needs of the document alone, and so is prepared once.

    `variables` is None if graphql-core must read them, and prepare all of this itself.
    """

    node: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    details: dict[str, FragmentDetails]
    variables: Sequence[Variable] | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid document, with the cost of each operation by name, the largest size of its answer,
    and its opening; and a dict in which the executor caches plans. Prepared within `limits`."""

    limits: Limits

    document: DocumentNode
    prices: Mapping[str | None, Price]
    sizes: Mapping[str | None, Price]
    largest: int  # bytes that any one object may have
    openings: Mapping[str | None, Opening]
    plans: dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation of a document that a request asks for, with its cost."""

    document: DocumentNode
    type: OperationType
    name: str | None
    cost: int
    opening: Opening
    plans: dict[Any, Any]
    is_lasting: bool  # whether its answer stays the same until the next revision


def _prepare(text: str, limits: Limits) -> Prepared:
    try:
        document = parse_within(limits, text)
        check_shape(limits, document)
        if errors := validate(schema._schema, document, RULES, max_errors=MOST_ERRORS):
            raise InvalidDocument(errors)
        prices = PriceList(limits, schema._schema, document).all()
        in_bytes = PriceList(limits, schema._schema, document, bytes_of)
        sizes = in_bytes.all()
        return Prepared(limits, document, prices, sizes, in_bytes.heaviest, _openings(document), {})
    except GraphQLError as error:
        raise InvalidDocument([error]) from None
    except RecursionError:  # the settings allow more depth than Python does
        raise too_deep(limits) from None


def _openings(document: DocumentNode) -> dict[str | None, Opening]:
    parts = document.definitions
    named = {p.name.value: p for p in parts if isinstance(p, FragmentDefinitionNode)}
    details = {name: FragmentDetails(each, None) for name, each in named.items()}
    have_variables = any(each.variable_definitions for each in named.values())
    openings: dict[str | None, Opening] = {}
    for each in parts:
        if not isinstance(each, OperationDefinitionNode):
            continue
        variables = None
        if not have_variables:
            with suppress(NotPlain):
                variables = variables_of(schema._schema, each.variable_definitions or ())
        name = each.name.value if each.name else None
        openings[name] = Opening(each, named, details, variables)
    return openings


class _Documents:
    """Prepared documents by their text, least recently used first to go."""

    def __init__(self) -> None:
        self.kept = Kept[Prepared](ROOM)
        self.lookups = dict.fromkeys(LOOKUPS, 0)  # since they were last added to the metrics

    def prepared(self, text: str, limits: Limits) -> Prepared:
        """The prepared document of a text, from the cache if it is there."""
        if len(text) > LARGEST_KEPT:
            return _prepare(text, limits)
        found = self.kept.get((text,))
        if found is None or found.limits is not limits:
            self.lookups["misses"] += 1
            found = _prepare(text, limits)
        else:
            self.lookups["hits"] += 1
        # Each time, because plans may have been added since.
        weight = len(text) * (DOCUMENT_BYTES + PLAN_BYTES * len(found.plans))
        if not self.kept.has_room_for(weight):  # drop the plans, and keep the document
            found.plans.clear()
            weight = len(text) * DOCUMENT_BYTES
        self.kept.keep((text,), found, weight)
        return found


_documents = _Documents()


def count_lookups() -> None:
    """Add the cache look-ups of documents since the last call to the metrics."""
    for result, count in _documents.lookups.items():
        LOOKUPS[result].inc(count)
        _documents.lookups[result] = 0


def operation_of(
    text: str, name: str | None, variables: Mapping[str, Any], limits: Limits
) -> Operation:
    """The named operation of a valid document; the only one, if no name is given.

    Raises InvalidDocument, LimitExceeded, or BadRequest if there is no such operation.
    """
    prepared = _documents.prepared(text, limits)
    operation = get_operation_ast(prepared.document, name)
    if operation is None:
        raise BadRequest(_which(prepared.document, name))
    own_name = operation.name.value if operation.name else None
    cost = reckon(prepared.prices[own_name], variables)
    limits.hold_cost(cost)
    if cost * prepared.largest > limits.max_answer_bytes:  # otherwise it must be small enough
        limits.hold_size(reckon(prepared.sizes[own_name], variables))
    return Operation(
        prepared.document,
        operation.operation,
        own_name,
        cost,
        prepared.openings[own_name],
        prepared.plans,
        is_lasting=MOVES_BY_ITSELF not in text,
    )


def _which(document: DocumentNode, name: str | None) -> str:
    if name is not None:
        return f"`operationName`: the document has no operation named {name[:100]!r}."
    count = sum(isinstance(part, OperationDefinitionNode) for part in document.definitions)
    if not count:
        return "The document has no operation."
    return f"`operationName`: say which of the document's {count} operations to run."
