"""Who is not the fleet's authority gets no code, and every broken line is a sentence after which the same card still works."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.authority.register import CertificateEntry
from provisioning.est import client, wire
from provisioning.est.client import Anchors, Est, EstError
from tests.system.broker import free_port
from tests.system.offices import HOST, Box, Office, office
from tests.system.rogues import Rogue, answering, certificate_of_its_own, cut_after, http, tls


def anchors(there: Office) -> Anchors:
    return Anchors.load(there.fleet.root_pem, there.fleet.issuing_pem)


def certificates(box: Box) -> list[CertificateEntry]:
    return box.office.fleet.register.certificates(box.card.unit)


def refused(est: Est, box: Box) -> EstError:
    """What the box hears when it sends its code to this server after all."""
    with pytest.raises(EstError) as caught:
        est.enrol("tls", wire.csr(box.keys["tls"], box.card.unit), box.card.unit, box.card.code)
    assert box.card.code not in str(caught.value)
    return caught.value


def test_another_fleets_authority_is_found_out_by_the_cards_fingerprint(box: Box, tmp_path: Path) -> None:
    with office(tmp_path / "other") as other:
        est = other.est()
        with pytest.raises(EstError, match="another root certificate than the card names") as caught:
            est.pin(est.fetch_cacerts(), box.card.fingerprint)
    assert caught.value.kind == "wrong_root"


def test_who_shows_the_true_root_without_having_its_keys_never_sees_the_code(box: Box, there: Office, tmp_path: Path) -> None:
    heard: list[bytes] = []
    told = http(wire.certs_only(there.fleet.cacerts()))
    with certificate_of_its_own(tmp_path / "own") as context, Rogue(answering(context, told, heard)) as rogue:
        est = Est(HOST, rogue.port)
        est.pin(est.fetch_cacerts(), box.card.fingerprint)
        error = refused(est, box)
    assert error.kind == "wrong_root"
    assert "no code was sent" in str(error)
    assert not any(b"Authorization" in request for request in heard)


def test_a_unit_of_the_fleet_cannot_pose_as_its_authority(box: Box, there: Office) -> None:
    heard: list[bytes] = []
    with Rogue(answering(tls(box.enrol()), http(b""), heard)) as rogue:
        error = refused(Est(HOST, rogue.port, anchors=anchors(there)), box)
    assert error.kind == "tls"
    assert heard == []


def test_the_authority_is_believed_under_its_name_alone(box: Box, there: Office) -> None:
    assert refused(Est("localhost", there.port, anchors=anchors(there)), box).kind == "tls"


def test_a_root_without_an_authority_below_it_is_refused(there: Office) -> None:
    root = there.fleet.cacerts()[-1]
    with pytest.raises(EstError, match="names no authority"):
        there.est().pin([root], wire.fingerprint(root))


@pytest.mark.parametrize("year", [2010, 2080])
def test_a_wrong_clock_is_named_and_no_code_is_sent(year: int, tmp_path: Path) -> None:
    # To a box of 1970 every certificate begins in decades; one whose clock is ahead sees them long ended.
    now = datetime(year, 5, 4, tzinfo=UTC)
    with office(tmp_path / "fleet", now=now) as then:
        box = Box(tmp_path / "box", then, then.card("van-017", now=now))
        error = refused(box.est, box)
        assert then.fleet.register.certificates("van-017") == []
    assert error.kind == "time"
    assert f"this machine's clock says {datetime.now(UTC):%Y-%m-%d}" in str(error)


def test_wherever_the_line_breaks_the_same_card_still_works(box: Box, there: Office) -> None:
    ends = []  # what was told, and the certificates there were: none at first, one from where only the answer was lost
    for count_bytes in range(0, 10_000, 150):
        with Rogue(cut_after(count_bytes, there.port)) as rogue:
            est = Est(HOST, rogue.port, anchors=anchors(there))
            try:
                leaf = est.enrol("tls", wire.csr(box.keys["tls"], box.card.unit), box.card.unit, box.card.code)
                break
            except EstError as error:
                ends.append((error.kind, "the same code still works" in str(error), len(certificates(box))))
    assert set(ends) == {("tcp", True, 0), ("tcp", True, 1)}
    assert box.ask() == leaf


def test_a_line_that_breaks_in_the_answer_is_no_answer(there: Office, tmp_path: Path) -> None:
    whole = wire.certs_only(there.fleet.cacerts())
    assert fetched(tmp_path, http(whole[:-200], length=len(whole))).kind == "tcp"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (http(b"<html>Welcome to our Wi-Fi</html>"), "wants a login"),
        (http(b"", status="302 Found", headers="Location: https://portal.example/\r\n"), "refuses (302)"),
        (http(b"no such page\x1b[2J\nmore", status="404 Not Found"), "no such page[2J"),
        (http(b"A" * 70_000), "too long"),
        (http(wire.armour(b"rubbish")), "no certificates"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer in HTTP"),
    ],
    ids=["portal", "redirect", "404", "endless", "rubbish", "no HTTP"],
)
def test_what_is_no_est_server_is_told(answer: bytes, told: str, tmp_path: Path) -> None:
    error = fetched(tmp_path, answer)
    assert error.kind == "protocol"
    assert told in str(error)


def fetched(folder: Path, answer: bytes) -> EstError:
    with certificate_of_its_own(folder / "own") as context, Rogue(answering(context, answer, [])) as rogue:
        with pytest.raises(EstError) as caught:
            Est(HOST, rogue.port).fetch_cacerts()
        return caught.value


def test_a_server_that_speaks_no_tls_is_told() -> None:
    def greet(line: socket.socket) -> None:
        line.recv(1000)
        line.sendall(b"220 mail.example.org ESMTP\r\n")

    with Rogue(greet) as rogue, pytest.raises(EstError, match="right port") as caught:
        Est(HOST, rogue.port).fetch_cacerts()
    assert caught.value.kind == "tls"


def test_a_server_that_sends_a_byte_now_and_then_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DEADLINE_S", 0.4)
    with certificate_of_its_own(tmp_path / "own") as context:

        def drip(line: socket.socket) -> None:
            with context.wrap_socket(line, server_side=True) as secured:
                secured.recv(65_536)
                secured.sendall(http(b"", length=60_000))
                while True:
                    secured.sendall(b"A")
                    time.sleep(0.02)

        with Rogue(drip) as rogue, pytest.raises(EstError) as caught:
            Est(HOST, rogue.port).fetch_cacerts()
    assert caught.value.kind == "tcp"


def test_where_nobody_answers_the_network_is_named() -> None:
    with pytest.raises(EstError, match="check the network") as caught:
        Est(HOST, free_port()).fetch_cacerts()
    assert caught.value.kind == "tcp"


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "x" * 64 + ".example"])
def test_a_name_that_leads_nowhere_is_named(host: str) -> None:
    with pytest.raises(EstError) as caught:
        Est(host).fetch_cacerts()
    assert caught.value.kind == "dns"


@pytest.mark.parametrize(
    "url", ["http://ca.example", "ca.example:8443", "https://", "https://ca.example/est", "https://u:p@ca.example", "https://h:99999"]
)
def test_an_address_that_is_no_est_server_says_how_to_write_one(url: str) -> None:
    with pytest.raises(EstError, match="https://host:port"):
        Est.at(url)


def test_another_est_server_is_a_url() -> None:
    assert Est.at("https://ca.example").place == "ca.example:443"
    assert Est.at("https://[2001:db8::1]:8443/.well-known/est/").place == "[2001:db8::1]:8443"
