"""Reading a GraphQL request from HTTP (the GraphQL over HTTP specification, sections 5 and 6)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope

from models.errors import Busy, RequestError, Unauthenticated, Unavailable
from runtime.cutoff import Cutoff
from runtime.limits import TookTooLong, TryAgainLater, variable
from runtime.settings import Settings

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"
UTF_8 = ("utf-8", "utf8")
ACCEPT_CACHE_SIZE = 100  # parsed pairs of `Accept` and `Accept-Encoding`
LONGEST_CACHED = 500  # characters of such a pair
# RFC 9110, section 12.4.2; also without the 0 (HttpURLConnection of older Javas says `*/*; q=.2`
# unless told otherwise), and with more digits.
QUALITY = re.compile(r"0?\.\d+|0\.?|1(\.0*)?")


class Refused(RequestError):
    """An HTTP request that is not a valid GraphQL request: a status, a code, and a message."""

    def __init__(self, status: int, message: str, code: str = "BAD_REQUEST", **headers: str):
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def status_of(error: Exception) -> tuple[int, dict[str, str]]:
    """The HTTP status and headers of the response to a request that failed with an error."""
    if isinstance(error, Refused):
        return error.status, error.headers
    if isinstance(error, Unauthenticated):
        return 401, {"WWW-Authenticate": "Bearer"}
    if isinstance(error, TryAgainLater):
        return 429, {"Retry-After": str(error.retry_after)}
    if isinstance(error, Busy | Unavailable):
        return 503, {"Retry-After": str(error.retry_after)}
    if isinstance(error, TookTooLong):
        return 503, {}
    return 500, {}


class _Headers(Headers):
    """The headers of a request in a dict: Starlette's own class scans the whole list each time.

    Repeated lines of one name are joined into one list (RFC 9110, section 5.3).
    """

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._by_name: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            if name in self._by_name:
                value = f"{self._by_name[name]}{'; ' if name == 'cookie' else ', '}{value}"
            self._by_name[name] = value

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()]

    def get(self, name: str, default: Any = None) -> Any:
        return self._by_name.get(name.lower(), default)


class HTTPRequest(Request):
    """Starlette's request, with headers that are looked up in a dict."""

    @property
    def headers(self) -> Headers:
        """The headers, decoded on first use."""
        if not hasattr(self, "_headers"):
            self._headers = _Headers(self.scope)
        return self._headers


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A GraphQL request, as read from HTTP or a socket.

    `persisted` is `extensions.persistedQuery` as sent (`schema/persisted.py`); where it stands in
    for the text, `query` is None.
    """

    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    persisted: Any = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The weight that a client gives each of our media types: from 0 (not accepted) to 1.

    `gzip` says whether it accepts gzip, and weighs it no lower than an uncompressed body.
    """

    json: float
    graphql_json: float
    events: float
    gzip: bool

    @property
    def media_type(self) -> str:
        """The preferred of the two JSON media types; `application/json` if neither is accepted."""
        return GRAPHQL_JSON if self.graphql_json and self.graphql_json >= self.json else JSON

    @property
    def takes_json(self) -> bool:
        """Whether the client accepts JSON of either type."""
        return max(self.json, self.graphql_json) > 0

    @property
    def prefers_events(self) -> bool:
        """Whether an event stream is preferred to JSON.

        Some clients list it with every request; an equal weight does not mean they want one.
        """
        return self.events > max(self.json, self.graphql_json)


def accepted(request: Request) -> Accepted:
    """What `Accept` and `Accept-Encoding` allow (RFC 9110, sections 12.5.1 and 12.5.3).

    JSON if the first is missing; no compression if the second is.
    """
    sent = request.headers.get("accept", ""), request.headers.get("accept-encoding", "")
    is_short = sum(map(len, sent)) <= LONGEST_CACHED
    return _accepted_cached(*sent) if is_short else _accepted(*sent)


def _accepted(accept: str, accept_encoding: str) -> Accepted:
    gzip = _takes_gzip(accept_encoding)
    if not accept.strip():
        return Accepted(1.0, 0.0, 0.0, gzip)
    taken = _weights(accept.strip())
    any_json = taken.get("application/*", taken.get("*/*", 0.0))
    json = taken.get(JSON, any_json)
    # A wildcard alone selects the newer type only if it outweighs the older one.
    newer = any_json if any_json > json else 0.0
    return Accepted(
        json=json,
        graphql_json=taken.get(GRAPHQL_JSON, newer),
        events=taken.get(EVENT_STREAM, taken.get("text/*", 0.0)),
        gzip=gzip,
    )


_accepted_cached = lru_cache(maxsize=ACCEPT_CACHE_SIZE)(_accepted)


def _takes_gzip(header: str) -> bool:
    if not header:
        return False
    taken = _weights(header)
    gzip = taken.get("gzip", taken.get("x-gzip", taken.get("*", 0.0)))
    return gzip > 0 and gzip >= taken.get("identity", 0.0)


def _weights(header: str) -> dict[str, float]:
    """The weight of each item of an `Accept…` header, by name in lower case (RFC 9110, 12.4.2)."""
    taken: dict[str, float] = {}
    for item in header.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        if _parameter(parameters, "charset", "utf-8") in UTF_8:
            taken[name] = _quality(_parameter(parameters, "q", "1"))
    return taken


def _parameter(parameters: list[str], name: str, default: str) -> str:
    """The value of a media type's parameter, without its quotes if it has any."""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == name:
            return value.strip().strip('"')
    return default


def matches_etag(tag: str, if_none_match: str) -> bool:
    """Whether the value of `If-None-Match` lists an entity tag (RFC 9110, section 13.1.2)."""
    named = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in named or named == ["*"]


def _quality(text: str) -> float:
    """A weight from 0 to 1; 0 if it is malformed."""
    return float(text) if QUALITY.fullmatch(text) else 0.0


async def read_source(request: Request, settings: Settings) -> bytes:
    """The raw bytes of a request: the body of a POST, or the query string of a GET.

    Raises Refused if the method, the content type or the body is not acceptable.
    """
    if request.method == "GET":
        source: bytes = request.scope["query_string"]
        return source
    if request.method != "POST":
        raise Refused(405, "Use POST, or GET for a query.", Allow="GET, POST")
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    if media_type.strip() != JSON:
        raise Refused(415, f"The body must be JSON, sent with `Content-Type: {JSON}`.")
    if _parameter(parameters, "charset", "utf-8") not in UTF_8:
        raise Refused(415, "The body must be in UTF-8.")
    if request.headers.get("content-encoding", "").lower() not in ("", "identity"):
        raise Refused(415, "The body must not be compressed.", Accept_Encoding="identity")
    try:
        with Cutoff(settings.request_seconds):
            return await _read_body(request, settings.max_body_bytes)
    except TimeoutError:
        seconds = f"{settings.request_seconds:g} seconds ({variable('request_seconds')})"
        raise Refused(
            408, f"The body took more than {seconds} to arrive.", "LIMIT_EXCEEDED"
        ) from None


def read_request(request: Request, source: bytes) -> GraphQLRequest:
    """Parse the GraphQL request from the bytes of `read_source`. Raises Refused."""
    if request.method == "GET":
        return request_from(_from_query_string(request))
    return request_from(_parse(source, "The body"))


async def _read_body(request: Request, limit: int) -> bytes:
    """The body. Reading stops as soon as it is known to be too large.

    Raises Refused then, and ClientDisconnect if the client goes away meanwhile.
    """
    length = request.headers.get("content-length", "")
    is_large = length.isdecimal() and int(length[:20]) > limit
    body = bytearray()
    while not is_large:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        is_large = len(body) > limit
        if not message.get("more_body", False):
            break
    if is_large:
        most = f"{limit:,} bytes ({variable('max_body_bytes')})"
        raise Refused(413, f"The body is larger than {most}.", "LIMIT_EXCEEDED")
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
        raise Refused(400, f"{what} is not JSON: {error}.") from None


def request_from(parameters: Any) -> GraphQLRequest:
    """The request that parsed JSON describes. Raises Refused if it is malformed."""
    if isinstance(parameters, list):
        raise Refused(400, "Batches are not accepted: send one operation per request.")
    if not isinstance(parameters, dict):
        raise Refused(400, "The body must be a JSON object with a `query`.")
    for name in ("variables", "extensions"):
        if not isinstance(parameters.get(name), dict | None):
            raise Refused(400, f"`{name}` must be a JSON object, or left out.")
    query = parameters.get("query")
    persisted = (parameters.get("extensions") or {}).get("persistedQuery")
    is_named = persisted is not None and query in (None, "")
    if not is_named and (not isinstance(query, str) or not query.strip()):
        raise Refused(400, "`query` must be a string: a GraphQL document.")
    operation_name = parameters.get("operationName")
    if not isinstance(operation_name, str | None):
        raise Refused(400, "`operationName` must be a string, or left out.")
    return GraphQLRequest(
        query or None, parameters.get("variables"), operation_name or None, persisted
    )
