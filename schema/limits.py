"""Limits on the size and shape of documents and variables, checked before validation.

Validation, as the GraphQL specification defines it, compares fields pairwise and follows fragments
wherever they are spread: a kilobyte can keep it busy for hours. So a document is weighed first.
Each fragment is weighed once, and counted as often as it is spread.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    parse,
)

from models.errors import LimitExceeded
from runtime.limits import variable
from runtime.settings import Settings

# The fields of introspection that lead from one type to many.
INTROSPECTION_LISTS = frozenset({"fields", "interfaces", "possibleTypes", "inputFields"})


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The settings that limit a document and its variables. Hashed by identity."""

    max_document_characters: int
    max_tokens: int
    max_depth: int
    max_selections: int
    max_fragments: int
    max_root_fields: int
    max_aliases: int
    max_directives: int
    max_duplicates: int
    max_introspection_depth: int
    max_cost: int
    max_answer_bytes: int
    max_page_size: int
    max_ids: int
    max_list_items: int
    max_input_values: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits among the settings."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    def hold(self, setting: str, count: int, what: str) -> None:
        """Raise LimitExceeded if there is more of something than a setting allows."""
        most: int = getattr(self, setting)
        if count > most:
            raise LimitExceeded(f"Too many {what}: at most {most:,} ({variable(setting)}).")

    def hold_cost(self, cost: int) -> None:
        """Raise LimitExceeded for an operation that costs too much."""
        if cost > self.max_cost:
            raise LimitExceeded(
                f"This may return {cost:,} objects; at most {self.max_cost:,} at once "
                f"({variable('max_cost')}). Ask for smaller pages, or for less in each."
            )

    def hold_size(self, size: int) -> None:
        """Raise LimitExceeded for an answer that has, or may have, too many bytes."""
        if size > self.max_answer_bytes:
            raise LimitExceeded(
                f"The answer may have {size:,} bytes; at most {self.max_answer_bytes:,} "
                f"({variable('max_answer_bytes')}). Ask for smaller pages, or for less in each."
            )


# ------------------------------------------------------------------------------------ documents


def parse_within(limits: Limits, text: str) -> DocumentNode:
    """The parsed document. Raises LimitExceeded, or GraphQLError for a syntax error."""
    limits.hold("max_document_characters", len(text), "characters in the document")
    try:
        return parse(text, max_tokens=limits.max_tokens)
    except GraphQLError as error:
        # graphql-core enforces these two limits itself, without error types of their own.
        if error.message.endswith("tokens. Parsing aborted."):
            limits.hold("max_tokens", limits.max_tokens + 1, "tokens in the document")
        if "nested too deeply" in error.message:
            raise too_deep(limits) from None
        raise


def check_shape(limits: Limits, document: DocumentNode) -> None:
    """Raise LimitExceeded for a document that would cost too much to validate.

    Raises GraphQLError if fragments are spread in a cycle: such a document has no size.
    """
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    limits.hold(
        "max_fragments",
        sum(isinstance(d, FragmentDefinitionNode) for d in document.definitions),
        "fragments in the document",
    )
    scale = _Scale(limits, fragments)
    in_operations = _Weight()
    for operation in operations:
        weight = scale.weigh(operation.selection_set, 0, 0)
        in_operations.add(weight)
        in_operations.roots += weight.roots
        in_operations.directives += len(operation.directives or ())
        for defined in operation.variable_definitions or ():
            in_operations.directives += len(defined.directives or ())
    in_operations.hold(limits)
    # Validation also visits each fragment by itself, even if it is never spread.
    for fragment in fragments.values():
        alone = _Weight()
        alone.add(scale.weigh_fragment(fragment, 0, 0))
        alone.hold(limits)
    repeats = sum(scale.repeats([operation.selection_set]) for operation in operations)
    limits.hold("max_duplicates", repeats, "fields that repeat another")
    for fragment in fragments.values():
        repeats = scale.repeats([fragment.selection_set])
        limits.hold("max_duplicates", repeats, "fields that repeat another")


def check_variables(limits: Limits, variables: Mapping[str, Any] | None) -> None:
    """Raise LimitExceeded for too many values."""
    if not variables:
        return
    count = 0
    holders: list[Any] = [variables]
    while holders:
        holder = holders.pop()
        count += len(holder)
        limits.hold("max_input_values", count, "values in the variables")
        values = holder.values() if isinstance(holder, dict) else holder
        for value in values:
            if isinstance(value, list | dict):
                if isinstance(value, list):
                    limits.hold("max_list_items", len(value), "items in a list of the variables")
                holders.append(value)


# -------------------------------------------------------------------------------------- weighing


class _Weight:
    """The totals of a selection set, including all below it."""

    __slots__ = (
        "aliases",
        "depth",
        "directives",
        "fragment_depth",
        "introspection_depth",
        "roots",
        "selections",
    )

    def __init__(self) -> None:
        self.selections = self.aliases = self.directives = self.roots = 0
        self.depth = self.fragment_depth = self.introspection_depth = 0

    def add(self, other: "_Weight") -> None:
        """Add the totals of another selection set, except for its roots."""
        self.selections += other.selections
        self.aliases += other.aliases
        self.directives += other.directives
        self.depth = max(self.depth, other.depth)
        self.fragment_depth = max(self.fragment_depth, other.fragment_depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)

    def hold(self, limits: Limits) -> None:
        """Raise LimitExceeded for the first limit that is exceeded."""
        limits.hold("max_aliases", self.aliases, "aliases")
        limits.hold("max_root_fields", self.roots, "root fields")
        limits.hold("max_directives", self.directives, "directives")
        limits.hold("max_selections", self.selections, "fields and fragments")


class _Scale:
    """Weighs selection sets, and caches the weight of each fragment."""

    def __init__(self, limits: Limits, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.limits = limits
        self.fragments = fragments
        self.weights: dict[str, _Weight | None] = {}

    def weigh(self, selection_set: SelectionSetNode, depth: int, fragment_depth: int) -> _Weight:
        """The weight of a selection set at a depth in fields, and a depth in fragments.

        Raises LimitExceeded as soon as it is too deep, before Python's recursion is.
        """
        limits = self.limits
        if depth > limits.max_depth or fragment_depth > limits.max_depth:
            raise too_deep(limits)
        weight = _Weight()
        for selection in selection_set.selections:
            weight.selections += 1
            weight.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self._add_field(weight, selection, depth, fragment_depth)
            elif inner := self._fragment(selection, depth, fragment_depth):
                weight.add(inner)
                weight.roots += inner.roots
                weight.fragment_depth = max(weight.fragment_depth, inner.fragment_depth + 1)
        return weight

    def _add_field(
        self, weight: _Weight, field: FieldNode, depth: int, fragment_depth: int
    ) -> None:
        weight.roots += 1
        weight.aliases += field.alias is not None
        below = 0
        if field.selection_set:
            inner = self.weigh(field.selection_set, depth + 1, fragment_depth)
            weight.add(inner)
            below = inner.introspection_depth
            weight.depth = max(weight.depth, inner.depth + 1)
        elif depth >= self.limits.max_depth:
            raise too_deep(self.limits)
        weight.depth = max(weight.depth, 1)
        if field.name.value in INTROSPECTION_LISTS:
            below += 1
            weight.introspection_depth = max(weight.introspection_depth, below)
        elif field.name.value in ("__schema", "__type"):
            self.limits.hold("max_introspection_depth", below, "nested lists in introspection")

    def _fragment(
        self, selection: SelectionNode, depth: int, fragment_depth: int
    ) -> _Weight | None:
        """The weight of a fragment that is spread; None if it does not exist."""
        if isinstance(selection, InlineFragmentNode):
            return self.weigh(selection.selection_set, depth, fragment_depth + 1)
        assert isinstance(selection, FragmentSpreadNode)
        fragment = self.fragments.get(selection.name.value)
        return self.weigh_fragment(fragment, depth, fragment_depth + 1) if fragment else None

    def weigh_fragment(
        self, fragment: FragmentDefinitionNode, depth: int, fragment_depth: int
    ) -> _Weight:
        """The weight of a fragment, spread at a depth. Raises GraphQLError for a cycle."""
        name = fragment.name.value
        if name not in self.weights:
            self.weights[name] = None  # marks it as in progress
            weight = self.weigh(fragment.selection_set, depth, fragment_depth)
            weight.directives += len(fragment.directives or ())
            self.weights[name] = weight
        known = self.weights[name]
        if known is None:
            raise GraphQLError(f"Cannot spread fragment '{name[:100]}' within itself.", fragment)
        most = self.limits.max_depth
        if depth + known.depth > most or fragment_depth + known.fragment_depth > most:
            raise too_deep(self.limits)
        return known

    def repeats(self, selection_sets: list[SelectionSetNode]) -> int:
        """How many fields repeat another at the same place in the answer.

        Types are ignored, so `... on User { name } ... on Bot { name }` has one.
        """
        count, below = 0, dict[str, list[SelectionSetNode]]()
        rest = list(selection_sets)
        while rest:
            for selection in rest.pop().selections:
                if isinstance(selection, FieldNode):
                    key = (selection.alias or selection.name).value
                    count += key in below
                    inner = below.setdefault(key, [])
                    if selection.selection_set:
                        inner.append(selection.selection_set)
                elif isinstance(selection, InlineFragmentNode):
                    rest.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    if fragment := self.fragments.get(selection.name.value):
                        rest.append(fragment.selection_set)
        return count + sum(self.repeats(inner) for inner in below.values() if inner)


def too_deep(limits: Limits) -> LimitExceeded:
    """The error for a document whose fields or fragments are nested too deeply."""
    return LimitExceeded(
        f"Nested too deeply: at most {limits.max_depth} levels ({variable('max_depth')})."
    )
