"""`finitewidth sample`: the numbers of `KernelLaw.summary`, a histogram, a figure, plain errors."""

from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw
from tests.cli.running import Run, document


@pytest.fixture
def run(run: Run) -> Run:
    """`finitewidth sample` in this process."""
    return lambda *arguments: run("sample", *arguments)


NETWORK = ("--n-in", "5", "--widths", "4,3", "--size", "5e3", "--seed", "7")


def test_json_holds_the_summary(run: Run) -> None:
    whole = document(run, *NETWORK)
    law = fw.KernelLaw(fw.MLP(5, [4, 3]))
    summary = law.summary(5000, 7)
    assert whole["inputs"]["size"] == 5000
    assert whole["inputs"]["seed"] == 7
    assert whole["inputs"]["input"] == "|x|^2 = 5"
    expected = {
        "mean_over_exact": summary.mean,
        "second_moment_over_exact": summary.second_moment,
        "dead_fraction": summary.dead,
    }
    for name, one in (("log_kernel", summary.log_kernel), ("log_norm", summary.log_norm)):
        for moment in ("mean", "variance", "skewness", "excess_kurtosis"):
            expected[f"{name}_{moment}"] = getattr(one, moment)
    for level in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        expected[f"quantile_{level:g}"] = summary.quantile(level)
    found = whole["results"]
    for name, estimate in expected.items():
        assert found[name]["value"] == estimate.value, name
        assert found[name]["std_error"] == estimate.std_error, name
        assert found[name]["exact"] is False
    closed = {
        "log_mean": law.log_moment(1),
        "log_second_moment": law.log_moment(2),
        "log_dispersion": law.log_dispersion(),
        "exact_dead_fraction": 1 - (1 - 1 / 16) * (1 - 1 / 8),
    }
    for name, value in closed.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-14), name
        assert found[name]["exact"] is True
    wide = {"log_norm_mean_wide": -2.5 * law.net.beta, "log_norm_variance_wide": 5 * law.net.beta}
    for name, value in wide.items():
        assert found[name]["value"] == pytest.approx(value, rel=1e-14), name
        assert found[name]["exact"] is False
    assert set(found) == set(expected) | set(closed) | set(wide)


def test_what_is_not_trusted_says_so(run: Run) -> None:
    arguments = ("--n-in", "10", "--width", "50", "--depth", "200", "--size", "1000")
    found = document(run, *arguments)["results"]["second_moment_over_exact"]
    assert found["trusted"] is False
    assert "use the exact moment, law.log_moment" in found["note"]
    assert "not trusted" in run(*arguments, "--verbose").stdout


def test_workers_do_not_matter_and_seeds_do(run: Run) -> None:
    one = document(run, *NETWORK, "--workers", "1")
    assert one == document(run, *NETWORK, "--workers", "2")
    assert one["results"] != document(run, *NETWORK[:-1], "8")["results"]


def test_every_option_of_the_network_arrives(run: Run, tmp_path: Path) -> None:
    x = np.array([0.5, -1.0, 2.0])
    np.save(tmp_path / "x.npy", x)
    found = document(run,
        "--input", str(tmp_path / "x.npy"), "--widths", "6,5", "--activation", "leaky_relu",
        "--negative-slope", "0.2", "--parametrization", "standard", "--hidden-gain", "1.5",
        "--output-gain", "3", "--no-bias", "--size", "500",
    )["results"]  # fmt: skip
    net = fw.MLP(
        3, [6, 5], "leaky_relu", 0.2, parametrization="standard", hidden_gain=1.5,
        output_gain=3.0, bias=False,
    )  # fmt: skip
    summary = fw.KernelLaw(net, x).summary(500, 0)
    assert found["quantile_0.5"]["value"] == summary.quantile(0.5).value
    assert found["log_mean"]["value"] == pytest.approx(fw.KernelLaw(net, x).log_moment(1))


def test_few_networks_have_no_far_quantiles(run: Run) -> None:
    found = document(run, "--n-in", "5", "--widths", "4,3", "--size", "100")["results"]
    levels = {name for name in found if name.startswith("quantile_")}
    assert levels == {"quantile_0.25", "quantile_0.5", "quantile_0.75"}


def test_the_terminal_shows_quantiles_and_a_histogram(run: Run) -> None:
    done = run(*NETWORK)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(len(line) for line in lines) <= 100
    assert len(lines) <= 40
    assert "The exact mean is" in "".join(lines[:4])
    summary = fw.KernelLaw(fw.MLP(5, [4, 3])).summary(5000, 7)
    median = next(line for line in lines if line.startswith("50 % "))
    assert str(summary.quantile(0.5)) in median
    bars = [line for line in lines if " – " in line and " % " in line]
    assert 10 <= len(bars) <= 12
    check_bars(bars, summary.dead.value)
    for detail in ("fraction with a dead layer", "wide: drift − ν/2 Σ1/n, ν Σ1/n"):
        assert detail not in done.stdout
        assert detail in run(*NETWORK, "--verbose").stdout


def test_the_histogram_in_full(run: Run) -> None:
    lines = run(*NETWORK, "--verbose").stdout.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("Share of networks in more"))
    bars = [line for line in lines[start:] if " – " in line and " % " in line]
    assert 10 <= len(bars) <= 20
    check_bars(bars, fw.KernelLaw(fw.MLP(5, [4, 3])).summary(5000, 7).dead.value)


def check_bars(bars: list[str], dead: float) -> None:
    """Whether shares are all networks that are shown, and bars are as long as they say."""
    shares = [float(line.split("%")[0].split()[-1]) for line in bars]
    # All living networks but the outer 0.1 % on either side; each share is rounded to 0.005.
    alive = 100 * (1 - dead)
    assert 0.998 * alive - 0.005 * len(bars) <= sum(shares) <= alive + 0.005 * len(bars)
    lengths = [line.count("█") for line in bars]
    assert np.argmax(lengths) == np.argmax(shares)
    assert max(lengths) == 70


def test_numbers_beyond_a_double_are_logs(run: Run) -> None:
    arguments = ("--n-in", "5", "--width", "30", "--depth", "16", "--hidden-gain", "1e60",
                 "--size", "1000")  # fmt: skip
    found = document(run, *arguments)["results"]
    assert "quantile_0.5" not in found
    assert found["log_quantile_0.5"]["value"] > 1900
    text = run(*arguments).stdout
    assert "Quantiles of ln K" in text
    assert "e^20" in text


def test_a_network_in_which_every_kernel_is_the_same(run: Run) -> None:
    found = document(run, "--n-in", "5", "--depth", "1", "--size", "1000")["results"]
    assert found["quantile_0.5"]["value"] == pytest.approx(2.0, rel=1e-3)  # a bin
    assert found["exact_dead_fraction"]["value"] == 0.0
    assert run("--n-in", "5", "--depth", "1", "--size", "1000").returncode == 0


def test_networks_that_are_all_dead_are_refused_in_one_line(run: Run) -> None:
    done = run("--n-in", "5", "--width", "1", "--depth", "61", "--size", "1000")
    assert (done.returncode, done.stdout) == (2, "")
    assert "1000 of 1000 networks have a dead layer" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_plot_draws_a_figure(run: Run, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    file = tmp_path / f"law.{ending}"
    done = run(*NETWORK, "--plot", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert str(file) in " ".join(done.stdout.split("\n"))
    if ending == "svg":
        text = file.read_text(encoding="utf-8")
        assert text.lstrip().startswith(("<?xml", "<svg"))
        for label in ("ln K(x, x)", "density", "exact mean", "median"):
            assert label in text, label
    else:
        from matplotlib import image

        assert file.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        pixels = image.imread(file)
        assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 10


BAD = {
    "no network": (("--n-in", "5"), "depth is missing"),
    "size 0": ((*NETWORK[:4], "--size", "0"), "size is 0"),
    "size fraction": ((*NETWORK[:4], "--size", "2.5"), "'2.5'"),
    "size text": ((*NETWORK[:4], "--size", "many"), "'many'"),
    "too few": ((*NETWORK[:4], "--size", "63"), "at least 64"),
    "too many": ((*NETWORK[:4], "--size", "1e13"), "size is 10000000000000"),
    "seed": ((*NETWORK[:4], "--size", "100", "--seed", "-1"), "seed is -1"),
    "workers": ((*NETWORK, "--workers", "0"), "workers is 0"),
    "weight law": ((*NETWORK, "--weight-law", "uniform"), "Gaussian weights"),
    "activation": ((*NETWORK, "--activation", "tanh"), "'tanh'"),
    "plot": ((*NETWORK, "--plot", "law.pdf"), "'law.pdf', expected a name ending in .png or .svg"),
    "no folder": ((*NETWORK, "--plot", "nowhere/law.svg"), "nowhere"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2(
    run: Run, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, part = BAD[case]
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert part in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert not list(tmp_path.iterdir())
