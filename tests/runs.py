"""Runs as a dispatcher plans them, and a shift that a test plays tap by tap."""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import count
from typing import Any, Literal

from msgspec.structs import replace

from firmware.day.machine import update
from firmware.day.proof import Attachment, Proof, Where
from firmware.day.views import view
from firmware.day.work import (
    Command,
    Day,
    Face,
    Input,
    Moment,
    Note,
    PhotoMade,
    Result,
    RunArrived,
    Scanned,
    SignatureMade,
    Tick,
    Work,
    from_rows,
    rows,
)
from mqtt.messages import Run, utc_text
from mqtt.run import Cod, Contact, Driver, Line, Place, Plan, Policy, Proofs, Secret, Stop, Window

NINE_MS = 1_795_251_600_000  # 2026-11-21 09:00:00 UTC
DAY = "2026-11-21"
HOME = Place(latitude=51.05, longitude=3.72)
PIN = "1234"
BADGE = "BADGE-0001"
STREETS = ("Veldstraat", "Korenmarkt", "Coupure", "Overpoortstraat", "Dampoortstraat", "Brugse Poort", "Kouter", "Vrijdagmarkt")
PLAIN = Proofs(scan="enabled", photo="disabled", signature="disabled", name="disabled")  # scan and confirm
EVERYTHING = Proofs(scan="required", photo="required", signature="required", name="required")
NO_CHECK: dict[str, Any] = {"checklist": ()}


@cache
def secret(text: str, salt: str = "00112233445566778899aabbccddeeff") -> Secret:
    return Secret(salt=salt, hash=hashlib.scrypt(text.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32).hex())


def codes(stop: str, pieces: int) -> list[str]:
    return [f"JD-{stop}-{piece}" for piece in range(1, pieces + 1)]


def stop(stop_id: str, pieces: int = 2, **changes: Any) -> Stop:
    """A door with so many parcels, 500 m north of the one before."""
    place = Place(latitude=HOME.latitude + 0.0045 * sum(map(ord, stop_id)) % 90, longitude=HOME.longitude)
    lines = [Line(line_id="1", name="Parcel", qty=pieces, codes=codes(stop_id, pieces), shelf="C")] if pieces else []
    told: dict[str, Any] = {"stop_id": stop_id, "address": f"{STREETS[len(stop_id)]} {stop_id}", "place": place, "lines": lines}
    return Stop(**(told | changes))


def run(*stops: Stop, n: int = 1, **changes: Any) -> Run:
    """A day with these stops, without a vehicle check unless it is asked for."""
    told: dict[str, Any] = {
        "day": DAY,
        "vehicle": "VAN-042",
        "drivers": [Driver(driver_id="ann", name="Ann", pin=secret(PIN), badge=secret(BADGE)), Driver(driver_id="bob", name="Bob")],
        "stops": list(stops) or [stop("a"), stop("b"), stop("c")],
        "phone": "+32 9 000 00 00",
    }
    return Run(unit="van-042", n=n, t=utc_text(NINE_MS), plan=Plan(**(told | NO_CHECK | changes)))


def realistic_run(stops: int = 24, n: int = 1) -> Run:
    """A morning as it comes: windows, notes, money on delivery, pickups, returns, things left at the door."""
    return run(*(_ordinary(number) for number in range(1, stops + 1)), n=n, proofs=Policy(delivery=EVERYTHING))


def _ordinary(number: int) -> Stop:
    begin_ms = NINE_MS + number * 600_000
    changes: list[dict[str, Any]] = [
        {"note": "bell does not work, knock"},
        {"cod": Cod(amount=2_490, currency="EUR")},
        {"contactless": "safe_place", "note": "behind the bins"},
        {"service": "pickup", "proofs": PLAIN},
        {"service": "return", "job": f"RMA-{number}"},
        {"detail": "2nd floor", "contact": Contact(name="M. Kowalska", phone="+48 22 000 00 00")},
    ]
    window = Window(begin=utc_text(begin_ms), end=utc_text(begin_ms + 3_600_000))
    return stop(f"s{number:02}", 1 + number % 4, window=window, **changes[number % len(changes)])


def attachment(name: str, kind: Literal["photo", "signature", "defect"] = "photo") -> Attachment:
    plain, sealed = (hashlib.sha256((name + suffix).encode()).hexdigest() for suffix in ("", "-sealed"))
    mime = "image/svg+xml" if kind == "signature" else "image/jpeg"
    return Attachment(kind=kind, mime=mime, sha256=plain, len=100_000, enc_sha256=sealed, enc_len=100_048)


def at(place: Place, **changes: Any) -> Where:
    return Where(**({"lat_deg": place.latitude, "lon_deg": place.longitude, "accuracy_m": 5.0, "sats": 11, "age_ms": 300} | changes))


class Shift:
    """A driver's hands. Every input is checked: a refusal changes nothing, the rows bring the work back, the page can be drawn."""

    def __init__(self, work: Work | None = None) -> None:
        self.work = work or Work()
        self.now = Moment(at_ms=NINE_MS, mono_ms=1_000_000, boot="b00700", position=at(HOME), moving=False, odometer_m=84_210_000.0)
        self.taps = 0
        self.notes: list[Note] = []
        self.proofs: list[Proof] = []
        self.dropped: list[str] = []
        self.results: list[Result] = []
        self._ids = count(1)

    @property
    def screen(self) -> str:
        return self.work.screen

    @property
    def d(self) -> dict[str, Any]:
        data: dict[str, Any] = self.page()["d"]
        return data

    def page(self) -> dict[str, Any]:
        return view(self.work, self.now, {})

    def give(self, given: Input) -> Result:
        moment = replace(self.now, fresh_id=f"00000000-0000-4000-8000-{next(self._ids):012}")
        before = self.work
        result = update(before, given, moment)
        if result.refusal:
            assert result.work is before
            assert (result.notes, result.proofs, result.sound) == ([], [], None)
        if result.work is not before:
            assert from_rows(rows(result.work)) == result.work
            view(result.work, self.now, {})
        self.work = result.work
        self.notes += result.notes
        self.proofs += result.proofs
        self.dropped += result.dropped
        self.results.append(result)
        return result

    def tap(self, name: str, /, **data: Any) -> Result:
        self.taps += 1
        result = self.give(Command(name, data))
        assert result.refusal is None, result.refusal
        return result

    def refused(self, name: str, /, **data: Any) -> str | None:
        refusal = self.give(Command(name, data)).refusal
        return refusal.key if refusal else None

    def scan(self, *texts: str) -> Result:
        for text in texts:
            result = self.give(Scanned(text, "code128", text))
        return result

    def shoot(self, name: str = "door", warning: Literal["blurred", "dark"] | None = None) -> Result:
        self.tap("pod.photo")
        return self.give(PhotoMade(attachment(name), warning))

    def sign(self, name: str = "signature") -> Result:
        self.tap("pod.sign", strokes=[[0, 0, 0, 128]], width=600, height=200)
        return self.give(SignatureMade(attachment(name, "signature")))

    def tick(self, seconds: float = 0.25) -> Result:
        passed_ms = round(seconds * 1000)
        self.now = replace(self.now, at_ms=self.now.at_ms + passed_ms, mono_ms=self.now.mono_ms + passed_ms)
        return self.give(Tick())

    def arrives(self, newer: Run) -> Result:
        return self.give(RunArrived(newer))

    def be(self, **changes: Any) -> None:
        self.now = replace(self.now, **changes)

    def restart(self, *, reboot: bool = False) -> None:
        """The process is killed, or the power cut: only the rows remain."""
        self.work = from_rows(rows(self.work))
        if reboot:
            self.be(boot=self.now.boot + "1", mono_ms=20_000)

    def events(self) -> list[str]:
        return [note.event for note in self.notes]

    def told(self, event: str) -> dict[str, Any]:
        return next(note.data for note in reversed(self.notes) if note.event == event)


def on_the_road(*stops: Stop, **changes: Any) -> Shift:
    """Signed in, checked, loaded: the route is open."""
    shift = Shift()
    shift.arrives(run(*stops, **changes))
    loaded = replace(shift.work.load, done=True)
    day = Day(driver="ann", begun_ms=NINE_MS, begun_odometer_m=84_210_000.0, check=replace(shift.work.day.check, passed=True))
    shift.work = replace(shift.work, day=day, face=Face(screen="route"), load=loaded)
    shift.notes.clear()
    return shift


def at_the_door(*stops: Stop, **changes: Any) -> Shift:
    """The first stop is open on the screen."""
    shift = on_the_road(*stops, **changes)
    assert shift.work.run is not None
    first = shift.work.run.plan.stops[0]
    assert first.place is not None
    shift.be(position=at(first.place))
    shift.tick()
    assert shift.screen == "stop"
    return shift
