"""The executor: graphql-core's, extended to complete objects by plans, a level at a time.

Where there is no plan, or a plan raises, graphql-core does that part of the response in its own
way, object by object: in this module, that is a `fallback`.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self, TypeVar, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationType,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet, collect_fields
from graphql.pyutils import Path

from models.database import snapshot
from models.errors import Busy, LimitExceeded, Unauthenticated, Unavailable
from models.ledger import Shown, current_revision
from schema.arguments import NotPlain
from schema.compiler import Compiler
from schema.context import Context
from schema.documents import Operation
from schema.payloads import Payload
from schema.plans import Plan, WritePlan
from schema.variables import read_variables
from schema.written import written_groups

MOST_PLANS = 50  # of one document, which has one for each combination of its Boolean variables

P = TypeVar("P", Plan, list[WritePlan])


class _Overtaken(Exception):
    """Another write has landed while the payload of one, or an event, was completed."""


def _stop_in(error: Exception) -> LimitExceeded | Unavailable | None:
    """The error that makes a fallback pointless: the answer is too large, or the database is away.

    Fields that are fetched concurrently fail in a group, in which it may be one of several.
    """
    if isinstance(error, ExceptionGroup):
        return next((stop for each in error.exceptions if (stop := _stop_in(each))), None)
    return error if isinstance(error, LimitExceeded | Unavailable) else None


def _shown(result: Any) -> Shown | None:
    """The group that a write brought along, if this is the payload of one that did."""
    return result.written.shown if isinstance(result, Payload) else None


def _forget_shown(result: Any) -> None:
    """Have the group fetched again with the rest of the payload: it may be older than the rest."""
    if isinstance(result, Payload):
        result.written = replace(result.written, shown=None)


class PlanningExecutor(Executor[Any]):
    """Completes an object, or a list of them, by a plan where one can be made.

    Plans are cached with the parsed document (`context.plans`), under the ids of its nodes.
    """

    @classmethod
    def begin(
        cls,
        schema: GraphQLSchema,
        operation: Operation,
        variables: dict[str, Any] | None,
        context: Context,
    ) -> Self | list[GraphQLError]:
        """The executor of an operation, or the errors of its variables. The same as graphql-core's
        `build`, which goes through the document each time; that is done once, in `opening`."""
        opening = operation.opening
        with suppress(NotPlain):
            if context.plans is not None and opening.variables is not None:
                return cls(
                    schema,
                    opening.fragments,
                    opening.details,
                    root_value=None,
                    context_value=context,
                    operation=opening.node,
                    variable_values=read_variables(opening.variables, variables or {}),
                    field_resolver=default_field_resolver,
                    type_resolver=default_type_resolver,
                    subscribe_field_resolver=default_field_resolver,
                )
        built = cls.build(
            schema,
            operation.document,
            context_value=context,
            raw_variable_values=variables,
            operation_name=operation.name,
        )
        return cast("Self | list[GraphQLError]", built)

    def execute_operation(self, serially: bool | None = None) -> Any:
        walk = super().execute_operation
        if self.operation.operation is OperationType.QUERY:
            if (plan := self._root_plan()) is not None:
                return self._execute_by(plan, lambda: walk(serially))
        elif self.operation.operation is OperationType.MUTATION:
            if (writes := self._write_plans()) is not None:
                return self._write_by(writes, lambda: walk(serially))
        return walk(serially)

    async def _execute_by(self, plan: Plan, fallback: Callable[[], Any]) -> ExecutionResult:
        context: Context = self.context_value
        try:
            data = await self._complete_one(plan, None)
        except Exception as error:
            stop = _stop_in(error)
            if isinstance(stop, Busy | Unavailable):
                raise stop from error
            if stop is None:
                context.objects = 0
            return cast("ExecutionResult", await self._awaited(fallback()))
        return ExecutionResult(data, None)

    async def _write_by(
        self, writes: Sequence[WritePlan], fallback: Callable[[], Any]
    ) -> ExecutionResult:
        """Execute the mutations of an operation, one after the other."""
        try:
            given = [each.given(self.variable_values.coerced) for each in writes]
        except Exception:  # graphql-core reports it at its field; nothing is written yet
            return cast("ExecutionResult", await self._awaited(fallback()))
        data: dict[str, Any] = {}
        try:
            for each, arguments in zip(writes, given, strict=True):
                data[each.name] = await self._write(each, arguments)
        except GraphQLError as error:  # a non-null field failed, so all of `data` is null
            self.collected_errors.add(error, None)
            return cast("ExecutionResult", self.build_response(None))
        return cast("ExecutionResult", self.build_response(data))

    async def _write(self, write: WritePlan, given: dict[str, Any]) -> Any:
        root = cast("GraphQLObjectType", self.schema.mutation_type)
        path = Path(None, write.name, root.name)
        walk = super().complete_object_value

        def fallback() -> Any:
            nodes = [each.node for each in write.details]
            info = self.build_resolve_info(write.definition, nodes, root, path)
            return walk(write.kind, write.details, info, path, payload, None)

        try:
            payload = await write.write(self.context_value, write.payload, **given)
            return await self._complete_at_one_revision(write.plan, payload, fallback)
        except Exception as error:
            self.handle_field_error(error, write.definition.type, write.details, path)
            return None

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: list[FieldDetails],
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        walk = super().complete_object_value

        def fallback() -> Any:
            return walk(return_type, field_details_list, info, path, result, position_context)

        plan = self._plan(return_type, field_details_list)
        if info.parent_type in (self.schema.mutation_type, self.schema.subscription_type):
            return self._complete_at_one_revision(plan, result, fallback)
        if plan is None:
            self.context_value.count(1)  # plans count what they fetch
            return fallback()
        if not plan.is_at_hand:
            return self._complete(plan, [result], fallback, single=True)
        try:
            return plan.row(result, self.context_value.viewer)
        except Exception:
            return fallback()

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: list[FieldDetails],
        info: Any,
        path: Any,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        walk = super().complete_iterable_value
        items = list(items)

        def fallback() -> Any:
            return walk(item_type, field_details_list, info, path, items, position_context)

        kind = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
        if not isinstance(kind, GraphQLObjectType) or None in items:
            return fallback()
        plan = self._plan(kind, field_details_list)
        if plan is None:
            return fallback()
        return self._complete(plan, items, fallback)

    async def _complete(
        self, plan: Plan, sources: list[Any], fallback: Any, *, single: bool = False
    ) -> Any:
        try:
            parts = await plan.complete(sources, self.context_value, self.variable_values.coerced)
        except Exception as error:
            if stop := _stop_in(error):
                raise stop from error
            return await self._awaited(fallback())
        return parts[0] if single else parts

    async def _complete_at_one_revision(
        self, plan: Plan | None, result: Any, fallback: Callable[[], Any]
    ) -> Any:
        """Complete the payload of a write, or an event, so that all of it shows one revision.

        A query that others' writes overtake runs again; a write cannot. But what its payload shows
        can be fetched again, in a transaction that sees one state.
        """
        context: Context = self.context_value
        objects, plans = context.objects, context.plans
        if plan is not None:
            with suppress(Exception):  # the fallback does it again, and reports what went wrong
                return await self._complete_by_plan(plan, result)
        _forget_shown(result)
        # A plan that fails cancels statements, which breaks a transaction.
        context.objects, context.plans = objects, None
        try:
            return await self._complete_in_snapshot(fallback)
        finally:
            context.plans = plans

    async def _complete_by_plan(self, plan: Plan, result: Any) -> Any:
        """Complete it by a plan, in a snapshot if need be. Raises what the plan raises."""
        context: Context = self.context_value
        objects = context.objects
        try:
            return await self._complete_unless_overtaken(plan, result)
        except _Overtaken:
            _forget_shown(result)
            context.objects = objects
            return await self._complete_in_snapshot(lambda: self._complete_one(plan, result))

    async def _complete_unless_overtaken(self, plan: Plan, result: Any) -> Any:
        """Complete it by a plan. Raises _Overtaken if the revision has moved meanwhile."""
        context: Context = self.context_value
        if plan.is_at_hand:
            part = plan.row(result, context.viewer)
            if isinstance(result, Payload):  # an event has its change's revision already
                context.shown = result.revision
            return part
        if (shown := _shown(result)) and plan.needs_only(written_groups):
            part = await self._complete_one(plan, result)
            context.shown = shown.revision
            return part
        _forget_shown(result)
        before = await self._refresh_viewer()
        part = await self._complete_one(plan, result)
        if await context.revisions.read(context.viewer.organization_id) != before:
            raise _Overtaken
        context.shown = before
        return part

    async def _complete_one(self, plan: Plan, result: Any) -> Any:
        (part,) = await plan.complete([result], self.context_value, self.variable_values.coerced)
        return part

    async def _complete_in_snapshot(self, complete: Callable[[], Any]) -> Any:
        """Complete it in a transaction, for the viewer as it is in its snapshot."""
        context: Context = self.context_value
        async with snapshot(), context.all_loaded():
            context.shown = await self._refresh_viewer()
            return await self._awaited(complete())

    async def _awaited(self, value: Any) -> Any:
        """The value that graphql-core returned, awaited if need be."""
        return await value if self.is_awaitable(value) else value

    async def _refresh_viewer(self) -> int:
        """Recognise the viewer again; returns the organization's revision.

        A write may have revoked its own viewer, who still gets its payload. In any other case, an
        event among them, raises Unauthenticated if the viewer is revoked.
        """
        context: Context = self.context_value
        try:
            await context.recognise_again()
        except Unauthenticated:
            if context.is_presumed or self.operation.operation is not OperationType.MUTATION:
                raise
            return await current_revision(context.viewer.organization_id)
        return context.viewer.revision

    def _root_plan(self) -> Plan | None:
        kind = cast("GraphQLObjectType", self.schema.query_type)

        def compile() -> Plan:
            return Compiler(self.collect_subfields).plan_of(kind, self._root_fields(kind))

        return self._cached((kind.name, id(self.operation)), compile)

    def _write_plans(self) -> list[WritePlan] | None:
        kind = cast("GraphQLObjectType", self.schema.mutation_type)

        def compile() -> list[WritePlan]:
            return Compiler(self.collect_subfields).writes_of(kind, self._root_fields(kind))

        return self._cached((kind.name, id(self.operation)), compile)

    def _root_fields(self, kind: GraphQLObjectType) -> GroupedFieldSet:
        return collect_fields(
            self.schema, self.fragments, self.variable_values, kind, self.operation
        ).grouped_field_set

    def _plan(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> Plan | None:
        key = (kind.name, *(id(each.node) for each in details))
        return self._cached(key, lambda: Compiler(self.collect_subfields).plan(kind, details))

    def _cached(self, key: tuple[Any, ...], compile: Callable[[], P]) -> P | None:
        plans: dict[Any, P | None] | None = self.context_value.plans
        if plans is None:
            return None
        # @skip and @include may depend on a variable; the rest of a selection is fixed.
        key = (*key, *self._boolean_variables())
        if key not in plans:
            if len(plans) >= MOST_PLANS:
                plans.clear()
            # What else is wrong, graphql-core's own walk reports, if it comes by it at all.
            try:
                plans[key] = compile()
            except (NotPlain, GraphQLError, RecursionError):
                plans[key] = None
        return plans[key]

    def _boolean_variables(self) -> list[tuple[str, bool]]:
        coerced = self.variable_values.coerced
        return [(name, value) for name, value in coerced.items() if isinstance(value, bool)]
