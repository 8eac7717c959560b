"""What the self-test says of the way to the fleet, against a real broker with TLS; no daemon runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from firmware.selftest.finding import Result
from firmware.selftest.fleet import broker as probe
from mqtt.login import BrokerSettings
from tests.selftests import place
from tests.system.broker import MOSQUITTO
from tests.system.certificates import DAY, OPENSSL, Authority
from tests.system.test_link_tls import broker_with

pytestmark = [
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto"),
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed: apt-get install openssl"),
]
YEAR = timedelta(days=400)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def settings(authority: Authority, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BrokerSettings]:
    """A broker whose certificate ends that long from now."""
    with broker_with(tmp_path, authority.issue("broker", ends=getattr(request, "param", YEAR)), authority) as found:
        yield found


def judged(folder: Path, settings: BrokerSettings) -> Result:
    unit = place(folder)
    return probe(msgspec.structs.replace(unit, config=msgspec.structs.replace(unit.config, broker=settings)))


def test_a_broker_that_lets_the_unit_in_is_told_with_the_days_of_the_certificates(
    settings: BrokerSettings, authority: Authority, tmp_path: Path
) -> None:
    own, key = authority.issue("unit", ends=timedelta(days=200, hours=1))
    found = judged(tmp_path, msgspec.structs.replace(settings, tls_cert=str(own), tls_key=str(key)))
    assert found.state == "ok", found.sentence
    assert found.sentence.endswith("lets this unit in, certificates good for 200 days.")
    assert (found.facts["own_certificate_days"], found.facts["brokers_certificate_days"]) == (200, 399)


@pytest.mark.parametrize("settings", [timedelta(days=5)], indirect=True)
def test_a_broker_s_certificate_that_ends_soon_is_the_fleet_s_to_renew(settings: BrokerSettings, tmp_path: Path) -> None:
    found = judged(tmp_path, settings)
    assert (found.state, "tell the fleet" in found.sentence) == ("warn", True)


def test_a_certificate_of_the_unit_s_that_ends_soon_names_the_command(
    settings: BrokerSettings, authority: Authority, tmp_path: Path
) -> None:
    own, key = authority.issue("unit", ends=timedelta(days=9, hours=1))
    found = judged(tmp_path, msgspec.structs.replace(settings, tls_cert=str(own), tls_key=str(key)))
    assert (found.state, found.sentence) == (
        "warn",
        "This unit's certificate ends in 9 days and was not renewed: sudo roadproof renew says why.",
    )


@pytest.mark.parametrize("settings", [-DAY / 2], indirect=True)
def test_a_certificate_that_is_over_sends_the_technician_to_the_clock(settings: BrokerSettings, tmp_path: Path) -> None:
    found = judged(tmp_path, settings)
    assert (found.state, "The clock is wrong" in found.sentence) == ("bad", True), found.sentence


def test_nobody_there_says_where_to_look(tmp_path: Path) -> None:
    found = judged(tmp_path, BrokerSettings(host="127.0.0.1", port=1, tls=False))
    assert (found.state, "Where ip route shows a network" in found.sentence) == ("bad", True), found.sentence
