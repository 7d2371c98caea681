"""The global random numbers that a user's code may draw from: torch's, NumPy's and Python's."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Put random numbers back: torch's, of the processor and all graphics cards, NumPy's, Python's.

    The last two are for models that draw from them, and for modules that do so when loaded.
    """
    python, numpy, state = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    cards = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(state)
        if cards is not None:
            torch.cuda.set_rng_state_all(cards)


def seed_all(seed: int) -> None:
    """As torch.manual_seed, np.random.seed and random.seed.

    Without an accelerator the first notes down a traceback for later at every call, which takes as
    long as drawing a small network.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed if seed < _WORD else [seed % _WORD, seed // _WORD])  # noqa: NPY002


_WORD = 2**32
"""NumPy takes larger seeds in words."""
