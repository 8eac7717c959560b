"""The authority as a program: it renews by itself what would run out, says in good time what it cannot renew, and ends in order."""

from __future__ import annotations

import json
import logging
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provisioning.authority import FleetError
from provisioning.authority.folder import Fleet
from provisioning.est import line, server
from provisioning.est.client import Est
from provisioning.est.upkeep import DAY_S, Upkeep
from tests.eventually import eventually
from tests.system.offices import HOST, Box, Office, certificate, office, served

LONG_AGO = timedelta(days=350)  # a fleet whose server was off for most of a year


class Days:
    """A clock that is set by hand."""

    mono_s = 1000.0

    def __call__(self) -> float:
        return self.mono_s


def shown(there: Office) -> datetime:
    """Until when the certificate is good that the server shows."""
    return certificate(ssl.get_server_certificate((HOST, there.port)).encode()).not_valid_after_utc


def listed_until(fleet: Fleet) -> datetime:
    until = x509.load_der_x509_crl(fleet.crl()).next_update_utc
    assert until is not None
    return until


def test_what_runs_out_is_made_new_and_shown_without_a_restart(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with office(tmp_path / "fleet", now=now - LONG_AGO) as there:
        upkeep = Upkeep(there.fleet, there.server, Days())
        assert listed_until(there.fleet) < now
        assert eventually(lambda: shown(there)) < now + timedelta(days=60)
        upkeep.step()
        assert listed_until(there.fleet) > now + timedelta(days=29)
        assert shown(there) > now + timedelta(days=390)


def test_lists_are_made_new_once_a_day(tmp_path: Path) -> None:
    days = Days()
    with office(tmp_path / "fleet") as there:
        upkeep = Upkeep(there.fleet, there.server, days)
        upkeep.step()
        first = there.fleet.crl()
        days.mono_s += DAY_S - 1
        upkeep.step()
        assert there.fleet.crl() == first
        days.mono_s += 1
        upkeep.step()
        assert there.fleet.crl() != first


def test_what_a_command_renewed_meanwhile_is_shown_within_the_hour(tmp_path: Path) -> None:
    early = datetime.now(UTC) - LONG_AGO
    with office(tmp_path / "fleet", now=early) as there, Fleet.open(tmp_path / "fleet") as beside:
        days = Days()
        upkeep = Upkeep(there.fleet, there.server, days)
        upkeep._done_s = days.mono_s
        assert beside.renew_access()
        upkeep.step()
        assert shown(there) > datetime.now(UTC) + timedelta(days=390)


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_what_cannot_be_renewed_is_said_long_before_it_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> list[str]:
        raise FleetError("the disk is full")

    with office(tmp_path / "fleet", now=datetime.now(UTC) - timedelta(days=12)) as there:
        monkeypatch.setattr(there.fleet, "renew_access", full)
        Upkeep(there.fleet, there.server, Days()).step()
    assert "the disk is full" in caplog.text
    assert any("revocation list ends in 17 days" in warning for warning in warned(caplog))


def test_a_unit_that_did_not_renew_is_named_in_good_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    early = datetime.now(UTC) - LONG_AGO
    with office(tmp_path / "fleet", now=early) as there:
        box = Box(tmp_path / "box", there, there.card("van-asleep", now=early))
        for purpose, key in box.keys.items():
            there.fleet.enrol(box.card.unit, box.card.code, purpose, key.public_key(), now=early)
        Upkeep(there.fleet, there.server, Days()).step()
    assert [("van-asleep" in warning) for warning in warned(caplog)] == [True]


def test_a_broker_that_cannot_be_told_is_said_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with office(tmp_path / "fleet", reload=("false",)) as there:
        upkeep = Upkeep(there.fleet, there.server, Days())
        upkeep.step()
        upkeep.step()
    assert [record.levelno for record in caplog.records if "broker does not know" in record.getMessage()] == [logging.ERROR] * 2


def test_a_certificate_that_does_not_fit_its_key_is_not_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with office(tmp_path / "fleet") as there:
        upkeep = Upkeep(there.fleet, there.server, Days())
        upkeep.step()
        good = shown(there)
        there.fleet.est_pem.write_bytes((tmp_path / "fleet" / "broker" / "broker.pem").read_bytes())
        upkeep.step()
        assert shown(there) == good
    assert "cannot be used with its key" in caplog.text


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_it_is_served_at_every_address_of_the_machine(tmp_path: Path) -> None:
    with office(tmp_path / "fleet") as there, served(Fleet.open(tmp_path / "fleet"), address="") as everywhere:
        for host in ("127.0.0.1", "::1"):
            assert set(Est(host, everywhere.port).fetch_cacerts()) == set(there.fleet.cacerts())  # DER sorts a set


def test_who_opens_a_line_and_says_nothing_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "LINE_S", 0.2)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with office(tmp_path / "fleet") as there, context.wrap_socket(socket.create_connection((HOST, there.port))) as silent:
        assert silent.recv(1) == b""


def test_who_never_begins_tls_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HANDSHAKE_S", 0.2)
    with office(tmp_path / "fleet") as there, socket.create_connection((HOST, there.port), 10) as silent:
        assert silent.recv(1) == b""


@contextmanager
def program(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """`roadproof fleet authority` as a process."""
    command = (sys.executable, "-P", "-m", "cli", "fleet", "authority", "--fleet", str(folder), "--listen", HOST, "--json", *words)
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, env={"PYTHONPATH": str(root)}, stdout=-1, stderr=-1, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    with office(tmp_path / "fleet") as there, program(tmp_path / "fleet", "--port", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = json.loads(process.stdout.readline())["port"]
        box = Box(tmp_path / "box", there, there.card("van-017"))
        box.est = Est(HOST, port, anchors=box.est.anchors)
        assert box.est.unit_settings(box.enrol()).unit == "van-017"
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert "enrolled van-017: its certificate for evidence" in process.stderr.read()


def test_a_port_that_is_taken_and_a_folder_without_a_fleet_are_told(tmp_path: Path) -> None:
    with office(tmp_path / "fleet") as there, program(tmp_path / "fleet", "--port", str(there.port)) as process:
        assert "another program uses it" in process.communicate(timeout=15)[1]
        assert process.returncode == 2
    with program(tmp_path, "--port", "0") as process:
        assert "fleet init" in process.communicate(timeout=15)[1]
        assert process.returncode == 2
