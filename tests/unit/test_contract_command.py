"""`roadproof contract`: exit codes, one clear line, and output that programs can read."""

from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from cli import contract
from cli.main import main
from mqtt import topics
from tests.contract import golden_messages

HOME = Path(contract.HOME)
EVENT = next(golden for golden in golden_messages.every() if golden.name == "1.0/event-ignition")
TRACK = next(golden for golden in golden_messages.every() if golden.name == "1.0/track")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a wrong command gets, with exit code 2."""
    try:
        code = main(["contract", *words])
    except SystemExit as ended:
        code = int(str(ended.code))
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (2, "", 1), said
    return said.err


@pytest.fixture
def event(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_bytes(EVENT.payload)
    return path


def test_the_table_for_people_has_every_topic(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["contract", "show"]) == 0
    shown = capsys.readouterr().out
    assert all(f"rp/v1/UNIT/{channel.name} " in shown for channel in topics.CHANNELS)


def test_the_asyncapi_document_is_the_one_checked_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "show", "--format", "asyncapi"]) == 0
    assert capsys.readouterr().out == (HOME / "asyncapi.yaml").read_text(encoding="utf-8")


def test_it_is_there_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == yaml.safe_load((HOME / "asyncapi.yaml").read_text(encoding="utf-8"))


def test_the_schemas_are_shown_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "show", "--format", "schemas"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown.keys() == {channel.kind for channel in topics.CHANNELS if channel.message}


def test_without_pyyaml_the_json_is_offered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert "--json" in refused(capsys, "show", "--format", "asyncapi")


def test_a_message_that_keeps_the_contract_is_good(event: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "check", str(event)]) == 0
    assert capsys.readouterr().out == f"{event}: keeps the contract\n"


def test_a_message_that_breaks_it_is_told_how_and_ends_with_1(event: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event.write_bytes(EVENT.payload.replace(b'"seq":410', b'"seq":0'))
    assert main(["contract", "check", str(event)]) == 1
    told = capsys.readouterr().out
    assert told.startswith(f"{event}: up/event: ")
    assert "$.seq" in told


def test_a_message_on_another_units_topic_breaks_it(event: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "check", str(event), "--topic", "rp/v1/van-018/up/event"]) == 1
    assert "van-018" in capsys.readouterr().out


def test_a_topic_that_is_none_of_ours_breaks_it(event: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "check", str(event), "--topic", "somewhere/else"]) == 1
    assert "no topic of the contract" in capsys.readouterr().out


def test_a_track_is_checked_as_it_was_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "track.bin"
    path.write_bytes(TRACK.payload)
    assert main(["contract", "check", str(path), "--topic", TRACK.topic]) == 0
    assert "--topic" in capsys.readouterr().out + refused(capsys, "check", str(path))


def test_a_message_may_come_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(EVENT.payload)))
    assert main(["contract", "check", "-"]) == 0
    assert "keeps the contract" in capsys.readouterr().out


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "check", str(tmp_path / "none")) == f"roadproof: cannot read {tmp_path / 'none'}: no such file or directory\n"


@pytest.mark.parametrize("words", [[], ["shwo"], ["show", "--format", "xml"], ["check"], ["write", "--to", "x"]])
def test_a_wrong_argument_is_one_clear_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--help" in refused(capsys, *words)


def test_writing_makes_every_generated_file_and_names_it_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "write", "--folder", str(tmp_path)]) == 0
    written = {line.removeprefix("written: ") for line in capsys.readouterr().out.splitlines()}
    assert written == {str(tmp_path / name) for name in contract.documents()}
    assert (tmp_path / "broker" / "units.acl").read_bytes() == (HOME / "broker" / "units.acl").read_bytes()
    assert main(["contract", "write", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing changed\n"


def test_writing_mends_what_was_changed_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(HOME / "schemas", tmp_path / "schemas")
    (tmp_path / "schemas" / "event.json").write_text("{}", encoding="utf-8")
    assert main(["contract", "write", "--folder", str(tmp_path)]) == 0
    assert f"written: {tmp_path / 'schemas' / 'event.json'}" in capsys.readouterr().out
    assert (tmp_path / "schemas" / "event.json").read_bytes() == (HOME / "schemas" / "event.json").read_bytes()


def test_writing_where_one_cannot_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    assert f"cannot write {taken}" in refused(capsys, "write", "--folder", str(taken))


@pytest.mark.parametrize("command", ["show", "check", "write"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["contract", command, "--help"])
    assert f"example:\n  roadproof contract {command}" in capsys.readouterr().out
