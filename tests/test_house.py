"""The house rules: every import points down, settings are documented, files name no machine."""

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import AliasChoices, SecretStr

from runtime.settings import Settings

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements"

# A floor, what it is made of, what it may import of ours, and what of others beside the standard
# library. Each may import itself.
FLOORS: dict[str, tuple[set[str], set[str]]] = {
    "models": (set(), {"aiosqlite", "asyncpg", "orjson", "tortoise"}),
    "runtime": (
        {"models"},
        {
            "httpx",
            "jwt",
            "orjson",
            "opentelemetry",
            "prometheus_client",
            "pydantic",
            "pydantic_settings",
            "pythonjsonlogger",
            "starlette",
        },
    ),
    "schema": ({"models", "runtime"}, {"graphql", "orjson", "starlette", "strawberry"}),
    "server": ({"models", "runtime", "schema"}, {"starlette"}),
    "commands": (
        {"models", "runtime"},
        {
            "asyncpg",
            "httptools",
            "orjson",
            "pydantic",
            "tortoise",
            "typer",
            "uvicorn",
            "websockets",
        },
    ),
    "manage": ({"models", "schema", "commands"}, {"rich", "typer"}),
}
OUTSIDE = {"bench", "tests"}  # nothing imports them
OURS = {*FLOORS, *OUTSIDE}

NEVER_READ = {"node_modules", "dist", "results", "__pycache__"}
BINARY = {".png", ".ico", ".gz", ".woff2", ".webp", ".jpg"}
NAMES_A_REGISTRY = re.compile(
    r"(?:https?:)?//[\w.-]*(?:registry|pypi|npmjs|artifactory|nexus|mirror|goproxy)[\w.-]*[./]",
    re.I,
)
NAMES_A_MACHINE = re.compile(r"(?<![\w.:/~-])/(?:home|root|work|Users|mnt)/[\w.-]")


def _all_files() -> Iterator[Path]:
    for directory, inner, names in os.walk(ROOT):
        hidden = {name for name in inner if name.startswith(".") and name != ".ci"}
        inner[:] = sorted(set(inner) - NEVER_READ - hidden)
        for path in (Path(directory, name) for name in sorted(names)):
            if path.suffix not in BINARY and ".sqlite3" not in path.name:
                yield path


FILES = list(_all_files())  # of the project, less what is installed, built or measured


def floor_of(path: Path) -> str:
    """The part of the house in which a Python file is."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """The top-level package of each import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield (node.module or "").partition(".")[0]


PYTHON_FILES = [path for path in FILES if path.suffix == ".py"]
NAMES = [str(path.relative_to(ROOT)) for path in PYTHON_FILES]


def test_the_house_has_no_part_that_these_rules_do_not_know() -> None:
    assert {floor_of(path) for path in PYTHON_FILES} == OURS


@pytest.mark.parametrize("path", PYTHON_FILES, ids=NAMES)
def test_every_import_points_down(path: Path) -> None:
    floor = floor_of(path)
    if floor in OUTSIDE:
        return
    below, others = FLOORS[floor]
    used = set(imports(ast.parse(path.read_bytes()))) - sys.stdlib_module_names
    assert used <= {floor, *below, *others}


@pytest.mark.parametrize("path", PYTHON_FILES, ids=NAMES)
def test_imports_stand_at_the_top(path: Path) -> None:
    for function in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner = [
                n.lineno for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)
            ]
            assert not inner, f"import inside of a function, in line {inner[0]}"


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in PYTHON_FILES
        if floor_of(path) in {"models", "runtime", "schema", "server"}
        and re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    }
    assert not readers  # pydantic reads it for runtime/settings.py


def _shown(default: object) -> str:
    """A default as the table shows it: nothing where there is none."""
    text = default.get_secret_value() if isinstance(default, SecretStr) else default
    return "" if text is None else str(text)


def settings_by_variable() -> dict[str, str]:
    """The environment variable of each setting, with its default as the table shows it."""
    variables = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        variable = alias.choices[0] if isinstance(alias, AliasChoices) else f"COHORT_{name.upper()}"
        variables[str(variable)] = _shown(field.default)
    return variables


def test_the_table_documents_every_setting_and_no_other() -> None:
    table = re.findall(
        r"^\| `(\w+)` \| (?:`([^`]*)`|empty) \| (\S.*) \|$",
        (ROOT / "docs" / "settings.md").read_text(),
        re.MULTILINE,
    )
    assert {variable: default for variable, default, _ in table} == settings_by_variable()
    assert [what for *_, what in table] == [
        each.description for each in Settings.model_fields.values()
    ]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    assert Settings.model_fields[name].description


def test_no_file_names_a_registry() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in FILES
        for match in NAMES_A_REGISTRY.finditer(path.read_text())
    }
    assert not found


def test_nothing_is_installed_from_a_registry_by_our_name() -> None:
    # The name is not ours there: what would come is somebody else's.
    said = re.compile(r"cohort\[|pip install (?:-\S+ )*['\"]?cohort\b")
    assert not [path.name for path in FILES if said.search(path.read_text())]


@pytest.mark.parametrize("name", ["runs", "traces"])
def test_what_is_installed_to_serve_is_what_is_tested(name: str) -> None:
    pinned, tested = (
        set(re.findall(r"^[\w.-]+==\S+", file.read_text(), re.MULTILINE))
        for file in (REQUIREMENTS / f"{name}.txt", REQUIREMENTS / "tests.txt")
    )
    assert pinned <= tested


def test_what_traces_need_is_pinned() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = (REQUIREMENTS / "traces.txt").read_text().splitlines()
    assert set(wanted["optional-dependencies"]["traces"]) <= set(pinned)


def test_no_file_names_a_directory_of_somebodys_machine() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in FILES
        for match in NAMES_A_MACHINE.finditer(path.read_text())
    }
    assert not found


def test_the_lock_of_the_pages_leaves_it_open_where_packages_come_from() -> None:
    locks = [path for path in FILES if path.name == "package-lock.json"]
    assert locks
    assert not [lock for lock in locks if '"resolved"' in lock.read_text()]
