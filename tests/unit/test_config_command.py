"""`roadproof config`: the settings shown and checked; exit codes, and a sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main
from firmware.config import Config
from fleet.config import FleetSettings
from mqtt import settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
GOOD = 'unit = "van-017"\n[broker]\nhost = "broker.example.org"\nport = 1883\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "roadproof.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines that a wrong file or command gets, with exit code 2."""
    try:
        code = main(["config", *words])
    except SystemExit as ended:
        code = int(str(ended.code))
    said = capsys.readouterr()
    assert (code, said.out) == (2, ""), said
    return said.err.splitlines()


def test_a_good_file_is_told_in_one_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: good, unit van-017, broker broker.example.org:1883\n"


def test_a_receivers_file_is_checked_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text('[broker]\nhost = "h"\n', encoding="utf-8")
    assert main(["config", "check", "--fleet", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: good, broker h:8883\n"
    path.write_text('stroe = "x"\n[broker]\nhost = "h"\n', encoding="utf-8")
    assert refused(capsys, "check", "--fleet", str(path)) == [f"roadproof: {path}: unknown setting stroe; did you mean store?"]


def test_each_mistake_gets_a_line_of_its_own(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(GOOD.replace("port = 1883", "prot = 1883\nkeepalive_s = 1"), encoding="utf-8")
    assert refused(capsys, "check", str(file)) == [
        f"roadproof: {file}: unknown setting broker.prot; did you mean broker.port?",
        f"roadproof: {file}: broker.keepalive_s = 1 is not allowed; it must be a whole number, 5 to 600",
    ]


def test_a_screen_without_keys_is_one_clear_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(GOOD + "[terminal]\nenabled = true\n", encoding="utf-8")
    assert refused(capsys, "check", str(file)) == [
        f"roadproof: {file}: terminal.enabled = true needs the section [evidence] with certificate, key, issuing, root, receiver, seal_to"
    ]


def test_a_wrong_key_among_the_keys_of_the_proofs_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("certificate", "kee", "issuing", "root", "receiver", "seal_to")
    file.write_text(GOOD + "[evidence]\n" + "".join(f'{name} = "x"\n' for name in names), encoding="utf-8")
    unknown, missing = refused(capsys, "check", str(file))
    assert unknown == f"roadproof: {file}: unknown setting evidence.kee; did you mean evidence.key?"
    assert missing.startswith(f"roadproof: {file}: setting evidence.key is missing: ")


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(refused(capsys, "check", str(tmp_path / "none.toml"))) == 1
    assert len(refused(capsys, "show", str(tmp_path / "none.toml"))) == 1


@pytest.mark.parametrize("words", [[], ["chekc"], ["check"], ["show", "--json", "--markdown"], ["show", "a", "b"]])
def test_a_wrong_argument_is_one_clear_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (told,) = refused(capsys, *words)
    assert "--help" in told


def test_every_setting_is_shown_with_what_it_allows(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    assert main(["config", "show"]) == 0
    shown = capsys.readouterr().out
    for setting in settings.catalogue(Config):
        assert setting.key in shown
        assert setting.kind in shown  # a pattern's brackets are no markup


def test_the_values_of_a_file_are_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", str(file), "--json"]) == 0
    values = {setting["key"]: setting["value"] for setting in json.loads(capsys.readouterr().out)}
    assert (values["unit"], values["broker.port"], values["journal.quota_mb"], values["broker.tls_ca"]) == ("van-017", 1883, 1000, None)


def test_a_list_is_shown_without_its_brackets(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    file.write_text(GOOD + '[board]\nscanner_serial = ["/dev/ttyACM0", "/dev/ttyACM1"]\n', encoding="utf-8")
    assert main(["config", "show", str(file)]) == 0
    assert "│ /dev/ttyACM0, /dev/ttyACM1 " in capsys.readouterr().out


def test_the_defaults_are_shown_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--json"]) == 0
    assert {setting["key"] for setting in json.loads(capsys.readouterr().out)} == {one.key for one in settings.catalogue(Config)}


def test_the_settings_page_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--markdown"]) == 0
    wanted = capsys.readouterr().out
    assert PAGE.read_text(encoding="utf-8") == wanted, "run: ./roadproof config show --markdown > docs/settings.md"


def test_the_settings_page_has_every_setting_of_both_ends_in_a_whole_row() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [one.key for kind in (Config, FleetSettings) for one in settings.catalogue(kind)]
    assert all(row.replace("\\|", "").count("|") == 5 for row in rows)


def test_the_settings_pages_examples_are_good(tmp_path: Path) -> None:
    enrolled, by_hand, fleet = (text.split("```")[0] for text in PAGE.read_text(encoding="utf-8").split("```toml\n")[1:])
    identity = 'unit = "van-017"\nbroker.host = "broker.example.org"\n'  # the least that an enrolment settles
    for text, kind in ((identity + enrolled, Config), (by_hand, Config), (fleet, FleetSettings)):
        path = tmp_path / "example.toml"
        path.write_text(text, encoding="utf-8")
        settings.load(path, kind)


@pytest.mark.parametrize("command", ["show", "check"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["config", command, "--help"])
    assert f"example:\n  roadproof config {command}" in capsys.readouterr().out
