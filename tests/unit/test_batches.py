"""Batches packed ahead, while there is no link: what leaves is what was recorded, whatever happens to journal and unit meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from firmware.journal import Journal, Series
from firmware.journal.batches import Batch
from firmware.uplink import outbox as outboxes
from firmware.uplink.outbox import Outbox, Shipment
from mqtt import codec
from mqtt.codec import TrackPoint
from mqtt.ranges import Ranges
from tests.journals import BOOT, DAY_MS, START_MS, Now, open_journal, points

FIXES = 950  # three whole batches, and 50 that are none yet


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def journal(tmp_path: Path, now: Now) -> Iterator[Journal]:
    with closing(open_journal(tmp_path, now, keep_ms=10**9)) as made:
        drive(made, FIXES)
        yield made


def drive(journal: Journal, fixes: int, boot: str = BOOT) -> None:
    first = journal.issued(Series.TSEQ)
    for at in range(first, first + fixes, 10):
        journal.append(boot, [], points(10, START_MS + 1000 * at))


def outbox(journal: Journal, *, unit: str = "van-1", bound_m: float = 0.0) -> Outbox:
    return Outbox(journal, unit=unit, batch_s=60.0, bound_m=bound_m)


def prepared(outbox: Outbox) -> int:
    count = 0
    while outbox.prepare():
        count += 1
    return count


def drained(outbox: Outbox, journal: Journal, largest_bytes: int | None = None) -> list[Shipment]:
    """Everything that goes out, each receipted at once."""
    outbox.open(0.0, window=5, largest_bytes=largest_bytes)
    went = list[Shipment]()
    while shipment := outbox.next(1.0, all_now=True):
        outbox.sent(len(went), shipment, 1.0)
        outbox.taken(len(went), 1.0)
        journal.acknowledge(shipment.series, Ranges([(shipment.first, shipment.last)]))
        outbox.receipted(1.0)
        went.append(shipment)
    return went


def fixes_of(shipments: list[Shipment]) -> list[TrackPoint]:
    return [point for one in shipments for point in codec.from_columns(codec.unpack(one.payload).cols)]


def spans(shipments: list[Shipment]) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in shipments]


def spoil(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "journal.db")) as db, db:
        db.execute(sql)


def test_only_whole_batches_are_packed_ahead(journal: Journal) -> None:
    ahead = outbox(journal)
    assert prepared(ahead) == 3
    drive(journal, 240)
    assert not ahead.prepare()
    drive(journal, 10)
    assert ahead.prepare()


@pytest.mark.parametrize("bound_m", [0.0, 5.0])
def test_what_was_packed_ahead_is_what_would_be_packed_on_the_way(tmp_path: Path, bound_m: float) -> None:
    went: list[list[TrackPoint]] = []
    for name in ("ahead", "on the way"):
        with closing(open_journal(tmp_path / name)) as journal:
            drive(journal, FIXES)
            one = outbox(journal, bound_m=bound_m)
            if name == "ahead":
                prepared(one)
            went.append(fixes_of(drained(one, journal)))
    assert went[0] == went[1]


def test_every_fix_leaves_once_and_nothing_waits_after_it(journal: Journal) -> None:
    ahead = outbox(journal)
    prepared(ahead)
    went = drained(ahead, journal)
    assert spans(went) == [(1, 300), (301, 600), (601, 900), (901, 950)]
    assert [point.tseq for point in fixes_of(went)] == list(range(1, FIXES + 1))
    assert journal.waiting_count(Series.TSEQ) == 0


def test_what_was_packed_ahead_is_there_after_a_restart(tmp_path: Path, now: Now) -> None:
    with closing(open_journal(tmp_path, now)) as journal:
        drive(journal, FIXES)
        prepared(outbox(journal))
    spoil(tmp_path, "UPDATE record_tseq SET payload = x'00' WHERE number = 11")  # so that nobody can pack it now
    with closing(open_journal(tmp_path, now)) as journal:
        again = outbox(journal)
        assert not again.prepare()
        assert [point.tseq for point in fixes_of(drained(again, journal))] == list(range(1, FIXES + 1))


def test_a_damaged_batch_is_packed_anew_from_its_rows(tmp_path: Path, journal: Journal) -> None:
    ahead = outbox(journal)
    prepared(ahead)
    spoil(tmp_path, "UPDATE batch SET payload = CAST(substr(payload, 1, 99) || '!' || substr(payload, 101) AS BLOB) WHERE number = 301")
    spoil(tmp_path, "UPDATE batch SET span = 299 WHERE number = 601")
    assert [point.tseq for point in fixes_of(drained(ahead, journal))] == list(range(1, FIXES + 1))


@pytest.mark.parametrize("changed", [{"unit": "van-2"}, {"bound_m": 5.0}])
def test_a_batch_that_was_made_for_other_settings_does_not_leave(journal: Journal, changed: dict[str, str]) -> None:
    prepared(outbox(journal))
    other = outbox(journal, **changed)  # type: ignore[arg-type]  # one of two keywords
    went = drained(other, journal)
    assert {codec.unpack(one.payload).unit for one in went} == {changed.get("unit", "van-1")}
    assert (len(fixes_of(went)) < FIXES) == ("bound_m" in changed)
    assert sum(one.last - one.first + 1 for one in went) == FIXES


def test_a_fix_that_was_set_aside_does_not_leave_in_a_batch_made_before(journal: Journal) -> None:
    ahead = outbox(journal)
    prepared(ahead)
    journal.set_aside(Series.TSEQ, 311, "for a test")
    went = drained(ahead, journal)
    assert [point.tseq for point in fixes_of(went)] == [*range(1, 311), *range(321, FIXES + 1)]
    assert sum(one.last - one.first + 1 for one in went) == FIXES


def test_fixes_thinned_under_pressure_do_not_leave_in_a_batch_made_before(tmp_path: Path, now: Now) -> None:
    with closing(open_journal(tmp_path, now, quota_bytes=200_000)) as journal:
        drive(journal, 1_200)
        ahead = outbox(journal)
        prepared(ahead)
        now.at_ms += 3 * DAY_MS
        while not journal.dropped.tseq:
            drive(journal, 100)
        prepared(ahead)
        went = drained(ahead, journal)
        assert len(fixes_of(went)) == journal.issued(Series.TSEQ) - journal.dropped.tseq
        assert sum(one.last - one.first + 1 for one in went) == journal.issued(Series.TSEQ)


def test_a_nearly_full_journal_takes_no_batches(tmp_path: Path, now: Now) -> None:
    with closing(open_journal(tmp_path, now, quota_bytes=150_000)) as journal:
        while journal.used < 0.7:
            drive(journal, 100)
        assert not outbox(journal).prepare()
        drive(journal, 10)


def test_a_batch_too_large_for_the_broker_is_packed_in_smaller_ones(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "LEAST_BYTES", 1)
    ahead = outbox(journal)
    prepared(ahead)
    went = drained(ahead, journal, largest_bytes=450)
    assert len(went) > 4
    assert [point.tseq for point in fixes_of(went)] == list(range(1, FIXES + 1))


def test_a_batch_of_which_a_part_is_receipted_is_not_sent_whole(journal: Journal) -> None:
    ahead = outbox(journal)
    prepared(ahead)
    journal.acknowledge(Series.TSEQ, Ranges([(1, 310), (591, 600)]))
    assert [point.tseq for point in fixes_of(drained(ahead, journal))] == [*range(311, 591), *range(601, FIXES + 1)]


def test_what_the_receiver_lost_leaves_again_in_its_batch(journal: Journal) -> None:
    ahead = outbox(journal)
    prepared(ahead)
    drained(ahead, journal)
    assert journal.send_again(Series.TSEQ, [(301, 600)]) == []
    assert spans(drained(ahead, journal)) == [(301, 600)]


def test_a_batch_leaves_the_card_with_its_rows(tmp_path: Path) -> None:
    with closing(open_journal(tmp_path)) as journal:
        drive(journal, FIXES)
        ahead = outbox(journal)
        prepared(ahead)
        drained(ahead, journal)
        drive(journal, 10)
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        assert db.execute("SELECT count(*) FROM batch").fetchone() == (0,)


@pytest.mark.parametrize("damage", ["span = -32468", "made_for = 'x'", "payload = x'00'"])
def test_a_damaged_newest_batch_stops_no_start(tmp_path: Path, journal: Journal, damage: str) -> None:
    prepared(outbox(journal))
    spoil(tmp_path, f"UPDATE batch SET {damage} WHERE number = 601")  # noqa: S608  the test's own
    again = outbox(journal)
    assert prepared(again) == 3
    assert [point.tseq for point in fixes_of(drained(again, journal))] == list(range(1, FIXES + 1))


def test_batches_give_way_before_a_fix_does(tmp_path: Path, now: Now) -> None:
    with closing(open_journal(tmp_path, now, quota_bytes=400_000)) as journal:
        ahead = outbox(journal)
        while journal.used < 0.69:
            drive(journal, 10)
            prepared(ahead)
        assert journal.packed_to()
        now.at_ms += 3 * DAY_MS
        while journal.packed_to():
            assert journal.dropped.tseq == 0
            drive(journal, 10)


def test_a_batch_of_rows_that_changed_while_it_was_packed_is_not_kept(journal: Journal) -> None:
    batch = Batch(number=1, span=20, made_for="x", payload=b"packed")
    rows = journal.waiting(Series.TSEQ, Ranges(), 20)
    journal.set_aside(Series.TSEQ, 11, "for a test")
    assert not journal.keep_batch(batch, rows)
    assert journal.keep_batch(batch, journal.waiting(Series.TSEQ, Ranges(), 20))
