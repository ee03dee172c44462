"""The ASGI view: GraphQL over HTTP."""

from typing import Any

import orjson
from graphql import ExecutionResult, OperationType, execute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from models.database import snapshot
from models.errors import RequestError, Unauthenticated
from models.ledger import current_revision
from models.viewer import Viewer
from runtime.auth import Authenticator, secret_of
from runtime.settings import Settings
from schema import schema
from schema.context import Context
from schema.documents import InvalidDocument, Operation, operation_of
from schema.errors import format_error, problem
from schema.requests import (
    GRAPHQL_JSON,
    JSON,
    GraphQLRequest,
    Refused,
    media_type_for,
    read_request,
)

TRIES = 3


class GraphQLEndpoint:
    """Answers GraphQL requests, each as one snapshot of the viewer's organization."""

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self.settings = settings
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.respond(Request(scope, receive))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The answer to one HTTP request, whatever it is."""
        media_type = JSON
        try:
            media_type = media_type_for(request)
            asked = await read_request(request, self.settings.max_body_bytes)
            body, status = await self._answer(request, asked, media_type)
            headers = {}
        except Refused as refused:
            body = {"errors": [problem(refused.message, refused.code)]}
            status, headers = refused.status, refused.headers
        return Response(
            orjson.dumps(body),
            status,
            headers={"Cache-Control": "private, no-store", "Vary": "Accept, Cookie", **headers},
            media_type=f"{media_type}; charset=utf-8",
        )

    async def _answer(
        self, request: Request, asked: GraphQLRequest, media_type: str
    ) -> tuple[dict[str, Any], int]:
        """The body and the status of the answer to a well-formed request."""
        # The older media type promises a client 200 for whatever GraphQL itself refuses.
        refusal = 400 if media_type == GRAPHQL_JSON else 200
        secret = secret_of(request)
        try:
            viewer = await self.authenticator.viewer(secret)
            operation = operation_of(asked.query, asked.operation_name, self.settings.max_tokens)
        except Unauthenticated as error:
            raise Refused(401, str(error), error.code, WWW_Authenticate="Bearer") from None
        except InvalidDocument as invalid:
            code = "GRAPHQL_VALIDATION_FAILED"
            errors = [{**error.formatted, "extensions": {"code": code}} for error in invalid.errors]
            return {"errors": errors}, refusal
        except RequestError as error:
            return {"errors": [problem(str(error), error.code)]}, refusal
        if operation.type is OperationType.SUBSCRIPTION:
            raise Refused(400, "A subscription needs a WebSocket or an event stream.")
        if operation.type is OperationType.QUERY:
            result, revision = await self._read(secret, viewer, operation, asked)
        elif request.method == "GET":
            raise Refused(405, "A mutation needs POST.", Allow="POST")
        else:
            result = await _execute(viewer, operation, asked)
            revision = await current_revision(viewer.organization_id)
        body: dict[str, Any] = {"extensions": {"revision": revision}}
        if result.errors:
            body["errors"] = [format_error(error) for error in result.errors]
            if all(error.path is None for error in result.errors):
                return body, refusal  # nothing was executed: a variable has the wrong type
        return {"data": result.data, **body}, 200

    async def _read(
        self, secret: str | None, viewer: Viewer, operation: Operation, asked: GraphQLRequest
    ) -> tuple[ExecutionResult, int]:
        """Execute a query as one snapshot; returns the revision that it shows as well.

        The revision was read with the viewer. If it is the same after the query, nothing changed
        meanwhile; if it moved, the query runs again, the last time inside one transaction.
        """
        for _ in range(TRIES):
            result = await _execute(viewer, operation, asked)
            if await current_revision(viewer.organization_id) == viewer.revision:
                return result, viewer.revision
            viewer = await self.authenticator.viewer(secret)
        async with snapshot():
            viewer = await self.authenticator.viewer(secret)
            return await _execute(viewer, operation, asked), viewer.revision


async def _execute(viewer: Viewer, operation: Operation, asked: GraphQLRequest) -> ExecutionResult:
    result = execute(
        schema._schema,
        operation.document,
        context_value=Context(viewer),
        variable_values=asked.variables,
        operation_name=asked.operation_name,
    )
    return result if isinstance(result, ExecutionResult) else await result
