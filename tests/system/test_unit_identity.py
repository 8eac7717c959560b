"""A box becomes a unit, whatever is cut off on the way: there is never half an identity, and the same card goes on where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from cli import enrol
from cli.main import main
from firmware import config as configs
from mqtt.evidence.keys import open_signer
from provisioning.card import Card
from provisioning.est.client import Est, EstError
from provisioning.est.settings import UnitSettings, read_settings
from provisioning.identity import DRAFT, FOLDER, Draft, IdentityError, read
from tests.system.broker import MOSQUITTO, free_port
from tests.system.daemon_rig import ROOT
from tests.system.enrolled import Fleet, a_fleet, elsewhere, enrolled

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


class Mortal:
    """A process whose forks enrol, and end where they are told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        command = [sys.executable, "-P", "-m", "tests.system.enrol_child"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def enrol(self, card: Card, state: Path, step: int = 0) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"card": card.text, "state": str(state), "step": step}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    process = Mortal(tmp_path_factory.mktemp("mortal"))
    yield process
    process.close()


def refused(card: Card, state: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the technician reads; the box is as blank as before."""
    capsys.readouterr()
    assert main(["enrol", card.text, "--state", str(state), *words]) == 1
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert card.code not in told
    assert read(state / FOLDER) is None
    return told


def test_a_cut_at_every_step_and_the_same_card_again_make_one_unit(fleet: Fleet, mortal: Mortal, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    assert mortal.enrol(fleet.card("whole"), whole) == 0
    steps = int((whole / "steps").read_text(encoding="utf-8"))
    assert steps > 20
    for step in range(1, steps + 1):
        card, state = fleet.card(f"cut-{step}"), tmp_path / f"cut-{step}"
        state.mkdir()
        assert mortal.enrol(card, state, step) == -9
        assert read(state / FOLDER) is None or step > steps - 2  # cut after the rename
        assert mortal.enrol(card, state) == 0, f"after a cut at step {step} of {steps}"
        found = read(state / FOLDER)
        assert found is not None
        assert found.unit == f"cut-{step}"
        assert not (state / DRAFT).exists()
        assert fleet.issued(card.unit) == ["tls", "evidence"], f"after a cut at step {step} of {steps}"
    print(f"cut at each of {steps} steps")


def test_a_unit_needs_no_settings_but_those_of_its_box(fleet: Fleet, card: Card, state: Path, tmp_path: Path) -> None:
    identity = enrolled(state, card)
    file = tmp_path / "roadproof.toml"
    file.write_text(f'identity = "{identity}"\n[terminal]\nenabled = true\n', encoding="utf-8")
    config = configs.load(file)
    assert (config.unit, config.broker.port) == (card.unit, fleet.broker.units_port)
    assert config.evidence is not None
    open_signer(config.evidence.key, Path(config.evidence.certificate)).sign(b"a proof")


def test_what_is_said_at_the_end_is_who_it_is_and_how_long_it_took(card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(state, card)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith(f"enrolled as {card.unit} in ")
    assert lines[-2].endswith(" s")
    assert "roadproof selftest" in lines[-1]


def test_programs_get_it_as_json(card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(state, card, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["unit"] == card.unit
    assert told["take_s"] > 0


def test_nobody_else_can_read_the_keys(card: Card, state: Path) -> None:
    identity = enrolled(state, card)
    assert identity.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in identity.iterdir() if path.stat().st_mode & 0o077] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(card: Card, state: Path) -> None:
    os.chown(state, 65_534, 65_534)
    identity = enrolled(state, card)
    assert {path.stat().st_uid for path in (identity, *identity.iterdir())} == {65_534}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_began_can_be_gone_on_with_by_the_service(card: Card, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(state, 65_534, 65_534)

    def cut(*_: object) -> UnitSettings:
        raise EstError("tcp", "the line is dead")

    monkeypatch.setattr(Est, "unit_settings", cut)
    assert main(["enrol", card.text, "--state", str(state)]) == 1
    begun = state / DRAFT
    assert {path.stat().st_uid for path in (begun, *begun.iterdir())} == {65_534}


def test_the_same_card_twice_is_no_mistake(fleet: Fleet, card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(state, card)
    enrolled(state, card)
    assert f"enrolled as {card.unit} already" in capsys.readouterr().out
    assert fleet.issued(card.unit) == ["tls", "evidence"]


def test_a_unit_does_not_become_another_one(fleet: Fleet, card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(state, card)
    other = fleet.card()
    capsys.readouterr()
    assert main(["enrol", other.text, "--state", str(state)]) == 1
    assert f"enrolled already, as {card.unit}" in capsys.readouterr().err
    found = read(state / FOLDER)
    assert found is not None
    assert found.unit == card.unit


def test_a_card_used_by_another_box_is_told(card: Card, state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(tmp_path / "first", card)
    assert "used already" in refused(card, state, capsys)
    assert list(state.iterdir()) == []


def test_an_old_card_is_told(fleet: Fleet, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = fleet.broker.fleet.expect("van-old", now=datetime.now(UTC) - timedelta(minutes=16))
    assert "expired" in refused(old, state, capsys)
    assert list(state.iterdir()) == []


def test_a_card_of_another_unit_is_told(fleet: Fleet, card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixed = msgspec.structs.replace(fleet.card(), code=card.code)
    assert "another unit" in refused(mixed, state, capsys)


def test_another_root_than_the_card_s_gets_nothing(card: Card, state: Path, capsys: pytest.CaptureFixture[str], fleet: Fleet) -> None:
    wrong = msgspec.structs.replace(card, fingerprint="A" * 26)
    assert "another root certificate than the card names" in refused(wrong, state, capsys)
    assert list(state.iterdir()) == []
    assert fleet.issued(card.unit) == []


def test_nobody_at_the_address_is_told_and_the_card_works_later(card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "check the network" in refused(elsewhere(card, free_port()), state, capsys)
    enrolled(state, card)


def test_a_network_that_fails_in_the_middle_is_told_and_the_card_goes_on(
    card: Card, state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fleet: Fleet
) -> None:
    from provisioning.est.client import Est, EstError

    real, asked = Est.enrol, []

    def broken(self: Est, purpose: str, *rest: object) -> bytes:
        asked.append(purpose)
        if purpose == "evidence":
            raise EstError("tcp", "the line failed: check the network")
        return real(self, purpose, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Est, "enrol", broken)
        assert "the line failed" in refused(card, state, capsys)
    assert asked == ["tls", "evidence"]
    enrolled(state, card)
    assert fleet.issued(card.unit) == ["tls", "evidence"]


def test_a_clock_that_is_years_behind_is_told(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = datetime.now(UTC) + timedelta(days=4_000)  # of the fleet; as far as 1970 goes it is the same
    with a_fleet(tmp_path / "later", now=later) as ahead:
        card = ahead.broker.fleet.expect("van-017", now=later)
        told = refused(card, state, capsys)
    assert "not yet valid" in told
    assert "clock" in told


@pytest.mark.parametrize("rubbish", ["file", "empty folder", "no paper", "torn key", "another card"])
def test_what_an_older_attempt_left_is_no_obstacle(rubbish: str, card: Card, state: Path, fleet: Fleet) -> None:
    draft = state / DRAFT
    if rubbish == "file":
        draft.write_bytes(b"rubbish")
    elif rubbish == "empty folder":
        draft.mkdir()
    elif rubbish == "no paper":
        draft.mkdir()
        (draft / "tls.pem").write_bytes(b"-----BEGIN PRIV")
        (draft / "identity.json").write_bytes(b'{"v":1,"unit"')
    elif rubbish == "torn key":
        Draft.begin(state, card)
        (draft / "tls.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\nMIGH")
    else:
        Draft.begin(state, fleet.card("van-before")).tls_key()
    enrolled(state, card)
    assert fleet.issued(card.unit) == ["tls", "evidence"]


def test_a_damaged_identity_is_told_and_not_overwritten(card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    identity = enrolled(state, card)
    (identity / "evidence.pem").unlink()
    capsys.readouterr()
    assert main(["enrol", card.text, "--state", str(state)]) == 1
    assert "evidence.pem is missing" in capsys.readouterr().err
    with pytest.raises(IdentityError, match="wipe"):
        read(identity)


def test_a_folder_that_cannot_be_written_is_told(card: Card, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").write_bytes(b"a file")
    assert main(["enrol", card.text, "--state", str(tmp_path / "state")]) == 1
    assert "cannot be written" in capsys.readouterr().err


# --- where the card comes from, and which server it is


def test_a_card_on_a_stick_makes_a_unit(card: Card, state: Path, tmp_path: Path) -> None:
    (tmp_path / "enrol.txt").write_text(f"\ufeff# van\r\n{card.text}\r\n", encoding="utf-8")
    assert main(["enrol", "--usb", str(tmp_path), "--state", str(state)]) == 0
    assert read(state / FOLDER) is not None


def test_another_est_server_is_a_url_and_settings_are_a_file(card: Card, state: Path, tmp_path: Path, fleet: Fleet) -> None:
    settings = tmp_path / "unit.json"
    told = read_settings(fleet.broker.fleet.unit_settings(card.unit))
    elsewhere_told = msgspec.structs.replace(told, broker=msgspec.structs.replace(told.broker, host="broker.example.org"))
    settings.write_bytes(msgspec.json.encode(elsewhere_told))
    words = ["--est", f"https://127.0.0.1:{fleet.est_port}", "--settings", str(settings)]
    identity = enrolled(state, elsewhere(card, 1), *words)
    assert 'host = "broker.example.org"' in (identity / "settings.toml").read_text(encoding="utf-8")


def test_settings_of_another_unit_are_refused(
    card: Card, state: Path, tmp_path: Path, fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "unit.json"
    settings.write_bytes(fleet.broker.fleet.unit_settings(fleet.card().unit))
    assert "use the pair that belongs together" in refused(card, state, capsys, "--settings", str(settings))


@pytest.mark.parametrize("word", ["--est=ftp://x", "--est=nowhere", "--settings=/nowhere.json"])
def test_a_wrong_server_or_file_is_one_line(word: str, card: Card, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enrol", card.text, "--state", str(state), word]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_status_of_a_box_that_waits_is_its_newest_sentence(
    card: Card, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrol, "STATUS", tmp_path / "status")
    monkeypatch.setattr("provisioning.source.sticks", lambda: iter([tmp_path / "enrol.txt"]))
    (tmp_path / "enrol.txt").write_text(card.text, encoding="utf-8")
    config = tmp_path / "roadproof.toml"
    config.write_text('[board]\nprofile = "simulated"\ngnss_port = "none"\n', encoding="utf-8")
    monkeypatch.setattr("cli.enrol.waiting.LOOK_S", 0.05)
    assert main(["enrol", "--wait", "--state", str(state), "--config", str(config)]) == 0
    assert (tmp_path / "status").read_text(encoding="utf-8").startswith(f"enrolled as {card.unit} in ")
