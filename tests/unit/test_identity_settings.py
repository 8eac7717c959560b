"""The identity's settings lie under the settings file: the file is stronger, and what is in neither is told in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware import config as configs
from mqtt.settings import SettingsError

SETTINGS = """unit = "van-017"
[broker]
host = "broker.example.org"
port = 8883
tls_ca = "{folder}/root.pem"
tls_cert = "{folder}/tls.pem"
[evidence]
certificate = "{folder}/evidence.pem"
key = "{folder}/evidence.key"
issuing = "{folder}/issuing.pem"
root = "{folder}/root.pem"
receiver = "{folder}/receiver.pem"
seal_to = "{folder}/seal.pub"
"""


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    folder = tmp_path / "identity"
    folder.mkdir()
    (folder / "settings.toml").write_text(SETTINGS.format(folder=folder), encoding="utf-8")
    return folder


def written(identity: Path, text: str = "") -> Path:
    file = identity.parent / "roadproof.toml"
    file.write_text(f'identity = "{identity}"\n{text}', encoding="utf-8")
    return file


def faults(file: Path) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        configs.load(file)
    return refused.value.faults


def test_an_enrolled_unit_needs_to_be_told_nothing(identity: Path) -> None:
    config = configs.load(written(identity))
    assert (config.unit, config.broker.host) == ("van-017", "broker.example.org")
    assert config.broker.tls_cert == f"{identity}/tls.pem"
    assert config.evidence is not None
    assert config.evidence.key == f"{identity}/evidence.key"
    assert not config.terminal.enabled


def test_what_the_file_says_is_stronger_setting_by_setting(identity: Path) -> None:
    config = configs.load(written(identity, '[broker]\nhost = "10.0.0.1"\nkeepalive_s = 60\n[evidence]\nkey = "rpi-otp:1"\n'))
    assert (config.broker.host, config.broker.port, config.broker.keepalive_s) == ("10.0.0.1", 8883, 60)
    assert config.evidence is not None
    assert (config.evidence.key, config.evidence.root) == ("rpi-otp:1", f"{identity}/root.pem")


def test_the_terminal_is_the_technician_s(identity: Path) -> None:
    assert configs.load(written(identity, "[terminal]\nenabled = true\n")).terminal.enabled


def test_neither_identity_nor_broker_is_one_sentence_that_names_the_way(tmp_path: Path) -> None:
    file = written(tmp_path / "identity")
    (told,) = faults(file)
    assert "run `roadproof enrol`" in told
    assert told.startswith(f"{file}: ")


def test_other_faults_of_a_file_without_identity_are_told_as_well(tmp_path: Path) -> None:
    told = faults(written(tmp_path / "identity", "[board]\ncolour = 3\n[journal]\nquota_mb = 1\n"))
    assert len(told) == 3
    assert "board.colour" in told[0]
    assert "journal.quota_mb" in told[1]
    assert "roadproof enrol" in told[2]


def test_a_unit_by_hand_needs_no_identity(tmp_path: Path) -> None:
    file = written(tmp_path / "identity", 'unit = "van-3"\n[broker]\nhost = "10.0.0.1"\n')
    assert configs.load(file).unit == "van-3"


def test_a_broker_without_a_unit_is_told_as_ever(tmp_path: Path) -> None:
    (told,) = faults(written(tmp_path / "identity", '[broker]\nhost = "10.0.0.1"\n'))
    assert "setting unit is missing" in told


def test_another_name_than_the_certificate_s_is_refused(identity: Path) -> None:
    (told,) = faults(written(identity, 'unit = "van-018"\n'))
    assert "was enrolled as 'van-017'" in told
    assert configs.load(written(identity, 'unit = "van-017"\n')).unit == "van-017"


def test_another_name_with_another_login_is_the_technician_s_business(identity: Path) -> None:
    file = written(identity, 'unit = "van-018"\n[broker]\ntls_cert = "/etc/roadproof/keys/tls.pem"\n')
    assert configs.load(file).unit == "van-018"


@pytest.mark.parametrize("damage", [b"", b"\xff", b"unit = 7", b'unit = "van-017"\n', b'unit = "van-017"\nbroker = 3\nevidence = 4\n'])
def test_a_damaged_identity_is_told_in_a_sentence(damage: bytes, identity: Path) -> None:
    (identity / "settings.toml").write_bytes(damage)
    (told,) = faults(written(identity))
    assert "settings.toml is damaged" in told
    assert "roadproof enrol" in told


@pytest.mark.parametrize("wrong", ["broker = 3\n", "[[broker]]\n", "evidence = 3\n", 'unit = ["a"]\n'])
def test_what_is_no_section_is_told_as_ever(wrong: str, identity: Path) -> None:
    assert wrong.strip("[]\n").split(" ")[0] in faults(written(identity, wrong))[0]


@pytest.mark.parametrize("wrong", ["7", '""', "[]"])
def test_an_identity_that_is_no_folder_s_name_is_told(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "roadproof.toml"
    file.write_text(f'identity = {wrong}\nunit = "van-1"\n[broker]\nhost = "h"\n', encoding="utf-8")
    assert "identity = " in faults(file)[0]


def test_the_last_good_settings_hold_the_identity_s_too(identity: Path) -> None:
    file = written(identity)
    config = configs.load(file)
    configs.keep_good(file, config)
    (identity / "settings.toml").write_bytes(b"")
    assert configs.load_good(file) == config


def test_the_board_is_known_before_there_is_a_broker(tmp_path: Path) -> None:
    file = written(tmp_path / "identity", '[board]\nprofile = "raspberry-pi-5"\n')
    assert configs.load_board(file).profile == "raspberry-pi-5"
    assert configs.load_board(written(tmp_path / "identity")).profile == "raspberry-pi-4"


@pytest.mark.parametrize("wrong", ["board = 3\n", "[board]\ncamera = 7\n"])
def test_a_board_that_is_wrong_is_told(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="board"):
        configs.load_board(written(tmp_path / "identity", wrong))
