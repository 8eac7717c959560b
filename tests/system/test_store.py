"""What the store promises, on each database that it runs on."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet import store as stores
from fleet.intake import Blob, Fixes, Item, Record, Refused, Report, Series
from fleet.rows import Holding, Kept, SeriesRow
from fleet.store import Store, StoreAwayError, StoreError, UnstorableError, keeping, open_store, sqlite
from mqtt import codec
from mqtt.codec import TrackPoint
from mqtt.messages import Ledger, Ledgers, Track
from mqtt.ranges import Ranges
from tests.system.stores import Place, PostgresPlace, SqlitePlace, opened

UNIT, LOG, BOOT = "van-12", "0000a001", "abcdef01"
START_MS = 1_777_000_000_000


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    made = opened(place)
    yield made
    made.close()


def point(tseq: int, t_ms: int | None = None) -> TrackPoint:
    return TrackPoint(tseq, START_MS + 1000 * tseq if t_ms is None else t_ms, 520_000_000 + tseq, 134_000_000, speed_cms=900)


def fixes(first: int, last: int, *, log: str = LOG, boot: str = BOOT, unit: str = UNIT, points: list[TrackPoint] | None = None) -> Fixes:
    found = [point(number) for number in range(first, last + 1)] if points is None else points
    cols, span = codec.to_columns(found), last - first + 1
    payload = codec.pack(Track(unit=unit, boot=boot, log=log, tseq=first, span=span, cols=cols))
    return Fixes(unit=unit, log=log, boot=boot, first=first, span=span, values=codec.plain(cols), payload=payload)


def event(seq: int, *, span: int = 1, log: str = LOG, mono_ms: int | None = None, data: str = "{}", payload: bytes | None = None) -> Record:
    return Record(
        unit=UNIT, log=log, series=Series.SEQ, number=seq, span=span, kind="event", payload=payload or b"event %d" % seq, boot=BOOT,
        event="trip.start", t_ms=START_MS + seq, mono_ms=seq if mono_ms is None else mono_ms, data=data,
    )  # fmt: skip


def told_at(t: str, src: str, **other: object) -> bytes:
    """An event's payload."""
    whole = {"typ": "event", "unit": UNIT, "boot": BOOT, "log": LOG, "seq": 1, "t": t, "src": src, "mono_ms": 7, "event": "ignition.on"}
    return msgspec.json.encode(whole | other)


def state(session: int, told: str, *, log: str = LOG, ledgers: Ledgers | None = None) -> Report:
    return Report(unit=UNIT, kind="state", payload=b"{}", at_ms=START_MS, log=log, session=session, state=told, ledgers=ledgers)


def ledgers(issued: int, receipted: int) -> Ledgers:
    told = Ledger(issued=issued, receipted=receipted, waiting=issued - receipted)
    return Ledgers(seq=told, tseq=told)


def keep(store: Store, *items: Item, at_ms: int = START_MS) -> Kept:
    return store.keep(items, at_ms)


def only(kept: Kept) -> Holding:
    (holding,) = kept.holdings
    return holding


def series(store: Store, wanted: Series, log: str = LOG) -> SeriesRow:
    (row,) = [row for row in store.series(UNIT) if row.series is wanted and row.log == log]
    return row


def known_state(store: Store) -> tuple[str | None, str | None]:
    (row,) = store.units()
    return row.log, row.state


def test_fixes_that_come_twice_are_stored_once(store: Store) -> None:
    first = keep(store, fixes(1, 60))
    second = keep(store, fixes(31, 90))
    assert (first.stored, first.repeated) == (60, 0)
    assert (second.stored, second.repeated) == (30, 30)
    assert store.counts(UNIT).fixes == 90


def test_a_record_that_comes_twice_in_one_batch_is_stored_once(store: Store) -> None:
    kept = keep(store, event(1), event(1))
    assert (kept.stored, kept.repeated, kept.refused) == (1, 1, 0)


def test_what_is_held_is_told_as_merged_ranges(store: Store) -> None:
    keep(store, fixes(1, 10), fixes(21, 30), event(2))
    holding = only(keep(store, fixes(11, 15)))
    assert list(holding.tseq.coverage) == [(1, 15), (21, 30)]
    assert list(holding.tseq.batch) == [(11, 15)]
    assert list(holding.seq.coverage) == [(2, 2)]
    holding = only(keep(store, fixes(16, 20)))
    assert list(holding.tseq.coverage) == [(1, 30)]


def test_numbers_that_the_unit_dropped_are_held_without_rows(store: Store) -> None:
    keep(store, fixes(1, 60, points=[point(10), point(20)]), event(5, span=20))
    assert list(series(store, Series.TSEQ).coverage) == [(1, 60)]
    assert series(store, Series.TSEQ).rows == 2
    assert list(series(store, Series.SEQ).coverage) == [(5, 24)]
    assert series(store, Series.SEQ).rows == 1


def test_a_batch_with_a_poisonous_value_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(UnstorableError, match="does not take a value"):
        keep(store, fixes(1, 60), event(1, span=2**70))
    assert store.units() == []
    assert keep(store, fixes(1, 60)).stored == 60


def test_journals_of_one_unit_count_on_their_own(store: Store) -> None:
    keep(store, event(1), event(1, log="0000b002"))
    assert store.counts(UNIT).records == 2
    assert [row.log for row in store.series() if row.series is Series.SEQ] == ["0000b002", LOG]


def test_a_late_will_of_an_older_session_is_ignored(store: Store) -> None:
    keep(store, state(7, "online"))
    keep(store, state(6, "offline"))
    assert known_state(store) == (LOG, "online")
    keep(store, state(7, "offline"))
    assert known_state(store) == (LOG, "offline")


def test_a_new_journal_begins_with_a_birth_and_not_with_an_old_will(store: Store) -> None:
    keep(store, state(7, "online"))
    keep(store, state(1, "online", log="0000b002"))
    keep(store, state(8, "offline"))
    assert known_state(store) == ("0000b002", "online")
    assert [row.current for row in store.series() if row.series is Series.SEQ] == [True, False]


def test_a_position_that_was_held_up_does_not_replace_a_newer_one(store: Store) -> None:
    new = Report(unit=UNIT, kind="last", payload=b"new", at_ms=START_MS + 5)
    old = Report(unit=UNIT, kind="last", payload=b"old", at_ms=START_MS)
    keep(store, new)
    keep(store, old)
    assert store.units()[0].last == b"new"


def test_an_old_ledger_does_not_replace_a_newer_one(store: Store) -> None:
    keep(store, state(1, "online", ledgers=ledgers(100, 90)))
    holding = only(keep(store, state(1, "online", ledgers=ledgers(80, 80))))
    assert holding.seq.ledger == Ledger(issued=100, receipted=90, waiting=10)


def test_a_ledger_that_went_back_because_the_store_asked_again_counts(store: Store) -> None:
    keep(store, state(1, "online", ledgers=ledgers(100, 90)))
    holding = only(keep(store, state(2, "online", ledgers=ledgers(100, 40))))
    assert holding.seq.ledger == Ledger(issued=100, receipted=40, waiting=60)


def test_a_birth_makes_an_unknown_unit_known(store: Store) -> None:
    holding = only(keep(store, state(1, "online")))
    assert holding.born
    assert (holding.seq.coverage.upto(), holding.tseq.coverage.upto()) == (0, 0)


def test_another_record_under_a_known_number_is_set_aside_and_not_lost(store: Store) -> None:
    keep(store, event(1, payload=b"one"))
    kept = keep(store, event(1, payload=b"other"))
    assert (kept.stored, kept.refused) == (0, 1)
    (row,) = store.refused()
    assert (row.topic, row.payload) == ("rp/v1/van-12/up/event", b"other")
    assert "was the unit's card copied?" in row.reason


def test_an_event_that_comes_again_with_its_time_corrected_is_no_sign_of_a_copied_card(store: Store) -> None:
    keep(store, event(1, payload=told_at("2026-01-01T00:00:00.000Z", "floor")))
    kept = keep(store, event(1, payload=told_at("2026-05-04T08:00:00.000Z", "gnss")))
    assert (kept.stored, kept.repeated, kept.refused) == (0, 1, 0)
    assert store.events(UNIT, 1)[0].payload == told_at("2026-01-01T00:00:00.000Z", "floor")


@pytest.mark.parametrize("other", [{"mono_ms": 8}, {"boot": "abcdef02"}, {"data": {"n": 1}}, {"of_a_later_version": 1}, {"typ": "pod"}])
def test_an_event_that_differs_in_more_than_its_time_is_set_aside(sqlite_place: SqlitePlace, other: dict[str, object]) -> None:
    store = opened(sqlite_place)
    keep(store, event(1, payload=told_at("2026-01-01T00:00:00.000Z", "floor")))
    kept = keep(store, event(1, payload=told_at("2026-05-04T08:00:00.000Z", "gnss", **other)))
    assert (kept.stored, kept.refused) == (0, 1)
    store.close()


def test_another_fix_under_a_known_number_is_set_aside_and_not_lost(store: Store) -> None:
    keep(store, fixes(1, 3))
    kept = keep(store, fixes(1, 3, points=[point(1), point(2, t_ms=START_MS), point(3)]))
    assert kept.refused == 1
    assert "another fix is held" in store.refused()[0].reason


def test_records_dropped_after_they_had_arrived_are_no_sign_of_a_copied_card(store: Store) -> None:
    keep(store, event(1), event(2))
    kept = keep(store, event(1, span=2, payload=b"dropped 1 and 2"))
    assert (kept.refused, store.counts(UNIT).records) == (0, 2)


def test_a_message_refused_again_and_again_is_one_row_with_a_count(store: Store) -> None:
    bad = Refused(topic="rp/v1/van-12/up/event", payload=b"\x00\xff", reason="it is no JSON object")
    keep(store, bad, bad)
    keep(store, bad, at_ms=START_MS + 9)
    (row,) = store.refused()
    assert (row.count, row.last_ms, row.payload) == (3, START_MS + 9, b"\x00\xff")


def test_a_topic_that_no_database_would_take_is_written_with_question_marks(store: Store) -> None:
    keep(store, Refused(topic="a\x00b\ud800", payload=b"", reason="the topic is none of ours"))
    assert store.refused()[0].topic == "a?b?"


def test_refused_messages_cannot_fill_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "REFUSED_LIMIT", 10)
    for number in range(30):
        keep(store, Refused(topic="t", payload=b"%d" % number, reason="r"), at_ms=START_MS + number)
    assert [row.payload for row in store.refused()] == [b"%d" % number for number in range(29, 19, -1)]


def test_pieces_of_an_attachment_are_kept_once_by_their_place(store: Store) -> None:
    piece = Blob(unit=UNIT, sha="ab" * 32, at_byte=8192, payload=b"\x00" * 10)
    assert keep(store, piece).stored == 1
    assert keep(store, piece, msgspec.structs.replace(piece, at_byte=0)).stored == 1


def test_the_same_fix_under_two_numbers_shows_as_stored_twice(store: Store) -> None:
    keep(store, fixes(1, 3), fixes(4, 4, points=[point(4, t_ms=START_MS + 1000)]))
    assert store.counts(UNIT).stored_twice == 1


def test_the_same_event_under_two_numbers_or_journals_shows_as_stored_twice(store: Store) -> None:
    keep(store, event(1, mono_ms=7), event(2, mono_ms=7), event(1, mono_ms=7, log="0000b002"), event(3, mono_ms=8))
    assert store.counts(UNIT).stored_twice == 2


def test_different_records_of_unknown_kinds_do_not_count_as_stored_twice(store: Store) -> None:
    unknown = [Record(unit=UNIT, log=LOG, series=Series.SEQ, number=n, span=1, kind="pod", payload=b"?") for n in (1, 2)]
    keep(store, *unknown)
    assert store.counts(UNIT).stored_twice == 0


def test_fixes_come_out_in_the_order_of_their_time_with_both_ends(store: Store) -> None:
    keep(store, fixes(1, 5, points=[point(n, t_ms=START_MS + t) for n, t in ((1, 50), (2, 20), (3, 30), (4, 10), (5, 40))]))
    keep(store, fixes(1, 1, log="0000b002", points=[point(1, t_ms=START_MS + 25)]))
    found = store.fixes(UNIT, START_MS + 20, START_MS + 40)
    assert [fix.t_ms - START_MS for fix in found] == [20, 25, 30, 40]


def test_a_point_comes_out_as_it_went_in(store: Store) -> None:
    whole = TrackPoint(1, START_MS, -900_000_000, 1_800_000_000, -420, 4_000, 35_999, 31, 250)
    bare = TrackPoint(2, START_MS + 1, 0, 0)
    keep(store, fixes(1, 2, points=[whole, bare]))
    assert list(store.fixes(UNIT, 0, 2**60)) == [whole, bare]
    assert store.newest_fix(UNIT) == bare


def test_a_long_track_is_streamed_and_may_be_left_early(store: Store) -> None:
    keep(store, fixes(1, 5_000))
    stream = store.fixes(UNIT, 0, 2**60)
    assert next(stream).tseq == 1
    stream.close()
    assert sum(1 for _ in store.fixes(UNIT, 0, 2**60)) == 5_000


def test_the_last_events_are_told_oldest_first(store: Store) -> None:
    keep(store, *(event(number) for number in range(1, 11)))
    assert [row.number for row in store.events(UNIT, 3)] == [8, 9, 10]


def test_what_was_stored_is_there_after_a_restart(store: Store, place: Place) -> None:
    keep(store, fixes(1, 60), event(1))
    store.close()
    again = opened(place)
    assert (again.counts(UNIT).fixes, again.counts(UNIT).records) == (60, 1)
    assert only(keep(again, fixes(61, 61))).tseq.coverage.upto() == 61
    again.close()


def test_the_present_schema_is_not_made_again(store: Store, place: Place) -> None:
    again = opened(place)
    again.close()
    keep(store, event(1))
    reader = opened(place, writing=False)
    assert reader.counts(UNIT).records == 1
    reader.close()


def test_a_store_of_a_newer_version_is_left_alone(store: Store, place: Place) -> None:
    store._db.execute("INSERT INTO migration (name, at_ms) VALUES ('moon_base', 1)")
    for writing in (True, False):
        other = open_store(place.url, writing=writing)
        with pytest.raises(StoreError, match="newer version"):
            other.open()
        other.close()


def test_a_batch_that_comes_again_onto_a_damaged_row_is_put_aside_and_does_not_stop_the_receiver(store: Store) -> None:
    keep(store, fixes(1, 60))
    store._db.execute("UPDATE stretch SET payload = ?", (b"spoiled",))
    kept = keep(store, fixes(50, 70))
    assert (kept.stored, kept.refused) == (10, 1)
    assert "of the track in the store that holds some of these fixes is damaged" in store.refused()[0].reason
    assert [fix.tseq for fix in store.fixes(UNIT, START_MS + 61_000, 2**60)] == list(range(61, 71))
    with pytest.raises(StoreError, match=r"a row of the track in the store is damaged.*restore the newest backup"):
        list(store.fixes(UNIT, 0, 2**60))


def test_fixes_of_one_time_in_two_starts_of_the_unit_are_not_stored_twice(store: Store) -> None:
    keep(store, fixes(1, 3), fixes(4, 4, boot="abcdef02", points=[point(4, t_ms=START_MS + 1000)]))
    assert store.counts(UNIT).stored_twice == 0


def test_a_batch_packed_anew_is_stored_for_the_fixes_that_it_has_more(store: Store) -> None:
    keep(store, fixes(1, 60, points=[point(1), point(30), point(60)]))
    kept = keep(store, fixes(1, 60, points=[point(1), point(20), point(60)]))
    assert (kept.stored, kept.repeated, kept.refused) == (1, 2, 0)
    assert [fix.tseq for fix in store.fixes(UNIT, 0, 2**60)] == [1, 20, 30, 60]
    assert store.counts(UNIT).fixes == 4


def test_a_place_without_a_store_is_told_to_the_reader(place: Place) -> None:
    reader = open_store(place.url, writing=False)
    with pytest.raises(StoreError, match="start the receiver"):
        reader.open()
    reader.close()


Piece = st.tuples(st.integers(1, 60), st.integers(1, 12))


@settings(max_examples=25, deadline=None)
@given(pieces=st.lists(Piece, min_size=1, max_size=12), batch=st.integers(1, 4))
def test_in_whatever_order_and_however_often_fixes_come_each_is_held_once(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, int]], batch: int
) -> None:
    place = SqlitePlace(tmp_path_factory.mktemp("store"))
    store = opened(place)
    came = [fixes(first, first + length - 1) for first, length in pieces]
    for start in range(0, len(came), batch):
        holding = only(keep(store, *came[start : start + batch]))
    told = Ranges((piece.first, piece.first + piece.span - 1) for piece in came)
    assert holding.tseq.coverage == told == series(store, Series.TSEQ).coverage
    assert store.counts(UNIT).fixes == told.count() == series(store, Series.TSEQ).rows
    store.close()


def test_receivers_on_one_database_hold_each_record_once_and_never_block_each_other(
    postgres_place: PostgresPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "RACES", 1)  # a deadlock would not be repeated but seen
    opened(postgres_place).close()
    units = [f"van-{number}" for number in range(6)]
    failures: list[Exception] = []

    def work(turn: int) -> None:
        store = opened(postgres_place)
        try:
            order = units[turn:] + units[:turn] if turn % 2 else units[::-1]
            for first in range(1, 61, 4):
                store.keep([fixes(100 + first + turn, 100 + first + turn, unit=unit) for unit in order], START_MS)
                store.keep([fixes(first, first + 3, unit=unit) for unit in order], START_MS)
        except StoreError as error:
            failures.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = opened(postgres_place)
    assert [store.counts(unit).fixes for unit in units] == [120] * 6
    assert {tuple(row.coverage) for row in store.series() if row.series is Series.TSEQ} == {((1, 60), (101, 160))}
    assert {row.rows for row in store.series() if row.series is Series.TSEQ} == {120}
    store.close()


def test_a_commit_in_postgresql_is_durable_even_where_the_server_would_not_wait(postgres_place: PostgresPlace) -> None:
    lazy = open_store(f"{postgres_place.url}&options=-csynchronous_commit%3Doff")
    lazy.open()
    assert lazy._db.query("SHOW synchronous_commit") == [("on",)]
    lazy.close()


def test_a_commit_in_sqlite_is_durable(sqlite_place: SqlitePlace) -> None:
    store = opened(sqlite_place)
    assert store._db.query("PRAGMA synchronous") == [(2,)]
    assert store._db.query("PRAGMA journal_mode") == [("wal",)]
    store.close()


def test_a_full_disk_is_a_state_that_passes(sqlite_place: SqlitePlace) -> None:
    store = opened(sqlite_place)
    ((pages,),) = store._db.query("PRAGMA page_count")
    store._db.query(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreAwayError, match="full; check its disk"):
        keep(store, event(1, payload=bytes(1_000_000)))
    store._db.query("PRAGMA max_page_count=1000000")
    assert keep(store, event(1, payload=bytes(1_000_000))).stored == 1
    store.close()


def test_another_program_that_holds_the_file_is_a_state_that_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SETTINGS", ("PRAGMA busy_timeout=1",))
    place = SqlitePlace(tmp_path)
    store = opened(place)
    other = sqlite3.connect(tmp_path / "fleet.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreAwayError, match="locked"):
        keep(store, event(1))
    other.close()
    assert keep(store, event(1)).stored == 1
    store.close()


def test_a_damaged_file_asks_for_the_backup(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    opened(place).close()
    (tmp_path / "fleet.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="not a database; check the file"):
        opened(place)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere"):
        open_store(f"sqlite://{tmp_path}/nowhere/fleet.db").open()


@pytest.mark.parametrize("url", ["mysql://host/fleet", "sqlite://", "fleet.db", "sqlite://host/fleet.db"])
def test_a_url_of_no_store_is_refused_with_examples(url: str) -> None:
    with pytest.raises(StoreError, match=r"is no store: write sqlite:///"):
        open_store(url)


def test_a_server_that_does_not_answer_is_a_state_that_passes(tmp_path: Path) -> None:
    store = open_store(f"postgresql:///fleet?host={tmp_path}")
    with pytest.raises(StoreAwayError, match="cannot be used now"):
        store.open()


def test_a_password_is_never_shown() -> None:
    place = open_store("postgresql://fleet:secret@db.example:5433/roadproof").place
    assert place == "roadproof at db.example:5433"


def test_a_missing_psycopg_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"needs psycopg: pip install"):
        stores.open_store("postgresql://db.example/fleet").open()
