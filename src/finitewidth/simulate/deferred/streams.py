"""Random numbers: a stream for every network, drawn on as many threads as PyTorch uses."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from finitewidth._shapes import Float, Int
from finitewidth.simulate.matrices.threads import threads

# SFC64 is NumPy's fastest. PyTorch's CPU generator is twice as fast in float32 and half as fast in
# float64, but takes in only 32 bits of a seed: among 10^5 streams some would be the same.

SEGMENT = 2**18
"""Columns of a row that one generator draws. A wider matrix has several generators for each
network, so that threads can share the work and the numbers do not depend on how many there are."""

THREADED = 2**19
"""Numbers from which threads are worth starting."""


class Streams:
    """The generators of S networks, K for each.

    Parameters
    ----------
    generators : list of list of numpy Generator
        [S][K], each over an SFC64.
    """

    def __init__(self, generators: list[list[np.random.Generator]]) -> None:
        self._generators = generators

    @classmethod
    def seeded(
        cls, seeds: Iterable[int | np.integer | np.random.SeedSequence], widest: int
    ) -> "Streams":
        """From a seed for every network, for rows of at most `widest` numbers."""
        pieces = -(-widest // SEGMENT)
        found = []
        for seed in seeds:
            source = seed
            if not isinstance(seed, np.random.SeedSequence):
                source = np.random.SeedSequence(int(seed))
            assert isinstance(source, np.random.SeedSequence)
            # Not by spawn, which counts and would give other children the next time.
            keys = [source.spawn_key + (() if pieces == 1 else (k,)) for k in range(pieces)]
            found.append(
                [
                    np.random.Generator(
                        np.random.SFC64(
                            np.random.SeedSequence(
                                source.entropy, spawn_key=key, pool_size=source.pool_size
                            )
                        )
                    )
                    for key in keys
                ]
            )
        return cls(found)

    def __getitem__(self, networks: Sequence[int]) -> "Streams":
        return Streams([self._generators[network] for network in networks])

    def normal(
        self, count: int, n: int, dtype: torch.dtype, device: torch.device
    ) -> Float[torch.Tensor, "S count n"]:
        """`count` rows of n fresh standard normal numbers for every network."""
        found = torch.empty(len(self._generators), count, n, dtype=dtype)
        array = found.numpy()
        pieces = len(self._generators[0])
        length = -(-n // pieces)

        def draw(network: int, piece: int) -> None:
            rng = self._generators[network][piece]
            if pieces == 1:
                rng.standard_normal(dtype=array.dtype, out=array[network])  # type: ignore[arg-type]
                return
            for row in array[network]:
                some = row[piece * length : (piece + 1) * length]
                rng.standard_normal(dtype=array.dtype, out=some)  # type: ignore[arg-type]

        jobs = [(network, piece) for network in range(len(array)) for piece in range(pieces)]
        workers = min(threads(), len(jobs))
        if workers == 1 or array.size < THREADED:
            for job in jobs:
                draw(*job)
        else:
            with ThreadPoolExecutor(workers) as pool:
                for done in [pool.submit(draw, *job) for job in jobs]:
                    done.result()
        return found.to(device)

    def state(self) -> Int[torch.Tensor, "S K 6"]:
        """Where the generators are, as bits in int64."""
        found = [[_state_of(rng) for rng in each] for each in self._generators]
        return torch.from_numpy(np.array(found, dtype=np.uint64).view(np.int64))

    @classmethod
    def restored(cls, state: Int[torch.Tensor, "S K 6"]) -> "Streams":
        """From a `state`."""
        words = state.cpu().numpy().view(np.uint64)
        return cls([[_generator(one) for one in each] for each in words])


def _state_of(rng: np.random.Generator) -> list[int]:
    state = rng.bit_generator.state
    return [*map(int, state["state"]["state"]), state["has_uint32"], state["uinteger"]]


def _generator(words: np.ndarray) -> np.random.Generator:
    bits = np.random.SFC64(0)
    bits.state = {
        "bit_generator": "SFC64",
        "state": {"state": words[:4].copy()},
        "has_uint32": int(words[4]),
        "uinteger": int(words[5]),
    }
    return np.random.Generator(bits)
