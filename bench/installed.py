"""A PostgreSQL that is installed on this machine, run as a server of our own.

The one that comes as a Python wheel lacks pg_trgm, without which a search for a rare text looks at
everybody.
"""

import os
import shutil
import subprocess
from pathlib import Path

EXTENSIONS = ("pg_trgm", "btree_gin")
INSTALLED = Path("/usr/lib/postgresql")  # where Debian has a directory for each version


def with_trigrams() -> Path | None:
    """Where the programs of an installed PostgreSQL are that has the extensions; None if none has.

    They are in Debian's packages `postgresql` and `postgresql-contrib`.
    """
    found = shutil.which("pg_config")
    versions = sorted(INSTALLED.glob("*/bin"), key=lambda path: float(path.parent.name))
    for directory in [*reversed(versions), *([Path(found).parent] if found else [])]:
        config = directory / "pg_config"
        if not (config.exists() and (directory / "initdb").exists()):
            continue
        share = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=True)
        extensions = Path(share.stdout.strip(), "extension")
        if all((extensions / f"{name}.control").exists() for name in EXTENSIONS):
            return directory
    return None


class InstalledServer:
    """A server, by a socket in its own directory, which is made.

    PostgreSQL refuses to run as root, and runs as `postgres` then.
    """

    def __init__(self, programs: Path, directory: Path, *options: str) -> None:
        self.programs = programs
        self.directory = directory
        self.log = directory / "log"
        self.user = "postgres" if os.geteuid() == 0 else None
        directory.mkdir()
        if self.user:
            directory.parent.chmod(0o711)
            shutil.chown(directory, self.user)
        self._run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N")
        where = f"-c listen_addresses='' -c unix_socket_directories={directory}"
        settings = " ".join([where, *(f"-c {option}" for option in options)])
        self._run("pg_ctl", "-w", "-l", str(self.log), "-o", settings, "start")

    @property
    def pid(self) -> int:
        """The process that all of the others are below."""
        return int((self.directory / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    def get_uri(self, user: str = "postgres", database: str = "postgres") -> str:
        """The URL of a database."""
        return f"postgresql://{user}@/{database}?host={self.directory}"

    def cleanup(self) -> None:
        """End it."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, "-D", self.directory / "data", *arguments],
            user=self.user,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            check=True,
        )
