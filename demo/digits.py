"""The tangent kernel at a handwritten digit: how random it is, and how far training moves it.

Run by ``make demo``: ReLU networks of several depths by the exact law, the paper's closed forms,
the joint limit, exact samples and networks drawn at random; then a PyTorch network, measured over
seeds and trained. Prints tables and writes demo/report.html.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from models import make_mlp
from rich.console import Console
from rich.progress import track
from torch.nn.functional import cross_entropy

import finitewidth as fw
from finitewidth.data import digits
from finitewidth.report import Column, Curve, Page, Plot, Points, Provenance, Section, Table

REPORT = Path(__file__).parent / "report.html"
FROZEN = "activation pattern frozen"
IMAGES, CLASSES = digits()
SEVEN = IMAGES[int((CLASSES == 7).argmax())]
QUESTION = (
    "How different are two seeds, and how far does a step of training move the kernel? ReLU "
    "networks of width {} at the image of a 7, then a PyTorch network."
)
SPREAD, UPDATE = "dispersion E K²/(E K)²", f"E ΔK/E K, {FROZEN}"


@dataclass(frozen=True)
class Size:
    """How much is drawn and trained."""

    width: int = 64
    hidden_layers: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    networks: int = 4000  # drawn at every depth for the kernel
    steps: int = 2000  # and for its first step
    sampled: int = 400_000  # exact samples of the law of K
    seeds: int = 48  # of the PyTorch network
    training: int = 1000  # its steps


@dataclass(frozen=True)
class Row:
    """A quantity at one depth by every route."""

    layers: int
    exact: float
    limit: float
    paper: float
    sampled: fw.Estimate | None
    networks: fw.Estimate

    @property
    def z(self) -> float | None:
        """(networks − exact)/error, None where the error is not trusted."""
        return float(self.networks.z(self.exact)) if self.networks.trusted else None


def one(estimate: fw.Estimate, over: float = 1.0) -> fw.Estimate:
    """The single number of an array, over a known one."""
    value, error = (np.asarray(part).item() / over for part in (estimate.value, estimate.std_error))
    return replace(estimate, value=value, std_error=error)


def theory(law: fw.KernelLaw) -> list[tuple[float, float, float]]:
    """Spread, and update at the rate 1/E K: exact, in the limit, as the paper prints them."""
    mean, limit, paper = law.mean(), law.joint_limit(), law.paper()
    spread = limit.dispersion(law.mean("weights"), law.mean("biases")).to_float(SPREAD, "")
    update = -2.0 * limit.update(law.net, law.squared_norm).to_float(UPDATE, "") / mean**2
    printed = [paper[name].value.to_float(name, "") for name in ("dispersion", "relative_update")]
    exact = law.relative_update(1.0 / mean)
    return [(law.dispersion(), spread, printed[0]), (exact, update, printed[1] / mean)]


Depth = tuple[fw.KernelLaw, fw.law.SampleSummary, Row, Row]


def one_depth(size: Size, layers: int, seeds: np.ndarray) -> Depth:
    """Law, exact samples, and both quantities with networks, at the image of a 7."""
    net, (first, second) = fw.MLP.equal_width(64, size.width, layers), map(int, seeds)
    law = fw.KernelLaw(net, SEVEN)
    mean, (spread, update), summary = law.mean(), theory(law), law.summary(size.sampled, first)
    drawn = fw.simulate.ensemble(net, SEVEN, size.networks, first)
    step = fw.simulate.first_step(
        net, SEVEN, [0.0], 1.0 / mean, size.steps, second, pattern="frozen"
    )
    return (
        law,
        summary,
        Row(layers, *spread, summary.dispersion, one(drawn.dispersion())),
        Row(layers, *update, None, one(step.mean_first_order(), mean)),
    )


def table(title: str, rows: list[Row], caption: str) -> Table:
    """Every route beside the others."""
    columns = [
        Column("L", meaning="hidden layers"),
        Column("exact", meaning="the exact law at this width and depth"),
        Column("limit", meaning="depth and width grow in this ratio"),
        Column("paper", meaning="holds up to a constant; updates are printed without sign"),
        Column("sampled", meaning="exact samples of the law, without networks"),
        Column("networks", meaning="drawn at random (standard error)"),
        Column("z", places=1, meaning="(networks − exact)/error, where that is trusted"),
    ]
    names = ("layers", "exact", "limit", "paper", "sampled", "networks", "z")
    return Table(title, columns, [[getattr(r, n) for n in names] for r in rows], caption)


def figure(title: str, name: str, rows: list[Row]) -> Plot:
    """The same against the depth, without sign."""
    x = [row.layers for row in rows]
    seen = [row for row in rows if row.networks.value * row.exact > 0]
    curves = [
        Curve(label, x, [abs(getattr(row, route)) for row in rows])
        for route, label in (("exact", "exact law"), ("limit", "joint limit"), ("paper", "paper"))
    ]
    points = [replace(row.networks, value=abs(row.networks.value)) for row in seen]
    return Plot(
        title,
        f"From {rows[0].exact:.3g} at L = {x[0]} to {rows[-1].exact:.3g} at L = {x[-1]}. The "
        "paper's form holds up to a constant; a hollow point lacks the rare networks that carry "
        "the average.",
        "hidden layers L", f"|{name}|",
        [*curves, Points.of("networks", [row.layers for row in seen], points)],
        log_x=True, log_y=True, x_ticks=x,
    )  # fmt: skip


def trained(size: Size) -> fw.measure.TrainingReport:
    """Train `make_mlp` on cross-entropy with a Recorder in the loop."""
    X, y = torch.tensor(IMAGES), torch.tensor(CLASSES)
    null = fw.measure.null_band(make_mlp, X[:16], seeds=size.seeds, y=y[:16])
    torch.manual_seed(7)
    model = make_mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with TemporaryDirectory() as folder:
        recorder = fw.measure.Recorder(
            model, X[:16], Path(folder) / "digits.sqlite", y=y[:16], lr=0.1, null=null
        )
        with recorder:
            for _ in range(size.training):
                chosen = torch.randint(1500, (64,))
                loss = cross_entropy(model(X[chosen]), y[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                recorder.step(loss)
        return fw.measure.TrainingReport(recorder.dataset().load())


def main(size: Size, path: Path) -> int:
    """Compute, print, and write the report to `path`."""
    seeds = np.random.SeedSequence(20200426).generate_state(2 * len(size.hidden_layers))
    jobs = list(zip(size.hidden_layers, seeds.reshape(-1, 2), strict=True))
    depths = [one_depth(size, *job) for job in track(jobs, "networks of several depths")]
    laws, summaries, spreads, updates = map(list, zip(*depths, strict=True))
    scores = [row.z for row in (*spreads, *updates)]
    known = [abs(score) for score in scores if score is not None]
    agreement = (
        f"Largest |z| of {len(known)} comparisons with the law: {max(known, default=0.0):.1f}; "
        f"{len(scores) - len(known)} averages are carried by rare networks: read the exact value."
    )
    shown = [
        table(f"Randomness: {SPREAD}", spreads, "1: the same kernel for every seed."),
        table(f"First SGD step at the rate 1/E K: {UPDATE}", updates, "To first order."),
    ]
    X, y = IMAGES[:16], np.eye(10)[CLASSES[:16]]
    check = fw.check(make_mlp, X, y, learning_rate=2e-3, seeds=size.seeds)
    training = trained(size)
    densities = [one for d in (summaries[0], summaries[-1]) for one in d.page().drawings()]
    shares = [laws[-1].layer_shares(name) for name in ("kernel_squared", "update")]
    figures = [figure("Randomness", SPREAD, spreads), figure("First step", UPDATE, updates)]
    page = Page(
        "The tangent kernel at a handwritten digit",
        [QUESTION.format(size.width)],
        [
            Section("Against depth", [*shown, agreement, *figures]),
            Section("The law of K", densities),
            Section("Layer by layer", [d for part in shares for d in part.page().drawings()]),
            *(replace(part, title=f"A PyTorch network: {part.title}")
              for part in (*check.page().sections, *training.page().sections)),
        ],
        Provenance.now(20200426, networks=f"{size.networks}, first step {size.steps}"),
    )  # fmt: skip
    for block in (*(one.terminal(brief=True) for one in shown), agreement, check, training):
        Console(highlight=False).print(block, "", sep="\n")
    page.html(path)
    print(f"The report, one file for any browser: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Size(), REPORT))
