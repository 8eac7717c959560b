"""A terminal with everything real but the camera, the buzzer and the driver; and a driver who works a run on it."""

from __future__ import annotations

import uuid
from functools import cache
from hashlib import scrypt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from PIL import Image

from drivers.buzzer import Sound
from drivers.camera import Photo, Stamp
from drivers.camera.photo import develop
from drivers.errors import CameraError
from drivers.gs1 import identity
from drivers.panel import GpioPanel
from firmware.clock import Clock
from firmware.day.work import Face, Scanned, Tick
from firmware.diary import Diary
from firmware.evidence.attachments import Attachments
from firmware.evidence.book import EvidenceBook
from firmware.status import PositionStatus, Status, StatusBoard
from firmware.terminal.answers import Answer
from firmware.terminal.surroundings import Surroundings
from firmware.terminal.terminal import Terminal
from firmware.uplink.post import ProofPost
from firmware.uplink.runs import RunInbox
from mqtt import messages
from mqtt.evidence.sealing import Seal
from mqtt.messages import Run
from mqtt.run import Driver, Line, Place, Plan, Policy, Proofs, Secret, Stop
from tests.journals import BOOT, open_journal
from tests.proofs import UNIT, Keys

T = "2026-12-11T06:00:00.000Z"
PIN = "2468"
HERE = (51.0543, 3.7250)
SOUNDS: tuple[Sound, ...] = get_args(Sound)
STROKES = {
    "strokes": {
        "v": 1, "w": 2_400, "h": 800, "unit": "q",
        "strokes": [{"x": [40, 200, 120], "y": [80, 80, -80], "t": [0, 16, 17], "p": [128, 128, 128]}],
    },
    "width": 600, "height": 200,
}  # fmt: skip


@cache
def secret(text: str) -> Secret:
    salt = bytes(16)
    return Secret(salt=salt.hex(), hash=scrypt(text.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex())


def code(stop: int) -> str:
    return f"PARCEL-{stop:03}"


def run_of(n: int = 1, stops: int = 3, *, unit: str = UNIT, proofs: Proofs | None = None, day: str = "2026-12-11") -> Run:
    """A run of deliveries, one parcel each, all at the place where the unit stands."""
    wanted = proofs or Proofs(scan="required", photo="required", signature="required", name="required")
    plan = Plan(
        day=day,
        drivers=[Driver(driver_id="d-1", name="A. Driver", pin=secret(PIN))],
        stops=[
            Stop(
                stop_id=f"s-{number}", address=f"{number} Example Street", place=Place(latitude=HERE[0], longitude=HERE[1]),
                lines=[Line(line_id="1", name="Parcel", codes=[code(number)])],
            )
            for number in range(1, stops + 1)
        ],
        proofs=Policy(delivery=wanted),
        checklist=(),
    )  # fmt: skip
    return Run(unit=unit, n=n, t=T, plan=plan)


def steps_at(stop: int) -> list[tuple[str, dict[str, Any]]]:
    """What the driver does at one door; "scan" is the trigger of the scanner."""
    return [
        ("route.stop", {"stop_id": f"s-{stop}"}),
        ("route.arrive", {"stop_id": f"s-{stop}"}),
        ("pod.start", {}),
        ("scan", {"text": code(stop)}),
        ("pod.photo", {}),
        ("pod.sign", STROKES),
        ("pod.name", {"relation": "recipient", "name": "M. Kowalska"}),
        ("pod.confirm", {}),
    ]


class StillCamera:
    """A camera that sees noise; `state` other than "ok" makes it fail."""

    def __init__(self) -> None:
        self.state = "ok"
        self.sentence = ""
        self.taken = 0

    def still(self, stamp: Stamp | None = None) -> Photo:
        if self.state != "ok":
            raise CameraError("unplugged", "the camera was unplugged; plug it in")
        self.taken += 1
        return develop(Image.effect_noise((320, 240), 90), stamp)


class LoudPanel(GpioPanel):
    """A panel without pins that remembers its sounds."""

    def __init__(self) -> None:
        super().__init__()
        self.sounds: list[Sound] = []

    def sound(self, sound: Sound) -> None:
        self.sounds.append(sound)


class Cabin:
    """The driver's place: the parts, and hands for what the driver does."""

    def __init__(
        self, folder: Path, keys: Keys, *, quota_bytes: int = 50_000_000, face: Face | None = None, dynamics: bool = False
    ) -> None:
        self.clock = Clock()
        self.status = StatusBoard(Status(unit=UNIT, ignition=False, link="online"))
        self.diary = Diary(unit=UNIT, boot=BOOT, clock=self.clock, status=self.status)
        self.journal = open_journal(folder, quota_bytes=quota_bytes)
        self.diary.open(self.journal)
        self.stand(*HERE)
        self.camera, self.panel = StillCamera(), LoudPanel()
        self.attachments = Attachments(folder / "attachments", Seal((keys.folder / "receiver/seal.pub").read_bytes()).seal)
        self.book = EvidenceBook(
            unit=UNIT,
            boot=BOOT,
            firmware="1.4.0",
            signer=keys.signer,
            authorities=keys.authorities,
            journal=self.journal,
            diary=self.diary,
        )
        self.surroundings = Surroundings(boot=BOOT, clock=self.clock, status=self.status, journal=self.journal, camera=self.camera)
        self.terminal = Terminal(
            boot=BOOT,
            journal=self.journal,
            diary=self.diary,
            evidence=self.book,
            attachments=self.attachments,
            surroundings=self.surroundings,
            camera=self.camera,
            panel=self.panel,
            face=face,
            signature_dynamics=dynamics,
        )
        self.inbox = RunInbox(unit=UNIT, boot=BOOT, journal=self.journal, diary=self.diary, worker=self.terminal)
        self.post = ProofPost(
            boot=BOOT, journal=self.journal, attachments=self.attachments, evidence=self.book, diary=self.diary, status=self.status
        )

    def close(self) -> None:
        self.journal.close()

    @property
    def screen(self) -> str:
        return self.terminal._work.screen

    def stand(self, lat_deg: float, lon_deg: float) -> None:
        place = PositionStatus(
            at_ms=self.clock.now().at_ms, mono_s=self.clock.mono_s(), lat_deg=lat_deg, lon_deg=lon_deg, speed_mps=0.0, sats=9
        )
        self.status.change(position=place, has_fix=True)

    def tap(self, name: str, command_id: str | None = None, /, **data: Any) -> Answer:
        return self.terminal.command(name, data, command_id=command_id or str(uuid.uuid4()))

    def done(self, name: str, /, **data: Any) -> None:
        answer = self.tap(name, **data)
        assert answer.ok, (name, answer, self.screen)

    def read(self, text: str) -> None:
        self.terminal.scanned(Scanned(text, "CODE128", identity(text)))

    def tick(self) -> None:
        self.terminal._give(Tick())

    def receive(self, run: Run) -> None:
        self.inbox.take(messages.encode(run))

    def begin_day(self, run: Run | None = None) -> None:
        """To the route: signed in, everything loaded."""
        run = run or run_of()
        self.tick()
        self.receive(run)
        self.done("session.pin", driver="d-1", pin=PIN)
        for stop in run.plan.stops:
            for line in stop.lines:
                for parcel in line.codes:
                    self.read(parcel)
        self.done("load.done")

    def deliver(self, stop: int) -> None:
        """One whole hand-over, to the tick."""
        for name, data in steps_at(stop):
            assert self.do(name, data).ok, (name, self.screen)

    def do(self, name: str, data: dict[str, Any], command_id: str | None = None) -> Answer:
        if name == "scan":
            self.read(data["text"])
            return Answer(ok=True)
        return self.tap(name, command_id, **data)


class Card:
    """One card: a terminal on it, started again as often as a test likes, each time as after a power cut."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.folder = folder
        self._keys = keys
        self._cabin: Cabin | None = None

    def start(self, **settings: Any) -> Cabin:
        self.eject()
        self._cabin = Cabin(self.folder, self._keys, **settings)
        return self._cabin

    def eject(self) -> None:
        cabin, self._cabin = self._cabin, None
        if cabin is not None:
            cabin.close()


@cache
def begun(keys: Keys) -> dict[str, bytes]:
    """The files of a journal whose driver is on the route, everything loaded: made once."""
    with TemporaryDirectory() as folder:
        card = Card(Path(folder), keys)
        card.start().begin_day()
        card.eject()
        return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file() and path.name != "reserve"}


def begun_card(folder: Path, keys: Keys) -> Card:
    """A card with that day on it."""
    for name, content in begun(keys).items():
        (folder / name).write_bytes(content)
    return Card(folder, keys)


def at_step(cabin: Cabin, last: str, stop: int = 1) -> None:
    """Work a stop up to and including this step."""
    for name, data in steps_at(stop):
        assert cabin.do(name, data).ok, name
        if name == last:
            return


def hand_out(cabin: Cabin) -> None:
    """Begin the next proof: the one before can no longer be taken back."""
    cabin.done("route.stop", stop_id="s-2")
    cabin.done("pod.start")
