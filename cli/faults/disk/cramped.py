"""A day on a card that runs full: what does not fit is refused with a sentence, and the driver goes on as he does then."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from cli.faults.power.day import Day, pictures_of
from cli.faults.power.said import Said, Voice
from cli.faults.power.unit import BOOT, Keys
from firmware.day.progress import StopWork
from firmware.day.proof import Attachment
from firmware.evidence.attachments import AttachmentError
from firmware.journal import JournalFullError

PAGE_BYTES = 4_096
PHOTO_BYTES, LARGE_BYTES = 300_000, 60_000  # a photo as the camera makes it; an event that fills the journal soon
CALM_STEPS, TIGHT_STEPS = 12, 700  # enough to use up what is left, the reserve, and what was freed with it
PROOFS_AT_THE_END = 60


class Told(msgspec.Struct):
    """What the day says of itself at its end."""

    proofs: list[int] = []
    pictures_refused: int = 0
    records_refused: int = 0  # fixes and events: they wait in memory
    proofs_refused: int = 0  # proofs without a picture: never
    sentences: list[str] = []


class Pipe(Voice):
    """Says the lines to the process that listens at the other end."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def say(self, said: Said) -> None:
        """Say it before anything else is done."""
        with open(self._descriptor, "wb", closefd=False) as file:  # all of the line, however long
            file.write(msgspec.json.encode(said) + b"\n")


class CrampedDay(Day):
    """Goes on after a refusal."""

    def __init__(self, folder: Path, keys: Keys, seed: int, voice: Voice) -> None:
        super().__init__(folder, keys, seed, voice)
        self.told = Told()
        self._photo_bytes = random.Random(seed)  # noqa: S311  a day to repeat, no secret

    def live(self, steps: int) -> None:
        """So many steps; what the card does not take is counted."""
        for _ in range(steps):
            self._try(self._chance.choices((self.step, self._photograph, self._write_much), (5, 2, 3))[0])

    def hurry(self, steps: int) -> None:
        """So many stops, nearly nothing but photos and proofs: there is nothing in the journal that could give way to them."""
        for _ in range(steps):
            self._try(self._chance.choice((self._photograph, self._hand_over, partial(self.prove, 3))))

    def prove(self, proofs: int) -> None:
        """Proofs without a picture: these must fit, however full the card is."""
        for _ in range(proofs):
            try:
                self._prove()
            except JournalFullError as error:
                self.told.proofs_refused += 1
                self._remember(error)

    def _prove(self) -> None:
        stop_id, before = self._stop()
        stops = self._work.stops | {stop_id: StopWork(attempts=before.attempts + 1)}
        self._commit(msgspec.structs.replace(self._work, stops=stops), proofs=[self._proof(stop_id, ())])
        self._unit.attachments.remove(pictures_of(before))

    def _write_much(self) -> None:
        draft = self._unit.diary.draft("ignition.on", {"filling": "x" * LARGE_BYTES})
        self._unit.journal.append(BOOT, [draft])

    def _keep(self, kind: str, mime: str) -> Attachment:
        size_bytes = PHOTO_BYTES if kind == "photo" else LARGE_BYTES
        kept = self._unit.attachments.keep(self._photo_bytes.randbytes(size_bytes))
        return msgspec.convert({"kind": kind, "mime": mime, **msgspec.structs.asdict(kept)}, Attachment)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except AttachmentError as error:
            self.told.pictures_refused += 1
            self._remember(error)
            self.prove(1)  # what the driver does then
        except JournalFullError as error:
            self.told.records_refused += 1
            self._remember(error)

    def _remember(self, error: Exception) -> None:
        if str(error) not in self.told.sentences:
            self.told.sentences.append(str(error))


def fill(ballast: Path, free_bytes: int) -> None:
    """Make this file so large that so many bytes, to the page, are free on its file system."""
    more = (shutil.disk_usage(ballast.parent).free - free_bytes) // PAGE_BYTES * PAGE_BYTES
    if more > 0:
        with ballast.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, more)


def live(folder: Path, keys: Keys, seed: int, free_bytes: int, voice: Voice) -> Told:
    """A calm morning, then the card is full but for so many bytes, and the driver goes on to the evening. The journal is left open."""
    day = CrampedDay(folder, keys, seed, voice)
    day.live(CALM_STEPS)
    fill(folder.with_name("ballast"), free_bytes)
    (day.live if seed % 2 else day.hurry)(TIGHT_STEPS)
    day.prove(PROOFS_AT_THE_END)
    day.told.proofs = sorted(voice.proofs)
    return day.told
