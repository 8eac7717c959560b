"""The gap report, and the receipt that comes from the same comparison."""

from __future__ import annotations

import msgspec
import pytest

from fleet import gaps, receipts
from fleet.gaps import Gap, gap, span_text
from fleet.intake import Series
from fleet.rows import Holding, SeriesHolding, SeriesRow
from mqtt import schema, topics
from mqtt.messages import Ledger, Receipt, encode
from mqtt.ranges import Ranges, Span

UNIT, LOG, AT_MS = "van-12", "0000a001", 1_777_000_000_000


def ledger(issued: int, receipted: int, dropped: int = 0) -> Ledger:
    return Ledger(issued=issued, receipted=receipted, waiting=issued - receipted, dropped=dropped)


def report(held: list[Span], told: Ledger | None, rows: int | None = None) -> Gap:
    coverage = Ranges(held)
    count = coverage.count() if rows is None else rows
    row = SeriesRow(unit=UNIT, log=LOG, series=Series.TSEQ, current=True, coverage=coverage, rows=count, ledger=told)
    return gap(row)


def holding(held: list[Span], batch: list[Span], told: Ledger | None = None, *, born: bool = False) -> Holding:
    nothing = SeriesHolding(coverage=Ranges(), batch=Ranges(), ledger=None)
    tseq = SeriesHolding(coverage=Ranges(held), batch=Ranges(batch), ledger=told)
    return Holding(unit=UNIT, log=LOG, seq=nothing, tseq=tseq, born=born)


def answer(given: Holding) -> Receipt:
    receipt = receipts.answer(given, AT_MS)
    assert receipt is not None
    assert schema.check(topics.RECEIPT.topic(UNIT), encode(receipt)) == []
    return receipt


def test_a_journal_that_is_wholly_held_is_complete() -> None:
    found = report([(1, 100)], ledger(100, 100))
    assert (found.held, found.waiting, found.missing, found.complete) == (100, [], [], True)


def test_numbers_that_the_unit_gave_and_still_has_wait_on_it() -> None:
    assert report([(1, 60), (81, 90)], ledger(100, 60)).waiting == [(61, 80), (91, 100)]


def test_numbers_that_the_unit_believes_stored_and_are_not_are_missing() -> None:
    found = report([(1, 60)], ledger(120, 100))
    assert (found.missing, found.waiting, found.complete) == ([(61, 100)], [(101, 120)], False)


def test_without_a_word_of_the_unit_holes_wait_and_nothing_is_missing() -> None:
    found = report([(1, 60), (81, 90)], None)
    assert (found.waiting, found.missing, found.dropped) == ([(61, 80)], [], None)


def test_a_ledger_older_than_what_is_held_leaves_no_wrong_gap() -> None:
    assert report([(1, 100)], ledger(40, 10)).complete


def test_numbers_held_without_a_row_were_thinned() -> None:
    found = report([(1, 100)], ledger(100, 100, dropped=40), rows=60)
    assert (found.stored, found.thinned, found.dropped) == (60, 40, 40)


@pytest.mark.parametrize(
    ("spans", "text"),
    [([], ""), ([(3, 3)], "3"), ([(3, 3), (7, 12)], "3, 7 to 12"), ([(n, n) for n in range(1, 15, 2)], "1, 3, 5, 7, 9 and 2 ranges more")],
)
def test_ranges_are_told_in_words(spans: list[Span], text: str) -> None:
    assert span_text(spans) == text
    assert gaps.count(spans) == Ranges(spans).count()


def test_a_receipt_says_up_to_where_nothing_is_missing_and_what_lies_above() -> None:
    held = answer(holding([(1, 60), (71, 80)], [(71, 80)])).tseq
    assert (held.upto, held.also, held.missing) == (60, [[71, 80]], [])


def test_a_receipt_asks_for_what_the_unit_believes_stored() -> None:
    assert answer(holding([(1, 60), (101, 110)], [(101, 110)], ledger(110, 100))).tseq.missing == [[61, 100]]


def test_a_birth_is_always_answered() -> None:
    receipt = answer(holding([], [], ledger(0, 0), born=True))
    assert (receipt.tseq.upto, receipt.seq.upto) == (0, 0)


@pytest.mark.parametrize(
    ("held", "told", "due"),
    [
        ([(1, 60)], ledger(60, 60), False),  # both know the same
        ([(1, 60)], ledger(60, 40), True),  # a receipt was lost
        ([(1, 60)], ledger(90, 80), True),  # a backup was restored
        ([(1, 60)], ledger(90, 60), False),  # the rest is on its way
        ([], None, False),
    ],
)
def test_a_ledger_is_answered_only_when_the_two_sides_differ(held: list[Span], told: Ledger | None, *, due: bool) -> None:
    assert (receipts.answer(holding(held, [], told), AT_MS) is not None) is due


def test_a_receipt_stays_short_and_names_what_came_just_now() -> None:
    scattered = [(number, number) for number in range(10, 1000, 5)]
    held = answer(holding(scattered, [(900, 900), (905, 905)], ledger(2000, 1999))).tseq
    assert len(held.also) == len(held.missing) == receipts.RANGES_LIMIT
    assert held.also[-2:] == [[900, 900], [905, 905]]
    assert held.also[0] == [10, 10]


def test_a_batch_of_many_pieces_is_receipted_whole() -> None:
    scattered = [(number, number) for number in range(10, 1000, 5)]
    assert answer(holding(scattered, scattered)).tseq.also == [list(span) for span in scattered]


def test_a_report_can_be_written_as_json() -> None:
    told = msgspec.json.decode(msgspec.json.encode(report([(1, 60), (81, 90)], ledger(100, 60))))
    assert told["waiting"] == [[61, 80], [91, 100]]
