"""The simulated panel: the driver's key is turned by another process, through a Unix datagram socket."""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from drivers.buzzer import Sound
from drivers.errors import DriverError

log = logging.getLogger(__name__)

LINE_BYTES = 256
KEY = {b"ignition on": True, b"ignition off": False}
SOUNDS = b"sounds"
REMEMBERED = 200  # sounds: a day's last stops
REPLY_BYTES = 65_536
REPLY_S = 2.0
SUPPLY = {b"supply good": True, b"supply lost": False}


class SimulatedPanel:
    """Obeys the rules of `drivers.panel.GpioPanel`, moved by lines that reach `path`.

    `ignition on` and `ignition off` turn the key, `supply lost` and `supply good` take and give back the vehicle's power, `sounds` is
    answered with what the buzzer has played. Until the first line nobody knows how things stand, so both say None. Raises DriverError
    when the socket cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.malformed_lines = 0
        self.led_on = False
        self.played: deque[Sound] = deque(maxlen=REMEMBERED)
        self._path = path
        self._ignition: bool | None = None
        self._supply: bool | None = None
        self._callback: Callable[[bool], None] | None = None
        self._closing = threading.Event()
        self._socket = _listen(path)
        self._thread = threading.Thread(target=self._listen, name="panel", daemon=True)
        self._thread.start()

    def ignition_on(self) -> bool | None:
        """Whether the key is turned; None until somebody said so."""
        return self._ignition

    def on_change(self, callback: Callable[[bool], None]) -> None:
        """Call back from the panel's own thread with each new position of the key: put it on a bounded queue and nothing else."""
        self._callback = callback

    def supply_good(self) -> bool | None:
        """Whether the vehicle feeds the box; None until somebody said so."""
        return self._supply

    def set_led(self, on: bool) -> None:
        """Light the lamp or not."""
        self.led_on = on

    def sound(self, name: Sound) -> None:
        """Remember it."""
        self.played.append(name)

    def close(self) -> None:
        """Stop listening and remove the socket; the second time nothing happens."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _listen(self) -> None:
        while not self._closing.is_set():
            packet, sender = self._socket.recvfrom(LINE_BYTES)
            for line in packet.splitlines():
                self._obey(line.strip(), sender)

    def _obey(self, line: bytes, sender: bytes | str | None) -> None:
        if line == SOUNDS and sender:
            self._tell(sender)
            return
        if line in SUPPLY:
            self._supply = SUPPLY[line]
            return
        on = KEY.get(line)
        if on is None:
            self.malformed_lines += 1
            log.warning("the simulated panel does not know %r (%d such lines so far)", line, self.malformed_lines)
        elif on is not self._ignition:
            self._ignition = on
            if self._callback is not None:
                self._callback(on)

    def _tell(self, sender: bytes | str) -> None:
        try:
            self._socket.sendto(" ".join(self.played).encode(), socket.MSG_DONTWAIT, sender)
        except OSError:
            log.info("nobody waits for the panel's sounds any more")


class PanelHands:
    """The other end: turns the key of a simulated panel that listens at `path`, now or later."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)  # a full queue means that the terminal stands still: the van does not wait for it

    def turn_key(self, on: bool) -> bool:
        """Turn the ignition on or off; False while no panel listens."""
        return self._say(b"ignition on" if on else b"ignition off")

    def feed(self, good: bool) -> bool:
        """Give the box the vehicle's power or take it away; False while no panel listens."""
        return self._say(b"supply good" if good else b"supply lost")

    def sounds(self) -> list[str]:
        """What the buzzer has played, the newest last; nothing while no panel listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.settimeout(REPLY_S)
            ear.bind("")  # Linux gives it an address of its own
            try:
                ear.sendto(SOUNDS, str(self._path))
                return ear.recv(REPLY_BYTES).decode().split()
            except (FileNotFoundError, ConnectionRefusedError, TimeoutError):
                return []

    def _say(self, line: bytes) -> bool:
        try:
            self._socket.sendto(line + b"\n", str(self._path))
        except (FileNotFoundError, ConnectionRefusedError, BrokenPipeError, BlockingIOError):
            return False
        return True

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        _clear(path)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise DriverError(f"the simulated panel cannot listen at {path}: {(error.strerror or str(error)).lower()}") from None
    return listener


def _clear(path: Path) -> None:
    """Remove the socket of a panel that was killed; a living one keeps it."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as caller:
        try:
            caller.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
