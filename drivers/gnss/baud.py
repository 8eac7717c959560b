"""Finds the speed of a receiver's line: pure, told what came and when."""

from __future__ import annotations

RATES = (9_600, 115_200, 38_400, 57_600, 4_800, 230_400, 460_800, 921_600, 19_200)  # the commonest first
DWELL_S = 1.05  # every receiver speaks once a second; all rates together take under ten
GARBAGE_BYTES = 1_500  # so much without a sentence in less time is noise
LOST_BYTES = 6_000  # so much without a sentence at a rate that was right: the receiver was reset


class BaudHunt:
    """Goes through the rates until sentences come, and again when they stay away."""

    def __init__(self, now_s: float, bytes_read: int = 0, sentences_good: int = 0) -> None:
        self.found = False
        self._index = 0
        self._since_s = now_s
        self._bytes = bytes_read
        self._good = sentences_good
        self.tried = 0  # rates in vain, since one was found

    @property
    def baud(self) -> int:
        """The rate to listen at."""
        return RATES[self._index]

    def look(self, now_s: float, bytes_read: int, sentences_good: int) -> bool:
        """Take the counters of now; return whether the rate has changed."""
        if sentences_good > self._good:
            self.found, self.tried = True, 0
        elif self._is_in_vain(now_s, bytes_read):
            self.found = False
            self.tried += 1
            self._index = (self._index + 1) % len(RATES)
        else:
            return False
        changed = not self.found
        self._since_s, self._bytes, self._good = now_s, bytes_read, sentences_good
        return changed

    def _is_in_vain(self, now_s: float, bytes_read: int) -> bool:
        heard_bytes = bytes_read - self._bytes
        if self.found:
            return heard_bytes >= LOST_BYTES
        return heard_bytes >= GARBAGE_BYTES or now_s - self._since_s >= DWELL_S
