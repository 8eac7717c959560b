"""The settings of the last good start: a van whose settings file is damaged records on, and says so."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from cli import daemon
from cli.errors import UsageError
from cli.faults.config.verdict import Parts
from cli.main import main
from drivers.errors import DriverError
from firmware import config as configs
from firmware import status as statuses
from firmware.config import Config
from firmware.status import Status

GOOD = 'unit = "van-017"\nruntime_folder = "{folder}/run"\n[broker]\nhost = "broker.example.org"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "roadproof.toml"
    path.write_text(GOOD.format(folder=tmp_path), encoding="utf-8")
    return path


def start(file: Path) -> Parts:
    return daemon.started(file, Parts)


def test_a_first_start_keeps_its_settings_and_says_nothing(file: Path) -> None:
    started = start(file)
    assert configs.load_good(file) == started.config == configs.load(file)
    assert started.diary.noted == {}
    assert started.status.snapshot().settings == ""


def test_a_damaged_file_starts_on_the_last_good_settings_and_tells_driver_and_fleet(file: Path) -> None:
    good = start(file).config
    file.write_text("unit = [", encoding="utf-8")
    started = start(file)
    assert started.config == good
    assert started.status.snapshot().settings == (
        f"{file} cannot be used, the settings of the last good start are in force; see roadproof config check {file}"
    )
    ((event, data),) = started.diary.noted.items()
    assert event == "config.refused"
    assert data["faults"][0].startswith(f"{file} is not valid TOML")


@pytest.mark.parametrize("content", [None, b"", bytes(200), b"\xff\xfe"])
def test_a_file_that_is_gone_empty_zero_or_no_text_is_as_good_as_damaged(file: Path, content: bytes | None) -> None:
    good = start(file).config
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    assert start(file).config == good


def test_without_a_good_start_before_each_fault_is_a_line_and_nothing_starts(file: Path) -> None:
    file.write_text("unit = 7\n", encoding="utf-8")
    with pytest.raises(UsageError) as refusal:
        start(file)
    assert len(str(refusal.value).splitlines()) == 2  # the unit's name, and the broker that is missing


def test_a_valid_edit_is_taken_and_the_fleet_is_told_which_setting_changed(file: Path) -> None:
    start(file)
    file.write_text(file.read_text(encoding="utf-8") + 'port = 1883\n[terminal]\nlanguage = "de"\n', encoding="utf-8")
    started = start(file)
    assert started.diary.noted == {"config.changed": {"settings": ["broker.port", "terminal.language"]}}
    assert configs.load_good(file) == started.config


def test_nobody_else_may_read_them(file: Path) -> None:
    start(file)
    assert configs.good_copy(file).stat().st_mode & 0o777 == 0o600


def test_it_does_not_matter_from_where_the_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(configs, "ETC", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert configs.good_copy(Path("roadproof.toml")) == configs.STATE / "roadproof.toml.good"


def test_a_comment_is_no_change(file: Path) -> None:
    start(file)
    kept = configs.good_copy(file).stat().st_mtime_ns
    file.write_text("# nothing\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert start(file).diary.noted == {}
    assert configs.good_copy(file).stat().st_mtime_ns == kept


class Unbuildable(Parts):
    """A board that there is not."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        if config.board.profile != "raspberry-pi-4":
            raise DriverError(f"there is no board {config.board.profile}")


def test_settings_that_no_daemon_can_be_made_of_are_refused_like_damaged_ones(file: Path) -> None:
    good = start(file).config
    file.write_text(file.read_text(encoding="utf-8") + '[board]\nprofile = "abacus"\n', encoding="utf-8")
    started = daemon.started(file, Unbuildable)
    assert started.config == good
    assert started.diary.noted["config.refused"] == {"faults": ["there is no board abacus"]}
    assert configs.load_good(file) == good


def test_what_fails_with_the_last_good_settings_too_is_told_once(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8") + '[board]\nprofile = "abacus"\n', encoding="utf-8")
    start(file)
    with pytest.raises(UsageError, match=r"^there is no board abacus$"):
        daemon.started(file, Unbuildable)
    file.write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match=r"there is no board abacus$"):
        daemon.started(file, Unbuildable)


def test_a_damaged_copy_is_no_copy(file: Path) -> None:
    start(file)
    copy = configs.good_copy(file)
    copy.write_bytes(copy.read_bytes().replace(b"example", b"exbmple"))
    assert configs.load_good(file) is None


def test_a_copy_that_another_version_made_is_read_as_far_as_it_still_fits(file: Path) -> None:
    config = configs.load(file)
    configs.keep_good(file, config)
    copy = configs.good_copy(file)
    told = copy.read_bytes().partition(b"\n")[2]
    for other, expected in ((told.replace(b'"van-017"', b'"VAN"'), None), (told.replace(b'{"unit"', b'{"later":1,"unit"'), config)):
        copy.write_bytes(sha256(other).hexdigest().encode() + b"\n" + other)
        assert configs.load_good(file) == expected


def test_a_folder_that_cannot_be_written_costs_the_copy_and_not_the_start(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    configs.good_copy(file).with_name(configs.good_copy(file).name + ".new").mkdir()
    assert start(file).config.unit == "van-017"
    assert "will have no settings to go on with" in caplog.text


def test_settings_in_etc_are_kept_where_the_daemon_may_write() -> None:
    assert configs.good_copy(daemon.CONFIG) == Path("/var/lib/roadproof/roadproof.toml.good")


def test_status_is_found_while_the_settings_file_is_damaged(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(file)
    (tmp_path / "run").mkdir()
    statuses.write(tmp_path / "run" / "status.json", Status(unit="van-017", settings="it is damaged"))
    file.write_text("", encoding="utf-8")
    assert main(["status", "--config", str(file)]) == 0
    assert "it is damaged" in capsys.readouterr().out
    configs.good_copy(file).unlink()
    assert main(["status", "--config", str(file)]) == 2


def test_config_check_shows_the_faults_of_the_file_whatever_was_good_before(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(file)
    file.write_text("unit = 7\n", encoding="utf-8")
    assert main(["config", "check", str(file)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_section_that_comes_or_goes_is_a_change(file: Path) -> None:
    before = configs.load(file)
    names = ("certificate", "key", "issuing", "root", "receiver", "seal_to")
    after = msgspec.structs.replace(before, evidence=msgspec.convert(dict.fromkeys(names, "x"), configs.EvidenceSettings))
    assert configs.changes(before, after)[0] == "evidence"
    assert configs.changes(after, before)[0] == "evidence"
