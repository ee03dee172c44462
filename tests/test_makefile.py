"""What `make` does where a step fails: the next run must do it again."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# As Debian's Python without python3-venv: it makes the environment, and fails to add pip to it.
WITHOUT_PIP = """#!/bin/sh
mkdir -p .venv/bin && touch .venv/bin/python && echo "$@" >> asked && exit 1
"""


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_a_virtual_environment_that_has_no_pip_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    python = tmp_path / "python"
    python.write_text(WITHOUT_PIP)
    python.chmod(0o755)
    make = ["make", "-f", str(ROOT / "Makefile"), f"PYTHON={python}", ".venv/bin/python"]
    for _ in range(2):
        assert subprocess.run(make, cwd=tmp_path, capture_output=True).returncode == 2
    assert (tmp_path / "asked").read_text().splitlines() == ["-m venv .venv"] * 2
