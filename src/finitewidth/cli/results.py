"""Names that commands share."""

from finitewidth.network.words import as_json as describe
from finitewidth.network.words import in_words
from finitewidth.report import Record as Results

__all__ = ["Results", "describe", "in_words"]
