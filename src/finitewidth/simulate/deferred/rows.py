"""Rows that become more: the queried directions and their answers."""

import torch

from finitewidth._shapes import Float


class Rows:
    """A growing tensor of shape [S, q, n].

    The room is doubled when it runs out, so that a row is copied once on average. Room that was
    never written to takes no memory on the CPU, since the system hands out pages when touched.

    Parameters
    ----------
    values : tensor of shape [S, q, n]
        The first rows; not copied and never written to.
    """

    def __init__(self, values: Float[torch.Tensor, "S q n"]) -> None:
        self._room = values
        self.count = values.shape[1]

    @property
    def values(self) -> Float[torch.Tensor, "S q n"]:
        """The rows, a view."""
        return self._room[:, : self.count]

    def append(self, rows: Float[torch.Tensor, "S r n"]) -> None:
        """Put rows behind the others."""
        size, room, n = self._room.shape
        more = rows.shape[1]
        if self.count + more > room:
            larger = rows.new_empty(size, max(2 * room, self.count + 4 * more), n)
            larger[:, : self.count] = self.values
            self._room = larger
        self._room[:, self.count : self.count + more] = rows
        self.count += more

    @property
    def bytes(self) -> int:
        """Bytes of the rows, without the room."""
        return self.values.numel() * self._room.element_size()
