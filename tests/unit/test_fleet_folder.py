"""A fleet's folder: who may read what of it, what its certificates are good for, and what is said before they end."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cli.fleet.place import read_settings
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.keys import FileSigner
from provisioning.authority import CodeError, FleetError, files, founding
from provisioning.authority.certificates import new_key
from provisioning.authority.folder import Fleet
from provisioning.authority.settings import BrokerPlace, EstPlace, FleetPlace
from provisioning.authority.settings import load as load_settings
from provisioning.card import read_card
from tests.handshake import shaken

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
AT = "2026-05-04T08:00:00.000Z"
DAY = timedelta(days=1)
URL = "https://mqtt.example.org:8443/crl"
PLACE = FleetPlace(
    name='Test "7"', crl_urls=(URL,), reload=(), broker=BrokerPlace(host="mqtt.example.org"), est=EstPlace(host="192.0.2.7", port=9443)
)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pattern") / "fleet"
    founding.found(folder, PLACE, now=NOW)
    return folder


@pytest.fixture
def folder(pattern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pattern, tmp_path / "fleet"))


@pytest.fixture
def fleet(folder: Path) -> Iterator[Fleet]:
    with Fleet.open(folder) as one:
        yield one


def enrolled(fleet: Fleet, vehicle: str = "van-017") -> tuple[x509.Certificate, x509.Certificate]:
    """A new unit's certificates, for tls and evidence."""
    card = fleet.expect(vehicle, now=NOW)
    made = [fleet.enrol(card.unit, card.code, purpose, new_key().public_key(), now=NOW) for purpose in ("tls", "evidence")]
    return leaf(made[0]), leaf(made[1])


def leaf(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain)[0]


def extended(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def named(certificate: x509.Certificate) -> list[object]:
    return [name.value for name in certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


def point(certificate: x509.Certificate) -> str:
    held = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    assert not held.critical
    (one,) = held.value
    assert one.full_name is not None
    return str(one.full_name[0].value)


def units_list(fleet: Fleet) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(fleet.crl())


# --- a fleet begins


def test_keys_are_for_their_owner_or_the_program_that_uses_them(folder: Path) -> None:
    modes = {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in folder.rglob("*.key")}
    shared = {"broker/broker.key", "receiver/tls.key", "operator/tls.key"}
    assert {name for name, mode in modes.items() if mode == 0o640} == shared
    assert {name for name, mode in modes.items() if mode == 0o600} == modes.keys() - shared
    assert all((folder / name).stat().st_mode & 0o077 == 0 for name in ("offline", "authority", "operator"))
    assert all((folder / name).stat().st_mode & 0o007 == 0 for name in ("broker", "receiver"))


def test_nothing_but_a_new_issuing_key_needs_the_root_key(folder: Path) -> None:
    shutil.rmtree(folder / "offline")
    with Fleet.open(folder) as fleet:
        enrolled(fleet)
        fleet.revoke("van-017", "stolen", now=NOW)
        fleet.renew_access(now=NOW)


def test_a_fleet_is_never_written_over(folder: Path) -> None:
    before = (folder / "authority" / "issuing.key").read_bytes()
    with pytest.raises(FleetError, match="never overwritten"):
        founding.found(folder, PLACE, now=NOW)
    assert (folder / "authority" / "issuing.key").read_bytes() == before


def test_a_folder_with_something_else_in_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(FleetError, match="empty it"):
        founding.found(tmp_path, PLACE, now=NOW)


def test_a_half_made_fleet_is_none(folder: Path) -> None:
    (folder / "fleet-settings.toml").unlink()
    with pytest.raises(FleetError, match="fleet init"):
        Fleet.open(folder)


def test_settings_are_read_as_they_were_written(folder: Path) -> None:
    assert load_settings(folder) == PLACE


def test_a_wrong_setting_is_named(folder: Path) -> None:
    text = (folder / "fleet-settings.toml").read_text(encoding="utf-8")
    (folder / "fleet-settings.toml").write_text(text.replace('host = "mqtt.example.org"', 'host = "a b"').replace("reload", "relode"))
    with pytest.raises(FleetError, match=r"relode; did you mean reload.*broker\.host"):
        Fleet.open(folder)


@pytest.mark.parametrize("name", ["fleet.toml", "operator/operator.toml"])
def test_the_programs_settings_are_ready(name: str, folder: Path) -> None:
    broker = read_settings(folder / name).broker
    assert (broker.host, broker.port, broker.tls) == ("mqtt.example.org", 8884, True)


def test_the_receivers_evidence_is_good(folder: Path) -> None:
    own = folder / "receiver"
    assert FileSigner.load(own / "receiver.key", own / "receiver.pem")
    above = {"issuing": (own / "issuing.pem").read_bytes(), "root": (own / "root.pem").read_bytes()}
    assert check_leaf(leaf=(own / "receiver.pem").read_bytes(), role="receiver", at=AT, **above)[1] == "receiver-1"


def test_the_brokers_configuration_names_the_fleets_files(folder: Path, pattern: Path) -> None:
    text = (folder / "broker" / "mosquitto.conf").read_text(encoding="utf-8")
    files_named = {
        line.split()[1] for line in text.splitlines() if line.startswith(("cafile", "certfile", "keyfile", "crlfile", "acl_file"))
    }
    assert len(files_named) == 8
    assert all(Path(name).is_file() and Path(name).parent == pattern / "broker" for name in files_named)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_each_folder_goes_to_the_user_and_the_program_it_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"root": 0, "roadproof-authority": 40_001, "roadproof-fleet": 40_002, "mosquitto": 40_003}
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=numbers[name]))
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=numbers[name]))
    founding.found(tmp_path / "fleet", PLACE, now=NOW)

    def owner(name: str) -> tuple[int, int]:
        held = (tmp_path / "fleet" / name).stat()
        return held.st_uid, held.st_gid

    assert owner("offline/root.key") == (0, 0)
    assert owner("authority/register.db") == owner("authority/issuing.key") == (40_001, 40_001)
    assert owner("broker/broker.key") == owner("broker/units.acl") == (40_001, 40_003)
    assert owner("receiver/tls.key") == (40_001, 40_002)
    assert owner("receiver/receiver.key")[0] == owner("receiver/seal.key")[0] == 40_002


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_root_writes_belongs_to_whom_the_folder_belongs(fleet: Fleet) -> None:
    os.chown(fleet.folder / "broker", 12_345, 23_456)
    fleet.write_access(now=NOW)
    held = (fleet.folder / "broker" / "fleet.crl").stat()
    assert (held.st_uid, held.st_gid) == (12_345, 23_456)


# --- what certificates are good for


def test_a_units_certificate_logs_it_in_and_nothing_else(fleet: Fleet) -> None:
    tls, _ = enrolled(fleet)
    assert [(one.oid, one.value) for one in tls.subject] == [(NameOID.COMMON_NAME, "van-017")]
    assert (named(tls), extended(tls), point(tls)) == (["urn:roadproof:unit:van-017"], [ExtendedKeyUsageOID.CLIENT_AUTH], URL)
    usage = tls.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.content_commitment
    assert tls.not_valid_after_utc - tls.not_valid_before_utc == 398 * DAY


def test_a_units_evidence_is_good_for_proofs_alone(fleet: Fleet) -> None:
    tls, evidence = enrolled(fleet)
    chain = (fleet.folder / "units" / "van-017.pem").read_bytes()
    assert leaf(chain) == evidence
    assert point(evidence) == URL
    above = {"issuing": fleet.issuing_pem, "root": fleet.root_pem}
    pem = chain[: len(chain) - len(fleet.issuing_pem)]
    assert check_leaf(leaf=pem, role="unit", at=AT, **above)[1] == "van-017"
    assert ExtendedKeyUsageOID.CLIENT_AUTH not in extended(evidence)
    assert tls.public_key() != evidence.public_key()


@pytest.mark.parametrize(("file", "name"), [("broker/broker.pem", "mqtt.example.org"), ("authority/est.pem", "192.0.2.7")])
def test_a_servers_certificate_is_for_its_host(file: str, name: str, folder: Path) -> None:
    server, issuing = x509.load_pem_x509_certificates((folder / file).read_bytes())
    server.verify_directly_issued_by(issuing)
    assert [str(one) for one in named(server)] == [name]
    assert extended(server) == [ExtendedKeyUsageOID.SERVER_AUTH]


@pytest.mark.parametrize(("server", "host"), [("broker/broker", "mqtt.example.org"), ("authority/est", "192.0.2.7")])
def test_a_unit_that_trusts_the_root_alone_believes_the_servers_as_the_strictest_python_does(
    server: str, host: str, tmp_path: Path
) -> None:
    folder = tmp_path / "today"
    founding.found(folder, PLACE)
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    there.load_cert_chain(folder / f"{server}.pem", folder / f"{server}.key")
    here = ssl.create_default_context(cafile=folder / "authority" / "root.pem")
    here.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN  # as Python 3.13 has them by itself
    assert shaken(here, there, host)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shaken(here, there, "198.51.100.1")


@pytest.mark.parametrize("role", ["receiver", "operator"])
def test_a_programs_certificate_comes_from_another_authority_than_the_units(role: str, folder: Path) -> None:
    program, above = x509.load_pem_x509_certificates((folder / role / "tls.pem").read_bytes())
    program.verify_directly_issued_by(above)
    assert above.issuer == above.subject
    assert above.subject != leaf((folder / "authority" / "root.pem").read_bytes()).subject
    assert [one.value for one in program.subject] == [f"svc-{role}"]
    assert (named(program), extended(program)) == ([f"urn:roadproof:role:{role}"], [ExtendedKeyUsageOID.CLIENT_AUTH])


def test_a_key_of_another_kind_is_refused(fleet: Fleet) -> None:
    card = fleet.expect("van-017", now=NOW)
    for key in (rsa.generate_private_key(65_537, 2048), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(FleetError, match="P-256"):
            fleet.enrol(card.unit, card.code, "tls", key.public_key(), now=NOW)  # type: ignore[arg-type]  # that is the test


# --- units come and go


def test_a_card_says_where_to_enrol_and_pins_the_root(fleet: Fleet) -> None:
    card = fleet.expect("van-017", now=NOW)
    assert read_card(card.text) == card
    assert (card.host, card.port, card.unit) == ("192.0.2.7", 9443, "van-017")


@pytest.mark.parametrize("vehicle", ["", "Van 17", "svc-receiver", "a" * 33, "../a"])
def test_a_vehicle_with_an_impossible_name_is_refused(vehicle: str, fleet: Fleet) -> None:
    with pytest.raises(FleetError, match="cannot be a vehicle's name"):
        fleet.expect(vehicle, now=NOW)


def test_the_same_key_gets_the_same_certificate_and_another_key_none(fleet: Fleet) -> None:
    card, key = fleet.expect("van-017", now=NOW), new_key().public_key()
    first = fleet.enrol(card.unit, card.code, "tls", key, now=NOW)
    assert fleet.enrol(card.unit, card.code, "tls", key, now=NOW + timedelta(hours=1)) == first
    with pytest.raises(CodeError, match="another key"):
        fleet.enrol(card.unit, card.code, "tls", new_key().public_key(), now=NOW)
    assert len(fleet.register.certificates("van-017")) == 1


def test_what_a_unit_is_told_fits_the_contract_of_enrolment(fleet: Fleet) -> None:
    enrolled(fleet)
    told = msgspec.json.decode(fleet.unit_settings("van-017"))
    assert (told["v"], told["unit"], told["vehicle"]) == (1, "van-017", "van-017")
    assert told["broker"] == {"host": "mqtt.example.org", "port": 8883}
    assert told["est"] == {"host": "192.0.2.7", "port": 9443}
    assert told["receivers"] == [(fleet.folder / "receiver" / "receiver.pem").read_text(encoding="utf-8")]
    assert "PUBLIC KEY" in told["seal_to"]
    with pytest.raises(FleetError, match="no unit"):
        fleet.unit_settings("van-018")


def test_a_renewed_evidence_certificate_leaves_the_old_one_readable(fleet: Fleet) -> None:
    _, before = enrolled(fleet)
    key = before.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    after = leaf(fleet.issue_evidence("van-017", key, now=NOW + DAY))
    assert leaf((fleet.folder / "units" / "van-017.pem").read_bytes()) == after
    assert leaf((fleet.folder / "units" / "van-017.1.pem").read_bytes()) == before


def test_a_revoked_unit_is_in_the_list_and_has_its_line(fleet: Fleet) -> None:
    certificates = enrolled(fleet)
    before = units_list(fleet)
    fleet.revoke("van-017", "stolen", now=NOW)
    after = units_list(fleet)
    assert {entry.serial_number for entry in after} == {one.serial_number for one in certificates}
    assert number(after) > number(before)
    assert "user van-017\ntopic deny #\n" in (fleet.folder / "broker" / "units.acl").read_text(encoding="utf-8")
    with pytest.raises(FleetError, match="taken out"):
        fleet.issue_tls("van-017", new_key().public_key(), now=NOW)


def number(revoked: x509.CertificateRevocationList) -> int:
    return revoked.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_the_list_is_good_for_thirty_days_and_says_where_it_can_be_had(fleet: Fleet) -> None:
    made = units_list(fleet)
    assert made.next_update_utc == NOW + 30 * DAY
    (name,) = made.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value.full_name or []
    assert name.value == URL


def test_a_replaced_units_vehicle_gets_the_next_one(fleet: Fleet) -> None:
    enrolled(fleet)
    with pytest.raises(FleetError, match="fleet replace van-017"):
        fleet.expect("van-017", now=NOW)
    card = fleet.replace("van-017", "broken", now=NOW)
    assert card.unit == "van-017-2"
    with pytest.raises(FleetError, match="another unit already"):
        fleet.replace("van-017", "broken", now=NOW)
    assert fleet.expect("van-017", now=NOW).unit == "van-017-2"


def test_a_half_finished_enrolment_does_not_stand_beside_the_next_one(fleet: Fleet) -> None:
    card = fleet.expect("van-017", now=NOW)
    half = leaf(fleet.enrol(card.unit, card.code, "tls", new_key().public_key(), now=NOW))
    fleet.expect("van-017", now=NOW)
    assert half.serial_number in {entry.serial_number for entry in units_list(fleet)}


def test_a_broker_that_cannot_be_told_changes_nothing_of_what_is_written(folder: Path) -> None:
    text = (folder / "fleet-settings.toml").read_text(encoding="utf-8")
    (folder / "fleet-settings.toml").write_text(text.replace("reload = []", 'reload = ["sh", "-c", "echo no broker >&2; exit 3"]'))
    with Fleet.open(folder) as fleet:
        enrolled(fleet)
        with pytest.raises(FleetError, match=r"everything is written, .*\(no broker\): run `sh -c"):
            fleet.revoke("van-017", "stolen", now=NOW)
        assert fleet.register.is_revoked("van-017")
        assert "user van-017" in (fleet.folder / "broker" / "units.acl").read_text(encoding="utf-8")


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.replace(tmp_path / "a.pem", b"before")

    def cut(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(FleetError, match="no space left"):
        files.replace(tmp_path / "a.pem", b"after")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.pem", b"before")]


# --- long before it ends


def test_nothing_is_said_of_a_fleet_that_is_looked_after(fleet: Fleet) -> None:
    enrolled(fleet)
    assert fleet.warnings(NOW) == []


@pytest.mark.parametrize(("days", "said"), [(9, None), (11, "ends in 19 days"), (31, "nobody gets in")])
def test_an_old_revocation_list_is_warned_of_for_twenty_days(days: int, said: str | None, fleet: Fleet) -> None:
    warnings = fleet.warnings(NOW + days * DAY)
    assert len(warnings) == (2 if said else 0)
    assert all(said is not None and said in warning and "fleet renew-access" in warning for warning in warnings)


def test_certificates_of_the_fleets_own_are_renewed_two_months_before(fleet: Fleet) -> None:
    assert fleet.renew_access(now=NOW + 330 * DAY) == []
    keys = {path: path.read_bytes() for path in fleet.folder.rglob("*.key")}
    assert fleet.renew_access(now=NOW + 340 * DAY) == ["broker", "est", "receiver", "operator"]
    assert fleet.warnings(NOW + 340 * DAY) == []
    assert keys == {path: path.read_bytes() for path in fleet.folder.rglob("*.key")}


def test_a_certificate_that_cannot_be_written_lets_no_list_run_out(fleet: Fleet) -> None:
    shutil.rmtree(fleet.folder / "operator")
    with pytest.raises(FleetError, match=r"operator/tls\.key cannot be written"):
        fleet.renew_access(now=NOW + 340 * DAY)
    assert units_list(fleet).next_update_utc == NOW + 370 * DAY
    assert fleet.servers.until("broker") > NOW + 700 * DAY


def test_a_server_certificate_is_warned_of_for_thirty_days(fleet: Fleet) -> None:
    fleet.write_access(now=NOW + 370 * DAY)
    assert sum("the certificate of" in warning for warning in fleet.warnings(NOW + 370 * DAY)) == 4


def test_a_changed_host_gets_a_certificate_of_its_own(folder: Path) -> None:
    text = (folder / "fleet-settings.toml").read_text(encoding="utf-8")
    (folder / "fleet-settings.toml").write_text(text.replace('"mqtt.example.org"', '"mqtt.example.net"'))
    with Fleet.open(folder) as fleet:
        assert fleet.renew_access(now=NOW) == ["broker"]
        assert named(leaf((folder / "broker" / "broker.pem").read_bytes())) == ["mqtt.example.net"]


def test_a_unit_that_does_not_renew_is_told_of(fleet: Fleet) -> None:
    enrolled(fleet)
    soon, late = NOW + 350 * DAY, NOW + 400 * DAY
    for now, said in ((soon, "has not renewed it"), (late, "fleet replace van-017")):
        fleet.renew_access(now=now)
        (warning,) = fleet.warnings(now)
        assert said in warning
    fleet.revoke("van-017", "sold", now=late)
    assert fleet.warnings(late) == []
