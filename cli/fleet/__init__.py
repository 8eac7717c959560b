"""`roadproof fleet`: the other end - run a receiver, look at units, tracks, events and proofs, send runs, say who belongs to it."""

from __future__ import annotations

from cli.fleet import access, authority, proofs, reception, reports, runs, salvage, telematics
from cli.words import Commands, add_group


def add_commands(commands: Commands) -> None:
    """Add `fleet` and what stands below it."""
    group = add_group(commands, "fleet", "the other end: receiver, units, gaps, tracks, events, proofs, runs, who belongs to it")
    for part in (reception, telematics, proofs, reports, runs, access, salvage, authority):
        part.add_commands(group)
