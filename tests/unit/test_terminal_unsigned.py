"""Which proof is offered again for a signature, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware.evidence.book import EvidenceBook
from firmware.evidence.unsigned import LOOK_S, PATIENCE_S, STALE_S, UnsignedProofs
from firmware.journal import Journal, Series
from mqtt.ranges import Ranges
from tests.journals import BOOT, open_journal
from tests.journals import proof as no_record
from tests.proofs import Keys, book_of, keys_of_the_session, pods_of, proof, write

PROOFS = 3


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(open_journal(tmp_path)) as opened:
        yield opened


@pytest.fixture
def book(journal: Journal, keys: Keys) -> EvidenceBook:
    """Three proofs, just written."""
    made = book_of(journal, keys)
    write(journal, made, *(proof() for _ in range(PROOFS)))
    return made


def receipt_all(journal: Journal) -> None:
    journal.acknowledge(Series.SEQ, Ranges([(1, journal.issued(Series.SEQ))]))


def offered(proofs: UnsignedProofs, now_s: float) -> int | None:
    row = proofs.offer(now_s)
    return None if row is None else row.number


def test_what_still_waits_for_a_plain_receipt_is_the_outbox_s(book: EvidenceBook) -> None:
    book.unsigned.open(0.0)
    assert offered(book.unsigned, 2 * PATIENCE_S) is None


def test_a_new_session_offers_what_was_receipted_more_than_an_hour_ago(journal: Journal, book: EvidenceBook) -> None:
    receipt_all(journal)
    assert offered(book.unsigned, 0.0) is None
    book.unsigned.open(STALE_S - 1)
    assert offered(book.unsigned, STALE_S - 1) is None
    book.unsigned.open(STALE_S)
    assert offered(book.unsigned, STALE_S) == pods_first(journal)


def pods_first(journal: Journal) -> int:
    return next(journal.unsigned()).number


def test_within_a_session_it_is_offered_after_a_day(journal: Journal, book: EvidenceBook) -> None:
    receipt_all(journal)
    book.unsigned.open(0.0)
    assert offered(book.unsigned, 0.0) is None
    assert offered(book.unsigned, PATIENCE_S - 1) is None
    assert offered(book.unsigned, PATIENCE_S + LOOK_S) == pods_first(journal)


def test_the_next_is_offered_when_the_one_before_was_signed_for(journal: Journal, book: EvidenceBook, keys: Keys) -> None:
    receipts = [keys.receipt(pod) for pod in pods_of(journal)]
    numbers = [row.number for row in journal.unsigned()]
    receipt_all(journal)
    assert offered(book.unsigned, 0.0) is None
    book.unsigned.open(STALE_S)
    for number, receipt in zip(numbers, receipts, strict=True):
        assert offered(book.unsigned, STALE_S + 1) == number
        assert offered(book.unsigned, STALE_S + 1 + 2 * LOOK_S) is None
        book.take([receipt])
        book.unsigned.receipted()
    assert offered(book.unsigned, 3 * PATIENCE_S) is None


def test_a_receiver_that_never_signs_costs_one_proof_a_day_and_none_is_preferred(journal: Journal, book: EvidenceBook) -> None:
    receipt_all(journal)
    assert offered(book.unsigned, 0.0) is None
    days = [offered(book.unsigned, (n + 1) * (PATIENCE_S + LOOK_S)) for n in range(2 * PROOFS)]
    assert days == [row.number for row in journal.unsigned()] * 2


def test_after_a_restart_what_was_receipted_is_offered_in_the_first_session(journal: Journal, book: EvidenceBook, keys: Keys) -> None:
    receipt_all(journal)
    again = book_of(journal, keys)
    again.unsigned.open(0.0)
    assert offered(again.unsigned, 0.0) == pods_first(journal)
    assert book.head == again.head


def test_one_that_was_set_aside_holds_up_no_other(journal: Journal, book: EvidenceBook) -> None:
    numbers = [row.number for row in journal.unsigned()]
    receipt_all(journal)
    assert offered(book.unsigned, 0.0) is None
    journal.set_aside(Series.SEQ, numbers[0], "a test wants it so")
    book.unsigned.open(STALE_S)
    assert offered(book.unsigned, STALE_S) is None
    assert offered(book.unsigned, STALE_S + LOOK_S) == numbers[1]


def test_a_row_that_is_no_record_of_ours_stops_no_start(journal: Journal, keys: Keys) -> None:
    journal.append(BOOT, [no_record()])
    assert offered(book_of(journal, keys).unsigned, 0.0) is None
