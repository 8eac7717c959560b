"""What a receiver usually sends after what: tells the end of a burst inside the burst."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from drivers.gnss.sentences import Gga, Gns, Gsa, Rmc, Value, Vtg

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable

BURSTS_LEARNED = 10
USUALLY = 0.6  # what follows less often than this is not worth waiting for
ESSENTIAL = (Rmc, Gga, Gns)  # what these say (speed, date, altitude) only VTG says too: the speed, where no RMC comes


class BurstHabits:
    """Learns from the last few bursts what still follows a sentence."""

    def __init__(self) -> None:
        self._bursts: deque[list[type[Value]]] = deque(maxlen=BURSTS_LEARNED)
        self._known: dict[tuple[type[Value], ...], bool] = {}  # by kind and what was seen: receivers repeat themselves

    def learn(self, kinds: Iterable[type[Value]]) -> None:
        """Remember the kinds of a whole burst in their order."""
        burst = list(kinds)
        if len(self._bursts) < BURSTS_LEARNED or self._bursts[0] != burst:  # else one goes and the same comes
            self._known.clear()
        self._bursts.append(burst)

    def complete_after(self, kind: type[Value], seen: Collection[type[Value]]) -> bool:
        """Whether nothing worth waiting for follows this kind of sentence, going by the bursts that held it."""
        case = (kind, *seen)
        if case not in self._known:
            self._known[case] = self._is_complete(kind, seen)
        return self._known[case]

    def _is_complete(self, kind: type[Value], seen: Container[type[Value]]) -> bool:
        tails = [burst[burst.index(kind) + 1 :] for burst in self._bursts if kind in burst]
        if not tails:
            return False
        if any(self._is_owed(essential, tails) for essential in ESSENTIAL if essential not in seen):
            return False
        if Rmc not in seen and Vtg not in seen and not self._is_regular(Rmc) and self._is_owed(Vtg, tails):
            return False
        return Gsa in seen or sum(Gsa in tail for tail in tails) < USUALLY * len(tails)

    def _is_owed(self, kind: type[Value], tails: list[list[type[Value]]]) -> bool:
        """Whether to wait: once is enough for what comes in every burst, not for what comes in some (5 Hz GGA, 1 Hz RMC)."""
        followed = sum(kind in tail for tail in tails)
        return followed > 0 if self._is_regular(kind) else followed >= USUALLY * len(tails)

    def _is_regular(self, kind: type[Value]) -> bool:
        return sum(kind in burst for burst in self._bursts) >= USUALLY * len(self._bursts)
