"""Frames, dropped pictures and hand scanners in; barcodes to the terminal, and a picture for whoever looks."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from drivers.barcode import Barcode, Decoder
from drivers.camera import Camera, Frame
from drivers.camera.photo import VIEW_PX, glance, read_picture, view
from drivers.errors import BarcodeError, DriverError, PictureError
from drivers.gs1 import identity
from drivers.wedge import Reading, Wedges
from mqtt.backoff import Backoff

log = logging.getLogger(__name__)

Quad = tuple[tuple[int, int], ...]

IDLE_S = 0.25  # while nothing is wanted of the camera: a hand scanner wakes the wait
FRAME_S = 0.5
READY_S = 0.25
SIGHT_S = 1.5  # a code that stays in sight, or comes back within so long, is one scan
LOOKED_S = 2.0  # how long after the last look pictures are still made for the page
THOROUGH_EVERY = 3  # frames: then both engines read, for a second code that only one of them can
DROPPED = 4  # pictures that wait
RETRY_FIRST_S, RETRY_LONGEST_S = 0.5, 10.0


class Scan(msgspec.Struct, frozen=True):
    """One code that was scanned, on its way to the driver's job."""

    text: str
    symbology: str
    identity: str  # see drivers.gs1.identity
    corners: Quad = ()  # in pixels of the camera's frame; none from a hand scanner
    source: Literal["camera", "picture", "hand"] = "camera"


class Terminal(Protocol):
    """What the scanner needs of the driver's job."""

    def wants(self) -> Literal["scan", "photo"] | None:
        """What the camera is needed for now."""

    def scanned(self, scan: Scan) -> None:
        """A code was read."""


class Viewfinder:
    """The newest picture for the page; for any thread."""

    def __init__(self, mono_s: Callable[[], float] = time.monotonic) -> None:
        self._mono_s = mono_s
        self._lock = threading.Lock()
        self._newest: tuple[int, bytes, tuple[Quad, ...]] | None = None
        self._looked_s = float("-inf")
        self._dropped: queue.Queue[bytes] = queue.Queue(DROPPED)

    def latest(self) -> tuple[int, bytes, tuple[Quad, ...]] | None:
        """Its number, the JPEG, and the corners of the codes found in it, in its pixels. None before the first. Returns at once."""
        with self._lock:
            self._looked_s = self._mono_s()
            return self._newest

    def drop(self, jpeg: bytes) -> None:
        """Look at this picture as if the camera had seen it. PictureError: no picture, too large, or too many of them are waiting."""
        glance(jpeg)
        try:
            self._dropped.put_nowait(jpeg)
        except queue.Full:
            raise PictureError("pictures come faster than they can be read; wait a moment and try again") from None

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        with self._lock:
            return self._mono_s() - self._looked_s < LOOKED_S

    def show(self, jpeg: bytes, quads: tuple[Quad, ...]) -> None:
        """Put a new picture up."""
        with self._lock:
            self._newest = ((self._newest[0] if self._newest else 0) + 1, jpeg, quads)

    def clear(self) -> None:
        """Forget the picture: what is seen later must not look like now."""
        with self._lock:
            self._newest = None

    def next_dropped(self) -> bytes | None:
        """The oldest picture that waits."""
        try:
            return self._dropped.get_nowait()
        except queue.Empty:
            return None


class Sight:
    """Which codes are new to the eye: each is let through once while it stays in sight. Pure."""

    def __init__(self) -> None:
        self._seen_s: dict[str, float] = {}
        self._doubted: dict[str, int] = {}

    def is_new(self, name: str, at_s: float) -> bool:
        """Whether it was out of sight; it is in sight from now on."""
        self._seen_s = {known: seen_s for known, seen_s in self._seen_s.items() if at_s - seen_s < SIGHT_S}
        new = name not in self._seen_s
        self._seen_s[name] = at_s
        return new

    def is_sure(self, name: str, symbology: str, n: int) -> bool:
        """EAN needs a second picture: of poor ones 3 to 7 in 100 are misread with a check digit that holds."""
        if symbology != "EAN13":
            return True
        first = self._doubted.setdefault(name, n)
        if first == n:
            return False
        del self._doubted[name]
        return True


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
            self._terminal.scanned(_of_hand(reading))

    def _look(self, wanted: str | None) -> None:
        try:
            frame = self._camera.frame(FRAME_S)
            if frame is None:
                return
            barcodes = self._read(frame) if wanted == "scan" else []
            if wanted is not None and self._viewfinder.watched:
                self._viewfinder.show(self._camera.preview(), _scaled(barcodes, frame.width, frame.height))
        except DriverError as error:
            self._fault(str(error))
            return
        self._backoff.reset()
        self._told = ""
        for barcode in barcodes:
            self._report(barcode, frame.n)

    def _read(self, frame: Frame) -> list[Barcode]:
        if not self._decoder.ready(READY_S):  # it starts, or waits after a crash: the viewfinder goes on meanwhile
            return []
        thorough = frame.n % THOROUGH_EVERY == 0
        return self._decoder.decode(frame.luma, frame.width, frame.height, frame.stride, thorough=thorough)

    def _report(self, barcode: Barcode, n: int) -> None:
        scan = _scan(barcode.text, barcode.symbology, barcode.aim, barcode.corners, "camera")
        if self._sight.is_sure(scan.identity, scan.symbology, n) and self._sight.is_new(scan.identity, self._mono_s()):
            self._terminal.scanned(scan)

    def _look_at_file(self, data: bytes) -> None:
        try:
            barcodes = self._decoder.read_picture(data)
            picture = read_picture(data)  # the child has survived it
        except DriverError as error:
            log.warning("a dropped picture was not used: %s", error)
            return
        self._viewfinder.show(view(picture), _scaled(barcodes, *picture.size))
        for barcode in barcodes:
            self._terminal.scanned(_scan(barcode.text, barcode.symbology, barcode.aim, barcode.corners, "picture"))

    def _fault(self, sentence: str) -> None:
        """Say it once, and wait longer each time."""
        self._retry_at_s = self._mono_s() + self._backoff.next_s()
        self._viewfinder.clear()
        if sentence != self._told:
            log.warning("%s", sentence)
        self._told = sentence


def _of_hand(reading: Reading) -> Scan:
    return _scan(reading.text, reading.symbology, reading.aim, (), "hand")


def _scan(text: str, symbology: str, aim: str | None, corners: Quad, source: Literal["camera", "picture", "hand"]) -> Scan:
    """A code that cannot be one of ours is told, too, with its odd characters made visible: the driver gets an answer to each scan."""
    try:
        name = identity(text, symbology, aim)
    except BarcodeError:
        text = "".join(chr(0x2400 + ord(sign)) if sign < " " else sign for sign in text if sign.isprintable() or sign < " ")[:100]
        name = f"raw:{text}"
    return Scan(text=text, symbology=symbology, identity=name, corners=corners, source=source)


def _scaled(barcodes: Sequence[Barcode], width: int, height: int) -> tuple[Quad, ...]:
    """The corners in pixels of the page's picture."""
    scale = min(VIEW_PX[0] / width, VIEW_PX[1] / height, 1.0)
    return tuple(tuple((round(x * scale), round(y * scale)) for x, y in barcode.corners) for barcode in barcodes)
