"""Published results beside this package's own numbers, one short file each."""

from finitewidth.reproduce.registry import listing as listing
from finitewidth.reproduce.registry import names as names
from finitewidth.reproduce.registry import reproduce as reproduce
from finitewidth.reproduce.result import Reproduction as Reproduction
