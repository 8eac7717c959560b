"""`roadproof verify`: a proof of delivery, checked by anybody, off line."""

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
from mqtt.evidence.verdict import Verdict, verify_bundle

MARKS = {"good": "good:", "note": "note:", "bad": "BAD: "}  # as verify-openssl.sh


def add_commands(commands: Commands) -> None:
    """Add `verify`."""
    command = add(commands, "verify", verify, "check a proof of delivery, off line", "roadproof verify pod-10.zip --root root.pem")
    command.add_argument("bundle", type=Path, help="the zip file that you were handed")
    command.add_argument(
        "--root", type=Path, required=True, help="the fleet's root certificate, from somebody you trust, not from the bundle"
    )
    command.add_argument("--json", action="store_true", help="for programs")


def verify(arguments: argparse.Namespace) -> int:
    """One sentence a finding; 0 when the proof holds, 1 when it does not, 2 when a file cannot be used."""
    root = _read(arguments.root, bundle.MAX_TEXT_BYTES)
    try:
        certificates.load(root, "root")
    except EvidenceError as error:
        raise UsageError(f"--root {arguments.root}: {error}") from None
    verdict = _verdict(_read(arguments.bundle, bundle.MAX_BYTES + 1), root)
    if arguments.json:
        print(json.dumps(_plain(verdict)))
    else:
        for finding in verdict.findings:
            print(MARKS[finding.level], finding.text)
        print("The proof holds." if verdict.good else "The proof does NOT hold.")
    return 0 if verdict.good else 1


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
