"""`finitewidth check`: the library's numbers, exit codes, every form of output, bad input."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import finitewidth as fw
from finitewidth.report import Plot
from finitewidth.report.renderings import markdown_text
from tests.cli.models import MODELS
from tests.cli.running import Run, document

torch = pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")

STEP = ("--lr", "0.01", "--seeds", "6", "--inputs", "4")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "checked_models.py").write_text(MODELS)
    X, y = np.linspace(-1, 1, 30).reshape(6, 5), np.linspace(-1, 1, 12).reshape(6, 2)
    np.savez(tmp_path / "data.npz", X=X)
    np.savez(tmp_path / "both.npz", X=X, y=y)
    np.savez(tmp_path / "other.npz", Z=np.ones(3))
    np.savez(tmp_path / "objects.npz", X=X, y=np.array([{}, []], dtype=object))
    np.savez(tmp_path / "classes.npz", X=X, y=np.arange(6))
    (tmp_path / "fails_as_it_loads.py").write_text("1 / 0")
    (tmp_path / "text.npz").write_text("no archive")
    np.save(tmp_path / "single.npy", X)
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def models():
    import checked_models  # type: ignore[import-not-found]

    return checked_models


def some(data: str, count: int = 4) -> tuple[np.ndarray, np.ndarray | None]:
    """The inputs that the command takes."""
    found = fw.data.load(data, count)
    return found.X, found.y


def flat(text: str) -> str:
    """Without line breaks and boxes."""
    return " ".join(text.split())


# -- numbers and forms ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["data.npz", "checked_models:data"])
def test_json_of_the_start_holds_the_ensemble(run: Run, folder: Path, data: str) -> None:
    done = run("check", "checked_models:make", "--data", data, "--inputs", "4", "--seeds", "6",
               "--no-train", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["results"]
    drawn = fw.data.load(data, 4)
    direct = fw.measure.ensemble(models().make, drawn.X, 6)
    assert found["mean"]["value"] == direct.mean.value
    assert found["mean"]["std_error"] == direct.mean.std_error
    assert found["log10_condition"]["value"] == direct.log10_condition.value
    shares = [entry["value"] for name, entry in found.items() if name.startswith("share_")]
    assert sum(shares) == pytest.approx(1.0)
    assert found["dispersion"]["trusted"] is False
    assert "movement" not in found


@pytest.mark.parametrize("data", ["both.npz", "checked_models:data"])
def test_json_holds_the_verdict_of_the_library(run: Run, folder: Path, data: str) -> None:
    done = run("check", "checked_models:make", "--data", data, *STEP, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    X, y = some("checked_models:data")
    direct = fw.check(models().make, X, y, learning_rate=0.01, seeds=6)
    assert list(found) == [
        "inputs",
        "results",
        "samples",
        "seeds",
        "network",
        "verdict",
        "version",
    ]
    verdict = found["verdict"]
    assert verdict["word"] == direct.verdict
    assert verdict["sentence"] == direct.sentence
    assert (verdict["passed"], verdict["limits"]) == (True, [])
    assert verdict["theory"] == direct.theory
    assert verdict["seeds_needed"] == direct.decision.seeds_needed
    assert found["inputs"]["seeds"] == list(range(6))
    for row in (*direct.table, *direct.shares):
        entry = found["results"][row.name]
        assert (entry["value"], entry["std_error"]) == (row.measured.value, row.measured.std_error)
        assert entry.get("trusted", True) == row.measured.trusted


def test_the_exact_law_stands_beside_a_network_that_is_recognised(run: Run, folder: Path) -> None:
    arguments = ("checked_models:known", "--data", "checked_models:one", *STEP)
    found = json.loads(run("check", *arguments, "--json").stdout)
    entry = found["results"]["mean_exact_law"]
    net = fw.MLP(5, [40, 40], parametrization="standard")
    X, _ = some("checked_models:one")
    mean = float(np.mean([fw.KernelLaw(net, x).mean() for x in X]))
    assert (entry["value"], entry["std_error"], entry["method"]) == (mean, 0.0, "exact")
    assert entry["exact"]
    printed = run("check", *arguments).stdout
    assert re.search(r"quantity +measured +exact law +z", printed)
    assert "was recognised as an MLP" in flat(printed)


def test_a_network_that_is_not_has_no_theory_column_but_a_sentence(run: Run, folder: Path) -> None:
    printed = run("check", "checked_models:make", "--data", "both.npz", *STEP).stdout
    assert "exact law" not in printed
    assert "No theory stands beside the numbers: module 1 is a Tanh" in flat(printed)


def test_z_is_shown_only_where_the_error_is_trusted() -> None:
    from finitewidth.verdict import Measurement
    from finitewidth.verdict.page.tables import agreement, z_of

    good = fw.Estimate(1.2, 0.1, 9, "measured")
    rare = fw.Estimate(1.2, 0.1, 9, "measured", trusted=False, note="tails.")
    assert z_of(Measurement("a", "a", good, 1.0)) == pytest.approx(2.0)
    assert z_of(Measurement("a", "a", rare, 1.0)) is None
    assert z_of(Measurement("a", "a", good, None)) is None
    assert "agree" in agreement([Measurement("a", "a", good, 1.0)])
    assert "5.0 is more than chance makes" in agreement([Measurement("a", "a", good, 0.7)])
    assert agreement([Measurement("a", "a", rare, 0.7)]) == ""


def test_the_terminal_has_the_verdict_first_and_a_sentence_for_every_number(
    run: Run, folder: Path
) -> None:
    X, y = some("checked_models:data")
    direct = fw.check(models().make, X, y, learning_rate=0.01, seeds=6)
    done = run("check", "checked_models:make", "--data", "both.npz", *STEP)
    assert done.stdout.startswith(f"checked_models:make: {direct.verdict}\n")
    text = flat(done.stdout)
    assert text.index(direct.sentence[1:]) < text.index("Over 6 seeds")
    assert len(done.stdout.splitlines()) <= 40
    for note in (direct.theory, *direct.remarks):
        assert note in text
    verbose = flat(run("check", "checked_models:make", "--data", "both.npz", *STEP,
                       "--verbose").stdout)  # fmt: skip
    for note in direct.notes:
        assert note in verbose
    shown = run("check", "checked_models:make", "--data", "both.npz", *STEP, "--markdown").stdout
    for row in direct.table:
        assert f"| {markdown_text(row.label)} | {markdown_text(row.sentence)} |" in shown
    assert (
        "At 4 of 6 inputs of both.npz, drawn; mse summed over the batch, SGD at rate 0.01." in text
    )


def test_markdown_is_for_a_pull_request(run: Run, folder: Path) -> None:
    done = run("check", "checked_models:make", "--data", "both.npz", *STEP, "--markdown",
               "--max-kernel-change", "0.9")  # fmt: skip
    X, y = some("checked_models:data")
    direct = fw.check(models().make, X, y, learning_rate=0.01, seeds=6)
    lines = done.stdout.splitlines()
    assert lines[0] == f"### checked\\_models:make: {direct.verdict}"
    assert lines[2] == direct.sentence[0].upper() + direct.sentence[1:]
    assert lines[4].startswith("The kernel's relative change in one step is ")
    assert lines[4].endswith("below the limit 0.9: passed.")
    assert "| quantity | measured | limit |" in lines
    assert sum("One SGD step of rate 0.01 changes" in line for line in lines) == 1
    assert done.returncode == 0


def test_no_training_judges_the_start_alone(run: Run, folder: Path) -> None:
    both = ("check", "checked_models:make", "--data", "both.npz", "--seeds", "6")
    for arguments in ((*both, "--no-train"), (*both[:3], "data.npz", *both[4:])):
        done = run(*arguments)
        assert done.stdout.startswith("checked_models:make: start only\n")
        assert "no training was asked for" in flat(done.stdout)
        assert "of one step" not in done.stdout
        assert done.returncode == 0


def test_without_a_rate_it_trains_at_half_of_one_over_the_largest_eigenvalue(
    run: Run, folder: Path
) -> None:
    common = ("check", "checked_models:make", "--data", "both.npz", "--seeds", "6", "--inputs", "4")
    found = document(run, *common, more=["verdict"])
    X, y = some("both.npz")
    direct = fw.check(models().make, X, y, seeds=6)
    assert found["inputs"]["learning_rate"] == direct.setting.learning_rate
    assert found["verdict"]["word"] == direct.verdict
    assert 0 < found["results"]["rate_times_sharpness"]["value"] <= 0.5
    mean = document(run, *common, "--reduction", "mean", more=["verdict"])
    assert mean["inputs"]["learning_rate"] == pytest.approx(
        8 * found["inputs"]["learning_rate"], rel=1e-9
    )  # 4 inputs of two outputs
    assert mean["inputs"]["reduction"] == "mean"
    assert "½/λ_max = " in run(*common).stdout


def test_the_rows_are_drawn_and_said(run: Run, folder: Path) -> None:
    found = document(run, "check", "checked_models:make", "--data", "both.npz", "--no-train",
                     "--seeds", "3", "--inputs", "4", more=["verdict"])  # fmt: skip
    drawn = fw.data.load("both.npz", 4)
    assert found["inputs"]["rows"] == list(drawn.rows)
    whole = document(run, "check", "checked_models:make", "--data", "both.npz", "--no-train",
                     "--seeds", "3", "--inputs", "6", more=["verdict"])  # fmt: skip
    assert whole["inputs"]["rows"] is None


def test_the_verdict_does_not_depend_on_the_order_of_the_file(run: Run, folder: Path) -> None:
    """Targets class after class: the first 8 rows are of one class."""
    y = np.repeat([0, 1, 2], 20)
    X = np.random.default_rng(0).standard_normal((60, 5)) + y[:, None]
    order = np.random.default_rng(1).permutation(60)
    np.savez(folder / "sorted.npz", X=X, y=y)
    np.savez(folder / "shuffled.npz", X=X[order], y=y[order])
    common = ("--loss", "cross_entropy", "--seeds", "3", "--inputs", "8", "--max-steps", "5")
    one, two = (
        document(run, "check", "checked_models:three_classes", "--data", name, *common,
                 more=["verdict"])
        for name in ("sorted.npz", "shuffled.npz")
    )  # fmt: skip
    assert one["results"] == two["results"]
    assert one["verdict"] == two["verdict"]
    assert [int(order[row]) for row in two["inputs"]["rows"]] == one["inputs"]["rows"]
    assert set(y[one["inputs"]["rows"]].tolist()) == {0, 1, 2}


def test_a_loss_that_hardly_falls_is_said_as_what_it_is(run: Run, folder: Path) -> None:
    done = run("check", "checked_models:make", "--data", "both.npz", "--lr", "1e-5", "--seeds",
               "8", "--max-steps", "10")  # fmt: skip
    assert done.stdout.startswith("checked_models:make: undecided\n")
    assert "factor e the kernel moves" not in flat(done.stdout)
    assert "over the fall of" in flat(done.stdout)
    assert "(--max-steps)" in flat(done.stdout)


def test_a_forward_is_named_like_a_model(run: Run, folder: Path) -> None:
    common = ("check", "checked_models:make", "--data", "both.npz", "--no-train", "--seeds", "3")
    plain = document(run, *common, more=["verdict"])
    found = document(run, *common, "--forward", "checked_models:doubled", more=["verdict"])
    ratio = found["results"]["mean"]["value"] / plain["results"]["mean"]["value"]
    assert ratio == pytest.approx(4.0, rel=1e-9)


def test_the_users_own_loss(run: Run, folder: Path) -> None:
    done = run("check", "checked_models:make", "--data", "both.npz", *STEP, "--json",
               "--loss", "checked_models:absolute")  # fmt: skip
    X, y = some("checked_models:data")
    direct = fw.check(models().make, X, y, loss=models().absolute, learning_rate=0.01,
                      seeds=6)  # fmt: skip
    assert json.loads(done.stdout)["verdict"]["sentence"] == direct.sentence


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_the_digits_bring_targets_that_fit_the_loss(loss: str) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn (demo extra) is absent")
    from finitewidth.data import load as read_data

    found = read_data("digits", 5, loss)
    assert found.X.shape == (5, 64)
    assert found.y is not None
    if loss == "mse":
        np.testing.assert_array_equal(found.y, np.eye(10)[[0, 1, 2, 3, 4]])
        assert "one-hot" in found.description
    else:
        np.testing.assert_array_equal(found.y, [0, 1, 2, 3, 4])
        assert found.y.dtype.kind == "i"
        assert "class numbers" in found.description


def test_the_json_holds_every_seed_and_the_network_where_it_is_known(
    run: Run, folder: Path
) -> None:
    found = document(run, "check", "checked_models:known", "--data", "checked_models:one", *STEP,
                     more=["verdict"])  # fmt: skip
    X, y = some("checked_models:one")
    direct = fw.check(models().known, X, y, learning_rate=0.01, seeds=6)
    assert found["seeds"] == list(range(6))
    assert found["network"]["widths"] == [[40, 2]]
    assert found["network"]["parametrization"] == "standard"
    for name in ("mean", "top_eigenvalue", "kernel_change", "movement"):
        row = direct.row(name)
        assert row is not None
        assert np.mean(found["samples"][name]) == pytest.approx(row.measured.value, rel=1e-12)
    assert sum(found["samples"]["diverged"]) == 0
    other = document(run, "check", "checked_models:make", "--data", "data.npz", "--seeds", "3",
                     more=["verdict"])  # fmt: skip
    assert other["network"] is None
    assert set(other["samples"]) == {"mean", "top_eigenvalue"}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_model_may_lie_in_a_file_with_its_neighbours(
    run: Run, folder: Path, workers: str
) -> None:
    place = folder / "elsewhere"
    place.mkdir()
    (place / f"layers_of_{workers}.py").write_text("from torch import nn\nWIDTH = 7\n")
    (place / f"in_a_file_{workers}.py").write_text(
        f"from layers_of_{workers} import WIDTH, nn\n\n"
        "def make():\n    return nn.Sequential(nn.Linear(5, WIDTH), nn.Tanh(), "
        "nn.Linear(WIDTH, 2)).double()\n"
    )
    spec = f"elsewhere/in_a_file_{workers}.py:make"
    common = ("--data", "both.npz", "--seeds", "3", "--inputs", "2")
    found = document(run, "check", spec, *common, "--workers", workers, more=["verdict"])
    same = document(run, "check", "checked_models:make", *common, more=["verdict"])
    assert found["inputs"]["model"] == spec
    assert found["results"] == same["results"]
    assert found["samples"] == same["samples"]


@pytest.mark.parametrize(
    ("name", "part"),
    [("json.py", "another module 'json' is found before it"), ("my-file.py", "no name of a module"),
     ("gone.py", "no such file")],
)  # fmt: skip
def test_a_file_that_cannot_be_imported_is_named(
    run: Run, folder: Path, name: str, part: str
) -> None:
    (folder / "kept").mkdir()
    if name != "gone.py":
        (folder / "kept" / name).write_text("def make():\n    pass\n")
    done = run("check", f"kept/{name}:make", "--data", "data.npz")
    assert done.returncode == 2
    assert part in done.stderr


# -- the gate -------------------------------------------------------------------------------------

FORMS = ((), ("--json",), ("--markdown",))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("limit", "code", "word"), [("0.9", 0, "passed"), ("1e-6", 1, "failed")])
def test_the_exit_code_tells_whether_the_limit_is_kept(
    run: Run, folder: Path, form: tuple[str, ...], limit: str, code: int, word: str
) -> None:
    done = run("check", "checked_models:make", "--data", "both.npz", *STEP,
               "--max-kernel-change", limit, *form)  # fmt: skip
    assert done.returncode == code, done.stderr
    assert f"limit {float(limit):g}: {word}." in flat(done.stdout)
    if form == ("--json",):
        assert json.loads(done.stdout)["verdict"]["passed"] is (code == 0)


def test_a_limit_on_the_dispersion_needs_no_step(run: Run, folder: Path) -> None:
    """Far from the limit 6 seeds decide, whatever the error; near it the exit code is 3."""
    common = ("check", "checked_models:make", "--data", "data.npz", "--no-train", "--seeds")
    done = run(*common, "6", "--max-dispersion", "50")
    assert done.returncode == 0, done.stdout
    assert "below the limit 50: passed" in flat(done.stdout)
    value = document(run, *common, "6", more=["verdict"])["results"]["dispersion"]["value"]
    near = str(1.05 * value)
    done = run(*common, "6", "--max-dispersion", near)
    assert done.returncode == 3
    assert "6 seeds cannot tell, it takes about" in flat(done.stdout)
    told = json.loads(run(*common, "6", "--max-dispersion", near, "--json").stdout)["verdict"]
    assert told["passed"] is None
    assert told["seeds_needed"] > 6
    along = run("check", "checked_models:known", "--data", "checked_models:one", "--no-train",
                "--seeds", "4", "--along", "width=8,9", "--max-dispersion", "1.5")  # fmt: skip
    assert along.returncode in (1, 3)


def test_diverging_is_a_verdict_and_fails_only_a_limit(run: Run, folder: Path) -> None:
    wild = ("check", "checked_models:known", "--data", "checked_models:one", "--seeds", "8",
            "--lr", "1e6")  # fmt: skip
    done = run(*wild)
    assert done.returncode == 0
    assert done.stdout.startswith("checked_models:known: diverges")
    assert run(*wild, "--max-kernel-change", "0.5").returncode == 1


# -- the report -----------------------------------------------------------------------------------


def test_the_report_is_one_file_with_every_figure_and_its_sentence(run: Run, folder: Path) -> None:
    pytest.importorskip("jinja2", reason="jinja2 (report extra) is absent")
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    done = run("check", "checked_models:known", "--data", "checked_models:one", *STEP,
               "--html", "out.html", "--max-kernel-change", "1e-6")  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "The report is in out.html."
    html = (folder / "out.html").read_text(encoding="utf-8")
    X, y = some("checked_models:one")
    direct = fw.check(models().known, X, y, learning_rate=0.01, seeds=6)
    assert f"<h1>checked_models:known: {direct.verdict}" in html
    assert html.count("<svg ") == html.count("<figcaption>") == 4
    assert html.count("<table>") == 3
    assert "failed." in html
    assert "http://" not in html
    assert "https://" not in html
    for title in ("seed by seed", "loss on the batch", "Where the descent", "Which layers"):
        assert title in html


def test_the_report_of_the_start_alone(run: Run, folder: Path) -> None:
    pytest.importorskip("jinja2", reason="jinja2 (report extra) is absent")
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    done = run("check", "checked_models:make", "--data", "data.npz", "--seeds", "4",
               "--html", "out.html", "--json")  # fmt: skip
    json.loads(done.stdout)  # and nothing else on standard output
    assert (folder / "out.html").read_text(encoding="utf-8").count("<svg ") == 2


def test_figures_of_seeds_that_do_not_fall(folder: Path) -> None:
    """Wild rates: a figure never shows what it has not, and says how many fall."""
    pytest.importorskip("matplotlib", reason="matplotlib (report extra) is absent")
    X, y = models().one()
    sentences = {}
    for rate in (0.01, 0.7, 1e6):
        found = fw.check(models().known, X[:4], y[:4], learning_rate=rate, seeds=8)
        drawn = {plot.title: plot for plot in found.page().drawings() if isinstance(plot, Plot)}
        assert found.measured.descent is not None
        away = int(found.measured.descent.diverged.sum())
        falls = drawn.get("The descent: loss on the batch")
        sentences[rate] = "" if falls is None else falls.sentence
        assert ("Where the descent takes the kernel" in drawn) == (8 - away >= 2)
        for plot in drawn.values():
            assert plot.svg()
    assert "it falls for every seed." in sentences[0.01]


# -- bad input ------------------------------------------------------------------------------------

MAKE = "checked_models:make"
BAD = {
    "no colon": (("checked_models",), "module:function"),
    "no module": (("gone_module:make",), "importing 'gone_module' fails"),
    "no function": (("checked_models:gone",), "no function 'gone'"),
    "not a model": (("checked_models:number", "--data", "data.npz"), "expected a torch.nn.Module"),
    "fails": (
        ("checked_models:fails", "--data", "data.npz"),
        "make_model (checked_models:fails) fails at seed 0 with KeyError: 'hidden_size'.",
    ),
    "fails in a file": (
        ("fails_as_it_loads.py:make", "--data", "data.npz"),
        "importing 'fails_as_it_loads.py' fails: ZeroDivisionError: division by zero.",
    ),
    "no file": ((MAKE, "--data", "gone.npz"), "no such file"),
    "no X": ((MAKE, "--data", "other.npz"), "expected an array X"),
    "no archive": ((MAKE, "--data", "text.npz"), "text.npz"),
    "objects": ((MAKE, "--data", "objects.npz"), "holds Python objects"),
    "single array": ((MAKE, "--data", "single.npz"), "a single array"),
    "ragged": ((MAKE, "--data", "checked_models:ragged"), "is no array"),
    "three things": ((MAKE, "--data", "checked_models:three"), "returns 3 things"),
    "lengths": ((MAKE, "--data", "checked_models:shorter"), "6 inputs and 4 targets"),
    "one seed": ((MAKE, "--data", "data.npz", "--seeds", "1"), "at least 2"),
    "no inputs": ((MAKE, "--data", "data.npz", "--inputs", "0"), "--inputs is 0"),
    "wrong shape": ((MAKE, "--data", "digits"), "cannot take an input of shape"),
    "no targets": ((MAKE, "--data", "data.npz", "--lr", "1"), "has no targets y"),
    "targets' shape": ((MAKE, "--data", "classes.npz", "--lr", "1"), "one target for every output"),
    "classes": (
        (MAKE, "--data", "classes.npz", "--lr", "1", "--loss", "cross_entropy"),
        "expected 0 … 1",
    ),
    "loss": ((MAKE, "--data", "both.npz", "--lr", "1", "--loss", "hinge"), "loss is 'hinge'"),
    "rate": ((MAKE, "--data", "both.npz", "--lr", "-1"), "learning_rate is -1"),
    "two forms": ((MAKE, "--data", "both.npz", "--json", "--markdown"), "give one of them"),
    "limit of no step": (
        (MAKE, "--data", "both.npz", "--no-train", "--max-kernel-change", "1"),
        "--no-train was",
    ),
    "rate of no step": ((MAKE, "--data", "both.npz", "--no-train", "--lr", "1"), "with --lr"),
    "limit without targets": (
        (MAKE, "--data", "data.npz", "--max-kernel-change", "1"),
        "has no targets y",
    ),
    "class numbers": ((MAKE, "--data", "classes.npz"), "--loss cross_entropy"),
    "reduction": ((MAKE, "--data", "both.npz", "--reduction", "average"), "reduction is 'average'"),
    "no steps": ((MAKE, "--data", "both.npz", "--max-steps", "0"), "max_steps is 0"),
    "no forward": ((MAKE, "--data", "both.npz", "--forward", "checked_models:gone"), "'gone'"),
    "limit range": ((MAKE, "--data", "both.npz", "--max-dispersion", "0.5"), "above 1"),
    "html name": ((MAKE, "--data", "both.npz", "--html", "out.txt"), "ending in .html"),
    "html folder": ((MAKE, "--data", "both.npz", "--html", "no/out.html"), "there is no folder"),
    "sweep form": ((MAKE, "--data", "both.npz", "--along", "width"), "--along is 'width'"),
    "one value": ((MAKE, "--data", "both.npz", "--along", "width=4"), "at least two"),
    "twice": ((MAKE, "--data", "both.npz", "--along", "width=4,4"), "at least two different"),
    "no number": ((MAKE, "--data", "both.npz", "--along", "width=4,b"), "whole number"),
    "not taken": ((MAKE, "--data", "both.npz", "--along", "width=4,8"), "takes no arguments"),
    "other name": (
        ("checked_models:known", "--data", "checked_models:one", "--along", "heads=4,8"),
        "takes width, depth, so 'heads' cannot be varied",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(run: Run, folder: Path, case: str) -> None:
    arguments, part = BAD[case]
    if "--data" not in arguments or "digits" in arguments:
        pytest.importorskip("sklearn", reason="scikit-learn (demo extra) is absent")
    if "--html" in arguments:
        pytest.importorskip("jinja2", reason="jinja2 (report extra) is absent")
    done = run("check", *arguments)
    assert done.returncode == 2, done.stdout
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if line.strip()][-1].startswith("finitewidth")
