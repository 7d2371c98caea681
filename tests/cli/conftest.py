"""The command line, run in this process."""

import sys

import pytest

from finitewidth.cli import main, progress
from tests.cli.running import ENVIRONMENT, Done, Run


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    monkeypatch.setattr(progress, "SOON", float("inf"))  # nothing depends on the machine's speed

    def command(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["finitewidth", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return Done(int(stopped.value.code or 0), captured.out, captured.err)

    return command
