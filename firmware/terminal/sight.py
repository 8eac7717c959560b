"""Which codes are new to the eye: each is told once while it stays in sight. Pure."""

from __future__ import annotations

from collections.abc import Collection

SIGHT_S = 1.5  # a code that stays in sight, or comes back within so long, is one scan
WITNESS_S = 3.0  # between the two pictures in which an EAN is read alike: later it is another parcel


class Sight:
    """Follows the codes of picture after picture by their identities."""

    def __init__(self) -> None:
        self._seen_s: dict[str, float] = {}
        self._open: frozenset[str] = frozenset()  # among which the driver is still to choose
        self._doubted: dict[str, tuple[int, float]] = {}

    def is_new(self, names: Collection[str], at_s: float) -> bool:
        """Whether the codes of one picture are worth telling: one was out of sight, or of several to choose from one alone is left."""
        self._seen_s = {known: seen_s for known, seen_s in self._seen_s.items() if at_s - seen_s < SIGHT_S}
        alone = len(names) == 1 < len(self._open) and self._open & self._seen_s.keys() == set(names)
        new = alone or any(name not in self._seen_s for name in names)
        self._seen_s |= dict.fromkeys(names, at_s)
        if new:
            self._open = frozenset()
        return new

    def leave_open(self, names: Collection[str]) -> None:
        """These were told, and the driver is to choose."""
        self._open = frozenset(names)

    def is_sure(self, name: str, symbology: str, n: int, at_s: float) -> bool:
        """EAN needs a second picture: of poor ones 3 to 7 in 100 are misread with a check digit that holds."""
        if symbology != "EAN13":
            return True
        self._doubted = {known: seen for known, seen in self._doubted.items() if at_s - seen[1] < WITNESS_S}
        first, _ = self._doubted.setdefault(name, (n, at_s))
        if first == n:
            return False
        self._doubted[name] = (first, at_s)  # sure for as long as it stays in sight
        return True
