"""The tangent kernel at a handwritten digit: how random it is, and how far training moves it.

Run by ``make demo``: ReLU networks of several depths by the exact law, the paper's closed forms,
the joint limit, exact samples and networks drawn at random; then a PyTorch network, measured over
seeds and trained. Prints tables and writes demo/report.html.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from models import make_mlp
from rich.console import Console
from rich.progress import track

import finitewidth as fw
from finitewidth.report import Column, Curve, Page, Plot, Points, Provenance, Section, Table

REPORT = Path(__file__).parent / "report.html"
FROZEN = "activation pattern frozen"
IMAGES, CLASSES = fw.data.digits()
TEN = [int(np.flatnonzero(digit == CLASSES)[0]) for digit in range(10)]  # an image of each


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
class Depth:
    """One depth by every route; the first step at the rate 1/E K."""

    layers: int
    law: fw.KernelLaw
    summary: fw.law.SampleSummary
    mean: fw.Estimate
    spread: fw.Estimate
    update: fw.Estimate

    @property
    def exact(self) -> tuple[float, float, float]:
        """E K, E K²/(E K)², E ΔK/E K."""
        mean = self.law.mean()
        return mean, self.law.dispersion(), self.law.relative_update(1.0 / mean)

    @property
    def limits(self) -> tuple[float, float]:
        """The last two in the joint limit of depth and width."""
        mean, limit = self.law.mean(), self.law.joint_limit()
        update = limit.update(self.law.net, self.law.squared_norm).to_float("the limit", "")
        spread = limit.dispersion(self.law.mean("weights"), self.law.mean("biases"))
        return spread.to_float("the limit", ""), -2.0 * update / mean**2

    @property
    def paper(self) -> tuple[float, float]:
        """The last two as the paper prints them: up to constants, the update without sign."""
        printed = self.law.paper()
        spread, update = (
            printed[name].value.to_float(name, "") for name in ("dispersion", "relative_update")
        )
        return spread, update / self.law.mean()


def one_depth(size: Size, layers: int, seeds: np.ndarray) -> Depth:
    """Theory, exact samples and networks at the image of a 7."""
    x = IMAGES[TEN[7]]
    net = fw.MLP.equal_width(64, size.width, layers)
    law = fw.KernelLaw(net, x)
    mean = law.mean()
    first, second = (int(seed) for seed in seeds)
    drawn = fw.simulate.ensemble(net, x, size.networks, first)
    step = fw.simulate.first_step(net, x, [0.0], 1.0 / mean, size.steps, second, pattern="frozen")
    change = step.mean_first_order()
    update = replace(change, value=change.value / mean, std_error=change.std_error / mean)
    summary = law.summary(size.sampled, first)
    return Depth(layers, law, summary, drawn.mean(), drawn.dispersion(), update)


def comparisons(depths: list[Depth]) -> Iterator[float | None]:
    """Every (network − exact)/error of the depths; None where the error is not trusted."""
    for one in depths:
        mean, spread, update = one.exact
        yield z(one.mean, mean)
        yield z(one.spread, spread)
        yield z(one.summary.dispersion, spread)
        yield z(one.update, update)


def z(estimate: fw.Estimate, exact: float) -> float | None:
    """Distance from the exact value in standard errors, None where those are not trusted."""
    return float(np.asarray(estimate.z(exact)).item()) if estimate.trusted else None


def tables(depths: list[Depth]) -> list[Table]:
    """Randomness and first step against the depth."""
    layers, score = Column("L", meaning="hidden layers"), Column("z", places=1)
    exact = Column("exact", meaning="the exact law at this width and depth")
    limit = Column("limit", meaning="depth and width grow in this ratio")
    drawn = Column("networks", meaning="drawn at random (standard error)")
    sampled = Column("sampled", meaning="exact samples of the law, without networks")
    spreads, updates = [], []
    for one in depths:
        _, spread, update = one.exact
        found = (one.summary.dispersion, one.spread)
        pairs = [cell for estimate in found for cell in (estimate, z(estimate, spread))]
        spreads.append((one.layers, spread, one.limits[0], one.paper[0], *pairs))
        updates.append((one.layers, update, one.limits[1], one.paper[1], one.update,
                        z(one.update, update)))  # fmt: skip
    return [
        Table(
            "Randomness: dispersion E K²/(E K)²",
            [layers, exact, limit, Column("paper", meaning="e^(5β)"), sampled, score, drawn, score],
            spreads,
            "1: the same kernel for every seed. At the image of a 7.",
        ),
        Table(
            f"First SGD step at the rate 1/E K, {FROZEN}: E ΔK/E K",
            [layers, exact, limit, Column("paper", meaning="without sign"), drawn, score],
            updates,
            "To first order in the rate.",
        ),
    ]


def figure(depths: list[Depth], kind: int) -> Plot:
    """Randomness (1) or the shrinking of the kernel in the first step (2) against the depth."""
    x, sign = [one.layers for one in depths], 1 if kind == 1 else -1
    measured = [one.spread if kind == 1 else one.update for one in depths]
    shown = [(n, one) for n, one in zip(x, measured, strict=True) if sign * float(one.value) > 0]
    points = ([n for n, _ in shown], [sign * float(one.value) for _, one in shown],
              [float(one.std_error) for _, one in shown], [one.trusted for _, one in shown])  # fmt: skip
    name = ("dispersion E K²/(E K)²", f"−E ΔK/E K, {FROZEN}")[kind - 1]
    return Plot(
        ("Randomness against depth", f"First SGD step against depth, {FROZEN}")[kind - 1],
        "Deep narrow networks have very different kernels from seed to seed, and leave them at "
        "once. The paper's form holds up to a constant. Hollow: not trusted.",
        "hidden layers L",
        name,
        [
            Curve("exact law", x, [sign * one.exact[kind] for one in depths]),
            Curve("joint limit", x, [sign * one.limits[kind - 1] for one in depths]),
            Curve("paper", x, [one.paper[kind - 1] for one in depths]),
            Points("networks", *points),
        ],
        log_x=True, log_y=True, x_ticks=x,
    )  # fmt: skip


def trained(size: Size) -> fw.measure.TrainingReport:
    """Train `make_mlp` with a Recorder in the loop."""
    import torch

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
                loss = torch.nn.functional.cross_entropy(model(X[chosen]), y[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                recorder.step(loss)
        return fw.measure.TrainingReport(recorder.dataset().load())


def main(size: Size, path: Path) -> int:
    """Compute, print, and write the report to `path`."""
    seeds = np.random.SeedSequence(20200426).generate_state(2 * len(size.hidden_layers))
    pairs = list(zip(size.hidden_layers, seeds.reshape(-1, 2), strict=True))
    depths = [one_depth(size, *pair) for pair in track(pairs, "networks of several depths")]
    known = [score for score in comparisons(depths) if score is not None]
    agreement = (
        f"The largest |z| of {len(known)} comparisons with the exact law is "
        f"{max(map(abs, known), default=0.0):.1f}; {4 * len(depths) - len(known)} averages are "
        "carried by rare networks: read the exact value there."
    )
    check = fw.check(
        make_mlp, IMAGES[:16], np.eye(10)[CLASSES[:16]], learning_rate=2e-3, seeds=size.seeds
    )
    training = trained(size)
    shares = [depths[-1].law.layer_shares(name) for name in ("kernel_squared", "update")]
    page = Page(
        "The tangent kernel at a handwritten digit",
        ["How different are two seeds, and how far does a step of training move the kernel?"],
        [
            Section("Against depth", [*tables(depths), agreement, figure(depths, 1),
                                      figure(depths, 2)]),
            Section("The law of K", [*depths[1].summary.page().drawings(),
                                     *depths[-1].summary.page().drawings()]),
            Section("Layer by layer", [one for share in shares for one in share.page().drawings()]),
            *(replace(part, title=f"A PyTorch network: {part.title}")
              for part in (*check.page().sections, *training.page().sections)),
        ],
        Provenance.now(20200426, networks=f"{size.networks}, first step {size.steps}"),
    )  # fmt: skip
    console = Console(highlight=False)
    for shown in (*tables(depths), agreement, check, training):
        console.print(shown)
        console.print()
    page.html(path)
    console.print(f"The report, one file for any browser: {path}", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Size(), REPORT))
