"""`roadproof fleet init`, `enrol`, `revoke`, `replace`, `access`, `renew-access`: one sentence for each fault, exit codes, JSON."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from cli.fleet import access
from cli.main import main
from provisioning.authority.certificates import new_key
from provisioning.authority.folder import Fleet
from provisioning.authority.founding import found
from provisioning.authority.settings import BrokerPlace, EstPlace, FleetPlace
from provisioning.card import read_card

ROOT = Path(__file__).resolve().parents[2]
RELOADER = access.RELOADER.name
PLACE = FleetPlace(
    name="Test", crl_urls=("http://127.0.0.1/crl",), reload=(), broker=BrokerPlace(host="127.0.0.1"), est=EstPlace(host="127.0.0.1")
)
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pattern") / "fleet"
    found(folder, PLACE)
    return folder


@pytest.fixture
def folder(pattern: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pattern, tmp_path / "fleet"))


def typed(folder: Path, *words: str) -> int:
    return main(["fleet", *words, "--fleet", str(folder)])


def told(folder: Path, capsys: Captured, *words: str) -> Any:
    capsys.readouterr()
    typed(folder, *words, "--json")
    return json.loads(capsys.readouterr().out)


def enrolled(folder: Path, capsys: Captured, vehicle: str = "van-017") -> str:
    """A unit with both its certificates; its name."""
    card = read_card(told(folder, capsys, "enrol", vehicle)["card"])
    with Fleet.open(folder) as fleet:
        for purpose in ("tls", "evidence"):
            fleet.enrol(card.unit, card.code, purpose, new_key().public_key())
    return card.unit


def with_reload(folder: Path, command: str) -> None:
    settings = folder / "fleet-settings.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("reload = []", f"reload = {command}"), encoding="utf-8")


def test_init_makes_a_fleet_and_says_what_comes_next(tmp_path: Path, capsys: Captured) -> None:
    assert main(["fleet", "init", str(tmp_path / "fleet"), "--broker", "mqtt.example.org", "--est", "[2001:db8::7]:9443"]) == 0
    said = capsys.readouterr().out
    assert "offline/root.key away" in said
    assert said.count(":") > 31  # the fingerprint
    with Fleet.open(tmp_path / "fleet") as fleet:
        assert (fleet.settings.broker.port, fleet.settings.est) == (8883, EstPlace(host="2001:db8::7", port=9443))
        assert fleet.settings.crl_urls == ("https://[2001:db8::7]:9443/crl",)
        assert fleet.settings.reload == ("systemctl", "reload", "mosquitto")


def test_init_asks_the_packages_own_unit_to_tell_the_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "RELOADER", tmp_path)
    assert main(["fleet", "init", str(tmp_path / "fleet"), "--broker", "mqtt.example.org"]) == 0
    with Fleet.open(tmp_path / "fleet") as fleet:
        unit = (ROOT / "systemd" / RELOADER).read_text(encoding="utf-8")
        assert f"PathExists={fleet.settings.reload[1]}\n" in unit  # or no revocation ever reaches it


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--broker", "a b"), "--broker a b is no address"),
        (("--broker", "mqtt.example.org:0"), "is no address"),
        (("--broker", "mqtt.example.org", "--est", "est.example.org:http"), "--est est.example.org:http is no address"),
        (("--broker", "mqtt.example.org", "--fleet-port", "70000"), "broker.fleet_port"),
        (("--broker", "mqtt.example.org:8884"), "cannot both have port 8884"),
        (("--broker", "mqtt.example.org", "--crl-url", "ftp://example.org/crl"), "crl_urls"),
        (("--broker", "mqtt.example.org", "--name", "x" * 41), "name ="),
    ],
)
def test_init_names_what_is_wrong_and_makes_nothing(words: tuple[str, ...], fault: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["fleet", "init", str(tmp_path / "fleet"), *words]) == 2
    assert fault in capsys.readouterr().err
    assert not (tmp_path / "fleet").exists()


def test_init_leaves_a_fleet_alone(folder: Path, capsys: Captured) -> None:
    assert main(["fleet", "init", str(folder), "--broker", "mqtt.example.org"]) == 1
    assert "never overwritten" in capsys.readouterr().err


def test_enrol_shows_the_card_for_people_and_for_programs(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    assert typed(folder, "enrol", "van-017", "--png", str(tmp_path / "card.png")) == 0
    said = capsys.readouterr().out
    card = read_card(said.split("'")[1])
    assert card.unit == "van-017"
    assert f"{card.code[:4]}-{card.code[4:8]}" in said
    with Image.open(tmp_path / "card.png") as picture:
        assert [code.text for code in zxingcpp.read_barcodes(picture)] == [card.text]
    answer = told(folder, capsys, "enrol", "van-017")
    assert read_card(answer["card"]).code == answer["code"] != card.code
    assert answer["unit"] == "van-017"


def test_enrol_sends_a_vehicle_with_a_unit_to_replace(folder: Path, capsys: Captured) -> None:
    enrolled(folder, capsys)
    assert typed(folder, "enrol", "van-017") == 1
    assert "roadproof fleet replace van-017" in capsys.readouterr().err


def test_enrol_replaces_the_vehicles_own_unit_only(folder: Path, capsys: Captured) -> None:
    enrolled(folder, capsys)
    enrolled(folder, capsys, "van-018")
    assert typed(folder, "enrol", "van-017", "--replace", "van-018") == 2
    assert "no unit of van-017" in capsys.readouterr().err
    assert told(folder, capsys, "enrol", "van-017", "--replace", "van-017")["unit"] == "van-017-2"


def test_replace_takes_the_old_unit_out_and_invites_the_next(folder: Path, capsys: Captured) -> None:
    enrolled(folder, capsys)
    assert told(folder, capsys, "replace", "van-017", "--reason", "screen broken")["unit"] == "van-017-2"
    units = {entry["unit"]: entry for entry in told(folder, capsys, "access")["units"]}
    assert (units["van-017"]["state"], units["van-017"]["reason"]) == ("revoked", "screen broken")
    assert (units["van-017-2"]["state"], units["van-017-2"]["replaces"]) == ("expected", "van-017")


def test_a_card_is_shown_even_when_the_broker_cannot_be_told(folder: Path, capsys: Captured) -> None:
    enrolled(folder, capsys)
    with_reload(folder, '["false"]')
    capsys.readouterr()
    assert typed(folder, "replace", "van-017") == 1
    said = capsys.readouterr()
    assert read_card(said.out.split("'")[1]).unit == "van-017-2"
    assert "run `false` on its machine" in said.err


def test_a_program_that_is_not_there_to_tell_the_broker_is_named(folder: Path, capsys: Captured) -> None:
    with_reload(folder, '["no-such-program", "reload"]')
    assert typed(folder, "renew-access") == 1
    assert "everything is written, but the broker does not know it yet (no such file or directory)" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("revoke", "van-016"), ("replace", "van-016")])
def test_a_unit_that_there_is_not_is_named(words: tuple[str, ...], folder: Path, capsys: Captured) -> None:
    assert typed(folder, *words) == 1
    assert "there is no unit van-016 in this fleet" in capsys.readouterr().err


def test_access_lists_every_unit_and_what_ends_when(folder: Path, capsys: Captured) -> None:
    enrolled(folder, capsys)
    typed(folder, "enrol", "van-018")
    capsys.readouterr()
    assert typed(folder, "access") == 0
    said = capsys.readouterr().out
    assert "enrolled" in said
    assert "expected" in said
    assert said.count("until 20") == 7
    answer = told(folder, capsys, "access")
    assert [entry["unit"] for entry in answer["units"]] == ["van-017", "van-018"]
    assert answer["warnings"] == []


def test_access_says_first_what_runs_out_and_renewing_heals_it(folder: Path, capsys: Captured) -> None:
    with Fleet.open(folder) as fleet:
        fleet.write_access(now=datetime.now(UTC) - timedelta(days=15))
    assert typed(folder, "access") == 1
    assert "the units' revocation list ends in 14 days; run `roadproof fleet renew-access`" in capsys.readouterr().err
    assert typed(folder, "renew-access") == 0
    assert capsys.readouterr().out == "renewed: the revocation lists\n"
    assert typed(folder, "access") == 0


def test_a_folder_without_a_fleet_says_how_to_make_one(tmp_path: Path, capsys: Captured) -> None:
    for words in (("enrol", "van-017"), ("revoke", "van-017"), ("replace", "van-017"), ("access",), ("renew-access",)):
        assert typed(tmp_path, *words) == 1
        assert "roadproof fleet init" in capsys.readouterr().err
