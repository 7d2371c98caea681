"""Names of files that are to be written, checked before anything is computed."""

from pathlib import Path


def to_write(path: str | Path, *endings: str, name: str = "path") -> Path:
    """The absolute path of a file that can be written.

    Parameters
    ----------
    path : str or path
    *endings : str
        Allowed endings, such as ``".html"``.
    name : str
        What the sentence of an error calls it.

    Raises
    ------
    ValueError
        For another ending, or a folder that does not exist.
    """
    found = Path(path).absolute()
    if found.suffix not in endings:
        raise ValueError(
            f"{name} is {str(path)!r}, expected a name ending in {' or '.join(endings)}."
        )
    if not found.parent.is_dir():
        raise ValueError(f"{name} is {str(path)!r}, but there is no folder {found.parent}.")
    return found
