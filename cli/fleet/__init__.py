"""`roadproof fleet`: the other end - run a receiver, look at units, tracks, events and proofs, send runs."""

from __future__ import annotations

from cli.fleet import proofs, reception, runs, telematics
from cli.words import Commands, add_group


def add_commands(commands: Commands) -> None:
    """Add `fleet` and what stands below it."""
    group = add_group(commands, "fleet", "the other end: receiver, units, gaps, tracks, events, proofs, runs")
    for part in (reception, telematics, proofs, runs):
        part.add_commands(group)
