"""The buzzer: four sounds that a driver tells apart without looking, played beside the work and never before it."""

from __future__ import annotations

import queue
import threading
from typing import Literal, Protocol

Sound = Literal["accept", "duplicate", "wrong", "done"]
Note = tuple[float, float]  # hertz (0: a pause), seconds

# One short high tone, two middle ones, one long low one: told apart by rhythm as well as by pitch, for a buzzer that has only one.
MELODIES: dict[Sound, tuple[Note, ...]] = {
    "accept": ((2_700, 0.09),),
    "duplicate": ((1_400, 0.09), (0, 0.07), (1_400, 0.09)),
    "wrong": ((500, 0.7),),
    "done": ((1_400, 0.1), (2_000, 0.1), (2_700, 0.2)),
}
WAITING = 4  # sounds; more would tell of parcels long put down


class Tone(Protocol):
    """A pin that can be made to swing: gpiozero's PWMOutputDevice."""

    frequency: float | None
    value: float

    def close(self) -> None:
        """Give the pin back."""


class Buzzer:
    """Plays on `tone` from a thread of its own; `play` returns at once."""

    def __init__(self, tone: Tone) -> None:
        self._tone = tone
        self._sounds: queue.Queue[Sound] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="buzzer", daemon=True)
        self._thread.start()

    def play(self, sound: Sound) -> None:
        """Sound it after those that wait; dropped where too many do."""
        try:
            self._sounds.put_nowait(sound)
        except queue.Full:
            return

    def close(self) -> None:
        """Fall silent and give the pin back; the second time nothing happens."""
        if self._closing.is_set():
            return
        self._closing.set()
        self.play("done")  # wakes the thread, which plays nothing any more
        self._thread.join()
        self._tone.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            sound = self._sounds.get()
            for hertz, duration_s in MELODIES[sound]:
                self._sound(hertz, duration_s)

    def _sound(self, hertz: float, duration_s: float) -> None:
        if self._closing.is_set():
            return
        if hertz:
            self._tone.frequency = hertz
            self._tone.value = 0.5  # a square wave is loudest
        self._closing.wait(duration_s)
        self._tone.value = 0
