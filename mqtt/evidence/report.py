"""A unit's commissioning report: what its self-test found, signed as a proof of delivery is, so that an edited one is found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives import hashes
from msgspec import Meta

from mqtt.evidence import EvidenceError
from mqtt.evidence.canonical import KEY, jcs, read_canonical
from mqtt.evidence.certificates import check_leaf, load
from mqtt.evidence.chain import encode, link_of
from mqtt.evidence.findings import Finding, Level
from mqtt.evidence.jws import REPORT, Signer, sign, verify
from mqtt.evidence.record import Label, Part, Text, Uuid, Where, Word
from mqtt.messages import END, BootId, Count, MessageError, TimeSource, UnitId, Utc, utc_ms

MAX_BYTES = 64_000  # of a report and its signature: half of what one message may have
MAX_FINDINGS = 40
MAX_FACTS = 40
DECIMALS = 6  # of a fact that is no whole number: it is signed as text
SET = ("gnss", "ntp")  # what has set a clock that may be asked when

State = Literal["ok", "warn", "bad", "skipped"]
Fact = str | int | bool | None


class Line(Part, frozen=True, kw_only=True):
    """One part of the unit, and how it was found."""

    key: Word
    state: State
    text: Text
    facts: Annotated[dict[str, Fact], Meta(max_length=MAX_FACTS)]
    ms: Count


class Clock(Part, frozen=True, kw_only=True):
    """The unit's clock when the report was made."""

    wall: Utc
    src: TimeSource


class Report(Part, frozen=True, kw_only=True):
    """Everything that is signed. `board` tells the parts that were seen, a text each."""

    v: Annotated[int, Meta(ge=1, le=1)] = msgspec.field(default_factory=lambda: 1)  # a factory: it is written all the same
    typ: Literal["report"] = msgspec.field(default_factory=lambda: "report")
    unit: UnitId
    vehicle: Label | None
    id: Uuid
    boot: BootId
    fw: Annotated[str, Meta(max_length=40)]
    t: Clock
    pos: Where | None
    board: Annotated[dict[str, Text], Meta(max_length=MAX_FACTS)]
    findings: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=MAX_FINDINGS)]

    @property
    def state(self) -> State:
        """The worst that was found; `skipped` when nothing else was."""
        found = {line.state for line in self.findings}
        order: tuple[State, ...] = ("bad", "warn", "ok")
        return next((state for state in order if state in found), "skipped")


class Paper(Part, frozen=True, kw_only=True):
    """A signed report as it is kept and handed over: with the certificates (PEM) that it is checked by. As JSON it is report.json."""

    rec: Annotated[str, Meta(max_length=MAX_BYTES)]
    jws: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+" + END, max_length=1_000)]
    unit: Annotated[str, Meta(max_length=20_000)]
    issuing: Annotated[str, Meta(max_length=20_000)]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over report and signature, hexadecimal: what two people compare."""
        return link_of(self.rec, self.jws)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for a report and against it; the report itself where it could be trusted."""

    findings: list[Finding]
    report: Report | None

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it."""
        return all(finding.level != "bad" for finding in self.findings)


def fact(value: object) -> Fact:
    """A fact as it can be signed: whole numbers stay, others become text, for canonical JSON has no fractions."""
    if value is None or isinstance(value, bool | int):
        return value
    text = f"{round(value, DECIMALS):.{DECIMALS}f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return text[:1_000]


def facts(found: Mapping[str, object]) -> dict[str, Fact]:
    """The same for a table of them; names that canonical JSON does not take are left out."""
    return {key: fact(value) for key, value in list(found.items())[:MAX_FACTS] if KEY.fullmatch(key)}


def signed(report: Report, signer: Signer, *, unit: bytes, issuing: bytes) -> Paper:
    """Sign it under the unit's certificate (both PEM); EvidenceError, and nothing is signed, when a reader would refuse it."""
    data = jcs(msgspec.to_builtins(report))
    read(data)
    return Paper(rec=data.decode(), jws=sign(data, REPORT, signer), unit=unit.decode(), issuing=issuing.decode())


def read(data: bytes) -> Report:
    """The report in canonical bytes, its signature unseen; EvidenceError says what is wrong, and where."""
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"it is longer than {MAX_BYTES} bytes")
    value = read_canonical(data)
    try:
        report = msgspec.convert(value, Report)
        utc_ms(report.t.wall)
    except (msgspec.ValidationError, MessageError) as error:
        raise EvidenceError(f"it breaks the contract: {error}") from None
    if not {"v", "typ"} <= value.keys():
        raise EvidenceError("it breaks the contract: it lacks v or typ")
    return report


def check(paper: Paper, *, root: bytes, at: str | None = None) -> Report:
    """What a report says, once its signature led to the root (PEM); EvidenceError when it does not.

    `at`: when somebody else held it, as the contract writes times; None where that is not known, then the report's own time counts.
    """
    report = read(encode(paper.rec))
    unit, issuing = encode(paper.unit), encode(paper.issuing)
    certificate, name = check_leaf(leaf=unit, issuing=issuing, root=root, role="unit", at=at or report.t.wall)
    verify(encode(paper.rec), paper.jws, REPORT, certificate)
    if name != report.unit:
        raise EvidenceError(f"it is of unit {report.unit}, and unit {name} signed it")
    return report


def judge(paper: Paper, root: bytes) -> Judged:
    """Everything that a report shows and does not show, as findings; `root` is a certificate. Never raises for what is in the report."""
    trusted = load(root, "root").fingerprint(hashes.SHA256()).hex(":").upper()  # as `openssl x509 -fingerprint -sha256` writes it
    said = [_found("note", "root", f"Checked against the root certificate {trusted}: compare that with what the fleet has published.")]
    try:
        report = check(paper, root=root)
    except EvidenceError as error:
        return Judged(findings=[*said, _found("bad", "report", f"The report does not hold: {error}.")], report=None)
    said.append(_found("good", "report", f"Unit {report.unit} signed this report, and nothing in it was changed since."))
    if report.t.src in SET:
        clock = f"The unit's clock said {report.t.wall}; that is its own word: the fleet's copy tells when the report arrived."
    else:
        clock = f"The unit's clock said {report.t.wall}, but nothing had set it: go by when the fleet received its copy."
    said.append(_found("note", "time", clock))
    said += [
        _found("good" if line.state == "ok" else "note", line.key, f"{line.key} {line.state}: {line.text}") for line in report.findings
    ]
    return Judged(findings=said, report=report)


def write_paper(paper: Paper) -> bytes:
    """report.json."""
    return jcs(msgspec.to_builtins(paper))


def read_paper(data: bytes) -> Paper:
    """A report.json as somebody handed it over, its shape checked and nothing else; EvidenceError says what is wrong with it."""
    decode: Callable[[bytes], Paper] = msgspec.json.Decoder(Paper).decode
    try:
        return decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise EvidenceError(f"it is no report of a unit: {str(error)[:200]}") from None


def _found(level: Level, about: str, text: str) -> Finding:
    return Finding(level=level, about=about, text=text)
