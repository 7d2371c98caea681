"""States of the recursion: on which neurons the paths sit, and which slots are settled.

A state is a sorted tuple of placed factors ``(shape, statuses, blocks)``: `blocks` gives for every
path the number of the block (the neuron or edge) it sits on, −1 before it has started. Factors of
one shape are interchangeable, so are the ends of a kernel or a Hessian product, and the numbers of
the blocks mean nothing: `canonical` picks one state of each class. That keeps the recursion of
E K⁴, with 8 paths, at a few hundred states.
"""

from collections.abc import Iterable
from functools import cache
from itertools import permutations, product

from finitewidth.law.schemes import MIRRORED, PATHS, Shape

Placed = tuple[int, tuple[int, ...], tuple[int, ...]]
State = tuple[Placed, ...]


@cache
def _roles(shape: int, statuses: tuple[int, ...]) -> tuple[int, ...]:
    """A number for each path of a factor; equal for paths that may be exchanged."""

    def number(position: int, seen: tuple[int, ...]) -> int:
        code = shape * 10 + position
        for status in seen:
            code = code * 4 + status + 1
        return code

    if not MIRRORED[shape]:
        return tuple(number(i, statuses) for i in range(PATHS[shape]))
    if shape == Shape.KERNEL:
        return (number(0, statuses),) * 2
    backward = statuses[::-1]
    return number(0, statuses), number(1, min(statuses, backward)), number(0, backward)


def _numbered(state: Iterable[Placed], number: dict[int, int]) -> State:
    """The state with its blocks renumbered, ends and factors in their least order."""
    found = []
    for shape, statuses, blocks in state:
        new = tuple([number[block] for block in blocks])
        if MIRRORED[shape]:
            back_statuses, back = statuses[::-1], new[::-1]
            if (back_statuses, back) < (statuses, new):
                statuses, new = back_statuses, back
        found.append((shape, statuses, new))
    found.sort()
    return tuple(found)


def canonical(state: State) -> State:
    """The representative of a state's class under exchange of factors, ends and block numbers."""
    content: dict[int, list[int]] = {}
    for shape, statuses, blocks in state:
        for role, block in zip(_roles(shape, statuses), blocks, strict=True):
            if block >= 0:
                content.setdefault(block, []).append(role)
    for roles in content.values():
        roles.sort()
    ties: dict[tuple[int, ...], list[int]] = {}
    for block, roles in content.items():
        ties.setdefault(tuple(roles), []).append(block)
    groups = [ties[signature] for signature in sorted(ties)]
    choices: Iterable[tuple[tuple[int, ...], ...]]
    if len(groups) == len(content):
        choices = [tuple((block,) for (block,) in groups)]
    else:
        choices = product(*map(permutations, groups))
    return min(
        _numbered(state, {-1: -1} | {b: i for i, b in enumerate(sum(choice, ()))})
        for choice in choices
    )


def block_sizes(state: State) -> tuple[int, ...]:
    """Numbers of blocks of 2, 4, 6 and 8 paths."""
    counts: dict[int, int] = {}
    for _, _, blocks in state:
        for block in blocks:
            if block >= 0:
                counts[block] = counts.get(block, 0) + 1
    sizes = list(counts.values())
    return tuple(sizes.count(size) for size in (2, 4, 6, 8))


def present_paths(state: State) -> int:
    """How many paths have started."""
    return sum(block >= 0 for _, _, blocks in state for block in blocks)
