"""`finitewidth reproduce`: the list, the files, the sentences; numbers are tested elsewhere."""

import json

import pytest

from finitewidth.report import Table
from finitewidth.reproduce import Reproduction, names, registry
from tests.cli.running import Run


def test_the_list_names_every_entry(run: Run) -> None:
    done = run("reproduce", "--list")
    assert done.returncode == 0
    listed = [line.partition(": ") for line in done.stdout.splitlines()]
    assert {name: what for name, _, what in listed} == names()
    for name in (
        "errata", "theorem1", "theorem2", "proposition3", "proposition4", "proposition5",
        "joint-limit", "real-step", "log-norm", "dyer-gur-ari", "guillen", "seleznova",
        "kernel-drift",
    ):  # fmt: skip
        assert name in names()


def test_every_entry_is_a_module_with_its_own_words() -> None:
    from importlib import import_module

    for name, what in names().items():
        module = import_module(f"finitewidth.reproduce.{name.replace('-', '_')}")
        assert callable(module.reproduce)
        assert len(what) > 20


def test_all_files_of_one_entry(run: Run, tmp_path) -> None:
    page, figure, text = (tmp_path / name for name in ("p.html", "f.svg", "t.md"))
    done = run(
        "reproduce", "proposition3", "--quick", "--seed", "4", "--json",
        "--report", str(page), "--plot", str(figure), "--markdown", str(text),
    )  # fmt: skip
    assert done.returncode == 0
    second = tmp_path / "f-2.svg"
    assert "<svg" in figure.read_text()
    assert "<svg" in second.read_text()
    assert figure.read_text() != second.read_text()
    markdown = text.read_text()
    assert markdown.startswith("# Proposition 3 of Hanin & Nica (2020)")
    assert "(f.svg)" in markdown
    assert "(f-2.svg)" in markdown
    assert "| network | printed | corrected | exact law | enumeration |" in markdown
    assert "ntk parametrization" in markdown
    assert "seed 4." in markdown
    for title in ("E K_w", "E K_w²", "E Δ_ww", "Exact over form"):
        assert title in page.read_text()
    found = json.loads(done.stdout)
    assert found["inputs"]["seed"] == 4
    exact = found["results"]["update-ww, 2-3-3-1, exact law"]
    assert exact["value"] == pytest.approx(104 / 9, rel=1e-12)
    assert found["results"]["update-ww, 2-3-3-1, enumeration"]["value"] == pytest.approx(104 / 9)
    assert found["results"]["update-ww, 2-3-3-1, simulated"]["std_error"] > 0


def test_the_tables_and_the_conclusion_are_printed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table("A table", ["quantity", "z"], [("x", 1.5)])
    one = Reproduction(
        "theorem1", "The title", "The source", "The setting", ["So it is."], [table], [], {}, 0
    )
    monkeypatch.setattr("finitewidth.cli.reproduce.compute", lambda *_, **__: one)
    done = run("reproduce", "theorem1")
    for words in ("The title", "The source", "The setting", "A table", "1.5", "So it is."):
        assert words in done.stdout


def test_bad_input(run: Run, tmp_path) -> None:
    for arguments, words in [
        ([], "no result was named; give one of errata, theorem1"),
        (["theorem9"], "the name is 'theorem9', expected one of errata"),
        (["theorem1", "--report", "x.pdf"], "--report is 'x.pdf', expected a name ending in .html"),
        (["theorem1", "--markdown", "x.txt"], "--markdown is 'x.txt', expected a name ending in"),
        (["theorem1", "--markdown", str(tmp_path / "no" / "x.md")], "but there is no folder"),
        (["theorem1", "--report", str(tmp_path / "no" / "x.html")], "but there is no folder"),
        (["theorem1", "--plot", "x.gif"], "ending in .png or .svg"),
        (["theorem1", "--seed", "-1"], "seed is -1"),
    ]:
        done = run("reproduce", *arguments)
        assert done.returncode == 2
        assert words in done.stderr


def test_names_are_a_copy() -> None:
    names()["more"] = "nothing"
    assert "more" not in registry.ENTRIES
