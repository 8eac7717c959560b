"""The history lane on a real journal, without a broker."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from firmware.journal import Draft, Journal, Series
from firmware.uplink.outbox import (
    DENIALS,
    FIXES_A_BATCH,
    LONGEST_RECEIPT_S,
    RECEIPT_S,
    REFUSED_S,
    UNRECEIPTED_LIMIT,
    Outbox,
    Shipment,
)
from mqtt import codec, topics
from mqtt.ranges import Ranges
from tests.journals import BOOT, Now, event, open_journal, points, proof

BATCH_S = 60.0
WINDOW = 5


class Road:
    """A journal, its outbox, and a broker and receiver that do as the test says."""

    def __init__(self, folder: Path) -> None:
        self.now = Now()
        self.now_s = 1_000.0
        self.journal: Journal = open_journal(folder, self.now, keep_ms=10**9)
        self.outbox = Outbox(self.journal, unit="van-1", batch_s=BATCH_S)
        self.flying: dict[int, Shipment] = {}
        self.mid = 0
        self.open()

    def open(self, window: int = WINDOW, largest_bytes: int | None = None) -> None:
        self.flying.clear()
        self.outbox.open(self.now_s, window=window, largest_bytes=largest_bytes)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.now.at_ms += round(seconds * 1_000)

    def drive(self, fixes: int) -> None:
        for _ in range(fixes // 10):
            self.journal.append(BOOT, [], points(10, self.now.at_ms))
        if fixes % 10:
            self.journal.append(BOOT, [], points(fixes % 10, self.now.at_ms))

    def send(self, *, all_now: bool = False) -> list[Shipment]:
        """Everything that may go out now."""
        went = []
        while shipment := self.outbox.next(self.now_s, all_now=all_now):
            self.mid += 1
            self.flying[self.mid] = shipment
            self.outbox.sent(self.mid, shipment, self.now_s)
            went.append(shipment)
            assert len(went) < 10_000
        return went

    def broker_takes_all(self) -> None:
        for mid in list(self.flying):
            self.flying.pop(mid)
            self.outbox.taken(mid, self.now_s)

    def receiver_stores(self, *shipments: Shipment) -> None:
        for one in shipments:
            self.journal.acknowledge(one.series, Ranges([(one.first, one.last)]))
        self.outbox.receipted(self.now_s)

    def deliver(self, *, all_now: bool = False) -> list[Shipment]:
        """A whole round: out, taken, receipted."""
        went = self.send(all_now=all_now)
        self.broker_takes_all()
        self.receiver_stores(*went)
        return went


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    made = Road(tmp_path)
    yield made
    made.journal.close()


def spans(shipments: list[Shipment]) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in shipments]


def test_nothing_waits_and_nothing_goes(road: Road) -> None:
    assert road.send() == []


def test_one_at_a_time_until_the_first_receipt(road: Road) -> None:
    road.drive(3_000)
    assert spans(road.send()) == [(1, 300)]
    road.broker_takes_all()
    assert road.send() == []  # a broker's word opens nothing
    road.receiver_stores()
    assert spans(road.send()) == [(301 + 300 * n, 600 + 300 * n) for n in range(WINDOW)]


def test_events_go_before_fixes_and_both_oldest_first(road: Road) -> None:
    road.drive(600)
    road.journal.append(BOOT, [event(), proof(), event()])
    road.receiver_stores()
    went = road.send()
    assert [(one.series, one.first) for one in went] == [
        (Series.SEQ, 1), (Series.SEQ, 2), (Series.SEQ, 3), (Series.TSEQ, 1), (Series.TSEQ, 301),
    ]  # fmt: skip
    assert [one.channel for one in went[:3]] == [topics.EVENT, topics.POD, topics.EVENT]


def test_the_window_is_the_broker_s(road: Road) -> None:
    road.drive(6_000)
    road.open(window=2)
    road.receiver_stores()
    assert len(road.send()) == 2
    road.outbox.taken(next(iter(road.flying)), road.now_s)
    assert len(road.send()) == 1


def test_never_more_is_out_than_fifty_batches_without_a_receipt(road: Road) -> None:
    road.drive(30_000)
    road.receiver_stores()
    went = []
    for _ in range(100):
        went += road.send()
        road.broker_takes_all()
    assert len(went) == UNRECEIPTED_LIMIT


def test_a_backlog_goes_in_batches_of_three_hundred(road: Road) -> None:
    road.drive(1_550)
    road.receiver_stores()
    went = [shipment for _ in range(9) for shipment in road.deliver(all_now=True)]
    assert spans(went) == [(1, 300), (301, 600), (601, 900), (901, 1200), (1201, 1500), (1501, 1550)]
    for one in went:
        track = codec.unpack(one.payload)
        assert (track.tseq, track.span, track.boot, len(track.cols["t_ms"])) == (one.first, one.last - one.first + 1, BOOT, track.span)
    assert FIXES_A_BATCH == 300


def test_on_line_a_batch_goes_once_a_minute(road: Road) -> None:
    times = []
    for second in range(0, 300, 10):
        road.drive(10)
        if road.deliver():
            times.append(second)
        road.wait(10)
    assert times == [0, 60, 120, 180, 240]


def test_a_new_boot_begins_a_new_batch(road: Road) -> None:
    road.journal.append("aaaaaaaaaaaa", [], points(10))
    road.journal.append("bbbbbbbbbbbb", [], points(10))
    road.receiver_stores()
    went = road.send(all_now=True)
    assert [(codec.unpack(one.payload).boot, one.first) for one in went] == [("aaaaaaaaaaaa", 1), ("bbbbbbbbbbbb", 11)]


def test_nothing_goes_twice_while_its_receipt_may_still_come(road: Road) -> None:
    road.drive(900)
    road.receiver_stores()
    road.send()
    road.broker_takes_all()
    road.wait(RECEIPT_S - 1)
    assert not road.outbox.overdue(road.now_s)
    assert road.send() == []


def test_what_stays_without_a_receipt_goes_again_ever_more_patiently(road: Road) -> None:
    road.journal.append(BOOT, [event()])
    waits = []
    for _ in range(8):
        assert spans(road.send()) == [(1, 1)]
        road.broker_takes_all()
        begun_s = road.now_s
        while not road.outbox.overdue(road.now_s):
            road.wait(1)
        waits.append(road.now_s - begun_s)
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]
    assert waits[-1] == LONGEST_RECEIPT_S


def test_a_receipt_ends_the_patience(road: Road) -> None:
    road.journal.append(BOOT, [event(), event()])
    for _ in range(4):
        road.send()
        road.broker_takes_all()
        road.wait(LONGEST_RECEIPT_S)
        assert road.outbox.overdue(road.now_s)
    road.deliver()
    road.send()
    road.broker_takes_all()
    road.wait(RECEIPT_S)
    assert road.outbox.overdue(road.now_s)


def test_a_record_lost_behind_the_broker_goes_again_while_later_ones_are_receipted(road: Road) -> None:
    road.receiver_stores()
    for _ in range(4):
        road.journal.append(BOOT, [event()])
    went = road.send()
    road.broker_takes_all()
    road.receiver_stores(went[0], went[2], went[3])
    assert road.send() == []  # it may still be on its way
    road.wait(RECEIPT_S)
    road.journal.append(BOOT, [event()])
    assert spans(road.deliver()) == [(5, 5)]
    assert spans(road.deliver()) == [(2, 2)]
    assert road.journal.waiting_count(Series.SEQ) == 0


def test_a_silent_broker_is_noticed_only_while_it_owes_an_answer(road: Road) -> None:
    road.drive(300)
    road.wait(500)
    assert road.outbox.silent_s(road.now_s) == 0
    road.send()
    road.wait(12)
    assert road.outbox.silent_s(road.now_s) == 12
    road.broker_takes_all()
    road.wait(12)
    assert road.outbox.silent_s(road.now_s) == 0


def test_while_the_broker_owes_an_answer_nobody_waits_for_a_receipt(road: Road) -> None:
    """Or the silence would begin anew with each sending, and a black hole would be found much later than it could be."""
    road.drive(300)
    road.send()
    for second in range(1, 60):
        road.wait(1)
        assert not road.outbox.overdue(road.now_s)
        assert road.outbox.silent_s(road.now_s) == second


def test_a_refused_record_is_tried_again_after_growing_pauses(road: Road) -> None:
    road.journal.append(BOOT, [event()])
    pauses = []
    for _ in range(9):
        while not road.send():
            road.wait(0.5)
        refused_s = road.now_s
        (mid,) = road.flying
        assert road.outbox.refused(mid, road.now_s) is not None
        road.flying.clear()
        while not road.outbox.next(road.now_s):
            road.wait(0.5)
        pauses.append(road.now_s - refused_s)
    assert pauses[0] == REFUSED_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_RECEIPT_S


def test_an_answer_for_something_else_is_passed_over(road: Road) -> None:
    assert road.outbox.taken(99, road.now_s) is None
    assert road.outbox.refused(99, road.now_s) is None


def test_what_the_receiver_lost_goes_again(road: Road) -> None:
    road.drive(600)
    road.receiver_stores()
    road.deliver()
    gone = road.journal.send_again(Series.TSEQ, [(101, 200)])
    road.outbox.forget_sent(Series.TSEQ, [(101, 200)])
    assert gone == []
    assert spans(road.send(all_now=True)) == [(101, 200)]


def test_numbers_that_are_gone_are_answered_for(road: Road) -> None:
    road.receiver_stores()
    marker = b'{"typ":"event"}'
    road.outbox.account_for("0a0a0a0a", BOOT, Series.SEQ, [(5, 9)], [marker])
    road.outbox.account_for("0a0a0a0a", BOOT, Series.SEQ, [(5, 9)], [marker])  # asked twice, answered once
    road.outbox.account_for("0a0a0a0a", BOOT, Series.TSEQ, [(1, 700)], [b""])
    first, second = road.send()
    assert (first.channel, first.payload, first.stored) == (topics.EVENT, marker, False)
    track = codec.unpack(second.payload)
    assert (track.tseq, track.span, codec.from_columns(track.cols)) == (1, 700, [])


def test_a_batch_too_large_for_the_broker_is_halved_until_it_fits(road: Road) -> None:
    chance = random.Random(1)
    for n in range(30):
        road.journal.append(BOOT, [], [msgspec.structs.replace(one, lat_e7=chance.randrange(10**8)) for one in points(10, n * 10_000)])
    road.open(largest_bytes=1_500)
    road.receiver_stores()
    went = []
    while batch := road.deliver(all_now=True):
        went += batch
    assert len(went) > 1
    assert max(len(one.payload) for one in went) <= 1_500
    assert spans(went)[0][0] == 1
    assert [b[0] - a[1] for a, b in zip(spans(went), spans(went)[1:], strict=False)] == [1] * (len(went) - 1)
    assert went[-1].last == 300


def test_a_record_too_large_for_the_broker_is_set_aside_and_the_rest_goes_on(road: Road) -> None:
    road.journal.append(BOOT, [event(), proof(5_000), event()])
    road.open(largest_bytes=4_000)
    road.receiver_stores()
    went = road.send()
    assert [(one.first, one.channel) for one in went] == [(1, topics.EVENT), (2, topics.EVENT), (3, topics.EVENT)]
    assert b"storage.dropped" in went[1].payload


def test_a_broker_that_takes_next_to_nothing_costs_no_record(road: Road) -> None:
    road.journal.append(BOOT, [event(), Draft("event", lambda _: b"x" * 700)])
    road.drive(10)
    road.open(largest_bytes=120)
    road.receiver_stores()
    assert [len(one.payload) for one in road.send(all_now=True)][1] == 700
    assert b"x" * 700 in [row.payload for row in road.journal.waiting(Series.SEQ, Ranges(), 9)]


def break_session(road: Road, *, broker_answered: bool = True) -> Shipment | None:
    road.wait(5)
    road.open()
    road.send(all_now=True)
    return road.outbox.suspect_head(broker_answered=broker_answered)


def test_the_record_that_ends_three_sessions_alone_is_named(road: Road) -> None:
    road.journal.append(BOOT, [event(), event()])
    assert [break_session(road) for _ in range(DENIALS - 1)] == [None] * (DENIALS - 1)
    poison = break_session(road)
    assert poison is not None
    assert (poison.series, poison.first) == (Series.SEQ, 1)


def test_a_record_is_not_suspected_of_what_it_was_not_there_for(road: Road) -> None:
    road.journal.append(BOOT, [event(), event()])
    for _ in range(20):
        assert break_session(road, broker_answered=False) is None
    road.open()
    assert road.outbox.suspect_head(broker_answered=True) is None  # nothing was under way
    assert break_session(road) is None


def test_a_receipt_clears_every_suspicion(road: Road) -> None:
    road.journal.append(BOOT, [event(), event()])
    for _ in range(5):
        assert [break_session(road), break_session(road)] == [None, None]
        road.outbox.receipted(road.now_s)


def test_a_suspect_batch_is_narrowed_down_to_one_commit(road: Road) -> None:
    road.drive(300)
    break_session(road)
    poison = None
    for _ in range(DENIALS):
        poison = poison or break_session(road)
    assert poison is not None
    assert (poison.first, poison.last) == (1, 10)


def test_every_fix_in_a_batch_is_the_one_that_was_recorded(road: Road) -> None:
    fixes = points(300, road.now.at_ms)
    for n in range(0, 300, 7):
        road.journal.append(BOOT, [], fixes[n : n + 7])
    road.receiver_stores()
    sent = [point for one in road.send(all_now=True) for point in codec.from_columns(codec.unpack(one.payload).cols)]
    assert [(point.t_ms, point.lat_e7, point.speed_cms) for point in sent] == [(fix.t_ms, fix.lat_e7, fix.speed_cms) for fix in fixes]
