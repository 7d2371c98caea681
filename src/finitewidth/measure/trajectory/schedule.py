"""Which steps are recorded."""


class Schedule:
    """Steps 0, `every`, 2·`every`, …, or four to every doubling.

    A kernel moves over decades of steps: where it moves like a power of the step, as far from 10 to
    100 as from 1,000 to 10,000. The default therefore is 0, 1, …, 8, 10, 12, 14, 16, 20, …, growing
    by 12.5 to 25 %: from 2ᵏ to 2ᵏ⁺¹ in four equal strides, in ones below 8. That makes 40 records
    up to step 2,000 and 13 more for every factor of ten. It depends on nothing but the step.

    Parameters
    ----------
    every : int or None

    Raises
    ------
    ValueError
        Unless it is None or a whole number of at least 1.
    """

    def __init__(self, every: object = None) -> None:
        whole = every if isinstance(every, int) and not isinstance(every, bool) else 0
        if every is not None and whole < 1:
            raise ValueError(
                f"every is {every!r}, expected a whole number of steps of at least 1, or None for "
                "four records to every doubling of the step."
            )
        self.every = None if every is None else whole

    def after(self, step: int) -> int:
        """The first step beyond `step` that is recorded; 0 for -1."""
        if step < 0:
            return 0
        stride = self.every or max(1, 1 << max(step.bit_length() - 3, 0))
        return (step // stride + 1) * stride
