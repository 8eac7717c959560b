"""A certificate is renewed while the unit works: nobody sees an outage, nothing is lost, and a pair that does not work costs nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from cli.main import main
from fleet.store import Store
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.pair import beside
from mqtt.session import LinkError, LinkState
from provisioning.identity import TLS, IdentityError, read
from provisioning.renew import renew
from tests.eventually import eventually
from tests.system.broker import MOSQUITTO
from tests.system.daemon_rig import DaemonRig
from tests.system.enrolled import Fleet, a_fleet, enrolled
from tests.system.receivers import real_receiver

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with a_fleet(tmp_path_factory.mktemp("fleet")) as there:
        there.broker.start()
        yield there


@pytest.fixture
def identity(fleet: Fleet, tmp_path: Path) -> Path:
    return enrolled(tmp_path / "state", fleet.card())


@pytest.fixture
def van(identity: Path, tmp_path: Path) -> Iterator[DaemonRig]:
    """An enrolled unit with a van on its serial line: its settings file names neither unit nor broker."""
    rig = DaemonRig(tmp_path, 1, speed=10, commit_s=1)
    text = rig.config.read_text(encoding="utf-8").splitlines(keepends=True)
    start = text.index("[broker]\n")
    kept = [line for line in [*text[:start], *text[start + 4 :]] if not line.startswith("unit =")]
    rig.config.write_text(f'identity = "{identity}"\n' + "".join(kept), encoding="utf-8")
    yield rig
    rig.close()


def number(pair: Path) -> int:
    return x509.load_pem_x509_certificates(pair.read_bytes())[0].serial_number


def name(identity: Path) -> str:
    found = read(identity)
    assert found is not None
    return found.unit


def events(store: Store, unit: str) -> list[str | None]:
    return [event.event for event in store.events(unit, 1_000)]


def link(fleet: Fleet, identity: Path) -> BrokerLink:
    port = fleet.broker.units_port
    settings = BrokerSettings(host="127.0.0.1", port=port, tls_ca=str(identity / "root.pem"), tls_cert=str(identity / TLS))
    return BrokerLink(settings, name(identity), [])


def test_records_go_on_being_receipted_through_a_renewal_and_none_is_lost(
    fleet: Fleet, identity: Path, van: DaemonRig, tmp_path: Path
) -> None:
    with real_receiver(fleet.receiver, tmp_path) as receiver:
        van.start_and_wait()
        van.drive.start()
        eventually(lambda: van.seen().tseq.receipted > 30, 30)
        before, old = van.seen(), number(identity / TLS)
        assert main(["renew", "--force", "--state", str(identity.parent)]) == 0
        new = number(beside(identity / TLS))
        eventually(lambda: number(identity / TLS) == new, 30)
        eventually(lambda: van.seen().tseq.receipted > before.tseq.receipted + 40, 30)
        after = van.seen()
        assert (after.pid, after.connects) == (before.pid, before.connects + 1)
        assert not beside(identity / TLS).exists()
        assert old != new
        assert van.end() == 0
        last = van.seen()
        assert (last.tseq.waiting, last.seq.waiting) == (0, 0)
        with receiver.store() as store:
            counts, told = store.counts(last.unit), events(store, last.unit)
        assert (counts.fixes, counts.records, counts.stored_twice) == (last.tseq.issued, last.seq.issued, 0)
    assert "link.down" not in told
    assert "Traceback" not in van.told()


def test_a_kill_between_renewal_and_first_session_leaves_a_unit_that_connects(
    fleet: Fleet, identity: Path, van: DaemonRig, tmp_path: Path
) -> None:
    with real_receiver(fleet.receiver, tmp_path):
        van.start_and_wait()
        eventually(lambda: van.seen().link == LinkState.ONLINE, 30)
        van.end(signal.SIGKILL)
        assert main(["renew", "--force", "--state", str(identity.parent)]) == 0
        new = number(beside(identity / TLS))
        van.start_and_wait()
        eventually(lambda: number(identity / TLS) == new, 30)
        eventually(lambda: van.seen().link == LinkState.ONLINE, 30)


def test_a_pair_that_the_broker_does_not_take_costs_nothing_and_is_told(
    fleet: Fleet, identity: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = (identity / TLS).read_bytes()
    other = enrolled(identity.parent.parent / "other", fleet.card())
    fleet.broker.fleet.revoke(name(other), "a drill")
    beside(identity / TLS).write_bytes((other / TLS).read_bytes())
    unit = link(fleet, identity)
    eventually(lambda: _refused(fleet, other))
    unit.connect()
    assert (identity / TLS).read_bytes() == old
    assert beside(identity / TLS).exists()
    assert not unit.has_renewal  # another day
    assert "does not work, the one before it does" in caplog.text
    unit.connect()
    unit.close(orderly=True)


def _refused(fleet: Fleet, identity: Path) -> bool:
    """Whether the broker has read its revocation list."""
    stranger = link(fleet, identity)
    try:
        stranger.connect()
    except LinkError:
        return True
    stranger.close()
    return False


def test_a_renewed_file_that_is_rubbish_costs_nothing(fleet: Fleet, identity: Path) -> None:
    beside(identity / TLS).write_bytes(b"-----BEGIN")
    unit = link(fleet, identity)
    unit.connect()
    unit.close(orderly=True)
    assert beside(identity / TLS).exists()
    result = renew(identity, now=NOW + timedelta(days=300))
    assert result.renewed == ("tls",)
    unit.connect()
    unit.close(orderly=True)
    assert not beside(identity / TLS).exists()


def test_without_a_network_the_renewed_pair_waits(identity: Path, fleet: Fleet) -> None:
    renew(identity, now=NOW, force=True)
    settings = BrokerSettings(host="no-such-host.invalid", tls_ca=str(identity / "root.pem"), tls_cert=str(identity / TLS))
    unit = BrokerLink(settings, "van-017", [])
    with pytest.raises(LinkError):
        unit.connect()
    assert unit.has_renewal


@pytest.mark.parametrize(("day", "renewed"), [(0, ()), (263, ()), (266, ("tls",)), (390, ("tls",))])
def test_the_login_is_renewed_after_two_thirds_of_its_life(day: int, renewed: tuple[str, ...], identity: Path) -> None:
    result = renew(identity, now=NOW + timedelta(days=day))
    assert result.renewed == renewed
    assert beside(identity / TLS).exists() == bool(renewed)
    if renewed:
        assert renew(identity, now=NOW + timedelta(days=day)).renewed == ()
        assert renew(identity, now=NOW + timedelta(days=day)).waiting


def test_a_renewal_is_a_new_key_for_the_same_name(identity: Path) -> None:
    renew(identity, now=NOW, force=True)
    old, new = (x509.load_pem_x509_certificates(path.read_bytes())[0] for path in (identity / TLS, beside(identity / TLS)))
    assert old.subject == new.subject
    assert old.public_key() != new.public_key()
    assert beside(identity / TLS).stat().st_mode & 0o777 == 0o600


def test_evidence_is_renewed_for_the_same_key(fleet: Fleet, identity: Path) -> None:
    before = x509.load_pem_x509_certificate((identity / "evidence.pem").read_bytes())
    result = renew(identity, now=NOW + timedelta(days=1_300))
    assert "evidence" in result.renewed
    after = x509.load_pem_x509_certificate((identity / "evidence.pem").read_bytes())
    assert after.public_key() == before.public_key()


def test_a_revoked_unit_is_told_so_and_keeps_what_it_has(fleet: Fleet, identity: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.broker.fleet.revoke(name(identity), "lost")
    before = sorted((path.name, path.read_bytes()) for path in identity.iterdir())
    capsys.readouterr()
    assert main(["renew", "--force", "--state", str(identity.parent)]) == 1
    told = capsys.readouterr().err
    assert "revoked" in told
    assert len(told.splitlines()) == 1
    assert sorted((path.name, path.read_bytes()) for path in identity.iterdir()) == before


def test_an_authority_out_of_reach_is_told(identity: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paper = identity / "identity.json"
    text = paper.read_text(encoding="utf-8")
    paper.write_text(text.replace('"host":"127.0.0.1"', '"host":"no-such-host.invalid"'), encoding="utf-8")
    capsys.readouterr()
    assert main(["renew", "--force", "--state", str(identity.parent)]) == 1
    assert "no-such-host.invalid" in capsys.readouterr().err


def test_a_unit_that_was_never_enrolled_is_told_to(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="roadproof enrol"):
        renew(tmp_path / "identity", now=NOW)
