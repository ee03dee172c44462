"""The cost of an operation: how many objects its answer may hold, estimated before execution.

Each object costs 1. A page counts as many as it may hold: `first`, or `last`, or 50. What a query
finds by a list of ids counts as many as there are ids; so does what a write returns. Other lists
(`via`, `heldBy`, the users of a change) are usually short, and count as 2. Texts and numbers are
free. A write costs 10 more; introspection costs 1,000, or more if it returns more objects.

The size of the answer in bytes is estimated the same way, from the fields of each object. Their
names count most, since a client may choose aliases of any length.

Most of it depends only on the document, and is computed once, when the document is prepared.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    value_from_ast_untyped,
)

from models.errors import LimitExceeded
from runtime.limits import variable
from schema.limits import Limits
from schema.pagination import DEFAULT_PAGE

PLAIN_LIST = 2
WRITE = 10
INTROSPECTION = 1_000
VALUE_BYTES = 32  # a typical text or number, with its punctuation
# The approximate lengths of lists in introspection, and how often there is an `ofType`.
INTROSPECTED = {
    "types": 120.0,
    "fields": 5.0,
    "inputFields": 1.0,
    "enumValues": 1.0,
    "interfaces": 0.5,
    "possibleTypes": 0.5,
    "directives": 5.0,
    "args": 1.0,
    "ofType": 0.7,
}

Variables = Mapping[str, Any]
# A number, or a function that computes it from the variables.
Price = int | Callable[[Variables], int]


def reckon(price: Price, variables: Variables) -> int:
    """The value of a price, with these variables."""
    return price if isinstance(price, int) else price(variables)


def _sum(prices: Sequence[Price]) -> Price:
    known = sum(price for price in prices if isinstance(price, int))
    unknown = [price for price in prices if not isinstance(price, int)]
    if not unknown:
        return known
    if len(unknown) == 1:
        (only,) = unknown
        return lambda variables: known + only(variables)
    return lambda variables: known + sum(price(variables) for price in unknown)


def _product(size: Price, price: Price) -> Price:
    if isinstance(size, int) and isinstance(price, int):
        return size * price
    return lambda variables: reckon(size, variables) * reckon(price, variables)


def objects_of(fields: Sequence[FieldNode]) -> int:
    """The weight of an object in the cost, whatever its fields."""
    return 1


def bytes_of(fields: Sequence[FieldNode]) -> int:
    """The weight of an object in the size of the answer, without the objects in it."""
    return sum(len((field.alias or field.name).value) + VALUE_BYTES for field in fields)


class PriceList:
    """Prices the operations of one valid document. `weigh` gives the weight of an object by its
    fields; `heaviest` is the largest weight so far."""

    def __init__(
        self,
        limits: Limits,
        schema: GraphQLSchema,
        document: DocumentNode,
        weigh: Callable[[Sequence[FieldNode]], int] = objects_of,
    ) -> None:
        self.weigh = weigh
        self.heaviest = 0
        self.limits = limits
        self.schema = schema
        self.document = document
        self.fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self.defaults: dict[str, Any] = {}  # of the current operation's variables

    def all(self) -> dict[str | None, Price]:
        """The price of each operation, by name."""
        return {
            d.name.value if d.name else None: self.price(d)
            for d in self.document.definitions
            if isinstance(d, OperationDefinitionNode)
        }

    def price(self, operation: OperationDefinitionNode) -> Price:
        """The price of an operation. Raises LimitExceeded if a page or a list is too large."""
        self.defaults = {
            defined.variable.name.value: value_from_ast_untyped(defined.default_value)
            for defined in operation.variable_definitions or ()
            if defined.default_value
        }
        root = self.schema.get_root_type(operation.operation)
        assert root is not None
        write = WRITE if operation.operation is OperationType.MUTATION else 0
        return _sum(
            [
                _sum([write, self._field(root, field, PLAIN_LIST, is_root=True)])
                for root, field in self._fields(root, operation.selection_set)
            ]
        )

    def _fields(
        self, parent: GraphQLCompositeType, selection_set: SelectionSetNode
    ) -> Iterator[tuple[GraphQLCompositeType, FieldNode]]:
        """The fields of a selection set, and of its fragments, each with its parent type."""
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                yield parent, selection
                continue
            spread: Any = selection
            if isinstance(selection, FragmentSpreadNode):
                spread = self.fragments[selection.name.value]
            assert isinstance(spread, FragmentDefinitionNode | InlineFragmentNode)
            condition = spread.type_condition
            type_: Any = self.schema.type_map[condition.name.value] if condition else parent
            yield from self._fields(type_, spread.selection_set)

    def _field(
        self, parent: GraphQLCompositeType, field: FieldNode, size: Price, is_root: bool = False
    ) -> Price:
        """The price of a field and all below it; `size` is the length of lists in its parent."""
        name = field.name.value
        if name in ("__schema", "__type"):
            return self._introspection_cost(field)
        if name.startswith("__") or not field.selection_set:
            return 0
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        definition = parent.fields[name]
        inner: Any = get_named_type(definition.type)
        assert is_composite_type(inner)
        arguments = {argument.name.value: argument.value for argument in field.arguments or ()}
        below = self._size_below(parent, definition, arguments, is_root)
        children = list(self._fields(inner, field.selection_set))
        prices = [self._field(of, child, below) for of, child in children]
        if not isinstance(below, int):  # checks its limit even if no list is selected
            prices.append(_product(below, 0))
        here: Price = 1
        if is_list_type(get_nullable_type(definition.type)):
            here = self._asked_for(definition, arguments) if is_root else size
        return _product(here, _sum([self._weight(children), *prices]))

    def _weight(self, children: Sequence[tuple[GraphQLCompositeType, FieldNode]]) -> int:
        weight = self.weigh([child for _, child in children])
        self.heaviest = max(self.heaviest, weight)
        return weight

    def _introspection_cost(self, field: FieldNode) -> int:
        """The cost of introspection; at least INTROSPECTION, however few fields it selects."""
        kind: Any = self.schema.type_map["__Schema" if field.name.value == "__schema" else "__Type"]
        return max(INTROSPECTION, ceil(self._introspected(kind, field)))

    def _introspected(self, kind: GraphQLCompositeType, field: FieldNode) -> float:
        assert field.selection_set is not None
        children = list(self._fields(kind, field.selection_set))
        total = float(self._weight(children))
        for of, child in children:
            if child.selection_set:
                inner: Any = get_named_type(of.fields[child.name.value].type)  # type: ignore[union-attr]
                size = INTROSPECTED.get(child.name.value, 1.0)
                total += size * self._introspected(inner, child)
        return total

    def _size_below(
        self,
        parent: GraphQLCompositeType,
        definition: GraphQLField,
        arguments: Mapping[str, ValueNode],
        is_root: bool,
    ) -> Price:
        """The length of the lists in a field's object: of a page, or of what was written."""
        if "first" in definition.args and "last" in definition.args:
            return self._page_size(arguments)
        if is_root and parent is self.schema.mutation_type:
            return self._longest(list(arguments.values()))
        return PLAIN_LIST

    def _asked_for(self, definition: GraphQLField, arguments: Mapping[str, ValueNode]) -> Price:
        """The length of a list at the root: that of the list of ids in its arguments."""
        for name, argument in definition.args.items():
            if is_list_type(get_nullable_type(argument.type)) and name in arguments:
                return self._at_most_ids(name, arguments[name])
        return PLAIN_LIST

    # ----------------------------------------------------------------------------------- sizes

    def _page_size(self, arguments: Mapping[str, ValueNode]) -> Price:
        """The value of `first`, or else of `last`; both are checked against the limit."""
        most = self.limits.max_page_size
        first = self._number(arguments.get("first"))
        last = self._number(arguments.get("last"))

        def size(variables: Variables) -> int:
            sizes = []
            for name, read in (("first", first), ("last", last)):
                number = read(variables)
                if number is None:
                    continue
                if number > most:
                    raise LimitExceeded(
                        f"`{name}` is at most {most:,} ({variable('max_page_size')}); "
                        "fetch the rest by cursor."
                    )
                sizes.append(max(int(number), 0))
            return sizes[0] if sizes else DEFAULT_PAGE

        depends = any(isinstance(arguments.get(name), VariableNode) for name in ("first", "last"))
        return size if depends else size({})

    def _number(self, node: ValueNode | None) -> Callable[[Variables], float | None]:
        """A function that reads a number; it gives None if there is none, or it is of another type,
        which execution will report."""
        if isinstance(node, VariableNode):
            key = node.name.value
            default = self.defaults.get(key)

            def read(variables: Variables) -> float | None:
                value = variables.get(key, default)
                is_number = isinstance(value, int | float) and not isinstance(value, bool)
                return value if is_number else None

            return read
        number = int(node.value) if isinstance(node, IntValueNode) else None
        return lambda variables: number

    def _at_most_ids(self, name: str, node: ValueNode) -> Price:
        """The number of ids in a list. Raises LimitExceeded if there are too many."""
        most = self.limits.max_ids
        longest = self._longest([node])

        def size(variables: Variables) -> int:
            count = reckon(longest, variables)
            if count > most:
                raise LimitExceeded(
                    f"`{name}` takes at most {most:,} at once ({variable('max_ids')}); "
                    "send the rest in another request."
                )
            return count

        return size({}) if isinstance(longest, int) else size

    def _longest(self, nodes: Sequence[ValueNode]) -> Price:
        """The length of the longest list in some values; 1 if there is none."""
        keys, known = [], 1
        rest = list(nodes)
        while rest:
            node = rest.pop()
            if isinstance(node, ListValueNode):
                known = max(known, len(node.values))
                rest += node.values
            elif isinstance(node, ObjectValueNode):
                rest += [field.value for field in node.fields]
            elif isinstance(node, VariableNode):
                keys.append(node.name.value)
        if not keys:
            return known
        defaults = [(key, self.defaults.get(key)) for key in keys]

        def longest(variables: Variables) -> int:
            found = known
            for key, default in defaults:
                found = max(found, _longest_list(variables.get(key, default)))
            return found

        return longest


def _longest_list(value: Any) -> int:
    """The length of a list, or of the longest list in an object."""
    if isinstance(value, list):
        return len(value)
    longest = 1
    if isinstance(value, dict):
        for inner in value.values():
            if isinstance(inner, list):
                longest = max(longest, len(inner))
    return longest
