"""TLS 1.2 is the least that any end of ours speaks, and no setting turns the look at the other end's certificate off."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator

import msgspec
import pytest

from mqtt.login import BrokerSettings
from mqtt.settings import SettingsError, read
from provisioning.est.line import tls
from tests.system.offices import HOST, Office, office

OLD = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("office") / "fleet") as one:
        yield one


def spoken(there: Office, version: ssl.TLSVersion) -> str | None:
    """What the authority's server speaks with a client that knows this version alone, at any strength of ciphers."""
    context = ssl.create_default_context(cadata=there.fleet.root_pem.decode())
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of old versions, and that is what is tried
        context.minimum_version = context.maximum_version = version
    with context.wrap_socket(socket.create_connection((HOST, there.port), 5), server_hostname=HOST) as line:
        return line.version()


@pytest.mark.parametrize("version", OLD, ids=lambda version: version.name)
def test_the_authoritys_server_speaks_nothing_older_than_1_2(version: ssl.TLSVersion, there: Office) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        spoken(there, version)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def test_it_speaks_what_is_good_today(version: ssl.TLSVersion, there: Office) -> None:
    assert spoken(there, version) in {"TLSv1.2", "TLSv1.3"}


def test_a_client_of_the_authority_begins_at_1_2_and_looks_at_name_and_certificate(there: Office) -> None:
    context = there.trusted()._verified()
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_the_server_asks_for_a_certificate_and_checks_the_one_that_comes(there: Office) -> None:
    context = tls(there.fleet.est_pem, there.fleet.est_key, there.fleet.issuing_pem + there.fleet.root_pem)
    assert context.verify_mode is ssl.CERT_OPTIONAL  # a blank unit has none
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("host", ["mqtt.example.org", "192.0.2.7", "127.0.0.1.example.org", ""])
def test_without_tls_a_broker_must_be_on_the_same_machine(host: str) -> None:
    with pytest.raises(SettingsError):
        read({"host": host, "tls": False}, BrokerSettings)
    assert not read({"host": "127.0.0.1", "tls": False}, BrokerSettings).tls


def test_no_setting_of_the_brokers_line_turns_the_look_at_its_certificate_off() -> None:
    names = {field.name for field in msgspec.structs.fields(BrokerSettings)}
    assert not {name for name in names if "verify" in name or "insecure" in name}
