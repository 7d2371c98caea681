"""Arrays as the contents of files, and the names that these have."""

from hashlib import sha256
from io import BytesIO

import numpy as np


def content_of(array: np.ndarray) -> bytes:
    """An array as the bytes of a ``.npy`` file."""
    file = BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


def digest_of(content: bytes) -> str:
    """The name of a content: its SHA-256, in hexadecimal."""
    return sha256(content).hexdigest()
