"""What makes the service faster and can be left out, to measure what each is worth: the names that
COHORT_WITHOUT takes (bench/README.md)."""

from typing import Literal, get_args

Optimization = Literal[
    "plans",
    "prepared",
    "frozen",
    "presumed",
    "stamped",
    "at_hand",
    "compared",
    "alone",
    "gathered",
    "pairs",
]
OPTIMIZATIONS: tuple[Optimization, ...] = get_args(Optimization)
