"""A proof leaves the card when the receiver signed for it, and only then: a plain receipt may be anybody's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware.journal import Journal, Series
from mqtt.ranges import Ranges
from tests.journals import BOOT, DAY_MS, Now, event, open_journal, proof, spans_of_rows
from tests.unit.test_journal_damage import flip_bit_in, zero_header


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(open_journal(tmp_path)) as opened:
        yield opened


def receipt_everything(journal: Journal) -> None:
    journal.acknowledge(Series.SEQ, Ranges([(1, journal.issued(Series.SEQ))]))
    for _ in range(2):
        journal.append(BOOT, [event()])


def unsigned(journal: Journal) -> list[int]:
    return [row.number for row in journal.unsigned()]


def kept(folder: Path) -> list[int]:
    return [first for first, _ in spans_of_rows(folder, Series.SEQ)]


def test_a_plain_receipt_ends_the_waiting_of_a_proof_and_deletes_it_never(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [event(), proof(), event(), proof()])
    receipt_everything(journal)
    assert journal.waiting_count(Series.SEQ) == 2
    assert kept(tmp_path)[:2] == [2, 4]
    assert unsigned(journal) == [2, 4]


def test_what_lies_behind_an_unsigned_proof_goes_all_the_same(journal: Journal, tmp_path: Path) -> None:
    for _ in range(30):
        journal.append(BOOT, [proof(), event()])
        journal.acknowledge(Series.SEQ, Ranges([(1, journal.issued(Series.SEQ))]))
    journal.append(BOOT, [event()])
    assert kept(tmp_path) == [*range(1, 60, 2), 61]


def test_a_proof_that_the_receiver_signed_for_goes_with_a_later_commit(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [proof(), proof(), proof()])
    receipt_everything(journal)
    journal.release([2])
    journal.append(BOOT, [event()])
    assert kept(tmp_path)[:2] == [1, 3]
    assert unsigned(journal) == [1, 3]
    journal.release([1, 3])
    journal.append(BOOT, [event()])
    assert kept(tmp_path)[0] > 3


def test_a_signature_without_a_plain_receipt_lets_nothing_go(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [proof(), event()])
    journal.release([1])
    journal.append(BOOT, [event()])
    assert kept(tmp_path)[0] == 1


def test_an_event_s_number_cannot_be_released_in_a_proof_s_place(journal: Journal, tmp_path: Path) -> None:
    journal.append(BOOT, [event(), proof()])
    journal.release([1, 77])
    journal.append(BOOT, [event()])
    assert kept(tmp_path)[:2] == [1, 2]
    assert unsigned(journal) == [2]


def test_a_signed_proof_stays_as_long_as_other_receipted_records(tmp_path: Path) -> None:
    now = Now()
    with closing(open_journal(tmp_path, now, keep_ms=2 * DAY_MS)) as journal:
        journal.append(BOOT, [proof(), event()])
        journal.release([1])
        receipt_everything(journal)
        assert kept(tmp_path)[0] == 1
        now.at_ms += 3 * DAY_MS
        journal.append(BOOT, [event()])
        assert kept(tmp_path)[0] > 2


def test_who_was_signed_for_is_remembered_over_a_restart(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [proof(), proof(), event()])
        journal.release([1])
    with closing(open_journal(tmp_path)) as journal:
        assert unsigned(journal) == [2]
        receipt_everything(journal)
        assert kept(tmp_path)[0] == 2


def test_after_a_salvage_unsigned_proofs_are_still_there_and_no_gap_is_reported(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        for _ in range(10):
            journal.append(BOOT, [proof(), event(log=journal.log)])
        receipt_everything(journal)
        journal.append(BOOT, [event()])
        before = kept(tmp_path)
    zero_header(tmp_path / "journal.db", random.Random(0))
    with closing(open_journal(tmp_path)) as journal:
        assert journal.salvaged is not None
        assert kept(tmp_path)[: len(before)] == before
        assert unsigned(journal) == list(range(1, 20, 2))
        assert not [row for row in journal.waiting(Series.SEQ, Ranges(), 100) if row.number <= 20]


def test_a_full_journal_keeps_unsigned_proofs(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path, quota_bytes=1_000_000)) as journal:
        journal.append(BOOT, [proof(20_000) for _ in range(30)])
        receipt_everything(journal)
        journal._commits.relieve(at_least=0.99)
        assert unsigned(journal) == list(range(1, 31))


def test_a_proof_that_the_card_damaged_is_put_on_the_shelf(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        journal.append(BOOT, [proof(), proof()])
    flip_bit_in(tmp_path, "record_seq", "payload", 1, b"pod 1 q")
    with closing(open_journal(tmp_path)) as journal:
        assert unsigned(journal) == [2]
