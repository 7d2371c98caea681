"""`finitewidth paths` and `finitewidth reproduce`."""

import json

import pytest

import finitewidth as fw
from tests.cli.running import Run


def test_both_columns_are_the_law(run: Run) -> None:
    done = run("paths", "--widths", "3,3", "--show-loops", "--json")
    assert done.returncode == 0
    results = json.loads(done.stdout)["results"]
    law = fw.KernelLaw(fw.MLP(n_in=2, widths=[3, 3]))
    for name, value in {
        "weights_squared": law.moment(2, "weights"),
        "cross": law.cross_moment(),
        "biases_squared": law.moment(2, "biases"),
        "update_ww": law.update_parts()["ww"],
        "update_wb": law.update_parts()["wb"],
    }.items():
        assert results[name]["value"] == pytest.approx(value, rel=1e-12)
        assert results[f"{name}_enumerated"]["value"] == pytest.approx(value, rel=1e-12)
    assert sum(results["kernel_squared_loop_shares"]["value"]) == pytest.approx(1.0)


def test_the_table_and_the_sentence(run: Run) -> None:
    done = run("paths", "--n-in", "784", "--width", "100", "--depth", "50", "--show-loops")
    assert "10^403 quadruples" in done.stdout
    assert "Too many to go through one by one" in done.stdout
    assert "At least 90% of E K² at depth 50 is carried by 0 to 4 loops, 2.01 on" in done.stdout


def test_a_deep_network_is_told_in_logs(run: Run) -> None:
    done = run("paths", "--n-in", "3", "--width", "3", "--depth", "900")
    law = fw.KernelLaw(fw.MLP.equal_width(3, 3, 899))
    for name, value in [
        ("E K_w²", law.log_moment(2, "weights")),
        ("E K_b K_w", law.log_cross_moment()),
        ("E K_b²", law.log_moment(2, "biases")),
    ]:
        (row,) = [line for line in done.stdout.splitlines() if line.startswith(name)]
        assert float(row.split("e^")[1].split()[0]) == pytest.approx(value, abs=1e-4)
    without = run("paths", "--widths", "4", "--no-bias")
    assert without.returncode == 0


def test_figures(run: Run, tmp_path) -> None:
    for options in ([], ["--figure", "2"], ["--sample", "update_wb", "--seed", "3"]):
        path = tmp_path / f"{len(options)}.svg"
        done = run("paths", "--widths", "2,2,2", "--plot", str(path), *options)
        assert done.returncode == 0
        assert "<svg" in path.read_text()
    for options, words in [
        (["--figure", "1"], "give --plot FILE.svg"),
        (["--figure", "3", "--plot", str(tmp_path / "x.svg")], "figure is 3"),
        (["--sample", "kernel", "--plot", str(tmp_path / "x.svg")], "quantity is 'kernel'"),
        (["--activation", "tanh"], "activation is 'tanh'"),
    ]:
        done = run("paths", "--widths", "3,4,3", *options)
        assert done.returncode == 2
        assert words in done.stderr


def test_reproduce(run: Run, tmp_path) -> None:
    page, figure = tmp_path / "page.html", tmp_path / "figure.svg"
    done = run(
        "reproduce", "errata", "--quick", "--html", str(page), "--plot", str(figure), "--json"
    )
    assert done.returncode == 0
    for title in ("1. E K_b is not d/2", "2. E ΔK is negative", "3. β sums", "4. The inner sum"):
        assert title in page.read_text()
    assert "<svg" in figure.read_text()
    as_json = json.loads(done.stdout)
    found = as_json["results"]["inner-sum, 1-40-1, simulated"]
    assert found["std_error"] > 0
    assert not as_json["results"]["inner-sum, 1-40-1, exact law"]["std_error"]
    for arguments, words in [
        ([], "no result was named; give one of errata"),
        (["theorem9"], "the name is 'theorem9'"),
        (["errata", "--html", "x.pdf"], "ending in .html"),
        (["errata", "--plot", "x.pdf"], "ending in .png or .svg"),
    ]:
        done = run("reproduce", *arguments)
        assert done.returncode == 2
        assert words in done.stderr
