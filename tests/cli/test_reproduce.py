"""`finitewidth reproduce`: the list, the files, the sentences; numbers are tested elsewhere."""

import json

import pytest

from finitewidth.estimate import Estimate
from finitewidth.report import Curve, Plot, Table
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


def plot(title: str) -> Plot:
    return Plot(title, f"About {title}.", "x", "y", [Curve("line", [0.0, 1.0], [0.0, 1.0])])


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A small entry in place of a long one; what it was asked for."""
    asked: dict[str, object] = {}

    def compute(name: str, *, quick: bool, seed: int, progress: object) -> Reproduction:
        asked.update(name=name, quick=quick, seed=seed)
        return Reproduction(
            name,
            "The title",
            "The source",
            "The ntk setting",
            ["So it is."],
            [Table("A table", ["quantity", "z"], [("x_1", 1.5)])],
            [plot("First figure"), plot("Second figure")],
            {"closed": 2.0, "sampled": Estimate(1.0, 0.25, 7, "dense")},
            seed,
        )

    monkeypatch.setattr("finitewidth.cli.reproduce.compute", compute)
    return asked


def test_all_files_of_an_entry(run: Run, tmp_path, entry: dict[str, object]) -> None:
    page, figure, text = (tmp_path / name for name in ("p.html", "f.svg", "t.md"))
    done = run(
        "reproduce", "theorem1", "--quick", "--seed", "4", "--json",
        "--report", str(page), "--plot", str(figure), "--markdown", str(text),
    )  # fmt: skip
    assert done.returncode == 0
    assert entry == {"name": "theorem1", "quick": True, "seed": 4}
    second = tmp_path / "f-2.svg"
    assert "<svg" in figure.read_text()
    assert "<svg" in second.read_text()
    markdown = text.read_text()
    assert markdown.startswith("# The title\n\nThe source. The ntk setting\n\nSo it is.\n")
    assert "| quantity | z |" in markdown
    assert "![First figure](f.svg)\n\nAbout First figure." in markdown
    assert "![Second figure](f-2.svg)" in markdown
    assert markdown.endswith("finitewidth reproduce theorem1, seed 4.\n")
    for words in ("The title", "The source", "A table", "First figure", "Second figure"):
        assert words in page.read_text()
    found = json.loads(done.stdout)
    assert found["inputs"]["seed"] == 4
    assert found["results"]["closed"]["value"] == 2.0
    assert found["results"]["closed"]["std_error"] == 0
    assert found["results"]["sampled"]["std_error"] == 0.25


def test_markdown_links_from_its_own_folder(run: Run, tmp_path, entry: dict[str, object]) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "text").mkdir()
    text = tmp_path / "text" / "t.md"
    figure = tmp_path / "figures" / "f.svg"
    assert run("reproduce", "x", "--plot", str(figure), "--markdown", str(text)).returncode == 0
    assert "(../figures/f-2.svg)" in text.read_text()
    assert run("reproduce", "x", "--markdown", str(text)).returncode == 0
    assert "figure" not in text.read_text()
    assert entry["quick"] is False


def test_the_tables_and_the_conclusion_are_printed(run: Run, entry: dict[str, object]) -> None:
    done = run("reproduce", "theorem1")
    assert entry["seed"] == 0
    for words in ("The title", "The source", "The ntk setting", "A table", "1.5", "So it is."):
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
