"""TLS to a real broker: a certificate that is not right is told apart from a clock that is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from mqtt import link
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.session import LinkError, LinkState
from tests.system.broker import MOSQUITTO, Mosquitto
from tests.system.certificates import DAY, OPENSSL, Authority

pytestmark = [
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto"),
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed: apt-get install openssl"),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def broker_with(folder: Path, certificate: tuple[Path, Path], authority: Authority, *lines: str) -> Iterator[BrokerSettings]:
    files = (f"certfile {certificate[0]}", f"keyfile {certificate[1]}", f"cafile {authority.certificate}")
    broker = Mosquitto(folder, lines=(*files, *lines))
    broker.start()
    try:
        yield msgspec.structs.replace(broker.settings, tls=True, tls_ca=str(authority.certificate))
    finally:
        broker.stop()


def refusal(settings: BrokerSettings) -> LinkError:
    unit = BrokerLink(settings, "van-017", [])
    with pytest.raises(LinkError) as refused:
        unit.connect()
    assert "\n" not in str(refused.value)
    return refused.value


def test_a_good_certificate_is_accepted(authority: Authority, tmp_path: Path) -> None:
    with broker_with(tmp_path, authority.issue("good"), authority) as settings:
        unit = BrokerLink(settings, "van-017", ["rp/v1/van-017/dn/receipt"])
        assert unit.connect().receive_maximum > 0
        unit.close(orderly=True)


@pytest.mark.parametrize(("dates", "told"), [((-2 * DAY, -DAY), "expired"), ((DAY, 2 * DAY), "not yet valid")], ids=["expired", "early"])
def test_a_certificate_of_another_time_is_a_matter_of_the_clock(
    dates: tuple[timedelta, timedelta], told: str, authority: Authority, tmp_path: Path
) -> None:
    with broker_with(tmp_path, authority.issue("other-time", starts=dates[0], ends=dates[1]), authority) as settings:
        refused = refusal(settings)
    assert refused.state is LinkState.TIME
    assert told in str(refused)
    assert "clock" in str(refused)


def test_a_certificate_for_another_name_is_tls(authority: Authority, tmp_path: Path) -> None:
    with broker_with(tmp_path, authority.issue("other", host="DNS:broker.example.org"), authority) as settings:
        refused = refusal(settings)
    assert refused.state is LinkState.TLS
    assert "127.0.0.1" in str(refused)


def test_an_authority_that_is_not_trusted_is_tls(authority: Authority, tmp_path: Path) -> None:
    with broker_with(tmp_path, authority.issue("stranger"), authority) as settings:
        refused = refusal(msgspec.structs.replace(settings, tls_ca=None))
    assert refused.state is LinkState.TLS
    assert "check tls_ca" in str(refused)


def test_a_port_without_tls_is_tls(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "ANSWER_S", 2.0)
    refused = refusal(msgspec.structs.replace(broker.settings, tls=True))
    assert refused.state in {LinkState.TLS, LinkState.TCP}  # mosquitto hangs up on what it does not understand


def test_speaking_plainly_to_a_tls_port_says_that_it_did_not_answer(authority: Authority, tmp_path: Path) -> None:
    with broker_with(tmp_path, authority.issue("plain"), authority) as settings:
        refused = refusal(msgspec.structs.replace(settings, tls=False))
    assert refused.state is LinkState.TCP
    assert "is it an MQTT 5 broker?" in str(refused)


@pytest.mark.parametrize("content", [None, b"this is no certificate"])
def test_an_authoritys_file_that_cannot_be_used_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_bytes(content)
    refused = refusal(BrokerSettings(host="127.0.0.1", tls_ca=str(file)))
    assert refused.state is LinkState.TLS
    assert str(file) in str(refused)
    assert "check tls_ca" in str(refused)


def test_a_key_of_another_certificate_is_named(authority: Authority) -> None:
    certificate, _ = authority.issue("mine")
    _, key = authority.issue("yours")
    refused = refusal(BrokerSettings(host="127.0.0.1", tls_cert=str(certificate), tls_key=str(key)))
    assert refused.state is LinkState.TLS
    assert "key values mismatch" in str(refused)


def test_a_certificate_that_the_broker_refuses_is_told_apart_from_no_broker(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    certificate, key = Authority(tmp_path / "other").issue("van-017")
    with broker_with(tmp_path, authority.issue("choosy"), authority, "require_certificate true") as settings:
        refused = refusal(msgspec.structs.replace(settings, tls_cert=str(certificate), tls_key=str(key)))
    assert refused.state is LinkState.AUTH
    assert "revoked" in str(refused)


def test_a_broker_that_asks_for_a_certificate_says_so(authority: Authority, tmp_path: Path) -> None:
    with broker_with(tmp_path, authority.issue("asking"), authority, "require_certificate true") as settings:
        assert refusal(settings).state in {LinkState.TLS, LinkState.TCP, LinkState.AUTH}
