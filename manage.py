"""The operator's commands. `python manage.py --help` lists them.

Results go to standard output, everything else to standard error. The exit code is 0 on success, 2
if the command could not be run as given, and 1 if `verify` or `import` found something wrong.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from commands import demo as demos
from commands import organizations, serving, tokens
from commands.console import FOUND, open_standard_streams, plainly, run, say, show
from commands.exporting import export
from commands.files import Content, read_file
from commands.importing import Advance, import_lines
from commands.opening import in_database, in_organization, read_settings
from commands.opening import migrate as migrate_tables
from models.organizations import create_organization
from models.tables import Role
from models.text import quantity
from models.verify import differences
from schema import sdl as schema_sdl

app = typer.Typer(
    help="Cohort: who is on which team, and what they may use because of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
org = typer.Typer(help="Create and list organizations.", no_args_is_help=True)
token = typer.Typer(
    help="Create, list and revoke the tokens that programs sign in with.", no_args_is_help=True
)
app.add_typer(org, name="org")
app.add_typer(token, name="token")

Organization = Annotated[str, typer.Option(help="The organization's name.")]
Email = Annotated[str, typer.Option(help="The email address of a user in the organization.")]
Kind = Annotated[
    Content | None, typer.Option(help="What the file contains, if its header does not show it.")
]


# --------------------------------------------------------------------------------------- serving


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="The address to listen on; overrides HOST.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; overrides PORT.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="How many processes serve; overrides COHORT_WORKERS.")
    ] = None,
    sign_in_link: Annotated[
        bool, typer.Option(help="Print a link that signs in once, as an administrator.")
    ] = False,
) -> None:
    """Run the service. On SQLite it migrates by itself; on PostgreSQL, run `migrate` first."""
    serving.set_environment(HOST=host, PORT=port, COHORT_WORKERS=workers)
    with plainly():
        settings = read_settings()
    run(serving.prepare(settings, link=sign_in_link))
    serving.serve(settings)


@app.command()
def demo() -> None:
    """Create the demo organization, unless it already exists."""
    show(in_database(demos.make, create=True))


@app.command()
def sdl() -> None:
    """Print the GraphQL schema (SDL)."""
    show(schema_sdl().removesuffix("\n"))


# ---------------------------------------------------------------------------------- the database


@app.command()
def migrate() -> None:
    """Create the database's tables, or bring them up to date."""
    show(run(migrate_tables()))


@app.command()
def verify(
    organization: Annotated[str | None, typer.Option(help="Check only this organization.")] = None,
) -> None:
    """Check all counters, intervals and the ledger by recomputing them, and print what is wrong."""
    if organization is None:
        found = in_database(differences)
    else:
        found = in_organization(organization, lambda viewer: differences(viewer.organization_id))
    for sentence in found:
        show(sentence)
    if found:
        raise typer.Exit(FOUND)
    say("No problems were found.")


# --------------------------------------------------------------------------- organizations, tokens


@org.command("create")
def create_org(name: Annotated[str, typer.Argument(help="The name of the organization.")]) -> None:
    """Create an organization."""
    in_database(lambda: create_organization(name))
    say(f"Created the organization {name.strip()}.")


@org.command("list")
def list_orgs() -> None:
    """List the organizations."""
    show(in_database(organizations.list_organizations))


@token.command("create")
def create_token(
    organization: Organization,
    name: Annotated[str, typer.Option(help="What the token is for.")],
    role: Annotated[
        Role | None,
        typer.Option(
            case_sensitive=False, help="What it may do, at most; required without --user."
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="The email address of the user it belongs to.")
    ] = None,
    expires_days: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, help="Days until it expires; never, if omitted."),
    ] = None,
) -> None:
    """Create a token, and print its secret, which is shown only once."""
    secret = in_organization(
        organization, lambda viewer: tokens.create(viewer, name, role, user, expires_days)
    )
    say("Keep this secret; it is not shown again:")
    show(secret)


@token.command("list")
def list_tokens(organization: Organization) -> None:
    """List tokens, newest first. Their secrets are not stored, and not shown."""
    show(in_organization(organization, tokens.list_tokens))


@token.command("revoke")
def revoke_token(
    organization: Organization,
    id: Annotated[str, typer.Argument(help="The token's id, as `token list` shows it: tok_…")],
) -> None:
    """Revoke a token."""
    say(in_organization(organization, lambda viewer: tokens.revoke(viewer, id)))


@app.command()
def sign_in_link(organization: Organization, user: Email) -> None:
    """Print a link that signs a browser in as a user. It works once, within an hour."""
    with plainly():
        base_url = read_settings().base_url
    address = in_organization(
        organization, lambda viewer: tokens.sign_in_link(viewer, base_url, user)
    )
    say("This link works once, within an hour:")
    show(address)


# ----------------------------------------------------------------------------------------- files


@app.command("import")
def import_csv(
    organization: Organization,
    file: Annotated[Path, typer.Argument(help="A CSV file in UTF-8, with a header.")],
    kind: Kind = None,
) -> None:
    """Add and update users, bots, personas or memberships from a CSV file: all or nothing."""
    with plainly():
        content, lines, mistakes = read_file(file, kind)
    with _progress(len(lines)) as advance:
        said = in_organization(
            organization, lambda viewer: import_lines(viewer, content, lines, mistakes, advance)
        )
    say(said)


@contextmanager
def _progress(total: int) -> Iterator[Advance]:
    """A progress bar on standard error, if that is a terminal."""
    bar = Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with bar:
        task = bar.add_task("Importing", total=total)
        yield lambda lines: bar.advance(task, lines)


@app.command("export")
def export_csv(
    organization: Organization,
    kind: Annotated[Content, typer.Option(help="What to export.")],
    file: Annotated[
        Path | None, typer.Argument(help="The file to write; standard output, if omitted.")
    ] = None,
) -> None:
    """Write users, bots, personas or memberships as CSV, as `import` reads it."""
    count = in_organization(organization, lambda viewer: export(viewer, kind, file))
    say(f"Wrote {quantity(count, 'line')}.")


if __name__ == "__main__":
    open_standard_streams()
    app()
