"""The word of the unit on itself: what a self-test found, signed, kept and told to the fleet."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from drivers import hardware
from firmware.clock import Clock
from firmware.config import EvidenceSettings
from firmware.selftest.finding import KEYS, Finding
from firmware.status import PositionStatus, Status
from mqtt.durable import write_durably
from mqtt.evidence import EvidenceError, report
from mqtt.evidence.jws import Signer
from mqtt.evidence.keys import open_signer
from mqtt.evidence.record import Where
from mqtt.evidence.report import Line, Paper, Report
from mqtt.messages import utc_text

log = logging.getLogger(__name__)

EVENT = "unit.commissioned"
KEPT = 20  # reports on the card, the newest; the fleet has all of them
PLACE_AGE_S = 60.0  # an older fix does not tell where the unit is
UNTESTED = "This part was not tested."
SENTENCE = 1_000  # letters of a finding that are signed


class Teller(Protocol):
    """Who takes events to the fleet."""

    def note(self, event: str, data: dict[str, str]) -> None:
        """Durable when it returns."""


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is signed with: the key, opened when it is needed, and the files of the certificates that it is checked by."""

    signer: Callable[[], Signer]
    certificate: Path
    issuing: Path


def papers_of(evidence: EvidenceSettings) -> Papers:
    """What the settings name; nothing is opened yet."""
    certificate = Path(evidence.certificate)
    return Papers(signer=lambda: open_signer(evidence.key, certificate), certificate=certificate, issuing=Path(evidence.issuing))


class _Enrolled(msgspec.Struct, frozen=True):
    vehicle: str | None = None


def vehicle_of(identity: Path) -> str | None:
    """Which vehicle the unit was enrolled for; None where nobody said."""
    try:
        return msgspec.json.decode((identity / "identity.json").read_bytes(), type=_Enrolled).vehicle
    except (OSError, msgspec.DecodeError):
        return None


class Commissioning:
    """Makes reports. May be used by any thread."""

    def __init__(
        self,
        *,
        unit: str,
        vehicle: str | None,
        boot: str,
        firmware: str,
        papers: Papers | None,
        clock: Clock,
        status: Callable[[], Status],
        diary: Teller,
        folder: Path,
        seen: Callable[[], hardware.Hardware] = hardware.seen,
    ) -> None:
        self._unit = unit
        self._vehicle = vehicle
        self._boot = boot
        self._firmware = firmware
        self._papers = papers
        self._clock = clock
        self._status = status
        self._diary = diary
        self._folder = folder
        self._seen = seen

    def report(self, findings: Sequence[Finding]) -> Paper:
        """Sign what was found, keep it on the card and tell the fleet: durable when it returns. EvidenceError when it cannot be signed."""
        if self._papers is None:
            raise EvidenceError("this unit has no evidence key to sign a report with: enrol it with `roadproof enrol`")
        try:
            unit, issuing = self._papers.certificate.read_bytes(), self._papers.issuing.read_bytes()
        except OSError as error:
            raise EvidenceError(f"{error.filename} cannot be read: {(error.strerror or str(error)).lower()}") from None
        paper = report.signed(self._compose(findings), self._papers.signer(), unit=unit, issuing=issuing)
        self._diary.note(EVENT, {"rec": paper.rec, "jws": paper.jws})
        self._keep(paper)
        return paper

    def path(self, paper: Paper) -> Path:
        """Where this report is kept on the card."""
        made = report.read(paper.rec.encode())
        return self._folder / f"{made.unit}-{made.t.wall[:19].replace(':', '')}Z-{made.id[:8]}.json"

    def _compose(self, findings: Sequence[Finding]) -> Report:
        now, status = self._clock.now(), self._status()
        place = status.position if status.has_fix else None
        return Report(
            unit=self._unit,
            vehicle=self._vehicle,
            id=str(uuid.uuid4()),
            boot=self._boot,
            fw=self._firmware,
            t=msgspec.convert({"wall": utc_text(now.at_ms), "src": now.src}, report.Clock),
            pos=_where(place, now.mono_ms) if place else None,
            board=hardware.summary(self._seen()),
            findings=_lines(findings),
        )

    def _keep(self, paper: Paper) -> None:
        """A file of its own for each; a card that does not take it costs the file, not the report: the journal has it."""
        path = self.path(paper)
        try:
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_durably(path, report.write_paper(paper), mode=0o644)
            for old in sorted(self._folder.glob("*.json"), key=lambda kept: kept.stat().st_mtime_ns)[:-KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the report is on its way to the fleet, but cannot be kept in %s: %s", self._folder, error.strerror)


def _lines(findings: Sequence[Finding]) -> tuple[Line, ...]:
    """Every part: one that nobody tested says so, else a report of the good parts alone would look whole."""
    tested = {str(found.key): _line(found) for found in findings}
    return tuple(tested.get(key) or Line(key=key, state="skipped", text=UNTESTED, facts={}, ms=0) for key in KEYS)


def _line(found: Finding) -> Line:
    return Line(key=found.key, state=found.state, text=found.sentence[:SENTENCE], facts=report.facts(found.facts), ms=found.ms)


def _where(place: PositionStatus, mono_ms: int) -> Where | None:
    """Where the unit is, None when the newest fix is too old to say."""
    age_ms = max(0, mono_ms - round(place.mono_s * 1000))
    if age_ms > PLACE_AGE_S * 1000:
        return None
    return Where(
        lat_e7=round(place.lat_deg * 1e7),
        lon_e7=round(place.lon_deg * 1e7),
        acc_m=None if place.accuracy_m is None else round(place.accuracy_m),
        fix=2 if place.alt_m is None else 3,
        sats=place.sats,
        age_ms=age_ms,
    )
