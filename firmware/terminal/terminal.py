"""The driver's job behind one lock: an input comes in, one commit makes what it changes durable, then it is shown and heard.

What is decided is decided in firmware/day; here is only the order of things. Listeners are called with no lock held.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol

import msgspec

from drivers.camera.frame import Photo, Stamp
from drivers.errors import CameraError, PictureError
from drivers.panel import Panel
from firmware.day import machine, scanning, views
from firmware.day.work import (
    Attachment,
    Command,
    Face,
    Input,
    PhotoMade,
    Result,
    RunArrived,
    Scanned,
    ScannedTogether,
    SignatureMade,
    Tick,
    Work,
    from_rows,
    rows,
)
from firmware.diary import Diary
from firmware.evidence.attachments import AttachmentError, Attachments
from firmware.evidence.book import BLOB, PIECES, EvidenceBook
from firmware.evidence.orphans import settle_orphans
from firmware.journal import Journal, JournalFullError
from firmware.terminal import signature
from firmware.terminal.answers import Answer, Answers, refused
from firmware.terminal.surroundings import Surroundings
from firmware.uplink.runs import REFUSED, RUN_REFUSED
from mqtt import messages

log = logging.getLogger(__name__)

TICK_S = 0.25
REDRAWN_MS = 1_000  # distance, arrival and the undo's seconds
FULL_TICK_S = 5.0  # on a full card each try costs a write, and the message was given
PICTURES_KEPT = 4  # photos of the proof under way, for the page; sealed ones cannot be opened again
ANSWERS = "answers"  # the piece of work with the newest answers

OWN = (*PIECES, ANSWERS, REFUSED)
JPEG = "image/jpeg"
FULL_TOAST = {"n": 0, "level": "wrong", "key": "disk.full", "args": {}}


class Camera(Protocol):
    """Who takes the photo."""

    def still(self, stamp: Stamp | None = None) -> Photo:
        """Take it now; CameraError says why not."""


class Terminal:
    """The worker that owns the driver's work. Every method may be called from any thread."""

    name = "terminal"
    stall_s = 30.0
    may_be_left = False

    def __init__(
        self,
        *,
        boot: str,
        journal: Journal,
        diary: Diary,
        evidence: EvidenceBook,
        attachments: Attachments,
        surroundings: Surroundings,
        camera: Camera,
        panel: Panel,
        face: Face | None = None,
        signature_dynamics: bool = False,
    ) -> None:
        self._boot = boot
        self._journal = journal
        self._diary = diary
        self._evidence = evidence
        self._attachments = attachments
        self._surroundings = surroundings
        self._camera = camera
        self._panel = panel
        self._dynamics = signature_dynamics
        self._commands = threading.Lock()  # one command at a time: a picture takes a second, and scans go on meanwhile
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        self._pictures: dict[str, bytes] = {}
        self._full = False  # the newest change did not fit on the card
        pieces = journal.work()
        self._answers = Answers(pieces.get(ANSWERS))
        self._rows = {name: row for name, row in pieces.items() if not name.startswith(OWN)}
        self._work = from_rows(self._rows)
        if "face" not in self._rows and face is not None:
            self._work = msgspec.structs.replace(self._work, face=face)
        if self._work.day.driver is None and self._work.practice is None:  # nobody's step is lost by a look at the self-test
            self._work = msgspec.structs.replace(self._work, face=msgspec.structs.replace(self._work.face, screen="boot"))
        settle_orphans(boot, journal, attachments, pieces)
        self._shown: dict[str, Any] = {}
        self._shown_of: tuple[Work, bool | None, bool] | None = None
        self._shown_ms = 0
        self._wanted: Literal["scan", "photo"] | None = None
        self._seq = 0
        self._show()

    # --- what comes in

    def command(self, name: str, data: dict[str, Any], *, command_id: str) -> Answer:
        """Do what the driver asks; durable when this returns, and done once however often the same id comes."""
        with self._commands:
            known = self._answers.get(command_id)
            if known is not None:
                return known
            answer = self._obey(name, data, command_id)
            self._answers.put(command_id, answer)
            return answer

    def scanned(self, *read: Scanned) -> bool:
        """Barcodes were read together, by the camera or by hand; False: the driver is to choose among them."""
        answer = self._give(read[0] if len(read) == 1 else ScannedTogether(read))
        if not answer.ok:
            self._panel.sound("wrong")
        return not scanning.is_choosing(self._work)

    def photo(self, jpeg: bytes) -> Answer:
        """Take a picture that was given instead of the camera's, for the step that waits for one."""
        from drivers.camera import photo

        with self._commands:
            asked = self._give(Command("pod.photo"))
            if not asked.ok:
                return asked
            try:
                return self._keep_photo(photo.develop(photo.read_picture(jpeg), self._surroundings.stamp()))
            except PictureError as error:
                return refused("photo.unreadable", {"sentence": str(error)})

    def run_arrived(self, run: messages.Run) -> Answer:
        """The fleet sent a run that keeps its schema."""
        return self._give(RunArrived(run))

    # --- what the page asks for

    @property
    def seq(self) -> int:
        """Grows with each change of the view."""
        return self._seq

    def view(self) -> dict[str, Any]:
        """What the page shows now."""
        return self._shown

    def picture(self, sha256: str) -> bytes | None:
        """A photo of the proof under way, as JPEG; None when it is not held, as after a restart."""
        return self._pictures.get(sha256)

    def wants(self) -> Literal["scan", "photo"] | None:
        """What the camera is needed for now."""
        return self._wanted

    @property
    def is_proving(self) -> bool:
        """Whether the driver is in the middle of a proof."""
        return self._shown["screen"] in views.PROOF

    def listen(self, callback: Callable[[], None]) -> None:
        """Have `callback` called, on any thread, after each change of the view."""
        self._listeners.append(callback)

    # --- the worker

    def step(self, stop: threading.Event) -> None:
        """Let time go by."""
        self._give(Tick())
        stop.wait(FULL_TICK_S if self._full else TICK_S)

    def finish(self) -> None:
        """Nothing waits: every step is on the card already."""

    # --- one command

    def _obey(self, name: str, data: dict[str, Any], command_id: str) -> Answer:
        make = {"pod.photo": self._take_photo, "pod.sign": self._sign}.get(name)
        if make is None:
            return self._give(Command(name, data), command_id)
        asked = self._give(Command(name, data))  # may it be made now: nothing changes before it is stored
        return make(data, command_id) if asked.ok else asked

    def _take_photo(self, _: dict[str, Any], command_id: str) -> Answer:
        try:
            taken = self._camera.still(self._surroundings.stamp())
        except CameraError as error:
            return refused("photo.no_camera", {"sentence": str(error)})
        return self._keep_photo(taken, command_id)

    def _keep_photo(self, taken: Photo, command_id: str | None = None) -> Answer:
        try:
            kept = self._keep("photo", JPEG, taken.jpeg)
        except AttachmentError as error:
            log.warning("%s", error)
            return refused("photo.no_room", {"sentence": str(error)})
        self._pictures[kept.sha256] = taken.jpeg
        for old in list(self._pictures)[:-PICTURES_KEPT]:
            del self._pictures[old]
        return self._give(PhotoMade(kept, taken.warning), command_id, made=kept)

    def _sign(self, data: dict[str, Any], command_id: str) -> Answer:
        try:
            strokes = signature.compact(signature.read(data), dynamics=self._dynamics)
            kept = self._keep("signature", signature.MIME, strokes)
        except signature.SignatureError as error:
            return refused(error.key)
        except AttachmentError as error:
            log.warning("%s", error)
            return refused("sign.no_room", {"sentence": str(error)})
        return self._give(SignatureMade(kept), command_id, made=kept)

    def _keep(self, kind: Literal["photo", "signature"], mime: str, plain: bytes) -> Attachment:
        kept = self._attachments.keep(plain)
        return Attachment(kind=kind, mime=mime, sha256=kept.sha256, len=kept.len, enc_sha256=kept.enc_sha256, enc_len=kept.enc_len)

    # --- one input

    def _give(self, given: Input, command_id: str | None = None, *, made: Attachment | None = None) -> Answer:
        """Decide, write, show, in this order. `made` is let go again when it is not taken."""
        with self._lock:
            before = self._seq
            result = machine.update(self._work, given, self._surroundings.moment())
            try:
                self._commit(result, command_id)
            except JournalFullError as error:
                log.log(logging.DEBUG if self._full else logging.CRITICAL, "%s", error)
                self._full = True
                answer = refused("disk.full", {"sentence": str(error)})
            else:
                answer = _answer(result)
            if made is not None and not answer.ok:
                self._attachments.remove([made.enc_sha256])
            self._show()
            changed = self._seq != before
        if answer.ok and result.sound is not None:
            self._panel.sound(result.sound)
        for listener in list(self._listeners) if changed else ():
            listener()
        return answer

    def _commit(self, result: Result, command_id: str | None) -> None:
        """All that an input brought about, in one commit; nothing is changed when it does not fit."""
        changed = self._changed_rows(result.work)
        drafts = [self._diary.draft(note.event, note.data) for note in result.notes]
        named = {BLOB + name: b"event" for note in result.notes for name in _attachments_in(note.data)}
        entry = self._evidence.write(result.proofs)
        drafts += [self._diary.draft("evidence.failed", {"id": proof, "reason": why}) for proof, why in entry.refused]
        work: dict[str, bytes | None] = {**changed, **named, **entry.work}
        if command_id is not None and (work or drafts):
            work[ANSWERS] = self._answers.with_done(command_id)
        if work or drafts:
            self._journal.append(self._boot, [*drafts, *entry.drafts], work=work)
            self._full = False
        self._evidence.written(entry)
        for name, row in changed.items():
            self._rows.pop(name, None) if row is None else self._rows.update({name: row})
        self._work = result.work
        self._attachments.remove(result.dropped)

    def _changed_rows(self, work: Work) -> dict[str, bytes | None]:
        if work is self._work:
            return {}
        fresh = rows(work)
        changed: dict[str, bytes | None] = {name: row for name, row in fresh.items() if self._rows.get(name) != row}
        return changed | dict.fromkeys(name for name in self._rows if name not in fresh)

    def _show(self) -> None:
        """Draw the page anew: when something changed at once, else once a second, for what time alone changes."""
        moment = self._surroundings.moment()
        of = (self._work, moment.moving, self._full)
        same = self._shown_of is not None and self._shown_of[0] is of[0] and self._shown_of[1:] == of[1:]
        if same and moment.mono_ms - self._shown_ms < REDRAWN_MS:
            return
        self._shown_of, self._shown_ms = of, moment.mono_ms
        self._wanted = machine.wants(self._work, moment)
        shown = views.view(self._work, moment, self._surroundings.bar())
        if self._full:
            shown["toast"] = FULL_TOAST
        if shown != self._shown:
            self._shown = shown
            self._seq += 1


def _answer(result: Result) -> Answer:
    if result.refusal is not None:
        return refused(result.refusal.key, result.refusal.args)
    return refused(RUN_REFUSED) if any(note.event == RUN_REFUSED for note in result.notes) else Answer(ok=True)


def _attachments_in(data: Any) -> Iterator[str]:
    """The sealed names of the pictures that an event tells of."""
    if isinstance(data, dict):
        if isinstance(data.get("enc_sha256"), str):
            yield data["enc_sha256"]
        for inner in data.values():
            yield from _attachments_in(inner)
    elif isinstance(data, list | tuple):
        for inner in data:
            yield from _attachments_in(inner)
