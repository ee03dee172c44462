"""Errors as clients see them: a message and a code. Faults of ours are masked, and logged."""

import logging
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from models.errors import Busy, RequestError, Unavailable
from runtime.metrics import ERRORS
from runtime.telemetry import request_id

logger = logging.getLogger("cohort.graphql")

INTERNAL = "Something went wrong on our side. When you report it, give this request id: {id}."
LONGEST_MESSAGE = 500  # characters; a client's own text comes back in some


def problem(error: RequestError) -> dict[str, Any]:
    """An error that is about the request as a whole."""
    return _refused({"message": str(error)}, error)


def invalid(error: GraphQLError) -> dict[str, Any]:
    """An error in the document."""
    return _told(error.formatted, "GRAPHQL_VALIDATION_FAILED")


def format_error(error: GraphQLError) -> dict[str, Any]:
    """An error of an execution, with `extensions.code`.

    Our own refusals have a code. An error of graphql-core before execution, such as a variable of
    the wrong type, has no path; one about an argument during execution, such as null from a
    variable, is wrapped, and itself has nodes of the document. Anything else is a fault of ours.
    """
    origin = origin_of(error)
    cause = origin.original_error
    if isinstance(cause, RequestError):
        return _refused(error.formatted, cause)
    if isinstance(origin, StrawberryInputCoercionError):  # exactly one field must be given
        return _told(error.formatted, "BAD_REQUEST")
    is_scalars = isinstance(cause, ValueError)  # a scalar refused the text of a variable
    if error.path is None and (cause is None or is_scalars):
        return _told(error.formatted, "BAD_REQUEST")
    if cause is None and origin is not error and origin.nodes:
        return _told(error.formatted, "BAD_REQUEST")
    return {**error.formatted, **fault(cause or error, f"a resolver failed at {error.path}")}


def origin_of(error: GraphQLError) -> GraphQLError:
    """The innermost of nested GraphQLErrors; its `original_error` is what was raised, if any."""
    while isinstance(error.original_error, GraphQLError):
        error = error.original_error
    return error


def fault(error: Exception, what: str) -> dict[str, Any]:
    """The error that a client gets for a fault of ours: only the request id to find it in the log.

    An unavailable database is not a fault of the code: the client is told, and one line is logged.
    """
    id = request_id.get()
    if isinstance(error, Unavailable):
        logger.error("%s: %s", error.message, error)
        return _told({"message": error.message}, "INTERNAL", requestId=id)
    logger.error(what, exc_info=error)
    return _told({"message": INTERNAL.format(id=id)}, "INTERNAL", requestId=id)


def _refused(formatted: Mapping[str, Any], error: RequestError) -> dict[str, Any]:
    """A refusal of ours. A busy database is also logged, for the operator."""
    if isinstance(error, Busy):
        logger.warning("%s", error)
    return _told(formatted, error.code)


def _told(formatted: Mapping[str, Any], code: str, **extensions: str) -> dict[str, Any]:
    """The error with its code, and its message cut to a useful length. Counts it."""
    ERRORS.labels(code).inc()
    message = formatted["message"]
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}…"
    return {**formatted, "message": message, "extensions": {"code": code, **extensions}}
