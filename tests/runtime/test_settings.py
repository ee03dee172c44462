"""Settings come from the environment, and a wrong one stops the process with its name."""

from datetime import timedelta
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le
from pydantic import AliasChoices, ValidationError

from runtime.settings import Settings


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    alias = Settings.model_fields[name].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"COHORT_{name.upper()}"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)


def test_nothing_has_to_be_set() -> None:
    settings = Settings()
    assert settings.database_url == "sqlite://cohort.sqlite3"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.session_lifetime == timedelta(days=14)


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("DATABASE_URL", "postgres://db/cohort", "database_url", "postgres://db/cohort"),
        ("HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("PORT", "8080", "port", 8080),
        ("COHORT_WORKERS", "4", "workers", 4),
        ("COHORT_LOG_FORMAT", "json", "log_format", "json"),
        ("COHORT_SESSION_DAYS", "1", "session_lifetime", timedelta(days=1)),
        ("COHORT_PUBLIC_URL", "https://cohort.example/", "base_url", "https://cohort.example"),
        ("PORT", "9000", "base_url", "http://127.0.0.1:9000"),
        ("HOST", "::1", "base_url", "http://[::1]:8000"),
        ("COHORT_POLL_SECONDS", "", "poll_seconds", None),
    ],
)
def test_a_setting_is_read_from_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, name: str, expected: Any
) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(Settings(), name) == expected


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_read_from_the_variable_that_is_documented(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    default = getattr(Settings(), name)
    values = {
        "log_format": "json",
        "log_level": "DEBUG",
        "public_url": "https://cohort.example",
        "cors_origins": "https://app.example.com",
        "oidc_issuer": "https://login.example.com",
        "oidc_jwks_url": "https://login.example.com/keys",
        "oidc_algorithms": "ES384, PS512",
        "traces_sampled": "0.5",
        "traces_url": "http://127.0.0.1:4318/v1/traces",
        "without": "plans",
    }
    monkeypatch.setenv("COHORT_OIDC_AUDIENCE", "an issuer needs one")
    number = str((default or 0) + 1) if isinstance(default, int | float | None) else ""
    monkeypatch.setenv(variable_of(name), values.get(name, number or "something"))
    assert getattr(Settings(), name) != default


def wrong_values() -> list[tuple[str, str]]:
    """Values that each setting must refuse: no number where one is needed, or one out of bounds."""
    wrong = [("log_format", "xml"), ("log_level", "LOUD"), ("host", "")]
    for name in ("public_url", "traces_url"):
        wrong += [(name, url) for url in ("cohort.example", "ftp://cohort.example", "http://")]
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, int | float):
            wrong += [(name, "many"), (name, "")]
        for limit in field.metadata:
            if isinstance(limit, Ge):
                wrong.append((name, str(int(str(limit.ge)) - 1)))
            if isinstance(limit, Gt):
                wrong.append((name, str(limit.gt)))
            if isinstance(limit, Le):
                wrong.append((name, str(int(str(limit.le)) + 1)))
    return wrong


@pytest.mark.parametrize(("name", "value"), wrong_values())
def test_a_value_that_makes_no_sense_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(variable_of(name), value)
    with pytest.raises(ValidationError) as raised:
        Settings()
    [problem] = raised.value.errors()
    assert str(problem["loc"][0]).lower() == name


def test_settings_stay_as_they_are() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


def test_what_is_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COHORT_METRICS_TOKEN", "do-not-tell")
    assert "do-not-tell" not in repr(Settings())


# --------------------------------------------------------------------------- pages of other origins

ORIGINS = "COHORT_CORS_ORIGINS"


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        ("", ()),
        ("*", ("*",)),
        ("https://app.example.com", ("https://app.example.com",)),
        (
            "http://localhost:5173/, http://[::1]:8000,",
            ("http://localhost:5173", "http://[::1]:8000"),
        ),
        ("http://app.example.com:443", ("http://app.example.com:443",)),
        ("https://app.example.com:8443", ("https://app.example.com:8443",)),
        ("https://xn--bcher-kva.example", ("https://xn--bcher-kva.example",)),
    ],
)
def test_origins_are_those_that_browsers_send(
    monkeypatch: pytest.MonkeyPatch, value: str, allowed: tuple[str, ...]
) -> None:
    monkeypatch.setenv(ORIGINS, value)
    assert Settings().allowed_origins == allowed


@pytest.mark.parametrize(
    "origin",
    [
        "app.example.com",
        "https://app.example.com/path",
        "https://app.example.com?",
        "https://app.example.com:443",
        "http://app.example.com:80/",
        "https://app.example.com:",
        "https://App.example.com",
        "HTTPS://app.example.com",
        "https://bücher.example",
        "https://*.example.com",
        "https://user@app.example.com",
        "https://app.example.com https://other.example.com",
        "https://",
        "https://[",
        "//app.example.com",
        "ftp://app.example.com",
        "null",
    ],
)
def test_what_is_no_origin_of_a_page_is_refused(
    monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    for value in (origin, f"https://good.example, {origin}"):
        monkeypatch.setenv(ORIGINS, value)
        with pytest.raises(ValidationError, match="must be origins as browsers send them"):
            Settings()


# ------------------------------------------------------------------------------- the issuer of JWTs

ISSUER = "COHORT_OIDC_ISSUER"


def test_an_issuer_needs_an_audience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ISSUER, "https://login.example.com")
    for audience in (None, "", " "):
        if audience is not None:
            monkeypatch.setenv("COHORT_OIDC_AUDIENCE", audience)
        with pytest.raises(ValidationError, match="must be set with COHORT_OIDC_ISSUER") as raised:
            Settings()
        [problem] = raised.value.errors()
        assert str(problem["loc"][0]).lower().endswith("oidc_audience")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.example.com/",
        "http://127.0.0.1:8080/realms/a",
        "http://localhost",
        "http://[::1]",
    ],
)
def test_an_issuer_is_reached_safely(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    monkeypatch.setenv("COHORT_OIDC_AUDIENCE", "cohort")
    monkeypatch.setenv(ISSUER, issuer)
    monkeypatch.setenv("COHORT_OIDC_JWKS_URL", f"{issuer}/keys?version=2")
    assert Settings().oidc_issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "login.example.com",
        "http://login.example.com",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "http://evil.example\\@127.0.0.1",
        "https://",
        "https:///keys",
        "https://[",
        "https://login.example.com\n",
        "file:///etc/keys",
        "ftp://127.0.0.1",
    ],
    ids=ascii,
)
def test_an_issuer_that_somebody_on_the_way_could_change_is_refused(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    monkeypatch.setenv("COHORT_OIDC_AUDIENCE", "cohort")
    for variable in (ISSUER, "COHORT_OIDC_JWKS_URL"):
        with monkeypatch.context() as environment:
            environment.setenv(variable, issuer)
            with pytest.raises(ValidationError, match="must begin with https://"):
                Settings()


@pytest.mark.parametrize("end", ["?", "?tenant=a", "#a"])
def test_an_issuer_is_no_page(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setenv(ISSUER, f"https://login.example.com/{end}")
    with pytest.raises(ValidationError, match="neither"):
        Settings()


@pytest.mark.parametrize(
    "algorithms", ["none", "HS256", "RS256,HS256", "", "RS256,,ES256", "rs256"]
)
def test_an_algorithm_with_a_shared_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, algorithms: str
) -> None:
    monkeypatch.setenv("COHORT_OIDC_ALGORITHMS", algorithms)
    with pytest.raises(ValidationError, match="must be some of RS256"):
        Settings()


def test_algorithms_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COHORT_OIDC_ALGORITHMS", "EdDSA, PS256,EdDSA")
    assert Settings().oidc_algorithm_names == ("EdDSA", "PS256")


def test_what_the_service_does_without_is_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings().does("plans")
    monkeypatch.setenv("COHORT_WITHOUT", "plans, frozen")
    settings = Settings()
    assert [settings.does(each) for each in ("plans", "prepared", "frozen")] == [False, True, False]


def test_it_cannot_do_without_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COHORT_WITHOUT", "plans,ledger")
    with pytest.raises(ValidationError, match="must be some of plans, prepared, frozen"):
        Settings()
