"""Attachments that the receiver holds stay on the card for a while: a receiver may be set back to an old backup."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from firmware.clock import Clock
from firmware.diary import Diary
from firmware.evidence.attachments import Attachments
from firmware.evidence.book import BLOB, SIGNED
from firmware.status import Status, StatusBoard
from firmware.uplink import post
from firmware.uplink.post import ProofPost
from mqtt.messages import BlobHeld, Held, Receipt
from tests.journals import BOOT, START_MS, Now, open_journal

HOUR_MS = 3_600_000
EVIDENCE: Any = SimpleNamespace(  # every record is signed for
    take=lambda _: None, may_forget=lambda _, piece: piece == SIGNED, unsigned=SimpleNamespace(receipted=lambda: None, open=lambda _: None)
)


class Card:
    """A unit's card with one photo on it, which waits."""

    def __init__(self, folder: Path, keep_ms: int) -> None:
        self.now = Now()
        self.journal = open_journal(folder, self.now)
        self.attachments = Attachments(folder / "attachments", bytes)
        self.name = self.attachments.keep(b"a photo").enc_sha256
        self.journal.append(BOOT, work={BLOB + self.name: SIGNED})
        status = StatusBoard(Status())
        diary = Diary(unit="van-1", boot=BOOT, clock=Clock(), status=status)
        self.post = ProofPost(
            boot=BOOT, journal=self.journal, attachments=self.attachments, evidence=EVIDENCE, diary=diary, status=status,
            keep_ms=keep_ms, utc_ms=self.now,
        )  # fmt: skip
        self.post.open(0.0, largest_bytes=None)

    def hears(self, *, whole: bool) -> None:
        told = Receipt(
            unit="van-1", log="01234567", received="2026-12-11T06:30:00.000Z", seq=Held(upto=0), tseq=Held(upto=0),
            blobs={self.name: BlobHeld(upto=7 if whole else 0, whole=whole)},
        )  # fmt: skip
        self.post.take(told, 1.0)

    def is_there(self) -> bool:
        return self.attachments.is_whole(self.name)

    def sends(self) -> bool:
        """Whether a piece of it goes out; the uplink looks again when something was written."""
        self.post._issued_seen = -1
        return self.post.next(1.0) is not None


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    made = Card(tmp_path, HOUR_MS)
    assert made.sends()
    made.hears(whole=True)
    yield made
    made.journal.close()


def test_a_photo_that_the_receiver_holds_stays_and_does_not_wait(card: Card) -> None:
    assert card.is_there()
    assert card.post.lane.waiting == 0
    assert not card.sends()


def test_a_photo_that_the_receiver_lost_goes_out_once_more(card: Card) -> None:
    card.hears(whole=False)
    card.post.open(2.0, largest_bytes=None)
    assert card.post.lane.waiting == 1
    assert card.sends()


def test_a_kept_photo_goes_when_its_time_is_over(card: Card) -> None:
    card.now.at_ms = START_MS + HOUR_MS - 1
    card.sends()
    assert card.is_there()
    card.now.at_ms += 2 * post.SWEEP_MS
    card.sends()
    assert not card.is_there()
    assert card.journal.work(BLOB) == {}


def test_a_kept_photo_goes_at_once_where_the_card_runs_out_of_room(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "ROOM_BYTES", 2**62)
    card.now.at_ms += 2 * post.SWEEP_MS
    card.sends()
    assert not card.is_there()


def test_a_photo_kept_while_the_clock_ran_ahead_does_not_hold_its_room(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "ROOM_BYTES", 2**62)
    card.now.at_ms -= 10 * 365 * 24 * HOUR_MS
    card.sends()
    assert not card.is_there()


def test_a_unit_that_keeps_nothing_lets_a_photo_go_with_the_receipt(tmp_path: Path) -> None:
    made = Card(tmp_path, 0)
    made.sends()
    made.hears(whole=True)
    assert not made.is_there()
    made.journal.close()
