"""What the day says: a line after each durable return, and one before anything may go."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from firmware.evidence.attachments import Attachments, Stored
from firmware.journal import Appended, Draft, Journal, Series
from mqtt import topics
from mqtt.codec import TrackPoint
from mqtt.messages import Pod
from mqtt.ranges import Ranges, Span


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. Series are named as on the wire; contents are told by their digests."""

    log: str = ""  # the journal's name
    saved: dict[str, dict[int, str]] = {}  # series -> number -> content, on the card
    pieces: dict[str, str | None] = {}  # work in progress on the card; None: no longer
    trying: dict[str, str | None] = {}  # the same, under way: until the next line either the old or this is there
    kept: list[str] = []  # attachments on the card; the name is the SHA-256
    chain: int = 0  # the number of its newest record on the card
    session: int = 0
    aside: dict[str, list[int]] = {}  # set aside: their numbers stay accounted for
    receipted: dict[str, list[Span]] = {}  # may count as held by the receiver from now on
    may_go: dict[str, list[Span]] = {}  # may leave the card from now on
    attachments_may_go: list[str] = []


def digest(content: bytes) -> str:
    """What a content is known by."""
    return blake2b(content, digest_size=12).hexdigest()


def point_digest(point: TrackPoint) -> str:
    """The same for a fix with its number."""
    return digest(msgspec.json.encode(point))


class Voice:
    """Says lines on stdout; with `waits`, waits after each for a line on stdin, so that who listens can look meanwhile."""

    def __init__(self, *, waits: bool = False) -> None:
        self._waits = waits
        self.proofs = set[int]()  # numbers of records that only a signed receipt lets go

    def say(self, said: Said) -> None:
        """Say it before anything else is done; SystemExit when nobody listens any more."""
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
        sys.stdout.flush()
        if self._waits and not sys.stdin.readline():
            sys.exit(0)


class ToldJournal(Journal):
    """The product's journal, and says what it made durable."""

    def __init__(self, path: Path, *, voice: Voice, **settings: Any) -> None:
        self._voice = voice
        super().__init__(path, **settings)

    def append(
        self,
        boot: str,
        drafts: Sequence[Draft] = (),
        points: Sequence[TrackPoint] = (),
        odometer: str | None = None,
        work: Mapping[str, bytes | None] | None = None,
    ) -> Appended:
        """Append, and say which numbers and pieces are on the card."""
        pieces = {name: None if value is None else digest(value) for name, value in (work or {}).items()}
        if pieces:
            self._voice.say(Said(trying=pieces))
        made = dict[int, bytes]()
        appended = super().append(boot, [_overheard(draft, made) for draft in drafts], points, odometer, work)
        kinds = dict(zip(appended.seqs, (draft.kind for draft in drafts), strict=True))
        proofs = [number for number in appended.seqs if kinds[number] == topics.POD.kind]
        self._voice.proofs.update(proofs)
        fixes = [msgspec.structs.replace(point, tseq=number) for number, point in zip(appended.tseqs, points, strict=True)]
        saved = {
            Series.SEQ.value: {number: digest(made[number]) for number in appended.seqs},
            Series.TSEQ.value: {fix.tseq: point_digest(fix) for fix in fixes},
        }
        chain = max((_chain_number(made[number]) for number in proofs), default=0)
        self._voice.say(Said(log=self.log, saved={name: given for name, given in saved.items() if given}, pieces=pieces, chain=chain))
        return appended

    def acknowledge(self, series: Series, held: Ranges) -> int:
        """Say what may go, then take the receiver's word."""
        spans = list(held)
        free = Ranges(spans)
        for number in self._voice.proofs if series is Series.SEQ else ():
            free.remove(number, number)
        self._voice.say(Said(receipted={series.value: spans}, may_go={series.value: list(free)}))
        return super().acknowledge(series, held)

    def release(self, numbers: Iterable[int]) -> None:
        """Say which proofs may go, then let them."""
        signed = list(numbers)
        self._voice.say(Said(may_go={Series.SEQ.value: [(number, number) for number in signed]}))
        super().release(signed)

    def set_aside(self, series: Series, number: int, reason: str) -> None:
        """Say that a record may leave its place, and afterwards that its number is accounted for."""
        self._voice.say(Said(may_go={series.value: [(number, number)]}))
        super().set_aside(series, number, reason)
        self._voice.say(Said(aside={series.value: [number]}))

    def next_session(self, unix_s: int) -> int:
        """Say the new session's number."""
        session = super().next_session(unix_s)
        self._voice.say(Said(session=session))
        return session


class ToldAttachments(Attachments):
    """The product's attachments, and says which are on the card."""

    def __init__(self, *settings: Any, voice: Voice) -> None:
        self._voice = voice
        super().__init__(*settings)

    def keep(self, plain: bytes) -> Stored:
        """Keep, and say so."""
        stored = super().keep(plain)
        self._voice.say(Said(kept=[stored.enc_sha256]))
        return stored

    def remove(self, names: Iterable[str]) -> None:
        """Say what may go, then let it."""
        going = list(names)
        if going:
            self._voice.say(Said(attachments_may_go=going))
        super().remove(going)


def _overheard(draft: Draft, made: dict[int, bytes]) -> Draft:
    """The same draft; what it makes is noted by its number."""

    def make(number: int) -> bytes:
        made[number] = draft.make(number)
        return made[number]

    return Draft(draft.kind, make)


class _Numbered(msgspec.Struct):
    """Of a signed record its number in the chain."""

    seq: int


def _chain_number(payload: bytes) -> int:
    return msgspec.json.decode(msgspec.json.decode(payload, type=Pod).rec, type=_Numbered).seq
