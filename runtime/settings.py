"""The settings: the only place that reads the environment.

Each is documented in the table of docs/settings.md; a test holds the table to this class.
"""

import re
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# Those whose keys can be public. With the others, whoever can verify a token can make one.
ASYMMETRIC = tuple(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512))
# What can be left out, one by one, to see what it is worth.
DISPENSABLE = (
    "plans",
    "prepared",
    "frozen",
    "presumed",
    "stamped",
    "at_hand",
    "compared",
    "gathered",
    "pairs",
)
OIDC_ALGORITHMS = (*ASYMMETRIC, "EdDSA")
# As browsers write it: in small letters, without a path, or a port that goes without saying.
ORIGIN = re.compile(
    r"(?:http://(?!.*:80$)|https://(?!.*:443$))"
    r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?"
)


def _names(value: str) -> tuple[str, ...]:
    """The names in a list with commas, each once."""
    return tuple(dict.fromkeys(value.replace(" ", "").split(",")))


def _origins(value: str) -> tuple[str, ...]:
    """The origins in a list with commas, each without a slash at its end."""
    origins = (origin.strip().rstrip("/") for origin in value.split(","))
    return tuple(origin for origin in origins if origin)


def is_safe_address(url: str) -> bool:
    """Whether nobody on the way can change what an address answers: https, or this machine."""
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
    except ModuleNotFoundError:  # nor is a package that would hold it
        return False


class Settings(BaseSettings):
    """How this process runs. Raises ValidationError, naming the variable, for a wrong value."""

    model_config = SettingsConfigDict(env_prefix="COHORT_", populate_by_name=True, frozen=True)

    database_url: str = Field(
        "sqlite://cohort.sqlite3",
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="Where the data is: `sqlite://FILE` or `postgres://USER:PASSWORD@HOST/NAME`.",
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
    workers: int = Field(1, ge=1, description="How many processes serve.")
    pool_size: int = Field(
        10, ge=1, description="PostgreSQL connections that one process may hold."
    )
    pool_seconds: float = Field(
        5.0,
        gt=0,
        description="How long a statement waits, in seconds, for a database connection to be free.",
    )
    public_url: str = Field(
        "",
        description="The address under which browsers reach the service, for sign-in links; "
        "empty: `http://HOST:PORT`.",
    )
    session_days: int = Field(
        14, ge=1, le=36_500, description="How long a browser stays signed in, in days."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Log lines for people (`text`) or for machines (`json`)."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        description="The least severe log lines that are written. Of libraries none is below INFO: "
        "those would hold what goes over the wire.",
    )
    slow_seconds: float = Field(
        1.0, gt=0, description="Operations that take this long, in seconds, are logged as slow."
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="The token with which `/metrics` is read; empty: any token of an "
        "administrator or auditor.",
    )
    traces_url: str = Field(
        "",
        description="Where OpenTelemetry traces are sent (OTLP over HTTP), such as "
        "`http://127.0.0.1:4318/v1/traces`; empty: nowhere. Needs what "
        "`requirements/traces.txt` holds.",
    )
    traces_sampled: float = Field(
        1.0, ge=0, le=1, description="Which share of the traces is sent, from 0 to 1."
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may ask with a token, such as `https://app.example.com`, "
        "separated by commas, or `*`; empty: none but the service's own.",
    )
    oidc_issuer: str = Field(
        "",
        description="The OpenID Connect issuer whose tokens are accepted beside the service's own, "
        "as its tokens name it; empty: none.",
    )
    oidc_audience: str = Field(
        "",
        validate_default=True,
        description="The audience that the issuer's tokens must be for.",
    )
    oidc_jwks_url: str = Field(
        "",
        description="Where the issuer's keys are; empty: where its discovery document says.",
    )
    oidc_algorithms: str = Field(
        "RS256,ES256,EdDSA",
        description="The algorithms that the issuer may sign with, separated by commas.",
    )
    oidc_leeway_seconds: int = Field(
        30, ge=0, le=300, description="How far the issuer's clock may differ, in seconds."
    )
    oidc_organization_claim: str = Field(
        "organization",
        min_length=1,
        description="The claim that names the organization, by its name or its id.",
    )
    oidc_email_claim: str = Field(
        "email", min_length=1, description="The claim that names the user, by email address."
    )
    oidc_role_claim: str = Field(
        "",
        description="The claim that may lower what the user may do to a role; empty: none.",
    )
    max_body_bytes: int = Field(
        1_000_000, ge=1_000, description="The largest request body that is read, in bytes."
    )
    max_document_characters: int = Field(
        100_000, ge=1_000, description="How many characters a GraphQL document may have."
    )
    max_tokens: int = Field(
        5_000, ge=100, description="How many lexical tokens a GraphQL document may have."
    )
    max_depth: int = Field(
        15,
        ge=5,
        description="How deep the fields of an operation may be nested; likewise fragments within "
        "fragments.",
    )
    max_selections: int = Field(
        2_000,
        ge=100,
        description="How many fields and fragments the operations of a document may select.",
    )
    max_fragments: int = Field(100, ge=1, description="How many fragments a document may define.")
    max_root_fields: int = Field(
        50, ge=1, description="How many fields the operations of a document may have at the root."
    )
    max_aliases: int = Field(
        100, ge=0, description="How many aliases the operations of a document may have."
    )
    max_directives: int = Field(
        50, ge=0, description="How many directives the operations of a document may have."
    )
    max_duplicates: int = Field(
        100,
        ge=0,
        description="How many fields of a document may repeat one that is selected at their place "
        "already.",
    )
    max_introspection_depth: int = Field(
        2,
        ge=1,
        description="How deep lists of fields, interfaces or possible types may be nested in "
        "introspection.",
    )
    max_cost: int = Field(
        50_000,
        ge=100,
        description="The highest cost of an operation: how many objects its answer may hold.",
    )
    max_answer_bytes: int = Field(
        20_000_000,
        ge=100_000,
        description="The largest answer of a query, in bytes, as it is reckoned and as it is.",
    )
    max_page_size: int = Field(
        100, ge=1, description="The largest page: the most that `first` and `last` take."
    )
    max_ids: int = Field(100, ge=1, description="How many ids or questions a query takes at once.")
    max_list_items: int = Field(
        5_000, ge=1_000, description="How many items a list in the variables may have."
    )
    max_input_values: int = Field(
        20_000, ge=1_000, description="How many values the variables may hold in all."
    )
    request_seconds: float = Field(
        15.0,
        gt=0,
        description="How long a request, or an event of a subscription, may take, in seconds, "
        "before it is stopped.",
    )
    max_concurrent_requests: int = Field(
        500, ge=1, description="How many requests of a token one process executes at once."
    )
    requests_per_minute: int = Field(
        600_000, ge=1, description="How many requests of a token one process takes in a minute."
    )
    sign_ins_per_minute: int = Field(
        10, ge=1, description="How often an address may fail to sign in, in a minute."
    )
    sessions_per_minute: int = Field(
        300, ge=1, description="How often an address may sign in, in a minute."
    )
    without: str = Field(
        "",
        description="Which of the ways to be fast are left out, to see what each is worth: some of "
        f"{', '.join(DISPENSABLE)}, separated by commas (bench/README.md).",
    )
    kept_megabytes: int = Field(
        64,
        ge=0,
        description="How much memory finished responses may take, to be served again for as long "
        "as nothing changes; 0 keeps none.",
    )
    persisted_megabytes: int = Field(
        8,
        ge=0,
        description="How much memory the texts of automatic persisted queries may take; 0 takes "
        "no such queries.",
    )
    gzip_bytes: int = Field(
        16_000,
        ge=0,
        description="How large the answer of a query must be, in bytes, to be sent gzipped to "
        "clients that take it; 0 sends none so.",
    )
    poll_seconds: float | None = Field(
        None,
        gt=0,
        description="How often to look for changes that other processes made, for live updates; "
        "by default 0.2 on SQLite, and 1 on PostgreSQL, which tells of them by itself.",
    )
    max_sockets: int = Field(
        5_000, ge=1, description="How many WebSockets one process keeps open at once."
    )
    max_token_sockets: int = Field(
        1_000, ge=1, description="How many of these may be of one token."
    )
    max_subscriptions: int = Field(
        50,
        ge=1,
        description="How many operations may run at once on one WebSocket, "
        "and how many event streams of a token in one process.",
    )
    init_seconds: float = Field(
        10.0, gt=0, description="How long a WebSocket may take to say who it is."
    )
    slow_reader_seconds: float = Field(
        10.0,
        gt=0,
        description="How long a client of live updates may not read before it is let go.",
    )
    shutdown_seconds: int = Field(
        20, ge=0, description="How long requests in flight may take to finish at shutdown."
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
                "http://localhost:5173 (small letters, no path, no port that goes without saying), "
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
        if not set(_names(value)) <= {"", *DISPENSABLE}:
            raise ValueError(f"must be some of {', '.join(DISPENSABLE)}")
        return value

    def does(self, what: str) -> bool:
        """Whether the service does one of DISPENSABLE."""
        return what not in self.left_out

    @property
    def left_out(self) -> tuple[str, ...]:
        """Those of DISPENSABLE that the service does not do."""
        return _names(self.without)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """The origins whose pages may ask with a token, as browsers send them, or `*`."""
        return _origins(self.cors_origins)

    @property
    def oidc_algorithm_names(self) -> tuple[str, ...]:
        """The algorithms that the issuer may sign with, each once."""
        return _names(self.oidc_algorithms)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a browser stays signed in."""
        return timedelta(days=self.session_days)

    @property
    def base_url(self) -> str:
        """The address under which browsers reach the service, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"
