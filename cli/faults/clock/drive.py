"""A unit that drives in virtual time: every part is the product's own, only the clocks and the serial line are made."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from cli.faults.clock.wrong import Wrong
from cli.faults.power.unit import FIRMWARE, UNIT, Keys
from drivers.gnss.epoch import Assembler
from drivers.gnss.fields import FieldError
from drivers.gnss.fix import Epoch
from drivers.gnss.framer import Framer
from drivers.gnss.sentences import parse
from drivers.gnss.sky import Satellite
from drivers.panel import GpioPanel
from drivers.sim.nmea import burst
from drivers.sim.van import NO_NOISE, VanEpoch, VirtualVan
from firmware.clock import BUILD_DATE, Clock
from firmware.day.proof import Item, Proof
from firmware.diary import Diary
from firmware.evidence.book import EvidenceBook
from firmware.journal import Journal
from firmware.recorder import Recorder
from firmware.status import Status, StatusBoard
from firmware.terminal.surroundings import Surroundings

DRIVE_S = 90  # of one start
STEP_AT_S, NETWORK_AT_S, LATE_FIX_S, WILD_AT_S = 35, 60, 45, 50
GONE_S = range(40, 55)
PROOF_EVERY_S = 11
WEEKS = timedelta(weeks=1024)
BOOTED_S = 5.0  # monotonic, at a start
OFF_S = 300.0  # between two starts
QUOTA_BYTES = 20_000_000


class Time:
    """True time, the system's clock and the monotonic one, in the case's hands."""

    def __init__(self, wrong: Wrong, start: int, folder: Path) -> None:
        self._wrong = wrong
        self._true_s = wrong.began.timestamp() + start * (DRIVE_S + OFF_S)
        self._system_s = wrong.system_s(self._true_s)
        self.mono_s = BOOTED_S
        self.mark = folder / f"synchronized-{start}"

    def true_s(self, mono_s: float) -> float:
        """What the time really was at a monotonic moment of this start."""
        return self._true_s + mono_s - BOOTED_S

    def system_s(self) -> float:
        """What the system's clock shows."""
        return self._system_s + self.mono_s - BOOTED_S

    def second(self, number: int) -> None:
        """One goes by."""
        self.mono_s += 1.0
        if number == STEP_AT_S:
            self._system_s += self._wrong.step_s
        if number == NETWORK_AT_S and self._wrong.network == "late":
            self._system_s = self._true_s
            self.mark.touch()


class Hearing(msgspec.Struct, frozen=True):
    """How the receiver is: nobody asks here."""

    satellites: tuple[Satellite, ...] = ()


class Line:
    """A receiver on a virtual van, heard through the product's own framer, parser and calendar."""

    def __init__(self, wrong: Wrong, time: Time) -> None:
        self._wrong = wrong
        self._time = time
        self._van: Iterator[VanEpoch] = iter(VirtualVan(start=_second(time.true_s(time.mono_s)), noise=NO_NOISE))
        self._framer = Framer()
        self._assembler = Assembler(BUILD_DATE)
        self._seconds = 0

    def read(self, timeout_s: float) -> list[Epoch]:  # noqa: ARG002  as the real one
        """The next second of the drive."""
        epoch = next(self._van)
        self._seconds += 1
        self._time.second(self._seconds)
        told = self._told(msgspec.structs.replace(epoch, at=_second(self._time.true_s(self._time.mono_s)), in_tunnel=False))
        epochs = list[Epoch]()
        for sentence in self._framer.push(burst(told)) if told else ():
            try:
                value = parse(sentence.text)
            except FieldError:
                continue
            if value is not None:
                epochs += self._assembler.add(value, sentence.end_bytes, self._time.mono_s)
        return [*epochs, *self._assembler.idle(self._framer.read_bytes, self._time.mono_s)]

    def status(self) -> Hearing:
        """Nothing."""
        return Hearing()

    def close(self) -> None:
        """There is no port."""

    def _told(self, epoch: VanEpoch) -> VanEpoch | None:
        match self._wrong.satellites:
            case "none":
                return None
            case "late" if self._seconds < LATE_FIX_S:
                return msgspec.structs.replace(epoch, in_tunnel=True, at=epoch.at - WEEKS)  # a cold receiver guesses
            case "gone in between" if self._seconds in GONE_S:
                return None
            case "1024 weeks ago":
                return msgspec.structs.replace(epoch, at=epoch.at - WEEKS)
            case "one wild date" if self._seconds == WILD_AT_S:
                return msgspec.structs.replace(epoch, at=epoch.at + timedelta(days=400))
        return epoch


class Eye:
    """No camera."""

    state, sentence = "none", ""


class Unit:
    """One start of the unit."""

    def __init__(self, folder: Path, keys: Keys, wrong: Wrong, start: int) -> None:
        self.boot = f"{start:012x}"
        self.time = Time(wrong, start, folder)
        self.clock = Clock(utc_s=self.time.system_s, mono_s=lambda: self.time.mono_s, ntp_mark=self.time.mark)
        status = StatusBoard(Status(unit=UNIT))
        self.diary = Diary(unit=UNIT, boot=self.boot, clock=self.clock, status=status)
        self.journal = Journal(
            folder / "journal.db",
            quota_bytes=QUOTA_BYTES,
            keep_ms=0,
            utc_ms=lambda: self.clock.now().at_ms,
            tombstone=self.diary.tombstone,
        )
        self.diary.open(self.journal)
        self._book = EvidenceBook(
            unit=UNIT,
            boot=self.boot,
            firmware=FIRMWARE,
            signer=keys.unit,
            authorities=keys.authorities,
            journal=self.journal,
            diary=self.diary,
        )
        self._surroundings = Surroundings(boot=self.boot, clock=self.clock, status=status, journal=self.journal, camera=Eye())
        self._recorder = Recorder(
            boot=self.boot,
            receiver=Line(wrong, self.time),
            panel=GpioPanel(),
            journal=self.journal,
            diary=self.diary,
            clock=self.clock,
            status=status,
            commit_s=10,
        )

    def drive(self) -> int:
        """From power on to an orderly end; the number of the session that it opened."""
        import threading

        self.diary.note("power.on")
        session = self.journal.next_session(self.clock.now().at_ms // 1000)
        for second in range(1, DRIVE_S + 1):
            self._recorder.step(threading.Event())
            if second % PROOF_EVERY_S == 0:
                self._prove()
        self._recorder.finish()
        return session

    def _prove(self) -> None:
        moment = self._surroundings.moment()
        proof = Proof(
            id=str(uuid.uuid4()), stop_id="s-1", job=None, service="delivery", run_n=1, outcome="delivered_to_recipient", reason=None,
            recipient=None, driver="d-1", items=(Item(code="P-1", sym="code128", line_id="1", state="scanned", qty=1, qty_fact=1),),
            at_ms=moment.at_ms, mono_ms=moment.mono_ms, boot=moment.boot, src=moment.src, err_ms=moment.err_ms, position=moment.position,
            place_m=None,
        )  # fmt: skip
        entry = self._book.write([proof])
        self.journal.append(self.boot, entry.drafts, work=entry.work)
        self._book.written(entry)


def _second(utc_s: float) -> datetime:
    return datetime.fromtimestamp(utc_s, UTC)
