"""The keys of a bench: files for their owner, accepted by the evidence and the lines that they are for."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.keys import FileSigner
from provisioning.authority import bench
from tests.handshake import shaken

NOW = "2026-05-04T08:00:00.000Z"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    bench.make_keys(tmp_path, "van-017")
    assert names(tmp_path / "authority") == {"root.pem", "issuing.pem", "issuing.key"}
    assert names(tmp_path / "unit") == {"unit.pem", "unit.key", "root.pem", "issuing.pem"}
    assert names(tmp_path / "receiver") == {"receiver.pem", "receiver.key", "seal.pub", "seal.key", "root.pem", "issuing.pem"}
    assert names(tmp_path / "units") == {"van-017.pem"}
    assert {key.stat().st_mode & 0o777 for key in tmp_path.rglob("*.key")} == {0o600}


def test_what_it_issues_has_one_role(tmp_path: Path) -> None:
    began = datetime(2026, 5, 4, tzinfo=UTC)
    bench.make_root(tmp_path / "ca", now=began)
    bench.issue_unit(tmp_path / "ca", "van-017", tmp_path, now=began)
    read = {name: (tmp_path / name).read_bytes() for name in ("unit.pem", "issuing.pem", "root.pem")}
    above = {"issuing": read["issuing.pem"], "root": read["root.pem"]}
    assert check_leaf(leaf=read["unit.pem"], role="unit", at=NOW, **above)[1] == "van-017"
    with pytest.raises(EvidenceError, match="receiver"):
        check_leaf(leaf=read["unit.pem"], role="receiver", at=NOW, **above)
    assert FileSigner.load(tmp_path / "unit.key", tmp_path / "unit.pem")


def test_a_broker_is_believed_at_its_addresses_and_at_no_other(tmp_path: Path) -> None:
    bench.make_broker(tmp_path, ["127.0.0.1", "198.18.0.2"])
    assert (tmp_path / "broker.key").stat().st_mode & 0o077 == 0
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "broker.pem", tmp_path / "broker.key")
    client = ssl.create_default_context(cafile=tmp_path / "broker.pem")
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer Pythons have it by themselves
    assert shaken(client, server, "198.18.0.2")
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        shaken(client, server, "192.0.2.1")
