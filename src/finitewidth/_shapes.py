"""Array types with named axes: ``Float[np.ndarray, "size B B"]``.

Under the tests jaxtyping is loaded first and the shapes are checked at run time; for a user who
has no jaxtyping the same annotations mean the bare array type and cost nothing.
"""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool as Bool
    from jaxtyping import Float as Float
    from jaxtyping import Int as Int
else:

    class _Plain:
        """Stands in for a jaxtyping alias: keeps the array type, forgets the axes."""

        def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
            return item[0]

    Float = Int = Bool = _Plain
