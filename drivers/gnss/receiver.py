"""A GNSS receiver on a serial port: ask it for epochs, ask it how it is."""

from __future__ import annotations

import threading
import time
from datetime import date

import msgspec

from drivers.errors import PortGoneError
from drivers.gnss.baud import RATES, BaudHunt
from drivers.gnss.epoch import Assembler
from drivers.gnss.fields import FieldError
from drivers.gnss.fix import Epoch
from drivers.gnss.framer import Framer
from drivers.gnss.port import BytePort
from drivers.gnss.sentences import Txt, parse
from drivers.gnss.sky import Satellite, Sky
from drivers.gnss.ublox import Ublox
from drivers.gnss.ubx import UbxFramer

QUIET_S = 0.3  # a burst is over when the line is silent this long: no receiver pauses so long inside one
HUNT_S = 0.05  # how exactly a rate's time is kept while the speed is unknown: all rates together may take ten seconds
SILENT_S = 3.0
ENOUGH_BYTES = 500  # this much without one good sentence is not a matter of luck
RESTARTED = "U-BLOX"  # in a notice: u-blox receivers say their maker's name when they start, and only then


class GnssStatus(msgspec.Struct, frozen=True):
    """How the receiver is, for the technician."""

    port: str
    baud: int
    state: str  # one sentence
    bytes_read: int
    sentences_good: int
    sentences_bad: int
    satellites: tuple[Satellite, ...]
    age_s: float | None  # of the last fix; None before the first
    stale: bool  # no fix for two periods
    antenna: str | None  # as the receiver words it: OK, OPEN, SHORT ...
    jamming: str | None  # what it says about interference; None while there is none
    sentences_mended: int = 0  # of the good ones: one flipped bit was put right
    hunting: bool = False  # every speed is being tried because somebody asked for it
    setup: str = ""  # one sentence: what it is and how it was set up


class GnssReceiver:
    """Reads epochs from the receiver at a serial port.

    Opening is left to the first `read`; after a PortGoneError the next `read` tries again. `not_before` is a day
    before which no epoch can be dated, such as the day the firmware was built. Without `baud` the speed of the line is
    found out, in ten seconds at most while the receiver speaks. `ublox` is the talk with a u-blox receiver; without it nothing
    is ever written to the line. One thread reads; `status` and `hunt` are any thread's.
    """

    def __init__(self, port: str, baud: int | None = None, *, not_before: date, ublox: Ublox | None = None) -> None:
        self._path = port
        self._ublox = ublox
        self._ubx = UbxFramer()
        self._good_before = 0  # sentences before this plug, at this speed
        self._hunt = BaudHunt(time.monotonic()) if baud is None else None
        self._set_baud = baud
        self._baud = baud or RATES[0]
        self._hunt_wanted = threading.Event()
        self._asked = False  # a round through the speeds that somebody asked for is under way
        self._port: BytePort | None = None
        self._framer = Framer()
        self._assembler = Assembler(not_before)
        self._sky = Sky()
        self._trouble: str | None = None
        self._last_byte_s: float | None = None
        self._last_fix_s: float | None = None
        self._period_s = 1.0
        self._epoch: Epoch | None = None
        self._status = self._snapshot(time.monotonic())

    def read(self, timeout_s: float) -> list[Epoch]:
        """Wait at most this long for bytes; return the epochs that are complete, often none.

        Raises PortGoneError when the port is missing, held by another program, or was unplugged.
        """
        deadline_s = time.monotonic() + timeout_s
        try:
            epochs = self._wait(deadline_s)
            self._trouble = None
        except PortGoneError as error:
            self._trouble = str(error)
            self._framer.cut()
            self.close()
            raise
        finally:
            self._take_stock(time.monotonic())
        return epochs

    def close(self) -> None:
        """Give the port back."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def status(self) -> GnssStatus:
        """Return how the receiver was after the last `read`, with ages of now."""
        age_s = self._age_s(time.monotonic())
        hunting = self._asked or self._hunt_wanted.is_set()
        return msgspec.structs.replace(self._status, age_s=age_s, stale=self._is_stale(age_s), hunting=hunting)

    def hunt(self) -> None:
        """Try every speed once, also when one was set; `status().hunting` until that is done.

        The speed at which the receiver speaks is kept until the next start; when there is none, the one that was set is.
        """
        self._hunt_wanted.set()

    def _wait(self, deadline_s: float) -> list[Epoch]:
        if self._port is None:
            self._port = BytePort(self._path, self._baud)
            self._last_byte_s = None
            self._meet_anew()
        epochs: list[Epoch] = []
        asked_s = time.monotonic()
        while not epochs and asked_s < deadline_s:
            if self._hunt_wanted.is_set():
                self._begin_round(self._port, asked_s)
            data = self._port.read(self._patience_s(asked_s, deadline_s))
            now_s = time.monotonic()
            # Where bytes end a silence, only the wait for them tells how long it was: before it we may have been busy elsewhere.
            if self._last_byte_s is not None and now_s - (asked_s if data else self._last_byte_s) >= QUIET_S:
                epochs = self._assembler.idle(self._framer.read_bytes, now_s)
            if data:
                self._last_byte_s = now_s
                epochs += self._take(data, now_s)
            self._find_baud(self._port, now_s)
            self._talk(self._port, data, now_s)
            asked_s = now_s
        for epoch in epochs:
            self._remember(epoch)
        return epochs

    def _patience_s(self, now_s: float, deadline_s: float) -> float:
        """How long to wait for bytes: to the deadline, unless something hangs on how long the line is silent."""
        if self._hunt is not None and not self._hunt.found:
            return min(deadline_s - now_s, HUNT_S)
        if self._last_byte_s is not None and self._assembler.holds_epoch:
            return max(0.0, min(deadline_s, self._last_byte_s + QUIET_S) - now_s)
        return deadline_s - now_s

    def _find_baud(self, port: BytePort, now_s: float) -> None:
        hunt = self._hunt
        if hunt is None:
            return
        if not hunt.look(now_s, self._framer.read_bytes, self._framer.good):
            if self._asked and hunt.found:
                self._end_round(found=True)
            return
        if self._asked and hunt.tried >= len(RATES):
            self._end_round(found=False)
        self._listen_at(port, self._set_baud if self._hunt is None and self._set_baud else hunt.baud)

    def _begin_round(self, port: BytePort, now_s: float) -> None:
        self._asked = True
        self._hunt_wanted.clear()
        self._hunt = BaudHunt(now_s, self._framer.read_bytes, self._framer.good)
        self._listen_at(port, self._hunt.baud)

    def _end_round(self, *, found: bool) -> None:
        """A speed that was set is gone back to, unless the receiver speaks at another."""
        self._asked = False
        if self._set_baud is not None and (not found or self._baud == self._set_baud):
            self._hunt = None

    def _listen_at(self, port: BytePort, baud: int) -> None:
        self._baud = baud
        port.listen_at(baud)
        self._framer.cut()
        self._meet_anew()

    def _meet_anew(self) -> None:
        """Whatever was known of the receiver at the other end, and of a frame from it, is void."""
        self._good_before = self._framer.good
        self._ubx.cut()
        if self._ublox is not None:
            self._ublox.begin()

    def _talk(self, port: BytePort, data: bytes, now_s: float) -> None:
        if self._ublox is None:
            return
        words = self._ublox.update(now_s, speaking=self._framer.good > self._good_before, frames=self._ubx.push(data))
        if words:
            port.write(words)

    def _take(self, data: bytes, now_s: float) -> list[Epoch]:
        epochs: list[Epoch] = []
        for sentence in self._framer.push(data):
            if self._sky.is_fresh(sentence.text, now_s):
                continue
            try:
                value = parse(sentence.text)
            except FieldError:
                continue
            if isinstance(value, Txt) and RESTARTED in value.text.upper() and self._ublox is not None:
                self._ublox.begin()
            if value is not None:
                self._sky.add(value, now_s)
                epochs += self._assembler.add(value, sentence.end_bytes, now_s)
        return epochs

    def _remember(self, epoch: Epoch) -> None:
        self._epoch = epoch
        if epoch.has_fix:
            if self._last_fix_s is not None:
                self._period_s = min(max(epoch.mono_s - self._last_fix_s, 0.1), 10.0)
            self._last_fix_s = epoch.mono_s

    def _age_s(self, now_s: float) -> float | None:
        return None if self._last_fix_s is None else now_s - self._last_fix_s

    def _is_stale(self, age_s: float | None) -> bool:
        return age_s is None or age_s > 2 * self._period_s + QUIET_S

    def _take_stock(self, now_s: float) -> None:
        """Renew the status, unless no byte has come since and the line is not silent yet."""
        told = self._framer.read_bytes == self._status.bytes_read and self._trouble is None
        if not told or self._last_byte_s is None or now_s - self._last_byte_s > SILENT_S:
            self._status = self._snapshot(now_s)

    def _snapshot(self, now_s: float) -> GnssStatus:
        age_s = self._age_s(now_s)
        return GnssStatus(
            port=self._path,
            baud=self._baud,
            state=self._state(now_s),
            bytes_read=self._framer.read_bytes,
            sentences_good=self._framer.good,
            sentences_bad=self._framer.bad,
            satellites=self._sky.satellites(now_s),
            age_s=age_s,
            stale=self._is_stale(age_s),
            antenna=self._sky.antenna,
            jamming=self._ublox.interference if self._ublox is not None and self._ublox.watched else self._sky.jamming,
            sentences_mended=self._framer.mended,
            setup=self._ublox.sentence if self._ublox is not None else "Nothing was written to the receiver.",
        )

    def _state(self, now_s: float) -> str:
        if self._trouble:
            return self._trouble
        if self._port is None:
            return f"The port {self._path} is not open yet."
        return self._complaint(now_s) or self._fix_state()

    def _complaint(self, now_s: float) -> str | None:
        if self._hunt is not None and not self._hunt.found:
            return f"Looking for the speed of the line: nothing readable yet, now trying {self._baud} baud."
        if self._last_byte_s is None or now_s - self._last_byte_s > SILENT_S:
            return f"The receiver at {self._path} is silent; check its power and its transmit wire."
        if self._framer.good == 0 and self._framer.read_bytes > ENOUGH_BYTES:
            return f"{self._path} delivers bytes but no sentences at {self._baud} baud; set the receiver's own rate in the settings."
        return None

    def _fix_state(self) -> str:
        if self._epoch is None or not self._epoch.has_fix:
            return "The receiver works but has no fix; it needs a view of the sky, and up to a minute after a cold start."
        return f"The receiver has a {self._epoch.mode}D fix."
