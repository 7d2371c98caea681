"""What a store's outcome, status and report show of its cells."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import finitewidth as fw
from finitewidth.report import Curve, Plot, Points, Shown, Table
from finitewidth.sweep import Outcome


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "r.sqlite"


def run(store: Path, **axes: Any) -> Outcome:
    """Two methods at two widths, or with other axes."""
    grid = {"method": ["law", "sampler"], "n_in": 5, "width": [4, 7], "depth": 3} | axes
    return fw.sweep.run({"axes": grid, "precision": {"max_networks": 4096}}, store)


def terminal(shown: Shown, width: int = 80) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(shown)
    return captured.get().splitlines()


def test_a_report_has_every_cell_and_a_line_for_every_combination(store: Path) -> None:
    run(store, depth=[3, 5])
    page = fw.sweep.report(store).page()
    figures, table = page.sections[0].blocks, page.sections[1].blocks[0]
    mean = figures[0]
    assert isinstance(mean, Plot)
    assert mean.x_label == "width"
    drawn = {line.label: line for line in mean.series}
    assert set(drawn) == {"depth 3, law", "depth 5, law", "depth 3, sampler", "depth 5, sampler"}
    law, sampled = drawn["depth 5, law"], drawn["depth 5, sampler"]
    assert isinstance(law, Curve)
    assert isinstance(sampled, Points)
    exact = [fw.KernelLaw(fw.MLP.equal_width(5, width, 4)).mean() for width in (4, 7)]
    np.testing.assert_allclose(law.y, exact)
    assert law.x.tolist() == [4, 7]
    data = fw.sweep.open(store).sel(depth=5, by_method="sampler")
    np.testing.assert_array_equal(sampled.y, data.kernel_mean)
    np.testing.assert_array_equal(sampled.std_error, data.kernel_mean_std_error)
    assert isinstance(table, Table)
    assert len(table.rows) == 8
    assert dict(page.provenance.lines())["store"] == "r.sqlite"


def test_a_report_without_numbers_on_an_axis_has_no_figure(store: Path) -> None:
    run(store, width=4)
    titles = [section.title for section in fw.sweep.report(store).page().sections]
    assert titles == ["All finished cells", "The same in all cells"]


def test_a_report_leaves_out_what_is_not_finished(store: Path) -> None:
    assert not run(store, method="law", activation=["relu", "tanh"]).complete
    page = fw.sweep.report(store).page()
    assert page.lead == ["2 of 4 cells are finished, 2 failed."]
    mean, table = page.sections[0].blocks[0], page.sections[1].blocks[0]
    assert isinstance(mean, Plot)
    assert isinstance(table, Table)
    assert [line.label for line in mean.series] == ["relu"]
    assert [row[0] for row in table.rows] == [4, 7]


def test_a_long_table_is_a_detail(store: Path) -> None:
    run(store, method="law", width=list(range(1, 23)))
    found = fw.sweep.report(store)
    assert found.page().lead == [
        "22 of 22 cells are finished, 0 failed.",
        "The table of them: --verbose, --html or --markdown.",
    ]
    assert len(terminal(found)) < 10
    assert found.markdown().count("| law |") == 0
    assert f"| 22 | {fw.KernelLaw(fw.MLP(5, [22, 22])).mean():.3f} |" in found.markdown()


def test_an_outcome_shows_its_first_cells_and_every_cause_once(store: Path) -> None:
    done = run(store, method="law", width=[2, *range(4, 20)], activation=["relu", "tanh"])
    lines = terminal(done)
    assert lines[0] == "34 cells: 17 finished, 17 failed"
    assert sum("17 failed: the exact law needs" in line for line in lines) == 1
    assert any(line.startswith("  12 of 17 finished cells; all of them:") for line in lines)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 40
    assert "<table>" in done._repr_html_()


def test_a_status_shows_counts_and_causes(store: Path) -> None:
    run(store, activation=["relu", "tanh"])
    found = fw.sweep.status(store)
    assert {name: (one.cells, one.failed) for name, one in found.methods.items()} == {
        "law": (4, 2), "sampler": (4, 2),
    }  # fmt: skip
    text = " ".join(terminal(found))
    assert "4 failed: the exact law needs" in text
    assert "Runs: 1; the last one was closed." in text


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_single_cell_shows_itself_finished_or_failed(store: Path, activation: str) -> None:
    done = run(store, method="law", width=4, activation=activation)
    assert terminal(done)[0].startswith("1 cells: ")
    if activation == "tanh":
        with pytest.raises(ValueError, match=r"no cell of .* is finished yet"):
            fw.sweep.report(store)
        return
    (table,) = (one for one in fw.sweep.report(store).page().sections[0].blocks)
    assert isinstance(table, Table)
    assert table.rows == [[fw.KernelLaw(fw.MLP(5, [4, 4])).mean(), table.rows[0][1]]]
