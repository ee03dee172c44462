"""The settings: the only place that reads the environment.

Each is documented in the table of docs/settings.md; a test holds the table to this class.
"""

from datetime import timedelta
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    session_days: int = Field(14, ge=1, description="How long a browser stays signed in, in days.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Log lines for people (`text`) or for machines (`json`)."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least severe log lines that are written."
    )
    slow_seconds: float = Field(
        1.0, gt=0, description="Operations that take this long, in seconds, are logged as slow."
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="The token with which `/metrics` is read; empty: any token of an "
        "administrator or auditor.",
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may ask with a token, separated by commas, or `*`; "
        "empty: none but the service's own.",
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
        15.0, gt=0, description="How long a request may take, in seconds, before it is stopped."
    )
    max_concurrent_requests: int = Field(
        500, ge=1, description="How many requests of a token one process executes at once."
    )
    requests_per_minute: int = Field(
        300_000, ge=1, description="How many requests of a token one process takes in a minute."
    )
    sign_ins_per_minute: int = Field(
        10, ge=1, description="How often an address may fail to sign in, in a minute."
    )
    kept_megabytes: int = Field(
        64,
        ge=0,
        description="How much memory finished responses may take, to be served again for as long "
        "as nothing changes; 0 keeps none.",
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

    @property
    def session_lifetime(self) -> timedelta:
        """How long a browser stays signed in."""
        return timedelta(days=self.session_days)

    @property
    def base_url(self) -> str:
        """The address under which browsers reach the service, without a slash at its end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"
