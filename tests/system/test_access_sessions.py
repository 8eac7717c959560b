"""A session of TLS that somebody kept is no way round a revocation: the broker looks at the list when it is taken up again."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from mqtt.login import BrokerSettings
from tests.eventually import eventually
from tests.system.fleet_rig import HOST, FleetBroker

HELLO = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03van"  # CONNECT of MQTT 5, clean start
CONNACK = 0x20


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FleetBroker]:
    made = FleetBroker(tmp_path)
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Visitor:
    """Who keeps his session of TLS and comes with it again."""

    def __init__(self, settings: BrokerSettings, version: ssl.TLSVersion) -> None:
        self._port = settings.port
        self._context = ssl.create_default_context(cafile=settings.tls_ca)
        self._context.maximum_version = version
        assert settings.tls_cert
        self._context.load_cert_chain(settings.tls_cert, settings.tls_key)
        self._session: ssl.SSLSession | None = None

    def comes(self) -> tuple[bool, bool]:
        """Whether the broker lets him in, and whether it took his session up."""
        plain = socket.create_connection((HOST, self._port), 5)
        with (
            plain,
            suppress(ssl.SSLError, ConnectionError),
            self._context.wrap_socket(plain, server_hostname=HOST, session=self._session) as line,
        ):
            line.sendall(HELLO)
            answer = line.recv(100)
            self._session = self._session or line.session
            return answer[:1] == bytes([CONNACK]), bool(line.session_reused)
        return False, False


def shut_out(visitor: Visitor) -> bool:
    return not visitor.comes()[0]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_a_kept_session_lets_no_revoked_certificate_in(version: ssl.TLSVersion, broker: FleetBroker) -> None:
    unit = broker.enrol("van-017")
    for name in (unit, "svc-receiver"):
        visitor = Visitor(broker.settings(name), version)
        assert visitor.comes() == (True, False)
        assert visitor.comes() == (True, True)  # it would be a way in
        broker.fleet.revoke(name, "stolen")
        eventually(partial(shut_out, visitor))
