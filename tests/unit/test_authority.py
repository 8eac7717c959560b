"""The development authority: files for their owner, never written over, and accepted by the evidence they are for."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.keys import FileSigner
from provisioning import authority
from provisioning.authority import AuthorityError

BEGAN = datetime(2026, 5, 4, tzinfo=UTC)
NOW = "2026-05-04T08:00:00.000Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    authority.make_root(tmp_path / "ca", now=BEGAN)
    return tmp_path / "ca"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_keys_are_for_their_owner_alone(folder: Path, tmp_path: Path) -> None:
    authority.issue_unit(folder, "van-017", tmp_path / "unit")
    authority.issue_receiver(folder, "hq", tmp_path / "receiver")
    assert names(folder) == {"root.pem", "root.key", "issuing.pem", "issuing.key"}
    assert names(tmp_path / "unit") == {"unit.pem", "unit.key", "root.pem", "issuing.pem"}
    assert names(tmp_path / "receiver") == {"receiver.pem", "receiver.key", "seal.pub", "seal.key", "root.pem", "issuing.pem"}
    keys = list(tmp_path.rglob("*.key"))
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    assert len(keys) == 5


def test_what_it_issues_has_one_role(folder: Path, tmp_path: Path) -> None:
    authority.issue_unit(folder, "van-017", tmp_path, now=BEGAN)
    read = {name: (tmp_path / name).read_bytes() for name in ("unit.pem", "issuing.pem", "root.pem")}
    above = {"issuing": read["issuing.pem"], "root": read["root.pem"]}
    assert check_leaf(leaf=read["unit.pem"], role="unit", at=NOW, **above)[1] == "van-017"
    with pytest.raises(EvidenceError, match="receiver"):
        check_leaf(leaf=read["unit.pem"], role="receiver", at=NOW, **above)
    assert FileSigner.load(tmp_path / "unit.key", tmp_path / "unit.pem")


def test_a_key_is_never_written_over(folder: Path, tmp_path: Path) -> None:
    authority.issue_unit(folder, "van-017", tmp_path / "unit")
    before = (tmp_path / "unit" / "unit.key").read_bytes()
    with pytest.raises(AuthorityError, match="never overwritten"):
        authority.issue_unit(folder, "van-018", tmp_path / "unit")
    with pytest.raises(AuthorityError, match="never overwritten"):
        authority.make_root(folder)
    assert (tmp_path / "unit" / "unit.key").read_bytes() == before


def test_unit_and_receiver_may_share_a_folder(folder: Path, tmp_path: Path) -> None:
    authority.issue_unit(folder, "van-017", tmp_path / "both")
    authority.issue_receiver(folder, "hq", tmp_path / "both")
    assert {"unit.key", "receiver.key"} < names(tmp_path / "both")


@pytest.mark.parametrize("name", ["", "Van 17", "a" * 33, "-a", "a\n", "../a"])
def test_a_name_that_the_contract_does_not_know_is_refused(name: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(AuthorityError, match="cannot be a name"):
        authority.issue_unit(folder, name, tmp_path / "unit")
    assert not (tmp_path / "unit").exists()


def test_a_folder_without_an_authority_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(AuthorityError, match="roadproof authority make"):
        authority.issue_unit(tmp_path, "van-017", tmp_path / "unit")


def test_a_damaged_authority_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "issuing.key").write_bytes(b"rubbish")
    with pytest.raises(AuthorityError, match="damaged"):
        authority.issue_unit(folder, "van-017", tmp_path / "unit")


def test_a_broker_is_believed_at_its_addresses_and_at_no_other(tmp_path: Path) -> None:
    authority.make_broker(tmp_path, ["127.0.0.1", "198.18.0.2"])
    assert (tmp_path / "broker.key").stat().st_mode & 0o077 == 0
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "broker.pem", tmp_path / "broker.key")
    client = ssl.create_default_context(cafile=tmp_path / "broker.pem")
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer Pythons have it by themselves
    assert shaken(client, server, "198.18.0.2")
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        shaken(client, server, "192.0.2.1")


def shaken(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> str | None:
    """The handshake of the two in memory; the version of TLS that they agreed on."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=host)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for end in (here, there, here, there):
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return here.version()
