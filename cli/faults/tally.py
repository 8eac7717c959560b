"""What was done to the unit, and what became of its records."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

EXAMPLES = 5  # sentences that say what was lost: the first ones tell most


class Tally(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Counts of one harm; what does not apply to it is left out."""

    harm: str
    command: str | None = None  # does the same again
    seed: int | None = None
    seconds: float | None = None  # how long it took
    faults: int | None = None  # what was done: cuts, kills, flips
    states: int | None = None  # what was opened and checked after it
    committed: int | None = None  # records that were called saved
    lost: int | None = None  # of those, the ones that are nowhere
    stored_twice: int | None = None
    corrupt: int | None = None  # there, and not what was saved; also an attachment
    numbers_reused: int | None = None
    tracebacks: int | None = None
    more: dict[str, Any] = {}  # figures that only this harm has
    examples: list[str] = []  # for people, the first few losses in a sentence each

    NEVER: ClassVar[tuple[str, ...]] = ("lost", "stored_twice", "corrupt", "numbers_reused", "tracebacks")

    @property
    def is_clean(self) -> bool:
        """Whether nothing happened that must never happen."""
        return not any(getattr(self, name) for name in self.NEVER)

    @property
    def verdict(self) -> str:
        """The answer, for people: whether anything happened that must never happen, and how often."""
        bad = [f"{count:,} {name.replace('_', ' ')}" for name in self.NEVER if (count := getattr(self, name))]
        return f"faults {self.harm}: {', '.join(bad) or 'nothing lost, nothing wrong'}"

    def add(self, other: Tally) -> None:
        """Count another's together with this one's."""
        for name in ("faults", "states", "committed", *self.NEVER):
            more = getattr(other, name)
            if more is not None:
                setattr(self, name, (getattr(self, name) or 0) + more)
        self.examples = [*self.examples, *other.examples][:EXAMPLES]
