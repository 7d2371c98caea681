"""The numbers of the demo: one handwritten digit through networks of several depths.

For every depth the exact law, the paper's closed form, the joint limit, and networks drawn at
random. Nothing here draws or prints.
"""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import numpy as np
from digits_results import STEP_COST, Digit, Kernel, Results, Routes, Settings

import finitewidth as fw
from finitewidth._shapes import Float

PIXELS = 64

Report = Callable[[int, int], object]
Meter = Callable[[float], Report]
"""Takes the cost of a job (networks × layers × inputs) and returns its progress callable."""


def images() -> Float[np.ndarray, "ten pixels"]:
    """The first image of each digit 0 … 9, grey values 0 … 16 divided by 16."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    first = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    return np.asarray(pixels, dtype=float)[first] / 16.0


def compute(settings: Settings, meter: Meter) -> Results:
    """Run everything; `meter` hears of the progress."""
    pictures = images()
    x = pictures[settings.digit]
    seeds = np.random.SeedSequence(settings.seed).generate_state(2 * len(settings.hidden_layers))
    depths = [
        one_depth(settings, count, x, (int(seeds[2 * k]), int(seeds[2 * k + 1])), meter)
        for k, count in enumerate(settings.hidden_layers)
    ]
    law = fw.KernelLaw(network(settings, settings.middle), x)
    return Results(
        settings,
        float(x @ x),
        depths,
        all_digits(settings, pictures, meter),
        {name: law.layer_shares(name) for name in ("kernel_squared", "update")},
    )


def network(settings: Settings, hidden_layers: int) -> fw.MLP:
    """ReLU, Gaussian weights, biases zero and trained: the paper's network."""
    return fw.MLP.equal_width(PIXELS, settings.width, hidden_layers)


def one_depth(
    settings: Settings,
    hidden_layers: int,
    x: Float[np.ndarray, " pixels"],
    seeds: tuple[int, int],
    meter: Meter,
) -> Kernel:
    """Theory and simulation of one depth at one input, with the learning rate 1/E K."""
    net = network(settings, hidden_layers)
    start = perf_counter()
    law = fw.KernelLaw(net, x)
    mean = law.mean()
    rate = 1.0 / mean
    spread, update = law.dispersion(), law.relative_update(rate)
    theory_time = perf_counter() - start
    paper = law.paper()
    printed = {name: paper[name].value.to_float(name, "") for name in paper}

    start = perf_counter()
    drawn = fw.simulate.ensemble(
        net, x, settings.networks, seeds[0], progress=meter(net.depth * settings.networks)
    )
    simulation_time = perf_counter() - start
    stepped = fw.simulate.first_step(
        net,
        x,
        [0.0],
        rate,
        settings.steps,
        seeds[1],
        pattern="frozen",
        progress=meter(STEP_COST * net.depth * settings.steps),
    )
    return Kernel(
        hidden_layers,
        net.beta,
        mean,
        rate,
        Routes(spread, limit_spread(law), printed["dispersion"], paper["dispersion"].constant),
        Routes(
            update,
            limit_update(law, rate),
            printed["relative_update"] * rate,
            paper["relative_update"].constant,
        ),
        drawn.mean(),
        drawn.dispersion(),
        law.summary(settings.sampled, seeds[0]).dispersion,
        divided(stepped.mean_first_order(), mean),
        drawn.kernels[:, 0, 0],
        (theory_time, simulation_time),
    )


def limit_spread(law: fw.KernelLaw) -> float:
    """E K²/(E K)² from the joint limit of the parts, weighted by their exact means."""
    found = law.joint_limit().dispersion(law.mean("weights"), law.mean("biases"))
    return found.to_float("the limit", "choose a smaller depth")


def limit_update(law: fw.KernelLaw, rate: float) -> float:
    """E ΔK/E K from the joint limit, activation pattern frozen."""
    found = law.joint_limit().update(law.net, law.squared_norm)
    return -2.0 * rate * found.to_float("the limit", "choose a smaller depth") / law.mean()


def divided(estimate: fw.Estimate, constant: float) -> fw.Estimate:
    """The estimate of a quantity divided by an exactly known constant."""
    return replace(
        estimate, value=estimate.value / constant, std_error=estimate.std_error / constant
    )


def all_digits(
    settings: Settings, pictures: Float[np.ndarray, "ten pixels"], meter: Meter
) -> list[Digit]:
    """The same networks at one image of each digit."""
    net = network(settings, settings.middle)
    drawn = fw.simulate.ensemble(
        net,
        pictures,
        settings.steps,
        settings.seed,
        progress=meter(settings.all_digits_cost()),
    )
    means, spreads = drawn.mean(), drawn.dispersion()
    found = []
    for digit, x in enumerate(pictures):
        law = fw.KernelLaw(net, x)
        mean, spread = entry(means, digit, digit), entry(spreads, digit)
        found.append(Digit(digit, float(x @ x), law.mean(), law.dispersion(), mean, spread))
    return found


def entry(estimate: fw.Estimate, *place: int) -> fw.Estimate:
    """One entry of an estimate that is an array."""
    return replace(
        estimate, value=float(estimate.value[place]), std_error=float(estimate.std_error[place])
    )
