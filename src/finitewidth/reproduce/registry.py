"""The published results that can be reproduced, by name."""

from dataclasses import replace
from importlib import import_module

from finitewidth.report import Page, Provenance, Record, Section, Table
from finitewidth.reproduce.result import Progress, Reproduction

ENTRIES = {
    "errata": "Corrections to Hanin & Nica (2020): printed forms against four computations",
    "theorem1": "Hanin & Nica (2020): mean and second moment of the kernel",
    "theorem2": "Hanin & Nica (2020): mean first change of the kernel, pattern frozen",
    "proposition3": "Hanin & Nica (2020): moments of the weights' part",
    "proposition4": "Hanin & Nica (2020): moments of the biases' part",
    "proposition5": "Hanin & Nica (2020): weights and biases together",
    "joint-limit": "Hanin & Nica (2020): deep and wide networks, d/n → Λ, with the constants",
    "real-step": "What a real SGD step does beside Theorem 2's frozen pattern",
    "log-norm": "Hanin & Nica (2018): the log norm of a layer is nearly Gaussian",
    "dyer-gur-ari": "Dyer & Gur-Ari (2019): variance of the kernel to width 131,072",
    "kernel-drift": "Lee et al., Huang & Yau (2019): how far training moves the kernel",
    "guillen": "Guillen, Misof & Gerken (2025): mean kernel at finite width",
    "seleznova": "Seleznova & Kutyniok (2022): dispersion of the kernel at width 100",
}
"""Name of a module of this folder, and what it reproduces. The module has ``reproduce``."""


def names() -> dict[str, str]:
    """Every name with what it reproduces."""
    return dict(ENTRIES)


def listing() -> Page:
    """The names as a page."""
    rows = list(ENTRIES.items())
    table = Table("finitewidth reproduce NAME", ["name", "what it computes anew"], rows)
    title = "Published results beside this package's own numbers"
    return Page(title, [], [Section("Names", [table])], Provenance.now(None), Record({}))


def reproduce(
    name: str, *, quick: bool = False, seed: int = 0, progress: Progress | None = None
) -> Reproduction:
    """Compute a published result anew.

    Parameters
    ----------
    name : str
        One of `names`.
    quick : bool
        Fewer networks, larger errors: for a first look.
    seed : int
        Of everything that is sampled.
    progress : callable, optional
        Called with (pieces done, pieces in all).

    Returns
    -------
    Reproduction
        Tables, figures and numbers.

    Raises
    ------
    ValueError
        For a name that is not there, or a seed below 0.
    """
    if name not in ENTRIES:
        raise ValueError(f"the name is {name!r}, expected one of {', '.join(ENTRIES)}.")
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected 0 or more.")
    module = import_module(f"finitewidth.reproduce.{name.replace('-', '_')}")
    return replace(module.reproduce(quick=quick, seed=seed, progress=progress), quick=quick)
