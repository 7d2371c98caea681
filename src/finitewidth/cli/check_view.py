"""What `finitewidth check` shows of a measured ensemble."""

from finitewidth.cli.results import Results
from finitewidth.estimate import Estimate
from finitewidth.measure import Ensemble
from finitewidth.report import Column, Table


class CheckView:
    """An ensemble, ready to be printed.

    Parameters
    ----------
    found : Ensemble
    model, data : str
        What the command line named.
    """

    def __init__(self, found: Ensemble, model: str, data: str) -> None:
        self.found, self.model, self.data = found, model, data

    def _rows(self) -> list[tuple[str, str, Estimate]]:
        found = self.found
        return [
            ("mean", "mean diagonal of K (traced over outputs)", found.mean),
            ("variance", "its variance over seeds", found.variance),
            ("dispersion", "E K²/(E K)²", found.dispersion),
            ("top_eigenvalue", "largest eigenvalue of K", found.top_eigenvalue),
            ("log10_condition", "log10 of the condition number", found.log10_condition),
            (
                "log10_condition_sd",
                "its standard deviation over seeds",
                found.log10_condition_spread,
            ),
        ]

    def results(self) -> Results:
        """Everything as JSON."""
        results = Results(
            {
                "model": self.model,
                "data": self.data,
                "inputs": self.found.kernels.shape[1],
                "seeds": self.found.seeds,
                "kernel": "sum of squared gradients, traced over outputs",
            }
        )
        for name, _, value in self._rows():
            results.estimate(name, value)
        for layer, share in self.found.layer_shares.items():
            results.estimate(f"share_{layer}", share)
        return results

    def tables(self) -> list[Table]:
        """The kernel, and the layers' shares."""
        return [
            Table(
                f"The kernel of {self.model} over {len(self.found.seeds)} seeds",
                [Column("quantity"), Column("measured")],
                [(label, value) for _, label, value in self._rows()],
                f"At {self.found.kernels.shape[1]} inputs of {self.data}; standard errors over "
                "seeds in brackets.",
            ),
            Table(
                "Share of each layer in the mean diagonal",
                [Column("layer"), Column("share")],
                list(self.found.layer_shares.items()),
            ),
        ]

    def sentence(self) -> str:
        """What the numbers mean."""
        spread = max(float(self.found.dispersion.value) - 1.0, 0.0) ** 0.5
        score = self.found.log10_condition_spread
        differ = f"Two seeds' kernels differ by about {100 * spread:.2g} %"
        parts = [f"{differ} (standard deviation over mean)."]
        if not self.found.dispersion.trusted:
            parts.append(f"That spread is not trusted yet: {self.found.dispersion.note}")
        factor = 10.0 ** float(score.value)
        parts.append(
            f"One seed's condition number is off by a factor of about {factor:.2g}: rank "
            "architectures by it only where they differ by more."
        )
        return " ".join(parts)

    def print(self) -> None:
        """Tables and the sentence on the terminal."""
        from rich.console import Console
        from rich.text import Text

        tables, sentence = self.tables(), self.sentence()
        console = Console(highlight=False)
        for table in tables:
            console.print(table)
        console.print(Text(sentence))
