"""Proofs that the receiver has not signed for: they stay on the card, whatever else is said of them, and are offered again in time.

One is offered at a time: a receiver that answers gets the next at once, one that is deaf or held back costs one record a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import msgspec

from firmware.journal import Journal, Row, Series
from mqtt import messages
from mqtt.evidence.chain import link_of

STALE_S = 3_600.0  # a plain receipt as old as this should have been followed by a signed one: the next session asks
PATIENCE_S = 86_400.0  # and without a new session, so often
LOOK_S = 5.0


class Unsigned(msgspec.Struct, frozen=True):
    """A proof on the card."""

    number: int  # in the journal
    attachments: frozenset[str]  # by their sealed names


class UnsignedProofs:
    """Knows them by their links. Times are monotonic seconds; `offer` and `open` belong to the uplink's thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._by_link = {link: proof for row in journal.unsigned() for link, proof in _read(row).items()}
        held = journal.receipted(Series.SEQ)
        self._since_s = {one.number: -inf for one in self._by_link.values() if one.number in held}  # of before the start: long ago
        self._offered = 0
        self._opened_s = -inf
        self._look_s = -inf

    def add(self, proofs: Mapping[str, Unsigned]) -> None:
        """These, by their links, are on the card now."""
        self._by_link |= proofs

    def get(self, link: str) -> Unsigned | None:
        """The proof with this link, while nobody signed for it."""
        return self._by_link.get(link)

    def names(self, attachment: str) -> bool:
        """Whether one of them answers for this attachment."""
        return any(attachment in one.attachments for one in list(self._by_link.values()))

    def signed(self, link: str) -> None:
        """The receiver signed for this one, and that is on the card."""
        self._journal.release([self._by_link.pop(link).number])

    def receipted(self) -> None:
        """The receiver spoke: the next `offer` sees what it now holds."""
        self._look_s = -inf

    def open(self, now_s: float) -> None:
        """A session began."""
        self._opened_s, self._look_s, self._offered = now_s, -inf, 0

    def offer(self, now_s: float) -> Row | None:
        """The proof to send once more, so that the receiver signs for it; None while there is none."""
        if now_s < self._look_s:
            return None
        self._look_s = now_s + LOOK_S
        held = self._journal.receipted(Series.SEQ)
        waiting = [one.number for one in list(self._by_link.values()) if one.number in held]
        self._since_s = {number: self._since_s.get(number, now_s) for number in waiting}
        if now_s - self._since_s.get(self._offered, -inf) < PATIENCE_S:
            return None
        due = [number for number, since_s in self._since_s.items() if self._opened_s - since_s >= STALE_S or now_s - since_s >= PATIENCE_S]
        if not due:
            return None
        self._offered = min(due, key=lambda number: (self._since_s[number], number))
        self._since_s[self._offered] = now_s
        row = next(self._journal.unsigned(self._offered), None)
        if row is None or row.number != self._offered:
            self._offered = 0  # set aside meanwhile: it holds up no other
            return None
        return row


class _Named(msgspec.Struct, frozen=True):
    """Of a record what names its attachments."""

    att: tuple[_Attachment, ...]


class _Attachment(msgspec.Struct, frozen=True):
    enc_sha256: str


def _read(row: Row) -> dict[str, Unsigned]:
    """What a row holds, by its link; nothing where it is no record of ours."""
    try:
        pod = msgspec.json.decode(row.payload, type=messages.Pod)
        att = msgspec.json.decode(pod.rec, type=_Named).att
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {link_of(pod.rec, pod.jws): Unsigned(row.number, frozenset(one.enc_sha256 for one in att))}
