"""What must happen once, although several processes run the tests side by side."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Keep waiting whoever enters a block with the same file, until this one is left."""
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def install_packages(directory: Path) -> None:
    """Install the packages of Node that a directory's lock file names, unless they are there."""
    lock, installed = directory / "package-lock.json", directory / "node_modules/.package-lock.json"
    with alone(lock):
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(["npm", "ci", "--silent"], cwd=directory, check=True)
