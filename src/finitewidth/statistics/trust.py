"""Why a standard error deserves no trust, in a sentence; empty where it does.

A sample that lacks the rare numbers which carry an average has a value and an error that are both
too small. What betrays it is how many numbers carry the average (`carriers`), or, where the law is
known, the true error. Thresholds are the caller's, since they depend on what is averaged.
"""

from math import exp


def few_carry(carriers: float, size: int, needed: float, what: str, way_out: str) -> str:
    """Whether fewer than `needed` of `size` networks carry an average.

    Parameters
    ----------
    carriers : float
        How many do.
    size : int
    needed : float
    what : str
        What they carry: ``"this average"``.
    way_out : str
        What to do instead; the end of the sentence.
    """
    if size < needed:
        return (
            f"{size} networks are too few for the standard error of {what} (it takes "
            f"{needed:.0f}); {way_out}."
        )
    if carriers < needed:
        return (
            f"a few of the {size} networks carry {what} (as if there were {carriers:.1f} of them; "
            f"it takes {needed:.0f}), so that value and standard error are likely too small; "
            f"{way_out}."
        )
    return ""


def large_true_error(name: str, size: int, log_error: float, most: float, way_out: str) -> str:
    """Whether the true relative standard error of a sampled moment, e^log_error, exceeds `most`."""
    error = exp(min(log_error, 600.0))
    if error <= most:
        return ""
    shown = f"{100 * error:.3g} % of" if error < 1 else f"{error:.3g} times"
    if log_error > 20:
        shown = f"e^{log_error:.4g} times"
    return (
        f"the sampled {name} of {size} networks has a true standard error {shown} its value: rare "
        f"networks carry it; {way_out}."
    )
