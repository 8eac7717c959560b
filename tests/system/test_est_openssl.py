"""What standard EST clients need, with openssl and curl: roots as PKCS #7, enrolment and renewal of a request that openssl made."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from provisioning.est import wire
from provisioning.est.settings import read_settings
from tests.system.offices import HOST, Office

OPENSSL, CURL = shutil.which("openssl"), shutil.which("curl")
SENT = ("--header", f"Content-Type: {wire.PKCS10}", "--data-binary", "@-")
pytestmark = pytest.mark.skipif(not (OPENSSL and CURL), reason="openssl and curl are wanted: apt-get install openssl curl")


@pytest.fixture
def root(there: Office, tmp_path: Path) -> Path:
    path = tmp_path / "root.pem"
    path.write_bytes(there.fleet.root_pem)
    return path


def run(*command: str | Path, given: bytes = b"") -> bytes:
    """What a program says; its words of error when it fails."""
    done = subprocess.run([str(word) for word in command], input=given, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def curl(there: Office, root: Path, path: str, *words: str | Path, given: bytes = b"") -> bytes:
    """Ask the authority with curl."""
    return run(CURL or "", "--silent", "--show-error", "--cacert", root, *words, f"https://{HOST}:{there.port}{path}", given=given)


def request(folder: Path, name: str) -> tuple[Path, bytes]:
    """A key in a file, and a request for it, as openssl makes them."""
    key = folder / f"{name}.key"
    run(OPENSSL or "", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    der = run(OPENSSL or "", "req", "-new", "-key", key, "-subj", "/CN=whatever/O=Ignored", "-outform", "DER")
    return key, base64.encodebytes(der)


def certificates(answer: bytes) -> bytes:
    """The certificates of a PKCS #7 answer as openssl reads them, PEM."""
    return run(OPENSSL or "", "pkcs7", "-inform", "DER", "-print_certs", given=base64.b64decode(answer))


@pytest.mark.parametrize("label", ["", "/tls", "/evidence"])
def test_the_authoritys_certificates_are_pkcs7(label: str, there: Office, root: Path) -> None:
    told = certificates(curl(there, root, f"/.well-known/est{label}/cacerts")).decode()
    assert told.count("BEGIN CERTIFICATE") == 2
    assert "Test root" in told
    assert "Test issuing" in told


def test_a_request_of_openssl_is_enrolled_and_renewed_with_curl(there: Office, root: Path, tmp_path: Path) -> None:
    card, (key, body) = there.card("van-017"), request(tmp_path, "first")
    answer = curl(there, root, "/.well-known/est/simpleenroll", "--user", f"{card.unit}:{card.code}", *SENT, given=body)
    own, above = tmp_path / "own.pem", tmp_path / "issuing.pem"
    own.write_bytes(certificates(answer))
    above.write_bytes(there.fleet.issuing_pem)
    assert b"OK" in run(OPENSSL or "", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", root, "-untrusted", above, own)

    newer_key, newer = request(tmp_path, "second")
    answer = curl(there, root, "/.well-known/est/simplereenroll", "--cert", own, "--key", key, *SENT, given=newer)
    leaf = certificates(answer)
    assert run(OPENSSL or "", "x509", "-noout", "-subject", given=leaf) == b"subject=CN = van-017\n"
    assert run(OPENSSL or "", "x509", "-noout", "-pubkey", given=leaf) == run(OPENSSL or "", "pkey", "-in", newer_key, "-pubout")


def test_a_unit_may_ask_for_its_settings_with_the_code_that_it_used(there: Office, root: Path, tmp_path: Path) -> None:
    card, (_, body) = there.card("van-018"), request(tmp_path, "first")
    login = ("--user", f"{card.unit}:{card.code}")
    status = ("--output", tmp_path / "body", "--write-out", "%{http_code}")
    assert curl(there, root, wire.SETTINGS, *login, *status) == b"401"
    curl(there, root, "/.well-known/est/simpleenroll", *login, *SENT, given=body)
    assert read_settings(curl(there, root, wire.SETTINGS, *login)).unit == card.unit


def test_the_revocation_list_is_for_everybody_and_names_who_was_revoked(there: Office, root: Path, tmp_path: Path) -> None:
    card, (_, body) = there.card("van-019"), request(tmp_path, "first")
    login = ("--user", f"{card.unit}:{card.code}")
    leaf = certificates(curl(there, root, "/.well-known/est/simpleenroll", *login, *SENT, given=body))
    serial = run(OPENSSL or "", "x509", "-noout", "-serial", given=leaf).decode().strip().removeprefix("serial=")
    assert serial not in revoked(there, root)
    there.fleet.revoke(card.unit, "stolen")
    assert serial in revoked(there, root)


def revoked(there: Office, root: Path) -> str:
    """The revocation list as openssl prints it."""
    return run(OPENSSL or "", "crl", "-inform", "DER", "-noout", "-text", given=curl(there, root, "/crl")).decode()


@pytest.mark.parametrize(
    ("words", "path", "status"),
    [
        (("--data", "x"), "/.well-known/est/simpleenroll", b"401"),
        (("--header", "Authorization: Bearer x", "--data", "x"), "/.well-known/est/simpleenroll", b"401"),
        (("--header", "Authorization: Basic %%%", "--data", "x"), "/.well-known/est/simpleenroll", b"401"),
        (("--user", "van-1:x", "--data", "x"), "/.well-known/est/simpleenroll", b"415"),
        (("--user", "van-1:x", *SENT, "--request", "GET"), "/.well-known/est/simpleenroll", b"405"),
        (("--data", "x"), "/.well-known/est/simplereenroll", b"403"),
        ((), "/.well-known/est/receiver/cacerts", b"404"),
        ((), "/authority/issuing.key", b"404"),
        (("--path-as-is",), "/../authority/issuing.key", b"404"),
    ],
)
def test_what_is_not_asked_as_it_should_be_gets_a_status(
    words: tuple[str, ...], path: str, status: bytes, there: Office, root: Path
) -> None:
    assert curl(there, root, path, "--output", os.devnull, "--write-out", "%{http_code}", *words) == status
