"""What is sent to a worker and what comes back: small records, checked from end to end."""

from collections.abc import Sequence
from dataclasses import dataclass

from finitewidth._records.format import Row, checksum


@dataclass(frozen=True)
class Job:
    """One chunk of one cell.

    Attributes
    ----------
    cell : str
        The cell's inputs as text.
    number : int
        Of the chunk.
    """

    cell: str
    number: int


@dataclass(frozen=True)
class Record:
    """A finished chunk, or why there is none.

    Attributes
    ----------
    job : Job
    text, rows
        The packed summary; empty where the job failed.
    networks : int
    seconds : float
        That it took.
    host : str
        Where.
    checksum : bytes
        Over cell, number, text and rows, made where the chunk was computed.
    cause : str
        Why it failed, or empty.
    contents : list of bytes
        Files to be put beside the store; the text names them.
    """

    job: Job
    text: str
    rows: list[Row]
    networks: int
    seconds: float
    host: str
    checksum: bytes
    cause: str = ""
    contents: tuple[bytes, ...] = ()


def fingerprint(cell: str, number: int, text: str, rows: Sequence[Row]) -> bytes:
    """The checksum of a chunk together with its cell's full inputs."""
    return checksum((cell, number, text), rows)
