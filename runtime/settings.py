"""The settings: the only place that reads the environment.

All of them are in the table of docs/settings.md, which a test compares with this class.
"""

import re
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.optimizations import OPTIMIZATIONS, Optimization

# The algorithms with public keys. With any other, whoever can verify a token can also make one.
ASYMMETRIC = tuple(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512))
OIDC_ALGORITHMS = (*ASYMMETRIC, "EdDSA")
# As browsers send it: in lower case, without a path, and without the scheme's default port.
ORIGIN = re.compile(
    r"(?:http://(?!.*:80$)|https://(?!.*:443$))"
    r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?"
)


def _names(value: str) -> tuple[str, ...]:
    """The names in a comma-separated list, each once."""
    return tuple(dict.fromkeys(value.replace(" ", "").split(",")))


def _origins(value: str) -> tuple[str, ...]:
    """The origins in a comma-separated list, without trailing slashes."""
    origins = (origin.strip().rstrip("/") for origin in value.split(","))
    return tuple(origin for origin in origins if origin)


def is_safe_address(url: str) -> bool:
    """Whether responses from a URL cannot be tampered with on the way: https, or this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "http" or host == "localhost":
            is_safe = parts.scheme in ("http", "https") and bool(host)
        else:
            is_safe = ip_address(host).is_loopback
    except ValueError:
        return False
    return is_safe and url.isprintable() and not set(url) & set("@\\ ")


def can_trace() -> bool:
    """Whether the packages of the extra `traces` are installed."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


class Settings(BaseSettings):
    """The settings of this process. Raises ValidationError, naming the variable, for bad values."""

    model_config = SettingsConfigDict(env_prefix="COHORT_", populate_by_name=True, frozen=True)

    database_url: str = Field(
        "sqlite://cohort.sqlite3",
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="The database: `sqlite://FILE` or `postgres://USER:PASSWORD@HOST/NAME`.",
    )
    host: str = Field(
        "127.0.0.1",
        validation_alias=AliasChoices("HOST", "host"),
        min_length=1,
        description="The address to listen on.",
    )
    port: int = Field(
        8000,
        validation_alias=AliasChoices("PORT", "port"),
        ge=0,
        le=65535,
        description="The port to listen on.",
    )
    workers: int = Field(1, ge=1, description="The number of worker processes.")
    pool_size: int = Field(
        10, ge=1, description="The maximum number of pooled PostgreSQL connections per process."
    )
    pool_seconds: float = Field(
        5.0,
        gt=0,
        description="How long a statement waits for a free database connection, and a write for "
        "its turn among those of its organization, in seconds. (Membership writes, which are "
        "batched, wait for one another until `COHORT_REQUEST_SECONDS` are over.)",
    )
    public_url: str = Field(
        "",
        description="The URL at which browsers reach the service, for sign-in links; if empty, "
        "`http://HOST:PORT`.",
    )
    session_days: int = Field(
        14, ge=1, le=36_500, description="How long a browser stays signed in, in days."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="The log format: `text` for people, `json` for machines."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        description="The minimum severity that is logged. For libraries it is never below INFO, "
        "because their debug output contains what goes over the wire.",
    )
    slow_seconds: float = Field(
        1.0,
        gt=0,
        description="Operations that take at least this long, in seconds, are logged as slow.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="The token required to read `/metrics`; if empty, any token of an "
        "administrator or auditor.",
    )
    traces_url: str = Field(
        "",
        description="The endpoint to send OpenTelemetry traces to (OTLP over HTTP), such as "
        "`http://127.0.0.1:4318/v1/traces`; if empty, none are sent. Requires the packages in "
        "`requirements/traces.txt`.",
    )
    traces_sampled: float = Field(
        1.0, ge=0, le=1, description="The fraction of traces to send, from 0 to 1."
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may send requests with a token (CORS), such as "
        "`https://app.example.com`, separated by commas, or `*`; if empty, only the service's own.",
    )
    oidc_issuer: str = Field(
        "",
        description="The OpenID Connect issuer whose tokens are accepted besides the service's "
        "own, exactly as its tokens name it; if empty, none.",
    )
    oidc_audience: str = Field(
        "",
        validate_default=True,
        description="The audience required in the issuer's tokens.",
    )
    oidc_jwks_url: str = Field(
        "",
        description="The URL of the issuer's keys (JWKS); if empty, taken from its discovery "
        "document.",
    )
    oidc_algorithms: str = Field(
        "RS256,ES256,EdDSA",
        description="The signing algorithms accepted from the issuer, separated by commas.",
    )
    oidc_leeway_seconds: int = Field(
        30,
        ge=0,
        le=300,
        description="The clock skew allowed between the issuer and this service, in seconds.",
    )
    oidc_organization_claim: str = Field(
        "organization",
        min_length=1,
        description="The claim that names the organization, by name or id.",
    )
    oidc_email_claim: str = Field(
        "email", min_length=1, description="The claim that identifies the user, by email address."
    )
    oidc_role_claim: str = Field(
        "",
        description="The claim that may restrict the user to a lower role; if empty, none.",
    )
    max_body_bytes: int = Field(
        1_000_000, ge=1_000, description="The maximum size of a request body, in bytes."
    )
    max_document_characters: int = Field(
        100_000, ge=1_000, description="The maximum length of a GraphQL document, in characters."
    )
    max_tokens: int = Field(
        5_000, ge=100, description="The maximum number of lexical tokens in a GraphQL document."
    )
    max_depth: int = Field(
        15,
        ge=5,
        description="The maximum nesting depth of fields in an operation, and of fragments within "
        "fragments.",
    )
    max_selections: int = Field(
        2_000,
        ge=100,
        description="The maximum number of fields and fragments selected by the operations of a "
        "document.",
    )
    max_fragments: int = Field(
        100, ge=1, description="The maximum number of fragment definitions in a document."
    )
    max_root_fields: int = Field(
        50, ge=1, description="The maximum number of root fields in the operations of a document."
    )
    max_aliases: int = Field(
        100, ge=0, description="The maximum number of aliases in the operations of a document."
    )
    max_directives: int = Field(
        50, ge=0, description="The maximum number of directives in the operations of a document."
    )
    max_duplicates: int = Field(
        100,
        ge=0,
        description="The maximum number of fields in a document that repeat one already selected "
        "at the same place in the response.",
    )
    max_introspection_depth: int = Field(
        2,
        ge=1,
        description="The maximum nesting depth of lists of fields, interfaces or possible types in "
        "introspection.",
    )
    max_cost: int = Field(
        50_000,
        ge=100,
        description="The maximum cost of an operation: the number of objects its response may "
        "contain.",
    )
    max_answer_bytes: int = Field(
        20_000_000,
        ge=100_000,
        description="The maximum size of a query's response, in bytes, both as estimated and as "
        "measured.",
    )
    max_page_size: int = Field(
        100,
        ge=1,
        description="The maximum page size: the largest value that `first` and `last` accept. "
        "The console asks for 50.",
    )
    max_ids: int = Field(
        100,
        ge=1,
        description="The maximum number of ids or questions that a query accepts at once.",
    )
    max_list_items: int = Field(
        5_000, ge=1_000, description="The maximum number of items in a list in the variables."
    )
    max_input_values: int = Field(
        20_000, ge=1_000, description="The maximum total number of values in the variables."
    )
    request_seconds: float = Field(
        15.0,
        gt=0,
        description="The time limit for a request, or for an event of a subscription, in seconds.",
    )
    max_concurrent_requests: int = Field(
        500, ge=1, description="The maximum number of concurrent requests per token in one process."
    )
    requests_per_minute: int = Field(
        600_000,
        ge=1,
        description="The maximum number of requests per token per minute in one process.",
    )
    sign_ins_per_minute: int = Field(
        10, ge=1, description="The maximum number of failed sign-ins per client address per minute."
    )
    sessions_per_minute: int = Field(
        300, ge=1, description="The maximum number of sign-ins per client address per minute."
    )
    without: str = Field(
        "",
        description="The optimizations to disable, to measure what each is worth: any of "
        f"{', '.join(OPTIMIZATIONS)}, separated by commas (bench/README.md).",
    )
    kept_megabytes: int = Field(
        64,
        ge=0,
        description="The size of the response cache, in megabytes; 0 disables it. Cached responses "
        "are served until something changes.",
    )
    persisted_megabytes: int = Field(
        8,
        ge=0,
        description="The size of the store for automatic persisted queries, in megabytes; 0 "
        "disables them.",
    )
    gzip_bytes: int = Field(
        16_000,
        ge=0,
        description="The minimum size of a query's response, in bytes, for it to be gzipped for "
        "clients that accept gzip; 0 disables this.",
    )
    poll_seconds: float | None = Field(
        None,
        gt=0,
        description="How often to poll for changes made by other processes, for live updates, in "
        "seconds; by default 0.2 on SQLite, and 1 on PostgreSQL, which also sends notifications.",
    )
    max_sockets: int = Field(
        5_000, ge=1, description="The maximum number of open WebSockets per process."
    )
    max_token_sockets: int = Field(
        1_000, ge=1, description="The maximum number of open WebSockets per token in one process."
    )
    max_subscriptions: int = Field(
        50,
        ge=1,
        description="The maximum number of concurrent operations per WebSocket, and of concurrent "
        "event streams per token in one process.",
    )
    init_seconds: float = Field(
        10.0,
        gt=0,
        description="How long a WebSocket client may take to send `connection_init`, in seconds.",
    )
    slow_reader_seconds: float = Field(
        10.0,
        gt=0,
        description="How long a client of live updates may stop reading before it is disconnected, "
        "in seconds.",
    )
    shutdown_seconds: int = Field(
        20,
        ge=0,
        description="How long in-flight requests may take to finish at shutdown, in seconds.",
    )

    @field_validator("poll_seconds", mode="before")
    @classmethod
    def _may_be_empty(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("public_url", "traces_url")
    @classmethod
    def _must_be_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must begin with https:// or http://, and name a host")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _must_be_origins(cls, value: str) -> str:
        if not all(each == "*" or ORIGIN.fullmatch(each) for each in _origins(value)):
            raise ValueError(
                "must be origins as browsers send them, such as https://app.example.com or "
                "http://localhost:5173 (lower case, no path, no default port), "
                "separated by commas, or *"
            )
        return value

    @field_validator("traces_url")
    @classmethod
    def _must_be_possible(cls, value: str) -> str:
        if value and not can_trace():
            raise ValueError(
                "needs packages that are missing: pip install -r requirements/traces.txt"
            )
        return value

    @field_validator("oidc_issuer", "oidc_jwks_url")
    @classmethod
    def _must_be_safe(cls, value: str) -> str:
        if value and not is_safe_address(value):
            raise ValueError("must begin with https://, unless it is on this machine")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _must_be_plain(cls, value: str) -> str:
        if set(value) & set("?#"):
            raise ValueError("must be an issuer, which has neither ? nor #")
        return value

    @field_validator("oidc_audience")
    @classmethod
    def _must_be_given(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value.strip():
            raise ValueError(
                "must be set with COHORT_OIDC_ISSUER, or tokens for other services would be "
                "accepted here"
            )
        return value

    @field_validator("oidc_algorithms")
    @classmethod
    def _must_be_asymmetric(cls, value: str) -> str:
        if not set(_names(value)) <= set(OIDC_ALGORITHMS):
            raise ValueError(f"must be some of {', '.join(OIDC_ALGORITHMS)}")
        return value

    @field_validator("without")
    @classmethod
    def _must_be_known(cls, value: str) -> str:
        if not set(_names(value)) <= {"", *OPTIMIZATIONS}:
            raise ValueError(f"must be some of {', '.join(OPTIMIZATIONS)}")
        return value

    def does(self, what: Optimization) -> bool:
        """Whether the service uses an optimization."""
        return what not in self.left_out

    @property
    def left_out(self) -> tuple[Optimization, ...]:
        """The optimizations that the service does not use."""
        names = _names(self.without)
        return tuple(each for each in OPTIMIZATIONS if each in names)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may send requests, with a token; or `*`."""
        return _origins(self.cors_origins)

    @property
    def oidc_algorithm_names(self) -> tuple[str, ...]:
        """The algorithms with which the issuer may sign, each once."""
        return _names(self.oidc_algorithms)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a browser stays signed in."""
        return timedelta(days=self.session_days)

    @property
    def base_url(self) -> str:
        """The URL at which browsers reach the service, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"
