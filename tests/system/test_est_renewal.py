"""Renewal over real TLS: who holds a certificate that stands gets the next one, in the same name, whatever the request says."""

from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provisioning.authority.certificates import new_key
from provisioning.est import renewal, wire
from provisioning.est.client import Est, EstError
from tests.system.offices import HOST, Box, Office, certificate, office


@pytest.fixture
def tls(box: Box) -> Path:
    """What an enrolled unit logs in with."""
    return box.enrol()


def name(leaf: x509.Certificate) -> str:
    return leaf.subject.rfc4514_string()


def refused(box: Box, tls: Path, *, purpose: wire.Purpose = "tls", request: bytes | None = None) -> EstError:
    before = len(box.office.fleet.register.certificates(box.card.unit))
    with pytest.raises(EstError) as caught:
        box.est.reenrol(purpose, request or wire.csr(new_key(), box.card.unit), tls)
    assert len(box.office.fleet.register.certificates(box.card.unit)) == before
    return caught.value


def test_a_unit_renews_for_a_new_key_and_the_name_in_its_request_does_not_matter(box: Box, tls: Path) -> None:
    key = new_key()
    leaf = certificate(box.est.reenrol("tls", wire.csr(key, "somebody-else"), tls))
    assert leaf.public_key() == key.public_key()
    assert name(leaf) == f"CN={box.card.unit}"


def test_old_and_new_certificate_are_good_at_the_same_time(box: Box, tls: Path) -> None:
    old, box.keys["tls"] = box.keys["tls"], new_key()
    leaf = box.est.reenrol("tls", wire.csr(box.keys["tls"], box.card.unit), tls)
    assert box.est.unit_settings(tls)
    new = box.file("tls", leaf)
    assert box.est.unit_settings(new)
    assert old != box.keys["tls"]


def test_the_same_renewal_twice_at_once_gets_one_certificate(box: Box, tls: Path) -> None:
    request = wire.csr(new_key(), box.card.unit)
    with ThreadPoolExecutor(8) as repeats:
        assert len(set(repeats.map(lambda _: box.est.reenrol("tls", request, tls), range(8)))) == 1


def test_a_standard_client_that_keeps_its_key_gets_a_new_certificate_when_the_old_one_is_near_its_end(
    there: Office, tmp_path: Path
) -> None:
    early = datetime.now(UTC) - timedelta(days=300)
    old = Box(tmp_path, there, there.card("van-old", now=early))
    key = old.keys["tls"]
    chain = there.fleet.enrol(old.card.unit, old.card.code, "tls", key.public_key(), now=early)
    there.fleet.enrol(old.card.unit, old.card.code, "evidence", old.keys["evidence"].public_key(), now=early)
    leaf = certificate(old.est.reenrol("tls", wire.csr(key, old.card.unit), old.file("tls", chain)))
    assert leaf.not_valid_after_utc > datetime.now(UTC) + timedelta(days=390)


def test_a_revoked_unit_cannot_renew(box: Box, tls: Path) -> None:
    box.office.fleet.revoke(box.card.unit, "stolen")
    error = refused(box, tls)
    assert error.kind == "revoked"
    with pytest.raises(EstError, match="revoked"):
        box.est.unit_settings(tls)


def test_what_a_half_finished_enrolment_was_given_counts_no_more_after_a_new_code(box: Box) -> None:
    tls = box.file("tls", box.ask("tls"))
    box.office.card(box.card.unit)
    assert refused(box, tls).kind == "revoked"


def test_who_shows_no_certificate_is_refused(box: Box) -> None:
    context = ssl.create_default_context(cadata=box.office.fleet.root_pem.decode())
    status, why = asked(box, context, "/.well-known/est/tls/simplereenroll", wire.csr(new_key(), box.card.unit))
    assert (status, why) == (403, "tls")


def test_an_evidence_certificate_does_not_log_in(box: Box, tls: Path) -> None:
    evidence = tls.with_name("evidence.pem")
    error = refused(box, evidence)
    assert error.kind == "tls"
    assert "not for logging in" in str(error)


def test_a_certificate_of_the_fleets_own_servers_or_programs_does_not_renew_as_a_unit(box: Box) -> None:
    fleet = box.office.fleet.folder
    broker, receiver = box.folder / "broker.pem", box.folder / "receiver.pem"
    broker.write_bytes((fleet / "broker" / "broker.key").read_bytes() + (fleet / "broker" / "broker.pem").read_bytes())
    receiver.write_bytes((fleet / "receiver" / "tls.key").read_bytes() + (fleet / "receiver" / "tls.pem").read_bytes())
    assert {refused(box, broker).kind, refused(box, receiver).kind} == {"tls"}


def test_a_certificate_of_another_fleet_does_not_renew(box: Box, tmp_path: Path) -> None:
    with office(tmp_path / "other") as other:
        stranger = Box(tmp_path / "stranger", other, other.card(box.card.unit))
        stranger_tls = stranger.enrol()
    error = refused(box, stranger_tls)
    assert error.kind == "tls"
    assert "another authority" in str(error)


def test_a_certificate_that_ran_out_is_refused_by_the_unit_and_by_the_server(there: Office, tmp_path: Path) -> None:
    early = datetime.now(UTC) - timedelta(days=500)
    old = Box(tmp_path, there, there.card("van-asleep", now=early))
    chain = there.fleet.enrol(old.card.unit, old.card.code, "tls", old.keys["tls"].public_key(), now=early)
    tls = old.file("tls", chain)
    error = refused(old, tls)
    assert error.kind == "time"
    assert "enrol the unit again" in str(error)
    context = ssl.create_default_context(cadata=there.fleet.root_pem.decode())
    context.load_cert_chain(tls)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_EXPIRED"):
        asked(old, context, wire.SETTINGS)


def test_the_evidence_certificate_is_renewed_for_the_same_key_only(box: Box, tls: Path) -> None:
    same = wire.csr(box.keys["evidence"], box.card.unit)
    assert certificate(box.est.reenrol("evidence", same, tls)).public_key() == box.keys["evidence"].public_key()
    error = refused(box, tls, purpose="evidence")
    assert error.kind == "protocol"
    assert "the key that signs proofs stays" in str(error)


def test_the_evidence_key_does_not_become_a_login(box: Box, tls: Path) -> None:
    assert "key of its own" in str(refused(box, tls, request=wire.csr(box.keys["evidence"], box.card.unit)))


def test_a_unit_that_renews_without_end_is_stopped(box: Box, tls: Path) -> None:
    for _ in range(renewal.A_DAY - 1):
        box.est.reenrol("tls", wire.csr(new_key(), box.card.unit), tls)
    assert refused(box, tls).kind == "busy"


def test_a_login_file_that_is_damaged_is_told(box: Box) -> None:
    rubbish = box.folder / "rubbish.pem"
    rubbish.write_text("rubbish")
    assert refused(box, rubbish).kind == "tls"
    assert refused(box, box.folder / "none.pem").kind == "tls"


def asked(box: Box, context: ssl.SSLContext, path: str, body: bytes | None = None) -> tuple[int, str | None]:
    """The status and the kind of refusal of a request that our client would not send."""
    import http.client

    line = http.client.HTTPSConnection(HOST, box.office.port, context=context, timeout=10)
    try:
        line.request("POST" if body else "GET", path, body, {"Content-Type": wire.PKCS10})
        answer = line.getresponse()
        answer.read()
        return answer.status, answer.getheader(wire.WHY)
    finally:
        line.close()


def test_a_unit_asks_a_server_of_an_earlier_day_with_the_anchors_that_it_kept(box: Box, tls: Path) -> None:
    assert Est(HOST, box.office.port, anchors=box.est.anchors).unit_settings(tls).unit == box.card.unit
