"""Coordinates of rows in what the networks know, and rows that need not be looked at again."""

import torch
from torch.multiprocessing.reductions import StorageWeakRef


class Coordinates:
    """Coordinates of some rows, by network.

    Attributes
    ----------
    values : tensor of shape [S, B, q]
        Continued by zeros where a network knew fewer directions.
    strange : tensor of shape [S, B] or None
        Rows that are not finite.
    """

    def __init__(self, values: torch.Tensor, strange: torch.Tensor | None) -> None:
        self.values = values
        self.strange = strange

    @classmethod
    def joined(
        cls,
        known: list[tuple[list[int], torch.Tensor]],
        size: int,
        rows: torch.Tensor,
        strange: torch.Tensor | None,
    ) -> "Coordinates":
        """From the coordinates of each part's networks, out of `size` networks."""
        if len(known) == 1 and len(known[0][0]) == size:
            return cls(known[0][1], strange)
        most = max((values.shape[2] for _, values in known), default=0)
        joined = torch.zeros(size, rows.shape[1], most, dtype=torch.float64, device=rows.device)
        for networks, values in known:
            joined[networks, :, : values.shape[2]] = values
        return cls(joined, strange)

    def of(self, networks: list[int], count: int) -> torch.Tensor:
        """Those of some networks that know `count` directions."""
        values = self.values if len(networks) == len(self.values) else self.values[networks]
        return values[:, :, :count]


class Remembered:
    """The rows last asked about and their coordinates, as long as they live and are unchanged.

    Views count as the rows that they are views of: what matters is the memory and what was
    written to it.
    """

    def __init__(self, rows: torch.Tensor, coordinates: Coordinates) -> None:
        self._memory = StorageWeakRef(rows.untyped_storage())
        self._identity = _identity(rows)
        self._coordinates = coordinates

    def recall(self, rows: torch.Tensor) -> Coordinates | None:
        """The coordinates, if these are those rows."""
        # A freed storage whose place was taken by another one does not equal it: its weak
        # reference keeps the identity from being given to a new one.
        same = self._identity is not None and self._identity == _identity(rows)
        if same and StorageWeakRef(rows.untyped_storage()) == self._memory:
            return self._coordinates
        return None


def _identity(rows: torch.Tensor) -> tuple[object, ...] | None:
    """Place in the storage and how often that was written to; None where PyTorch does not count."""
    if rows.is_inference():
        return None
    return rows._version, rows.storage_offset(), rows.shape, rows.stride(), rows.dtype
