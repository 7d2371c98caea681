"""The public surface: no name appears or vanishes unnoticed."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import finitewidth as fw

REFERENCE = Path(__file__).parents[1] / "docs" / "api.md"

SURFACE = {
    "finitewidth": [
        "Check", "Estimate", "KernelLaw", "MLP", "Undecided", "__version__", "assert_kernel",
        "check", "data", "design", "expansion", "law", "measure", "network", "paths", "report",
        "reproduce", "simulate", "sweep", "verdict",
    ],
    "data": ["Data", "digits", "imported", "load", "training_set", "unit_inputs", "vector"],
    "design": ["Width", "width", "width_for"],
    "report": [
        "Band", "Bars", "Column", "Curve", "Drawn", "Later", "Page", "Panels", "Plot", "Points",
        "Provenance", "Record", "Section", "Shown", "Steps", "Table",
    ],
    "reproduce": ["Reproduction", "listing", "names", "reproduce"],
    "verdict": [
        "Check", "ChecksAlong", "Measurement", "Row", "Undecided", "assert_kernel", "check",
        "check_along",
    ],
    "MLP": [
        "act", "activation", "activation_derivatives", "beta", "bias", "bias_lr", "bias_variance",
        "depth", "equal_width", "hidden_gain", "law", "layer", "layers", "n_in", "n_out",
        "negative_slope", "output_gain", "parametrization", "residual", "runs", "trains_biases",
        "weight_law", "widths",
    ],
    "KernelLaw": [
        "cross_moment", "crossing_mean", "crossings", "html", "markdown", "overview", "page",
        "plot", "record", "terminal", "to_json", "dispersion", "fraction", "joint_limit",
        "kink_mean", "kurtosis", "layer_shares",
        "log_cross_moment", "log_dispersion", "log_moment", "log_update_mean",
        "log_update_variance", "mean", "moment", "net", "output_kernel_moment", "output_moment",
        "paper", "relative_update", "log_quantile", "log_sample", "quantile",
        "relative_variance", "sample", "skewness", "squared_norm", "step_mean", "step_variance",
        "summary", "step", "input_name",
        "update_mean", "update_parts", "update_variance", "variance",
    ],
    "Estimate": [
        "doubted", "exact", "method", "note", "size", "std_error", "trusted", "value", "z",
    ],
}  # fmt: skip


def public_names(part: ModuleType) -> list[str]:
    """What a part of the package offers, its modules aside."""
    names = [name for name in vars(part) if not name.startswith("_")]
    return [name for name in names if not isinstance(getattr(part, name), ModuleType)]


def _surface(name: str) -> list[str]:
    if name == "finitewidth":
        return dir(fw)
    if name in fw.__all__ and isinstance(part := getattr(fw, name), ModuleType):
        return public_names(part)
    example = {
        "MLP": fw.MLP(3, [4]),
        "KernelLaw": fw.KernelLaw(fw.MLP(3, [4])),
        "Estimate": fw.Estimate(1.0, 0.1, 10, "example"),
    }[name]
    return [entry for entry in dir(example) if not entry.startswith("_")]


@pytest.mark.parametrize("name", SURFACE)
def test_the_surface_is_the_listed_one(name: str) -> None:
    assert sorted(_surface(name)) == sorted(SURFACE[name])


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'kernel'"):
        _ = fw.kernel  # type: ignore[attr-defined]


def on_reference(page: str) -> list[object]:
    """The modules, classes and functions whose directives a page has."""
    directive = r"^\.\. auto(class|function|module):: (\S+)\n((?: +:.*\n)*)"
    listed: list[object] = []
    for kind, name, options in re.findall(directive, page, re.MULTILINE):
        if kind != "module":
            listed.append(getattr(fw, name))
            continue
        part = import_module(name)
        excluded = re.search(":exclude-members: (.*)", options)
        left_out = excluded[1].split(", ") if excluded else []
        listed.append(part)
        listed += [getattr(part, each) for each in public_names(part) if each not in left_out]
    return listed


def missing_from(page: str) -> Iterator[str]:
    """Public names that the page has no directive for."""
    listed = on_reference(page)
    for name in fw.__all__:
        item = getattr(fw, name)
        if name != "__version__" and item not in listed:
            yield name
        if isinstance(item, ModuleType):
            yield from (f"{name}.{n}" for n in public_names(item) if getattr(item, n) not in listed)


def test_the_reference_lists_every_public_name() -> None:
    pytest.importorskip("torch", reason="PyTorch (the torch extra) is not installed")
    page = REFERENCE.read_text(encoding="utf-8")
    assert list(missing_from(page)) == []
    assert set(missing_from(page.replace(".. autofunction:: check\n", ""))) == {
        "check", "verdict.check",
    }  # fmt: skip
    shorter = page.replace("finitewidth.data\n", "finitewidth.design\n")
    assert {"data", "data.load"} < set(missing_from(shorter))
