"""The receiver's evidence key is exchanged: units are told over EST, and believe the new receipts without a restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cli.main import main
from mqtt.evidence.keys import FileSigner
from mqtt.messages import utc_text
from provisioning.authority.certificates import public_pem
from provisioning.authority.settings import BrokerPlace
from provisioning.identity import RECEIVERS, SEAL, IdentityError, read
from provisioning.renew import Renewal, renew
from tests.system.broker import MOSQUITTO
from tests.system.enrolled import Fleet, a_fleet, enrolled

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
NOW = datetime.now(UTC)
WEEK = timedelta(days=7, hours=1)
LATER = timedelta(days=61)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with a_fleet(tmp_path / "fleet") as there:
        there.broker.start()
        yield there


@pytest.fixture
def identity(fleet: Fleet, tmp_path: Path) -> Path:
    return enrolled(tmp_path / "state", fleet.card())


def serials(pem: bytes) -> list[int]:
    return [one.serial_number for one in x509.load_pem_x509_certificates(pem)]


def of_unit(identity: Path) -> list[int]:
    return serials((identity / RECEIVERS).read_bytes())


def in_use(fleet: Fleet) -> int:
    return serials((fleet.broker.fleet.folder / "receiver" / "receiver.pem").read_bytes())[0]


def test_the_fleet_is_asked_once_a_week_and_not_oftener(fleet: Fleet, identity: Path) -> None:
    fleet.broker.fleet.renew_receiver()
    assert renew(identity, now=NOW + timedelta(days=6)).changed == ()
    assert len(of_unit(identity)) == 1
    result = renew(identity, now=NOW + WEEK)
    assert (result.renewed, len(result.changed)) == ((), 1)
    assert "new from the fleet: who signs receipts (2 certificates)" in result.sentence
    found = read(identity)
    assert found is not None
    assert (found.told_at or "").startswith(f"{NOW + WEEK:%Y-%m-%d}")
    assert renew(identity, now=NOW + WEEK + timedelta(days=1)).changed == ()


def test_a_clock_that_was_years_ahead_does_not_stop_the_asking(fleet: Fleet, identity: Path) -> None:
    paper = identity / "identity.json"
    found = msgspec.json.decode(paper.read_bytes())
    paper.write_bytes(msgspec.json.encode(found | {"told_at": utc_text(round((NOW + 900 * WEEK).timestamp() * 1000))}))
    fleet.broker.fleet.renew_receiver()
    assert len(renew(identity, now=NOW).changed) == 1


def test_each_renewal_of_the_login_asks_too(fleet: Fleet, identity: Path) -> None:
    fleet.broker.fleet.renew_receiver()
    assert len(renew(identity, now=NOW, force=True).changed) == 1


def test_a_key_is_known_for_two_months_before_it_signs_and_the_old_one_stays_believed(fleet: Fleet, identity: Path) -> None:
    office, old = fleet.broker.fleet, in_use(fleet)
    office.renew_receiver(now=NOW)
    assert office.renew_access(now=NOW + timedelta(days=59)) == []
    assert in_use(fleet) == old
    (told,) = office.renew_access(now=NOW + LATER)
    assert told.startswith("the signing of receipts (restart the receivers")
    new = in_use(fleet)
    assert new != old
    renew(identity, now=NOW + LATER)
    assert set(of_unit(identity)) == {old, new}
    FileSigner.load(office.folder / "receiver" / "receiver.key", office.folder / "receiver" / "receiver.pem")


def test_the_calendar_renews_for_the_same_key_a_year_before_the_end(fleet: Fleet) -> None:
    office, old = fleet.broker.fleet, in_use(fleet)
    receiver = office.folder / "receiver"
    key = (receiver / "receiver.key").read_bytes()
    soon = NOW + timedelta(days=4 * 365 + 10)
    assert any("the signing of receipts, in use in 60 days" in one for one in office.renew_access(now=soon))
    assert not any("receipts" in one for one in office.renew_access(now=soon + timedelta(days=1)))
    assert any("restart the receivers" in one for one in office.renew_access(now=soon + LATER))
    assert in_use(fleet) != old
    assert (receiver / "receiver.key").read_bytes() == key
    FileSigner.load(receiver / "receiver.key", receiver / "receiver.pem")


def test_a_receiver_that_nobody_renews_is_warned_of_months_before_its_end(fleet: Fleet) -> None:
    def warned(day: int) -> bool:
        return any("the certificate that signs receipts ends in" in one for one in fleet.broker.fleet.warnings(NOW + timedelta(days=day)))

    assert (warned(4 * 365), warned(5 * 365 - 100)) == (False, True)


def test_a_stolen_key_is_believed_no_longer(fleet: Fleet, identity: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = in_use(fleet)
    assert main(["fleet", "renew-receiver", "--stolen", "--fleet", str(fleet.broker.fleet.folder)]) == 0
    assert "sudo roadproof renew --force" in capsys.readouterr().out
    new = in_use(fleet)
    assert new != old
    assert main(["renew", "--force", "--state", str(identity.parent)]) == 0
    assert of_unit(identity) == [new]
    assert "who signs receipts (1 certificates)" in capsys.readouterr().out


def test_a_receiver_that_vanished_stays_until_its_certificate_ends(fleet: Fleet, identity: Path) -> None:
    old, receiver = in_use(fleet), fleet.broker.fleet.folder / "receiver"
    fleet.broker.fleet.renew_receiver(now=NOW)
    fleet.broker.fleet.renew_access(now=NOW + LATER)
    (receiver / "receiver.1.pem").unlink()
    renew(identity, now=NOW + LATER)
    assert of_unit(identity) == [in_use(fleet), old]


def resealed(fleet: Fleet) -> bytes:
    """The fleet has another sealing key."""
    pem = public_pem(X25519PrivateKey.generate())
    (fleet.broker.fleet.folder / "receiver" / "seal.pub").write_bytes(pem)
    return pem


def test_the_sealing_key_is_taken_and_the_next_start_is_named(fleet: Fleet, identity: Path) -> None:
    other = resealed(fleet)
    result = renew(identity, now=NOW, force=True)
    assert (identity / SEAL).read_bytes() == other
    assert result.changed == ("the key that photos are sealed to, from the daemon's next start on",)


def moved(fleet: Fleet, port: int) -> None:
    """The office names another broker."""
    office = fleet.broker.fleet
    office.settings = msgspec.structs.replace(office.settings, broker=BrokerPlace(host="127.0.0.1", port=port))


def test_another_broker_is_taken_when_one_of_this_fleet_answers_there(fleet: Fleet, identity: Path) -> None:
    moved(fleet, fleet.est_port)  # a server of this fleet
    result = renew(identity, now=NOW, force=True)
    assert result.changed == (f"the broker, 127.0.0.1:{fleet.est_port}, from the daemon's next start on",)
    assert f"port = {fleet.est_port}" in (identity / "settings.toml").read_text(encoding="utf-8")


def test_a_broker_that_does_not_answer_as_this_fleet_s_is_not_gone_to(fleet: Fleet, identity: Path, tmp_path: Path) -> None:
    before = (identity / "settings.toml").read_bytes()
    with a_fleet(tmp_path / "other") as other:
        for port in (1, other.est_port):
            moved(fleet, port)
            result = renew(identity, now=NOW, force=True)
            assert "the unit stays with the one it has" in result.sentence
            assert (identity / "settings.toml").read_bytes() == before


def test_settings_with_a_stranger_among_the_receivers_change_nothing(fleet: Fleet, identity: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in identity.iterdir() if "tls" not in path.name}
    with a_fleet(tmp_path / "other") as other:
        stranger = (other.broker.fleet.folder / "receiver" / "receiver.pem").read_bytes()
    (fleet.broker.fleet.folder / "receiver" / "receiver.1.pem").write_bytes(stranger)
    with pytest.raises(IdentityError, match="another authority issued it; the office must mend them"):
        renew(identity, now=NOW, force=True)
    assert {path.name: path.read_bytes() for path in identity.iterdir() if "tls" not in path.name} == before


def test_a_lost_receiver_pem_comes_back(fleet: Fleet, identity: Path) -> None:
    kept = (identity / RECEIVERS).read_bytes()
    (identity / RECEIVERS).write_bytes(b"\0" * 40)
    assert isinstance(renew(identity, now=NOW, force=True), Renewal)
    assert (identity / RECEIVERS).read_bytes() == kept
