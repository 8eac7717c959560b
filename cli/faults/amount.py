"""Numbers as they are typed behind an option: one outside what makes sense is refused before anything is done."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def count(text: str) -> int:
    """A whole number, 1 or more."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of times; type 1 or more")
    return number


def number(least: float, most: float = float("inf")) -> Callable[[str], float]:
    """What reads a number between these two."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most or value == float("inf"):
            raise argparse.ArgumentTypeError(
                f"{text} is out of range; type {least:g} {f'to {most:g}' if most < float('inf') else 'or more'}"
            )
        return value

    return read
