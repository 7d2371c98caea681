"""`finitewidth reproduce`: the list, the files, the sentences; numbers are tested elsewhere."""

import pytest

from finitewidth.estimate import Estimate
from finitewidth.report import Curve, Plot, Table
from finitewidth.reproduce import Reproduction, names, registry
from tests.cli.running import Run, document


def test_the_list_names_every_entry(run: Run) -> None:
    done = run("reproduce", "--list")
    assert done.returncode == 0
    told = " ".join(done.stdout.split())
    for name, what in names().items():
        assert f"{name} {what}" in told
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
            [
                Table("A table", ["quantity", "z"], [("x_1", 1.5)]),
                Table("A further table", ["quantity", "z"], [("x_2", 2.5)]),
            ],
            [plot("First figure"), plot("Second figure")],
            {"closed": 2.0, "sampled": Estimate(1.0, 0.25, 7, "dense")},
            seed,
        )

    monkeypatch.setattr("finitewidth.reproduce.reproduce", compute)
    return asked


def test_all_files_of_an_entry(run: Run, tmp_path, entry: dict[str, object]) -> None:
    page, figure = tmp_path / "p.html", tmp_path / "f.svg"
    found = document(
        run, "reproduce", "theorem1", "--quick", "--seed", "4",
        "--html", str(page), "--plot", str(figure),
    )  # fmt: skip
    assert entry == {"name": "theorem1", "quick": True, "seed": 4}
    second = tmp_path / "f-2.svg"
    assert "<svg" in figure.read_text()
    assert "<svg" in second.read_text()
    for words in ("The title", "The source", "A further table", "First figure", "Second figure"):
        assert words in page.read_text()
    assert found["inputs"]["seed"] == 4
    assert found["results"]["closed"]["value"] == 2.0
    assert found["results"]["closed"]["std_error"] == 0
    assert found["results"]["sampled"]["std_error"] == 0.25


def test_markdown_has_every_table(run: Run, entry: dict[str, object]) -> None:
    text = run("reproduce", "x", "--markdown").stdout
    assert text.startswith("### The title\n\nSo it is.\n\nThe source. The ntk setting\n")
    assert "| x\\_1 | 1.500 |" in text
    assert "| x\\_2 | 2.500 |" in text
    assert "- command: finitewidth reproduce x\n" in text
    assert entry["quick"] is False


def test_the_conclusion_and_the_main_table_are_printed(run: Run, entry: dict[str, object]) -> None:
    shown = run("reproduce", "theorem1").stdout
    assert entry["seed"] == 0
    assert shown.splitlines()[:3] == ["The title", "So it is.", "The source. The ntk setting"]
    assert "A table" in shown
    assert "1.5" in shown
    assert "A further table" not in shown
    assert "A further table" in run("reproduce", "theorem1", "--verbose").stdout


def test_bad_input(run: Run, tmp_path) -> None:
    for arguments, words in [
        ([], "no result was named; give one of errata, theorem1"),
        (["theorem9"], "the name is 'theorem9', expected one of errata"),
        (["theorem1", "--html", "x.pdf"], "--html is 'x.pdf', expected a name ending in .html"),
        (["theorem1", "--html", str(tmp_path / "no" / "x.html")], "but there is no folder"),
        (["theorem1", "--html", "x.html", "--report", "y.html"], "Unknown option: --report"),
        (["theorem1", "--plot", "x.gif"], "ending in .png or .svg"),
        (["theorem1", "--seed", "-1"], "seed is -1"),
    ]:
        done = run("reproduce", *arguments)
        assert done.returncode == 2
        assert words in done.stderr


def test_names_are_a_copy() -> None:
    names()["more"] = "nothing"
    assert "more" not in registry.ENTRIES
