"""`roadproof verify`: a proof of delivery, or a unit's commissioning report, checked by anybody, off line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec

from cli.errors import UsageError
from cli.words import Commands, add
from mqtt.evidence import EvidenceError, bundle, certificates
from mqtt.evidence.findings import Finding
from mqtt.evidence.report import Judged, judge
from mqtt.evidence.verdict import Verdict, verify_bundle

MARKS = {"good": "good:", "note": "note:", "bad": "BAD: "}  # as verify-openssl.sh


def add_commands(commands: Commands) -> None:
    """Add `verify`."""
    about = "check a proof of delivery or a unit's report, off line"
    command = add(commands, "verify", verify, about, "roadproof verify pod-10.zip --root root.pem")
    command.add_argument("bundle", type=Path, metavar="FILE", help="what you were handed: a proof's zip, a report's PDF or report.json")
    command.add_argument(
        "--root", type=Path, required=True, help="the fleet's root certificate, from somebody you trust, not from the bundle"
    )
    command.add_argument("--page", type=Path, metavar="FILE", help="of a report that holds: draw its page anew as this PDF")
    command.add_argument("--json", action="store_true", help="for programs")


def verify(arguments: argparse.Namespace) -> int:
    """One sentence a finding; 0 when the proof holds, 1 when it does not, 2 when a file cannot be used."""
    root = _read(arguments.root, bundle.MAX_TEXT_BYTES)
    try:
        certificates.load(root, "root")
    except EvidenceError as error:
        raise UsageError(f"--root {arguments.root}: {error}") from None
    data = _read(arguments.bundle, bundle.MAX_BYTES + 1)
    if data.startswith((b"%PDF-", b"{")):
        return _verify_report(data, root, arguments)
    if arguments.page:
        raise UsageError("--page goes with a report; `roadproof fleet pdf` draws the page of a proof")
    verdict = _verdict(data, root)
    return _say(_plain(verdict), verdict.findings, "proof", arguments, good=verdict.good)


def _verify_report(data: bytes, root: bytes, arguments: argparse.Namespace) -> int:
    from provisioning.report import extract, pdf

    try:
        paper = extract(data)
    except EvidenceError as error:
        judged = Judged(findings=[Finding(level="bad", about="report", text=f"The report cannot be read: {error}.")], report=None)
        return _say({"good": False, **msgspec.to_builtins(judged)}, judged.findings, "report", arguments, good=False)
    judged = judge(paper, root)
    if arguments.page and judged.good:
        _write(arguments.page, pdf(paper))
    told = {"good": judged.good, "fingerprint": paper.fingerprint, **msgspec.to_builtins(judged)}
    return _say(told, judged.findings, "report", arguments, good=judged.good)


def _say(told: dict[str, Any], findings: list[Finding], what: str, arguments: argparse.Namespace, *, good: bool) -> int:
    if arguments.json:
        print(json.dumps(told))
        return 0 if good else 1
    for finding in findings:
        print(MARKS[finding.level], finding.text)
    print(f"The {what} holds." if good else f"The {what} does NOT hold.")
    return 0 if good else 1


def _verdict(data: bytes, root: bytes) -> Verdict:
    try:
        return verify_bundle(bundle.unpack(data), root)
    except EvidenceError as error:
        fault = Finding(level="bad", about="bundle", text=f"The bundle cannot be read: {error}.")
        return Verdict(findings=[fault], record=None, receipt=None)


def _plain(verdict: Verdict) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(verdict)
    return {"good": verdict.good, **said}


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
