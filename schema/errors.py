"""Errors as clients see them: a message and a code. Faults of ours are masked, and logged."""

import logging
from typing import Any

from graphql import GraphQLError

from models.errors import RequestError
from runtime.telemetry import request_id

logger = logging.getLogger("cohort.graphql")

INTERNAL = "Something went wrong on our side. Tell us this request id: {id}."


def problem(message: str, code: str) -> dict[str, Any]:
    """An error that is about the request as a whole."""
    return {"message": message, "extensions": {"code": code}}


def format_error(error: GraphQLError) -> dict[str, Any]:
    """An error of an execution, with `extensions.code`.

    Our own refusals say what they are. What graphql-core refuses before it executes, such as a
    variable of the wrong type, has no path. Whatever else was raised is a fault of ours.
    """
    formatted: dict[str, Any] = dict(error.formatted)
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if isinstance(cause, RequestError):
        return {**formatted, "extensions": {"code": cause.code}}
    if cause is None and error.path is None:
        return {**formatted, "extensions": {"code": "BAD_REQUEST"}}
    return {**formatted, **fault(cause or error, f"a resolver failed at {error.path}")}


def fault(error: Exception, what: str) -> dict[str, Any]:
    """What a client is told of a fault of ours: nothing but the id under which the log has it."""
    id = request_id.get()
    logger.error(what, exc_info=error)
    return {
        "message": INTERNAL.format(id=id),
        "extensions": {"code": "INTERNAL", "requestId": id},
    }
