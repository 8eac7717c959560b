"""How soon a pulled plug is seen and a fix is back after it was put in again: the real reader and recorder on a pseudo-terminal."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cli.bench.measure import BOOT, opened_journal
from drivers.gnss.receiver import GnssReceiver
from drivers.gnss.ublox import Ublox, van_settings
from drivers.panel import GpioPanel
from drivers.sim.line import Drive, SerialLine
from drivers.sim.ublox import SimulatedUblox
from drivers.sim.van import VirtualVan
from firmware.clock import BUILD_DATE
from firmware.recorder import Recorder
from firmware.status import StatusBoard

OUT_S = (1.2, 1.6)  # without a plug, a cycle each: the recorder then tries at its longest distance, and bursts fall at other moments
PATIENCE_S = 20.0
LOOK_S = 0.001


def replugged(folder: Path, seed: int) -> Mapping[str, float]:
    """Seconds from the pulled plug until the status says so, and from the plug put in until it has a fix of the receiver's 1 Hz.

    The worst of a few cycles.
    """
    with _unit(folder, seed) as (line, status):
        cycles = [_cycle(line, status, out_s) for out_s in OUT_S]
    return {"unplug seen": max(seen_s for seen_s, _ in cycles), "fix after replug": max(back_s for _, back_s in cycles)}


def _cycle(line: SerialLine, status: StatusBoard, out_s: float) -> tuple[float, float]:
    line.unplug()
    seen_s = _seconds_until(lambda: not status.snapshot().has_fix)
    time.sleep(out_s)
    line.replug()
    return seen_s, _seconds_until(lambda: status.snapshot().has_fix)


def _seconds_until(holds: Callable[[], bool]) -> float:
    began_s = time.monotonic()
    while not holds():
        if time.monotonic() - began_s > PATIENCE_S:
            raise TimeoutError("the bench's receiver gives no fix")
        time.sleep(LOOK_S)
    return time.monotonic() - began_s


@contextmanager
def _unit(folder: Path, seed: int) -> Iterator[tuple[SerialLine, StatusBoard]]:
    """A recorder at work on a receiver that has a fix."""
    with opened_journal(folder) as (journal, (clock, status, diary)), SerialLine(folder / "gnss") as line:
        van = VirtualVan(seed, start=datetime.now(UTC).replace(microsecond=0))
        drive = Drive(van, line, answer=SimulatedUblox(line).answer)
        recorder = Recorder(
            boot=BOOT,
            receiver=GnssReceiver(line.port, 9_600, not_before=BUILD_DATE, ublox=Ublox(van_settings())),
            panel=GpioPanel(),
            journal=journal,
            diary=diary,
            clock=clock,
            status=status,
            commit_s=10,
        )
        stop = threading.Event()
        worker = threading.Thread(target=_work, args=(recorder, stop), name="recorder")
        logging.disable(logging.WARNING)  # that a plug was pulled is no news here
        drive.start()
        worker.start()
        try:
            _seconds_until(lambda: status.snapshot().has_fix)
            yield line, status
        finally:
            stop.set()
            worker.join()
            drive.stop()
            logging.disable(logging.NOTSET)


def _work(recorder: Recorder, stop: threading.Event) -> None:
    while not stop.is_set():
        recorder.step(stop)
    recorder.finish()
