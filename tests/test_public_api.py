"""The public surface: no name appears or vanishes unnoticed."""

import pytest

import finitewidth as fw

SURFACE = {
    "finitewidth": [
        "Check", "Estimate", "KernelLaw", "MLP", "__version__", "assert_kernel", "check", "design",
        "expansion", "law", "measure", "network", "paths", "report", "simulate",
        "sweep",
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


def _surface(name: str) -> list[str]:
    if name == "finitewidth":
        return dir(fw)
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
