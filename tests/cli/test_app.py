"""The command line as a whole: help, what is typed wrong, whole numbers, completion."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from finitewidth.cli import progress
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


NO_LAW = {
    "law": ("--width", "64", "--depth", "5", "--n-in", "4", "--activation", "tanh"),
    "sample": ("--widths", "4,4", "--n-in", "4", "--activation", "gelu", "--no-bias"),
    "design": ("--depth", "4", "--n-in", "9", "--max-dispersion", "1.1", "--activation", "gelu"),
    "step": ("--width", "9", "--depth", "3", "--n-in", "4", "--activation", "sin", "--bias"),
    "paths": ("--width", "3", "--depth", "3", "--n-in", "2", "--activation", "tanh"),
}


@pytest.mark.parametrize("command", NO_LAW)
def test_without_an_exact_law_the_expansion_is_named_and_can_be_pasted(
    run: Run, command: str
) -> None:
    done = run(command, *NO_LAW[command])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    said, _, pasted = done.stderr.partition("finitewidth expansion ")
    assert "which has no exact law" in said
    assert run("expansion", *pasted.split()).returncode == 0


PIPED = [("law", "--n-in", "9", "--width", "4", "--depth", "3"), ("law", "--help"), ("--version",)]


@pytest.mark.parametrize("arguments", PIPED)
def test_a_pipe_that_closes_is_no_error(arguments) -> None:
    read, write = os.pipe()
    os.close(read)  # as a head that has enough, before the first line
    done = subprocess.run(
        [sys.executable, "-m", "finitewidth", *arguments],
        stdout=write, stderr=subprocess.PIPE, text=True, env=os.environ | ENVIRONMENT, check=False,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "finitewidth", *PIPED[0]],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "finitewidth: [Errno 28] No space left on device\n"


def test_where_standard_error_is_a_file_there_is_a_line_for_every_tenth(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SOON", 0.0)
    with progress.progress_bar("networks", 1e9) as told:
        assert told is not None
        for done in range(1, 2001):
            told(done, 2000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("finitewidth: 10 %: 200 of 2000 networks, ")
    assert lines[-1] == "finitewidth: 100 %: 2000 of 2000 networks"


def test_short_work_says_nothing_into_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.sweep_bar() as told:
        told(SimpleNamespace(finished=1, cells=1, failed=0, done=1.0, total=1.0))
    assert capsys.readouterr().err == ""


def test_a_warning_is_one_line_and_shown_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    from finitewidth.law import KernelLaw

    overview = KernelLaw.overview

    def warned(self, rate):
        for _ in range(3):
            with warnings.catch_warnings():  # after it, Python itself shows a warning anew
                warnings.simplefilter("always")
                warnings.warn("of\nPyTorch", UserWarning, stacklevel=1)
        return overview(self, rate)

    monkeypatch.setattr(KernelLaw, "overview", warned)
    assert run(*PIPED[0]).stderr == "finitewidth: warning: of PyTorch\n"
