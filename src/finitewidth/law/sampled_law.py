"""The half of `KernelLaw` that samples: draws, quantiles, summaries."""

from dataclasses import replace

from finitewidth._large import allowing
from finitewidth.law.inputs import PowerSums
from finitewidth.law.moments import checked_part
from finitewidth.law.sampler import KernelSample, LogKernelSample, Quantile, SampleSummary, ask
from finitewidth.law.sampler.quantile import Levels
from finitewidth.network import MLP
from finitewidth.statistics.blocks import Progress


class SampledLaw:
    """Exact samples of the law of one network at one input; Gaussian weights."""

    net: MLP
    input_name: str
    _sums: PowerSums

    def sample(
        self,
        size: int,
        seed: int,
        *,
        workers: int | None = None,
        progress: Progress | None = None,
        allow_large: bool = False,
    ) -> KernelSample:
        """Independent draws of (N, K_w, K_b, K), exact in law, at a cost free of the width.

        Parameters
        ----------
        size, seed : int
            Networks, and the seed that alone decides their numbers.
        workers : int, optional
            Threads; all cores if not given. The numbers do not depend on it.
        progress : callable, optional
            Called with (networks done, networks in all).
        allow_large : bool
            Whether a sample that takes longer than five minutes is drawn.

        Raises
        ------
        ValueError
            For weights that are not Gaussian, a size or seed out of range, a sample that would
            not fit memory or take long, or values above the range of a double (then use
            `log_sample`).
        TypeError
            For a size or seed that is no whole number.

        Notes
        -----
        Derivation: docs, "The law of K itself".
        """
        with allowing(allow_large):
            return ask.sample(self.net, self._sums, size, seed, workers, progress)

    def log_sample(
        self,
        size: int,
        seed: int,
        *,
        workers: int | None = None,
        progress: Progress | None = None,
        allow_large: bool = False,
    ) -> LogKernelSample:
        """The draws of `sample` as natural logs, for any depth. Raises as `sample`."""
        with allowing(allow_large):
            return ask.log_sample(self.net, self._sums, size, seed, workers, progress)

    def summary(
        self,
        size: int,
        seed: int,
        *,
        workers: int | None = None,
        progress: Progress | None = None,
        allow_large: bool = False,
    ) -> SampleSummary:
        """Moments, dead fraction and the law of ln K from `size` draws, in at most 0.2 GB.

        Raises as `sample`, and for fewer than 64 networks.
        """
        with allowing(allow_large):
            summary = ask.summary(self.net, self._sums, size, seed, workers, progress)
        return replace(summary, input_name=self.input_name)

    def quantile(
        self,
        q: Levels,
        size: int = 100_000,
        seed: int = 0,
        *,
        part: str = "kernel",
        workers: int | None = None,
        progress: Progress | None = None,
        allow_large: bool = False,
    ) -> Quantile:
        """Quantiles of K (or K_w, K_b) over seeds, with 95 % intervals `.low` and `.high`.

        Order statistics for up to 2²² networks; beyond that counts between 2²⁰ of the first ones',
        in at most 0.2 GB, and the interval holds what they do not know.

        Raises
        ------
        ValueError
            As `sample`; for q outside (0, 1); for a sample too small for the interval.
        """
        with allowing(allow_large):
            return ask.quantile(
                self.net, self._sums, q, checked_part(part), size, seed, workers, progress,
                logs=False,
            )  # fmt: skip

    def log_quantile(
        self,
        q: Levels,
        size: int = 100_000,
        seed: int = 0,
        *,
        part: str = "kernel",
        workers: int | None = None,
        progress: Progress | None = None,
        allow_large: bool = False,
    ) -> Quantile:
        """Quantiles of ln K, for depths at which K leaves the range of a double."""
        with allowing(allow_large):
            return ask.quantile(
                self.net, self._sums, q, checked_part(part), size, seed, workers, progress,
                logs=True,
            )  # fmt: skip
