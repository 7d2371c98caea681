"""The example of `finitewidth check` in README.md: as a reader runs it, printing what is shown."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import ENVIRONMENT

pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
pytest.importorskip("sklearn", reason="scikit-learn (demo extra) is absent")

ROOT = Path(__file__).parents[2]
PROGRAM = ".venv/bin/finitewidth"


def example() -> tuple[list[str], str]:
    """Arguments of the command, and what the page shows below it."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    begin = page.index(f"$ {PROGRAM} check ")
    block = page[begin : page.index("```", begin)]
    command, _, shown = block.partition("\n")
    return shlex.split(command)[2:], shown


def test_the_readme_shows_what_the_command_prints():
    arguments, shown = example()
    done = subprocess.run(
        [sys.executable, "-m", "finitewidth", *arguments],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = [line.rstrip() for line in done.stdout.rstrip().splitlines()]
    assert printed == shown.rstrip().splitlines()
    assert len(printed) <= 40
    assert max(map(len, printed)) <= 80
