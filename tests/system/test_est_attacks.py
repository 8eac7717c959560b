"""Attacks on the authority's server over real TLS: it goes on serving others, and gives nothing that is not due."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from provisioning.authority import certificates
from provisioning.authority.certificates import new_key
from provisioning.est import doorway, wire
from provisioning.est.client import EstError
from provisioning.est.refusal import RefusedError
from provisioning.est.renewal import Renewal
from tests.eventually import eventually
from tests.system.offices import HOST, Box, Office, office

ELSEWHERE = "127.0.0.2"  # the same machine under another address


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path / "fleet") as one:
        yield one


@contextmanager
def crowd(port: int, size: int, address: str) -> Iterator[None]:
    """Lines that are opened and say nothing."""
    with ExitStack() as lines:
        for _ in range(size):
            lines.enter_context(socket.create_connection((HOST, port), 5, source_address=(address, 0)))
        yield


def test_who_opens_lines_and_says_nothing_shuts_out_himself_alone(there: Office, caplog: pytest.LogCaptureFixture) -> None:
    with crowd(there.port, 3 * doorway.OF_ONE, ELSEWHERE):
        assert there.trusted().anchors is not None
        line = socket.create_connection((HOST, there.port), 5, source_address=(ELSEWHERE, 0))
        with line:
            line.settimeout(5)
            assert line.recv(1) == b""  # closed at once, and not after the handshake's patience
    assert 1 <= caplog.text.count("too many lines at once") <= 3


def test_a_line_that_ends_makes_room_for_the_next(there: Office) -> None:
    for _ in range(3):
        with crowd(there.port, doorway.OF_ONE - 4, HOST):
            pass
        eventually(lambda: there.est().fetch_cacerts())


def test_no_crowd_of_many_addresses_takes_every_file(there: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorway, "LINES", 4)
    with ExitStack() as lines:
        for last in range(2, 7):
            lines.enter_context(crowd(there.port, 1, f"127.0.0.{last}"))
        with pytest.raises(EstError) as caught:
            there.est().fetch_cacerts()
        assert caught.value.kind == "tcp"
    eventually(lambda: there.est().fetch_cacerts())


def test_no_session_is_taken_up_again(there: Office) -> None:
    context = ssl.create_default_context(cadata=there.fleet.root_pem.decode())
    session = None
    for _ in range(2):
        with context.wrap_socket(socket.create_connection((HOST, there.port), 5), server_hostname=HOST, session=session) as line:
            line.sendall(f"GET {wire.ROOT}/cacerts HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            while line.recv(4_096):
                pass
            assert not line.session_reused
            session = line.session


def test_a_certificate_that_ran_out_since_the_handshake_logs_nobody_in(there: Office, tmp_path: Path) -> None:
    box = Box(tmp_path / "box", there, there.card("van-001"))
    box.enrol()
    long_ago = datetime.now(UTC) - timedelta(days=500)
    key = new_key()
    old = certificates.unit_tls(there.fleet._issuing, "van-001", key.public_key(), now=long_ago, crl_urls=())
    there.fleet.register.record(certificates.pem(old), "van-001", "tls", long_ago)
    with pytest.raises(RefusedError, match="run out"):
        Renewal(there.fleet).holder(old.public_bytes(Encoding.DER))


def test_a_request_of_an_impossible_version_is_refused_like_any_rubbish(there: Office, tmp_path: Path) -> None:
    box = Box(tmp_path / "box", there, there.card("van-001"))
    der = bytearray(wire.unarmour(wire.csr(box.keys["tls"], "van-001")))
    at = der.index(b"\x02\x01\x00")
    der[at + 2] = 91
    with pytest.raises(EstError, match="PKCS #10"):
        box.est.enrol("tls", wire.armour(bytes(der)), box.card.unit, box.card.code)
    assert box.ask()


def test_a_requests_extensions_and_names_come_into_no_certificate(there: Office, tmp_path: Path) -> None:
    box = Box(tmp_path / "box", there, there.card("van-001"))
    names = x509.Name(
        [x509.NameAttribute(x509.NameOID.COMMON_NAME, "svc-receiver"), x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "x")]
    )
    wanted = x509.CertificateSigningRequestBuilder(names).add_extension(x509.BasicConstraints(ca=True, path_length=3), critical=True)
    wanted = wanted.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    request = wire.armour(wanted.sign(box.keys["tls"], hashes.SHA256()).public_bytes(Encoding.DER))
    leaf = x509.load_pem_x509_certificate(box.est.enrol("tls", request, box.card.unit, box.card.code))
    assert leaf.subject == certificates.subject("van-001")
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    told = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(told) == [x509.UniformResourceIdentifier("urn:roadproof:unit:van-001")]


SMUGGLED = {
    "two lengths": "Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc",
    "length and chunks": "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a header that never ends": "X: " + "a" * 40_000,
    "an endless body": "Content-Length: 999999999999\r\n\r\n" + "a" * 40_000,
}


@pytest.mark.parametrize("told", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_a_request_within_a_request_is_answered_once_and_with_no(told: str, there: Office) -> None:
    context = ssl.create_default_context(cadata=there.fleet.root_pem.decode())
    inner = f"\r\nGET {wire.ROOT}/cacerts HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    with context.wrap_socket(socket.create_connection((HOST, there.port), 5), server_hostname=HOST) as line:
        line.settimeout(1)
        head = f"POST {wire.ROOT}/tls/simpleenroll HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Basic dmFuLTE6eA==\r\n"
        answer = b""
        try:
            line.sendall(f"{head}Content-Type: {wire.PKCS10}\r\n{told}{inner}".encode())
            while piece := line.recv(4_096):
                answer += piece
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass  # closed in the middle of it
    assert b" 200 " not in answer
    assert there.est().fetch_cacerts()
