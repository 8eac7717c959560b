"""Enrolment over real TLS: a card makes one unit, once, for whoever holds it in time; all else is a sentence and nothing is given."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.keys import new_key as key_in
from mqtt.messages import utc_text
from provisioning.authority import FleetError
from provisioning.authority.certificates import new_key
from provisioning.est import server, wire
from provisioning.est.client import EstError
from provisioning.est.wire import Purpose
from tests.eventually import eventually
from tests.system.offices import HOST, Box, Office, certificate

RACERS = 16


def issued(box: Box) -> int:
    return len(box.office.fleet.register.certificates(box.card.unit))


def refused(box: Box, purpose: Purpose = "tls", *, unit: str | None = None, code: str | None = None) -> EstError:
    """What the box hears instead of a certificate."""
    before = issued(box)
    with pytest.raises(EstError) as caught:
        box.ask(purpose, unit=unit, code=code)
    assert issued(box) == before
    assert box.card.code not in str(caught.value)
    return caught.value


def test_a_card_makes_a_unit_with_two_certificates_and_its_settings(box: Box) -> None:
    told = box.est.unit_settings(box.enrol())
    assert (told.unit, told.vehicle) == (box.card.unit, box.card.unit)
    assert told.receivers[0].startswith("-----BEGIN CERTIFICATE")
    assert told.seal_to.startswith("-----BEGIN PUBLIC KEY")
    entry = box.office.fleet.register.unit(box.card.unit)
    assert entry is not None
    assert entry.state == "enrolled"


def test_proofs_signed_under_the_evidence_certificate_are_believed(box: Box) -> None:
    leaf, anchors = box.ask("evidence"), box.est.anchors
    assert anchors is not None
    now = utc_text(int(datetime.now(UTC).timestamp()) * 1000)
    _, name = check_leaf(leaf=leaf, issuing=anchors.issuing_pem, root=anchors.root_pem, role="unit", at=now)
    assert name == box.card.unit


def test_a_key_that_only_signs_is_enrolled_like_any_other(box: Box) -> None:
    key = key_in(str(box.folder / "evidence.key"))
    leaf = box.est.enrol("evidence", wire.csr_by(key, box.card.unit), box.card.unit, box.card.code)
    assert certificate(leaf).public_key() == key.public_key


def test_a_code_may_be_typed_as_paper_has_it(box: Box) -> None:
    code = box.card.code.lower()
    assert box.ask(code="-".join(code[at : at + 4] for at in range(0, 16, 4)))


def test_a_code_is_used_once(box: Box) -> None:
    box.ask()
    box.keys["tls"] = new_key()
    error = refused(box)
    assert error.kind == "code_used"
    assert "fleet enrol" in str(error)


def test_a_code_expires(there: Office, tmp_path: Path) -> None:
    late = Box(tmp_path, there, there.card("van-late", now=datetime.now(UTC) - timedelta(minutes=16)))
    error = refused(late)
    assert error.kind == "code_expired"
    assert "15 minutes" in str(error)


def test_a_newer_code_makes_the_older_one_void(box: Box) -> None:
    newer = box.office.card(box.card.unit)
    assert refused(box).kind == "code_expired"
    assert box.ask(code=newer.code)


def test_a_code_for_another_unit_is_refused(box: Box) -> None:
    other = box.office.card(f"{box.card.unit}-other")
    assert refused(box, code=other.code).kind == "other_unit"


@pytest.mark.parametrize("code", ["A" * 16, "", "x", "A" * 500, "ÄÖÜ", "' OR 1=1 --"])
def test_a_guess_is_refused(code: str, there: Office, tmp_path: Path) -> None:
    with there.fresh() as fresh:
        assert (
            refused(Box(tmp_path, fresh, fresh.card(f"van-{len(fresh.fleet.register.units())}")), code=code or ":").kind == "code_unknown"
        )


@pytest.mark.parametrize("unit", ["svc-receiver", "Van 1", "../van", "v" * 33, "*"])
def test_a_name_that_is_no_unit_is_refused(unit: str, box: Box) -> None:
    assert refused(box, unit=unit).kind == "code_unknown"


def test_who_guesses_on_and_on_must_wait_even_with_the_right_code(there: Office, tmp_path: Path) -> None:
    with there.fresh() as fresh:
        box = Box(tmp_path, fresh, fresh.card("van-guessed"))
        kinds = [refused(box, code=f"{number:016}").kind for number in range(11)]
        assert kinds == ["code_unknown"] * 10 + ["busy"]
        assert refused(box).kind == "busy"


def test_a_revoked_unit_is_told_so_whatever_its_code_says(box: Box) -> None:
    box.office.fleet.revoke(box.card.unit, "stolen")
    error = refused(box)
    assert error.kind == "revoked"
    assert "fleet replace" in str(error)


def test_of_racers_for_one_code_one_gets_a_certificate(box: Box) -> None:
    requests = [wire.csr(new_key(), box.card.unit) for _ in range(RACERS)]

    def race(request: bytes) -> str:
        try:
            box.est.enrol("tls", request, box.card.unit, box.card.code)
        except EstError as error:
            return error.kind
        return "won"

    with ThreadPoolExecutor(RACERS) as racers:
        ends = sorted(racers.map(race, requests))
    assert ends == ["code_used"] * (RACERS - 1) + ["won"]
    assert issued(box) == 1


def test_the_same_request_many_times_at_once_gets_one_certificate(box: Box) -> None:
    with ThreadPoolExecutor(RACERS) as racers:
        leaves = set(racers.map(lambda _: box.ask(), range(RACERS)))
    assert len(leaves) == 1
    assert issued(box) == 1


def test_a_power_cut_is_repeated_with_the_same_key_and_gets_the_same_certificate(box: Box) -> None:
    first = box.ask()
    assert box.ask() == first
    assert box.ask("evidence")
    assert box.ask() == first
    assert issued(box) == 2


def test_a_power_cut_may_last_longer_than_the_code(there: Office, tmp_path: Path) -> None:
    early = datetime.now(UTC) - timedelta(hours=20)
    box = Box(tmp_path, there, there.card("van-cut", now=early))
    key = box.keys["tls"].public_key()
    chain = there.fleet.enrol(box.card.unit, box.card.code, "tls", key, now=early + timedelta(minutes=1))
    assert certificate(box.ask()) == certificate(chain)


def test_one_key_for_both_purposes_is_refused(box: Box) -> None:
    box.ask("tls")
    box.keys["evidence"] = box.keys["tls"]
    error = refused(box, "evidence")
    assert error.kind == "protocol"
    assert "key of its own" in str(error)


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: hashes.SHA512 | None = None) -> bytes:
    """A request as other programs make them."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "van")])
    made = x509.CertificateSigningRequestBuilder(subject).sign(key, algorithm or hashes.SHA256())
    return wire.armour(made.public_bytes(Encoding.DER))


def broken_signature() -> bytes:
    der = bytearray(wire.unarmour(request(new_key())))
    der[-1] ^= 1
    return wire.armour(bytes(der))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (request(rsa.generate_private_key(65537, 2048)), "P-256"),
        (request(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (request(new_key(), hashes.SHA512()), "SHA-256"),
        (broken_signature(), "its own key"),
        (b"", "PKCS #10"),
        (b"rubbish!", "base64"),
        (wire.armour(b"\x30\x80" * 1000), "PKCS #10"),
        (b"A" * 20_000, "16384 bytes"),
    ],
    ids=["RSA", "P-384", "SHA-512", "broken signature", "empty", "no base64", "rubbish", "too long"],
)
def test_a_bad_request_is_refused_and_the_code_still_works(body: bytes, told: str, box: Box) -> None:
    with pytest.raises(EstError, match=told) as caught:
        box.est.enrol("tls", body, box.card.unit, box.card.code)
    assert caught.value.kind == "protocol"
    assert issued(box) == 0
    assert box.ask()


def test_what_ails_the_authority_is_told_to_its_log_and_not_to_strangers(
    box: Box, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bytes:
        raise FleetError("/srv/fleet/authority/register.db cannot be written: the disk is full")

    monkeypatch.setattr(box.office.fleet, "enrol", full)
    error = refused(box)
    assert error.kind == "protocol"
    assert "its log says which" in str(error)
    assert "/srv" not in str(error)
    assert "the disk is full" in caplog.text


def test_in_a_crowd_the_next_one_is_asked_to_come_again(there: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LINES", 2)
    context = ssl.create_default_context(cadata=there.fleet.root_pem.decode())
    with there.fresh() as fresh, ExitStack() as crowd:
        box = Box(tmp_path, fresh, fresh.card("van-crowded"))
        for _ in range(2):
            line = socket.create_connection((HOST, fresh.port))
            crowd.enter_context(context.wrap_socket(line, server_hostname=HOST))
        eventually(lambda: refused(box).kind == "busy")


def test_no_code_is_in_any_log(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    box.ask()
    wrong = "QQQQQQQQQQQQQQQQ"
    refused(box, code=wrong)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert f"for {box.card.unit} from 127.0.0.1" in told
    assert box.card.code not in told
    assert wrong not in told
