"""A GraphQL request, read from HTTP (the GraphQL over HTTP specification, sections 5 and 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"


class Refused(Exception):
    """A request that is no GraphQL request: an HTTP status, a code, and a sentence."""

    def __init__(self, status: int, message: str, code: str = "BAD_REQUEST", **headers: str):
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What is to be executed."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


def media_type_for(request: Request) -> str:
    """The media type of the answer. Raises Refused 406 where the client takes none of ours.

    `application/json` unless the client asks for `application/graphql-response+json`.
    """
    accept = request.headers.get("accept", "")
    if not accept.strip():
        return JSON
    weights: dict[str, float] = {}
    for item in accept.split(","):
        media_range, *parameters = (part.strip() for part in item.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        weights[media_range.lower()] = quality
    anything = max(weights.get("*/*", 0.0), weights.get("application/*", 0.0))
    graphql, json = weights.get(GRAPHQL_JSON, 0.0), weights.get(JSON, anything)
    if graphql > 0 and graphql >= json:
        return GRAPHQL_JSON
    if json > 0:
        return JSON
    raise Refused(406, f"The answer can be {GRAPHQL_JSON} or {JSON}; `Accept` takes neither.")


async def read_request(request: Request, max_body_bytes: int) -> GraphQLRequest:
    """The GraphQL request that an HTTP request carries. Raises Refused, with the status."""
    if request.method == "GET":
        return _from_mapping(_from_query_string(request))
    if request.method != "POST":
        raise Refused(405, "Use POST, or GET for a query.", Allow="GET, POST")
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != JSON:
        raise Refused(415, f"The body must be {JSON}; say so in `Content-Type`.")
    name, _, charset = parameters.strip().partition("=")
    if name.lower() == "charset" and charset.strip('"').lower() not in ("utf-8", "utf8"):
        raise Refused(415, "The body must be in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "The body must not be compressed.")
    return _from_mapping(_parse(await _read_body(request, max_body_bytes), "The body"))


async def _read_body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Refused(413, f"The body is larger than {limit:,} bytes.", "LIMIT_EXCEEDED")
    return bytes(body)


def _from_query_string(request: Request) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if parameters.get(name):
            parameters[name] = _parse(parameters[name].encode(errors="replace"), f"`{name}`")
        else:
            parameters.pop(name, None)
    return parameters


def _parse(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"{what} is no JSON: {error}.") from None


def _from_mapping(parameters: Any) -> GraphQLRequest:
    """Check the types of the parameters, each with a message that says what is wrong."""
    if isinstance(parameters, list):
        raise Refused(400, "Batches are not taken: send one operation a request.")
    if not isinstance(parameters, Mapping):
        raise Refused(400, "The body must be a JSON object with the text of a `query`.")
    query = parameters.get("query")
    if not isinstance(query, str) or not query.strip():
        raise Refused(400, "`query` must be a text: a GraphQL document.")
    for name in ("variables", "extensions"):
        if not isinstance(parameters.get(name), dict | None):
            raise Refused(400, f"`{name}` must be a JSON object, or left out.")
    operation_name = parameters.get("operationName") or None
    if not isinstance(operation_name, str | None):
        raise Refused(400, "`operationName` must be a text, or left out.")
    return GraphQLRequest(query, parameters.get("variables"), operation_name)
