"""Frames, dropped pictures and hand scanners in; barcodes to the terminal, and a picture for whoever looks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from drivers.barcode import Barcode, Decoder
from drivers.camera import Camera, Frame
from drivers.camera.photo import read_picture, view
from drivers.errors import BarcodeError, DriverError
from drivers.gs1 import identity
from drivers.wedge import Reading, Wedges
from firmware.day.work import Scanned
from firmware.terminal.hints import Hints, glimpse
from firmware.terminal.sight import Sight
from firmware.terminal.viewfinder import Mark, Viewfinder, marks, visible
from mqtt.backoff import Backoff

log = logging.getLogger(__name__)

IDLE_S = 0.25  # while nothing is wanted of the camera: a hand scanner wakes the wait
FRAME_S = 0.5
READY_S = 0.25
FOCUSING_S = 1.0  # some lenses never say that they have settled
RETRY_FIRST_S, RETRY_LONGEST_S = 0.5, 10.0
DOUBTED = frozenset({"EAN13"})  # of poor pictures 3 to 7 in 100 are misread with a check digit that holds


class Terminal(Protocol):
    """What the scanner needs of the driver's job."""

    def wants(self) -> Literal["scan", "photo"] | None:
        """What the camera is needed for now."""

    def scanned(self, *read: Scanned) -> bool:
        """Codes were read together; False: the driver is to choose among them."""


class Scanner:
    """The worker that sees for the terminal.

    `tell` hears how the camera is, in a word or a sentence, and a sentence for each hand scanner that does not work.
    """

    name = "scanner"
    may_be_left = True
    stall_s = 60.0  # the reader's start on a busy card, and its deadline

    def __init__(
        self,
        *,
        camera: Camera,
        decoder: Decoder,
        wedges: Wedges,
        terminal: Terminal,
        viewfinder: Viewfinder,
        tell: Callable[[str, tuple[str, ...]], None] = lambda _camera, _scanners: None,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._decoder = decoder
        self._wedges = wedges
        self._terminal = terminal
        self._viewfinder = viewfinder
        self._tell = tell
        self._state: tuple[str, tuple[str, ...]] = ("", ())
        self._mono_s = mono_s
        self._sight = Sight()
        self._hints = Hints()
        self._focused_s = mono_s()
        self._backoff = Backoff(first_s=RETRY_FIRST_S, longest_s=RETRY_LONGEST_S)
        self._retry_at_s = 0.0
        self._told = ""

    def step(self, stop: threading.Event) -> None:
        """One frame where one is wanted, else a short wait for a hand scanner."""
        wanted = self._terminal.wants()
        dropped = self._viewfinder.next_dropped()
        if dropped is not None:
            self._look_at_file(dropped)
        elif self._camera_is_due(wanted):
            self._hear(0)
            self._look(wanted)
        else:
            if wanted is None:
                self._camera.rest()
                self._viewfinder.clear()
                self._hints = Hints()
            self._wait(stop)
        self._tell_state()

    def _tell_state(self) -> None:
        """Say how camera and hand scanners are, when that has changed."""
        state = (self._camera.sentence or self._camera.state, self._wedges.faults)
        if state != self._state:
            for fault in set(state[1]) - set(self._state[1]):
                log.warning("%s", fault)
            self._state = state
            self._tell(*state)

    def finish(self) -> None:
        """Give everything back."""
        self._camera.close()
        self._decoder.close()
        self._wedges.close()

    def _camera_is_due(self, wanted: str | None) -> bool:
        """A camera that has not worked yet is looked at unasked: the driver should know before he needs it."""
        if self._camera.state == "none" or self._mono_s() < self._retry_at_s:
            return False
        return wanted is not None or self._camera.state != "ok"

    def _wait(self, stop: threading.Event) -> None:
        if self._wedges.count:
            self._hear(IDLE_S)
        else:
            self._hear(0)
            stop.wait(IDLE_S)

    def _hear(self, timeout_s: float) -> None:
        for reading in self._wedges.read(timeout_s):
            self._terminal.scanned(_scanned(reading))

    def _look(self, wanted: str | None) -> None:
        try:
            frame = self._camera.frame(FRAME_S)
            if frame is None:
                return
            barcodes = self._read(frame) if wanted == "scan" else []
            if wanted == "scan":
                self._help(frame, seen=bool(barcodes))
            if wanted is not None and self._viewfinder.watched:
                hint = self._hints.hint(self._mono_s()) if wanted == "scan" else None
                self._viewfinder.show(self._camera.preview(), _marks(barcodes, frame.width, frame.height), hint)
        except DriverError as error:
            self._fault(str(error))
            return
        self._backoff.reset()
        self._told = ""
        self._report(barcodes, frame.n)

    def _read(self, frame: Frame) -> list[Barcode]:
        if self._settles(frame) or not self._decoder.ready(READY_S):  # it starts, or waits after a crash: the viewfinder goes on meanwhile
            return []
        return self._decoder.decode(frame.luma, frame.width, frame.height, frame.stride)

    def _settles(self, frame: Frame) -> bool:
        """Whether the lens is still on its way: what it shows then is blurred, and the next picture is soon there."""
        if not frame.focusing:
            self._focused_s = self._mono_s()
        return self._mono_s() - self._focused_s < FOCUSING_S and frame.focusing

    def _help(self, frame: Frame, *, seen: bool) -> None:
        """Find out what keeps it from reading, and free a lens that is stuck."""
        at_s = self._mono_s()
        if seen:
            self._hints.read(at_s)
        elif self._hints.due(at_s) and not frame.focusing:
            self._hints.look(glimpse(frame), self._decoder.module_px, at_s)
            if self._hints.stuck(at_s):
                self._camera.refocus()

    def _report(self, barcodes: list[Barcode], n: int) -> None:
        """Tell what is new: all that one picture shows together."""
        at_s = self._mono_s()
        named = {read.identity: read for read in map(_scanned, barcodes) if self._sight.is_sure(read.identity, read.symbology, n, at_s)}
        if self._sight.is_new(named, at_s) and not self._terminal.scanned(*named.values()):
            self._sight.leave_open(named)

    def _look_at_file(self, data: bytes) -> None:
        try:
            barcodes = self._decoder.read_picture(data)
            picture = read_picture(data)  # the child has survived it
        except DriverError as error:
            log.warning("a dropped picture was not used: %s", error)
            return
        self._viewfinder.show(view(picture), _marks(barcodes, *picture.size))
        named = {read.identity: read for read in map(_scanned, barcodes)}
        if named:
            self._terminal.scanned(*named.values())

    def _fault(self, sentence: str) -> None:
        """Say it once, and wait longer each time."""
        self._retry_at_s = self._mono_s() + self._backoff.next_s()
        self._viewfinder.clear()
        if sentence != self._told:
            log.warning("%s", sentence)
        self._told = sentence


def _scanned(read: Barcode | Reading) -> Scanned:
    """A code that cannot be one of ours is told, too, with its odd characters made visible: the driver gets an answer to each scan."""
    text = read.text
    try:
        name = identity(text, read.symbology, read.aim)
    except BarcodeError:
        text = visible(text)
        name = f"raw:{text}"
    sure = isinstance(read, Reading) or read.symbology not in DOUBTED
    return Scanned(code=text, symbology=read.symbology, identity=name, sure=sure)


def _marks(barcodes: Sequence[Barcode], width: int, height: int) -> tuple[Mark, ...]:
    return marks(((barcode.corners, barcode.text) for barcode in barcodes), width, height)
