"""Options of steps and samples, declared once; commands give them their defaults."""

from typing import Annotated

from cyclopts import Parameter

from finitewidth.cli.numbers import Whole

LearningRate = Annotated[
    float, Parameter(name="--lr", help="Learning rate λ of a step of SGD on ½ Σ (N − y)².")
]
Size = Annotated[Whole, Parameter(name="--size", help="Number of networks: 100000 or 1e6.")]
Seed = Annotated[Whole, Parameter(name="--seed", help="It alone decides the random numbers.")]
Workers = Annotated[Whole, Parameter(name="--workers", help="Threads or processes at a time.")]
