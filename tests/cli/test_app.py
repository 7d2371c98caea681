"""The command line as a whole: help, what is typed wrong, whole numbers, completion."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from finitewidth.cli.app import COMMANDS
from finitewidth.cli.numbers import whole_number
from tests.cli.running import ENVIRONMENT, Run


def test_the_list_says_what_each_command_does(run: Run) -> None:
    for arguments in ((), ("--help",)):
        done = run(*arguments)
        assert done.returncode == 0
        for name in COMMANDS:
            (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"│ {name} ")]
            assert len(line.strip("│ ").removeprefix(name).split()) >= 3, line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("law", "--n-im", "3"), "Unknown option: --n-im. Did you mean --n-in?"),
        (("lwa",), 'Did you mean "law"?'),
        (("law", "--n-in"), "--n-in requires an argument"),
        (("law", "--lr", "fast"), "Invalid value for --lr"),
        (("law", "--width", "2.5"), "--width: '2.5', expected a whole number such as 256 or 1e6."),
        (("law", "one"), "one"),
        (("law", "--json", "--markdown", "--n-in", "3", "--widths", "4"), "give one of them"),
    ],
)
def test_a_slip_is_one_sentence_and_exit_code_2(run: Run, arguments, words) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("finitewidth: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_whole_numbers() -> None:
    accepted = {"256": 256, "1e6": 10**6, "1_000": 1000, "2.50e2": 250, "-3": -3, "1e23": 10**23}
    assert {text: whole_number(text) for text in accepted} == accepted
    for text in ("2.5", "inf", "nan", "1e400", "1" + 309 * "0", "", "five", "1e-3"):
        with pytest.raises(ValueError, match="expected a whole number such as 256 or 1e6"):
            whole_number(text)


def test_completion_is_installed_in_the_home_of_the_user(tmp_path: Path) -> None:
    env = {**os.environ, **ENVIRONMENT, "HOME": str(tmp_path), "SHELL": "/bin/bash"}
    program = [sys.executable, "-m", "finitewidth", "--install-completion"]
    subprocess.run(program, env=env, check=True, capture_output=True, timeout=60)
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert any("finitewidth" in text and "--n-in" in text for text in written)


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_a_missing_extra_is_said_before_anything_is_computed(
    run: Run, monkeypatch, tmp_path: Path, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    # the network is missing too, which is said first where the extra is looked for later
    done = run("law", "--html", str(tmp_path / "out.html"))
    assert done.returncode == 2
    assert f"HTML reports need {missing}, which is not installed" in done.stderr
