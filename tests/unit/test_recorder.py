"""The recorder between a receiver that follows a script, a panel with hands and a real journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from drivers.buzzer import Sound
from drivers.errors import PortGoneError
from drivers.gnss.fix import Epoch
from drivers.gnss.receiver import GnssStatus
from drivers.gnss.sky import Satellite
from firmware import recorder as recorders
from firmware.clock import Clock
from firmware.diary import Diary
from firmware.journal import Appended, Draft, Journal, JournalFullError, Series
from firmware.recorder import HELD_LIMIT, LOST_AFTER_S, READ_S, REOPEN_S, Recorder
from firmware.status import SatelliteStatus, StatusBoard
from mqtt import messages
from mqtt.codec import TrackPoint
from mqtt.ranges import Ranges
from tests.journals import BOOT, event, fixes_on_card, open_journal, proof

AT = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)


class ScriptedReceiver:
    """Obeys `recorder.Receiver`; what the test put in comes out of the next read."""

    def __init__(self, hands: Hands) -> None:
        self.epochs: list[Epoch] = []
        self.gone: PortGoneError | None = None
        self.satellites: tuple[Satellite, ...] = ()
        self.reads = 0
        self.closed = False
        self._hands = hands

    def read(self, timeout_s: float) -> list[Epoch]:
        self.reads += 1
        if self.gone is not None:
            raise self.gone
        if not self.epochs:
            self._hands.mono_s += timeout_s
        epochs, self.epochs = self.epochs, []
        return epochs

    def status(self) -> GnssStatus:
        return GnssStatus(
            port="none", baud=9_600, state="scripted", bytes_read=0, sentences_good=0, sentences_bad=0,
            satellites=self.satellites, age_s=None, stale=False, antenna=None, jamming=None,
        )  # fmt: skip

    def close(self) -> None:
        self.closed = True


class HandPanel:
    """Obeys `drivers.panel.Panel`."""

    def __init__(self) -> None:
        self.key: bool | None = None
        self.led = False
        self.supply: bool | None = None
        self.closed = False
        self._callback: Callable[[bool], None] = lambda _: None

    def ignition_on(self) -> bool | None:
        return self.key

    def on_change(self, callback: Callable[[bool], None]) -> None:
        self._callback = callback

    def turn_key(self, on: bool) -> None:
        self.key = on
        self._callback(on)

    def supply_good(self) -> bool | None:
        return self.supply

    def set_led(self, on: bool) -> None:
        self.led = on

    def sound(self, name: Sound) -> None:
        raise AssertionError(f"the recorder has nothing to say: {name}")

    def close(self) -> None:
        self.closed = True


class Stop(threading.Event):
    """A wait that passes at once, in the test's time."""

    def __init__(self, hands: Hands) -> None:
        super().__init__()
        self._hands = hands

    def wait(self, timeout: float | None = None) -> bool:
        self._hands.mono_s += timeout or 0.0
        return self.is_set()


class Hands:
    """Everything around a recorder; monotonic time passes only where somebody waits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mono_s = 5_000.0
        self.sent = 0
        self.clock = Clock(utc_s=AT.timestamp, mono_s=lambda: self.mono_s, ntp_mark=folder / "none")
        self.status = StatusBoard()
        self.diary = Diary(unit="van-1", boot=BOOT, clock=self.clock, status=self.status)
        self.journal: Journal = open_journal(folder)
        self.diary.open(self.journal)
        self.receiver = ScriptedReceiver(self)
        self.panel = HandPanel()
        self.stop = Stop(self)
        self.recorder = self.new_recorder()

    def new_recorder(self) -> Recorder:
        return Recorder(
            boot=BOOT, receiver=self.receiver, panel=self.panel, journal=self.journal, diary=self.diary,
            clock=self.clock, status=self.status, commit_s=10,
        )  # fmt: skip

    def epoch(self, *, speed: float | None = 14.0, step_s: float = 0.0, fix: bool = True) -> Epoch:
        self.sent += 1
        return Epoch(
            at=AT + timedelta(seconds=self.mono_s - 5_000 + step_s), mode=3 if fix else 1, lat_deg=51.05 + self.sent / 1e5, lon_deg=3.72,
            speed_mps=speed, sats_used=9, hdop=0.9, mono_s=self.mono_s,
        )  # fmt: skip

    def drive(self, seconds: int, **what: float | bool | None) -> None:
        """One epoch a second, one step each."""
        for _ in range(seconds):
            self.mono_s += 1.0
            self.receiver.epochs = [self.epoch(**what)]  # type: ignore[arg-type]
            self.recorder.step(self.stop)

    def be_silent(self, seconds: float) -> None:
        """The receiver says nothing."""
        until_s = self.mono_s + seconds
        while self.mono_s < until_s:
            self.recorder.step(self.stop)

    def rows(self, series: Series) -> list[tuple[int, int]]:
        return [(row.number, row.last) for row in self.journal.waiting(series, Ranges(), 10**9)]

    def events(self) -> list[messages.Event]:
        rows = self.journal.waiting(Series.SEQ, Ranges(), 10**9)
        return [msgspec.json.decode(row.payload, type=messages.Event) for row in rows]

    def names(self) -> list[str]:
        return [event.event for event in self.events()]


@pytest.fixture
def hands(tmp_path: Path) -> Iterator[Hands]:
    made = Hands(tmp_path)
    yield made
    made.journal.close()


def test_fixes_are_written_in_groups_of_ten_seconds(hands: Hands) -> None:
    hands.drive(5)  # in it lies the start of the trip, an event that takes fixes along
    before = hands.journal.issued(Series.TSEQ)
    hands.drive(31)
    rows = [row for row in hands.rows(Series.TSEQ) if row[0] > before]
    assert [last - first + 1 for first, last in rows] == [11] * len(rows)
    assert len(rows) >= 2
    assert hands.status.snapshot().fixes_held == 36 - rows[-1][1]


def test_a_fix_is_never_older_than_ten_seconds_when_it_is_written(hands: Hands) -> None:
    hands.drive(1)
    hands.be_silent(9.0)
    assert hands.rows(Series.TSEQ) == [(1, 1)]  # gnss.lost took it along
    hands.drive(1)
    hands.be_silent(4.0)
    hands.drive(6)
    assert hands.rows(Series.TSEQ)[-1][1] >= 2


def test_an_event_is_written_at_once_together_with_the_fixes_held(hands: Hands) -> None:
    hands.drive(4)
    hands.panel.turn_key(on=True)
    hands.recorder.step(hands.stop)
    assert "ignition.on" in hands.names()
    assert hands.journal.issued(Series.TSEQ) == 4


def test_ignition_off_writes_what_is_held(hands: Hands) -> None:
    hands.panel.turn_key(on=True)
    hands.recorder.step(hands.stop)
    hands.drive(5)
    hands.panel.turn_key(on=False)
    hands.recorder.step(hands.stop)
    assert hands.journal.issued(Series.TSEQ) == 5
    assert [name for name in hands.names() if name.startswith("ignition")] == ["ignition.on", "ignition.off"]


def test_an_orderly_end_writes_what_is_held_and_gives_the_devices_back(hands: Hands) -> None:
    hands.drive(3)
    assert hands.journal.issued(Series.TSEQ) <= 3
    hands.recorder.finish()
    assert hands.journal.issued(Series.TSEQ) == 3
    assert hands.receiver.closed
    assert hands.panel.closed


def test_an_event_tells_when_and_where(hands: Hands) -> None:
    hands.drive(4)
    hands.panel.turn_key(on=True)
    hands.recorder.step(hands.stop)
    told = hands.events()[-1]
    assert (told.unit, told.boot, told.log, told.src, told.seq) == (
        "van-1",
        BOOT,
        hands.journal.log,
        "gnss",
        hands.journal.issued(Series.SEQ),
    )
    assert told.latitude == pytest.approx(51.05004)
    assert abs(messages.utc_ms(told.t) - (AT + timedelta(seconds=4)).timestamp() * 1_000) < 1_000


def test_a_key_that_was_turned_before_the_start_is_known(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir()
    hands = Hands(tmp_path / "j")
    hands.panel.key = True
    hands.recorder = hands.new_recorder()
    hands.drive(2)
    assert hands.names() == ["trip.start"]
    assert hands.status.snapshot().ignition
    hands.journal.close()


def test_a_key_turned_while_the_recorder_is_built_is_not_missed(hands: Hands) -> None:
    panel = hands.panel

    class Quick(HandPanel):
        def on_change(self, callback: Callable[[bool], None]) -> None:
            super().on_change(callback)
            self.turn_key(on=True)

        def ignition_on(self) -> bool | None:
            key = super().ignition_on()
            self.turn_key(on=True)
            return key

    hands.panel = Quick()
    hands.recorder = hands.new_recorder()
    hands.recorder.step(hands.stop)
    assert hands.status.snapshot().ignition
    assert panel is not hands.panel


def test_the_same_key_position_twice_is_no_event(hands: Hands) -> None:
    for _ in range(3):
        hands.panel.turn_key(on=True)
    hands.recorder.step(hands.stop)
    assert hands.names().count("ignition.on") == 1


def test_a_chattering_key_stops_nobody(hands: Hands) -> None:
    for n in range(501):
        hands.panel.turn_key(on=n % 2 == 0)
    hands.recorder.step(hands.stop)
    assert hands.names().count("ignition.on") == 50


def test_an_unplugged_receiver_is_a_state_tried_again_with_patience(hands: Hands) -> None:
    hands.drive(2)
    hands.receiver.gone = PortGoneError("The receiver at /dev/x was unplugged; plug it in again, it is taken up by itself.")
    reads = hands.receiver.reads
    hands.be_silent(60)
    assert 60 / REOPEN_S <= hands.receiver.reads - reads < 600
    assert "unplugged" in hands.status.snapshot().gnss
    assert not hands.status.snapshot().has_fix
    hands.receiver.gone = None
    hands.be_silent(6)
    hands.drive(2)
    assert hands.status.snapshot().has_fix
    assert hands.names()[-2:] == ["gnss.lost", "gnss.back"]


def test_the_ignition_is_seen_within_a_second_while_the_receiver_is_unplugged(hands: Hands) -> None:
    hands.receiver.gone = PortGoneError("gone")
    hands.be_silent(60)
    hands.panel.turn_key(on=True)
    before_s = hands.mono_s
    hands.recorder.step(hands.stop)
    assert {"trip.start", "ignition.on"} <= set(hands.names())
    assert hands.mono_s - before_s <= READ_S <= 1.0


def test_a_key_that_is_turned_while_nothing_comes_is_dated_to_its_turn(hands: Hands) -> None:
    hands.drive(4)
    turned_ms = hands.clock.now().at_ms
    hands.panel.turn_key(on=True)
    hands.be_silent(READ_S)
    assert messages.utc_ms(hands.events()[-1].t) == turned_ms


def test_an_odometer_that_cannot_be_read_begins_anew(hands: Hands, caplog: pytest.LogCaptureFixture) -> None:
    hands.drive(4)
    hands.recorder.finish()
    hands.journal.append(BOOT, odometer='{"distance_m": "\x00"}')
    hands.recorder = hands.new_recorder()
    assert hands.status.snapshot().odometer_m >= 0
    assert "begins anew" in caplog.text


def test_no_fix_for_five_seconds_is_told_once_and_so_is_its_return(hands: Hands) -> None:
    hands.drive(3)
    hands.be_silent(LOST_AFTER_S - READ_S - 0.1)
    assert "gnss.lost" not in hands.names()
    hands.be_silent(100)
    assert hands.names().count("gnss.lost") == 1
    hands.drive(3)
    assert hands.names()[-1] == "gnss.back"
    assert hands.names().count("gnss.back") == 1


def test_epochs_without_a_fix_are_as_good_as_silence(hands: Hands) -> None:
    hands.drive(3)
    hands.drive(20, fix=False)
    assert hands.names().count("gnss.lost") == 1
    assert hands.journal.issued(Series.TSEQ) == 3


def test_before_the_first_fix_nothing_is_lost(hands: Hands) -> None:
    hands.be_silent(300)
    assert hands.names() == []


def test_a_corrected_epoch_takes_the_place_of_the_one_held(hands: Hands) -> None:
    hands.drive(3)
    corrected = msgspec.structs.replace(hands.epoch(), at=AT + timedelta(seconds=3), lat_deg=52.0)
    hands.receiver.epochs = [corrected]
    hands.recorder.step(hands.stop)
    hands.recorder.finish()
    fixes = fixes_on_card(hands.folder)
    assert [fix.t_ms for fix in fixes] == [round((AT + timedelta(seconds=n)).timestamp() * 1_000) for n in (1, 2, 3)]
    assert fixes[-1].lat_e7 == 520_000_000
    assert hands.status.snapshot().fixes_read == 3


def test_a_correction_that_comes_after_the_commit_is_not_a_second_fix(hands: Hands) -> None:
    hands.drive(3)
    hands.panel.turn_key(on=True)
    hands.recorder.step(hands.stop)
    hands.receiver.epochs = [msgspec.structs.replace(hands.epoch(), at=AT + timedelta(seconds=3), lat_deg=52.0)]
    hands.recorder.step(hands.stop)
    hands.recorder.finish()
    times = [fix.t_ms for fix in fixes_on_card(hands.folder)]
    assert len(times) == len(set(times)) == 3


def test_a_step_of_the_satellites_time_is_an_event(hands: Hands) -> None:
    hands.drive(3)
    hands.drive(3, step_s=3_600.0)  # one alone could be a damaged date
    told = next(event for event in hands.events() if event.event == "clock.step")
    assert told.data == {"step_ms": 3_600_000}


def test_a_falling_supply_writes_at_once_what_is_held(hands: Hands) -> None:
    hands.panel.supply = True
    hands.drive(4)
    assert hands.journal.issued(Series.TSEQ) < 4
    hands.panel.supply = False
    hands.drive(1)
    assert hands.journal.issued(Series.TSEQ) >= 4
    hands.panel.supply = True
    hands.drive(1)
    assert [name for name in hands.names() if name.startswith("power.ext")] == ["power.ext_lost", "power.ext_back"]


class FullCard:
    """A journal whose card takes nothing while it is full."""

    def __init__(self, journal: Journal) -> None:
        self.full = True
        self._journal = journal

    @property
    def used(self) -> float:
        return self._journal.used

    def append(self, boot: str, drafts: Sequence[Draft], points: Sequence[TrackPoint], odometer: str | None) -> Appended:
        if self.full:
            raise JournalFullError("the card is full: nothing more can be saved; free space on it or replace it")
        return self._journal.append(boot, drafts, points, odometer)

    def redate(self, boot: str, rewrite: Callable[[bytes], bytes | None]) -> int:
        return self._journal.redate(boot, rewrite)


def test_a_full_card_keeps_fixes_and_events_in_memory_and_writes_them_later(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    card = FullCard(hands.journal)
    monkeypatch.setattr(hands.recorder, "_journal", card)
    hands.panel.turn_key(on=True)
    hands.drive(30)
    assert hands.journal.issued(Series.TSEQ) == 0
    assert hands.status.snapshot().journal.startswith("the card is full")
    assert len([record for record in caplog.records if "the card is full" in record.message]) == 1
    card.full = False
    hands.drive(12)
    assert hands.status.snapshot().journal == "open"
    assert {"trip.start", "ignition.on"} <= set(hands.names())
    assert hands.journal.issued(Series.TSEQ) >= 30


def test_what_a_full_card_leaves_in_memory_is_bounded_and_the_oldest_goes(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    card = FullCard(hands.journal)
    monkeypatch.setattr(hands.recorder, "_journal", card)
    monkeypatch.setattr(recorders, "HELD_LIMIT", 50)
    hands.drive(300)
    card.full = False
    hands.drive(12)
    fixes = fixes_on_card(hands.folder)
    assert 50 <= len(fixes) <= 75
    assert fixes[-1].t_ms - fixes[0].t_ms == (len(fixes) - 1) * 1_000
    assert HELD_LIMIT == 3_600


def test_a_store_that_fills_is_told_once(tmp_path: Path) -> None:
    hands = Hands(tmp_path)
    hands.journal.close()
    hands.journal = open_journal(tmp_path, quota_bytes=1_000_000)
    hands.diary.open(hands.journal)
    hands.recorder = hands.new_recorder()
    while hands.journal.used < 0.72:
        hands.journal.append(BOOT, [proof(20_000)])
    hands.drive(60)
    assert hands.journal.used < 0.9
    names = [msgspec.json.decode(row.payload)["event"] for row in hands.journal.waiting(Series.SEQ, Ranges(), 999) if row.kind == "event"]
    assert names.count("storage.low") == 1
    hands.journal.close()


def test_it_runs_as_a_worker(hands: Hands) -> None:
    assert (hands.recorder.name, hands.recorder.stall_s) == ("recorder", 30.0)
    assert event().kind == "event"


def test_the_satellites_are_shown_as_the_receiver_names_them(hands: Hands) -> None:
    hands.receiver.satellites = (Satellite("GPS", 5, 48, 201, 44, used=True), Satellite("GLONASS", 82, None, None, None, used=False))
    hands.drive(1, fix=False)
    assert hands.status.snapshot().sky == (
        SatelliteStatus(system="GPS", prn=5, elevation_deg=48, azimuth_deg=201, snr_db=44, used=True),
        SatelliteStatus(system="GLONASS", prn=82, elevation_deg=None, azimuth_deg=None, snr_db=None, used=False),
    )


def test_the_sky_is_looked_at_once_a_second_however_often_the_receiver_speaks(hands: Hands) -> None:
    shown = []
    for n in range(40):
        hands.receiver.satellites = (Satellite("GPS", n, 48, 201, 44, used=True),)
        hands.receiver.epochs = [hands.epoch()]
        hands.mono_s += 0.1
        hands.recorder.step(hands.stop)
        shown.append(hands.status.snapshot().sky)
    assert len(set(shown)) in {4, 5}


def test_a_receiver_that_is_gone_leaves_no_satellites(hands: Hands) -> None:
    hands.receiver.satellites = (Satellite("GPS", 5, 48, 201, 44, used=True),)
    hands.drive(1)
    hands.receiver.gone, hands.receiver.satellites = PortGoneError("unplugged"), ()
    hands.be_silent(2)
    assert hands.status.snapshot().sky == ()
