"""The exact law: moments of K and of its first change, pattern frozen."""

from collections.abc import Mapping
from math import log
from typing import Any, ClassVar

from finitewidth.law import KernelLaw, moments
from finitewidth.sweep.methods.registry import Method
from finitewidth.sweep.networks import layers, network, power_sums
from finitewidth.sweep.summary import Summary


class Law(Method):
    """`KernelLaw`: closed, exact, free of the width."""

    samples: ClassVar[bool] = False

    def cost(self, inputs: Mapping[str, Any]) -> float:
        """See `Method`; measured: 0.4 ms a moment and a little more in deep networks."""
        moments_asked = 3 + ("learning_rate" in inputs)
        return moments_asked * (0.0003 + 3e-5 * min(layers(inputs), 30))

    def compute(
        self, inputs: Mapping[str, Any], entropy: int, blocks: range, block: int
    ) -> Summary:
        """See `Method`."""
        del entropy, blocks, block
        law = KernelLaw(network(inputs), power_sums=power_sums(inputs))
        sums = law._sums
        values: dict[str, float] = {}
        notes: dict[str, str] = {}
        first = moments.moment(law.net, sums, 1, "kernel")
        dispersion = moments.dispersion(law.net, sums)
        values["log_dispersion"] = dispersion.log
        asked = {
            "kernel_mean": lambda: first.to_float("E K", "it is left out"),
            "kernel_dispersion": lambda: dispersion.to_float("E K²/(E K)²", "see log_dispersion"),
            "output_square_mean": lambda: law.output_moment(2),
        }
        if "learning_rate" in inputs:
            asked["update_mean"] = lambda: law.update_mean(inputs["learning_rate"])
        for name, quantity in asked.items():
            try:
                values[name] = quantity()
            except ValueError as error:  # one that no double holds does not cost the others
                notes[name] = str(error)
        return Summary(0, values=values, notes=notes)


METHOD = Law()


def known_moments(inputs: Mapping[str, Any]) -> dict[str, float]:
    """Var K/(E K)² and Var K²/(E K²)², where the exact law knows them and a double holds them."""
    try:
        law = KernelLaw(network(inputs), power_sums=power_sums(inputs))
        first, second, fourth = (
            moments.moment(law.net, law._sums, order, "kernel") for order in (1, 2, 4)
        )
    except ValueError:
        return {}
    largest = 300 * log(10.0)
    return {
        name: max((ratio.to_float(name, "") if ratio.log < largest else 1e300) - 1.0, 0.0)
        for name, ratio in (
            ("relative_variance", second / first**2),
            ("relative_variance_of_square", fourth / second**2),
        )
    }
