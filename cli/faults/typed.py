"""The words that do a run once more."""

from __future__ import annotations

import argparse
import shlex

# What they need not say: how the run was shown, and where it left something; and where something is on one machine alone.
NOT_TYPED = {"run", "harm", "untyped", "json", "keep", "tree"}
PLACES = {"venv": "DIR", "postgres": "URL"}


def typed(arguments: argparse.Namespace, seed: int | None) -> str:
    """Harm, seed, and each option that was not left as it is."""
    words = ["roadproof", "faults", arguments.harm]
    for name, value in {**vars(arguments), "seed": seed}.items():
        if name in NOT_TYPED or value is None or (value == arguments.untyped(name) and name != "seed"):
            continue
        values = value if isinstance(value, list | tuple) else [PLACES.get(name, value)]
        words += [f"--{name.replace('_', '-')}", *(f"{one:g}" if isinstance(one, float) else str(one) for one in values)]
    return shlex.join(words)
