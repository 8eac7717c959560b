"""No secret is in the source, and so in no package: that is made of the same files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from provisioning.card import Card
from provisioning.est.wire import key_sha256
from provisioning.identity import Draft
from provisioning.package.commit import ROOT
from provisioning.package.contents import CODE

KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}")  # with a key behind it, not the words alone
TOKENS = {
    "a cloud's key": re.compile(rb"\bAKIA[0-9A-Z]{16}\b"),
    "a forge's token": re.compile(rb"\b(?:ghp|gho|ghs|github_pat|glpat)[_-][A-Za-z0-9_]{20,}"),
    "a web token": re.compile(rb"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    "a password in an address": re.compile(rb"\b(?:mqtts?|postgres(?:ql)?|https?)://[^\s:/@{}<>\"']+:[^\s:/@{}<>\"']{3,}@[a-z0-9]"),
}
ENDINGS = (".key", ".p12", ".pfx", ".jks", ".kdbx", "id_rsa", "id_ed25519", ".env")
# Made up for a test, and good for nothing.
HARMLESS = (b"@127.0.0.1", b"@db.example:", b"@localhost", b"@example.", b"@broker", b"@host", b"@h:", b"@fleet")


def kept() -> list[Path]:
    """Every file of the source that there is now."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout of git")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def found(content: bytes) -> list[str]:
    """What in a file looks like a secret."""
    told = ["a private key"] if KEY.search(content) else []
    for what, pattern in TOKENS.items():
        hits = (content[hit.start() : hit.end() + 12] for hit in pattern.finditer(content))
        told += [what for hit in hits if not any(harmless in hit for harmless in HARMLESS)]
    return told


def test_the_scan_finds_what_it_looks_for() -> None:
    word = b"PRIVATE KEY"
    assert found(b"-----BEGIN " + word + b"-----\n" + b"A" * 64) == ["a private key"]
    assert found(b"-----BEGIN EC " + word + b"-----\n" + b"A" * 64) == ["a private key"]
    assert found(b"AKIA" + b"A" * 16) == ["a cloud's key"]
    assert found(b"mqtts://van:" + b"secret@mqtt.fleet.org") == ["a password in an address"]


def test_no_secret_is_in_the_source_or_in_a_package() -> None:
    files = kept()
    assert {path.relative_to(ROOT).parts[0] for path in files} >= set(CODE)  # the folders that a package is made of
    told = {str(path.relative_to(ROOT)): what for path in files if (what := found(path.read_bytes()))}
    assert told == {}


def test_no_file_of_a_kind_that_holds_keys_is_in_the_source() -> None:
    assert [str(path.relative_to(ROOT)) for path in kept() if path.name.endswith(ENDINGS)] == []


def test_two_boxes_with_the_same_card_share_no_key(tmp_path: Path) -> None:
    card = Card(host="127.0.0.1", port=8443, unit="van-017", code="A" * 16, fingerprint="A" * 26)
    drafts = [Draft.begin(tmp_path / name, card) for name in ("one", "other")]
    keys = [key for draft in drafts for key in (draft.tls_key(), draft.evidence_key())]
    assert len({key_sha256(key.public_key) for key in keys}) == 4
