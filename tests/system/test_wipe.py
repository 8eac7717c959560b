"""A unit stops being one: what would go is told first, proofs are not lost by accident, and a scan finds nothing afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from firmware import config as configs
from mqtt import topics
from mqtt.link import BrokerLink
from mqtt.session import Delivery, Published
from provisioning.identity import FOLDER
from provisioning.wipe import Wipe
from tests.eventually import eventually
from tests.journals import BOOT, event, open_journal, points, proof
from tests.system.broker import MOSQUITTO
from tests.system.enrolled import Fleet, a_fleet, enrolled

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with a_fleet(tmp_path_factory.mktemp("fleet")) as there:
        there.broker.start()
        yield there


class Box:
    """An enrolled unit with records, pictures and a copy of its last good settings."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self.state = folder / "state"
        card = fleet.card()
        self.unit = card.unit
        identity = enrolled(self.state, card)
        self.config = folder / "roadproof.toml"
        self.config.write_text(f'identity = "{identity}"\n[journal]\nfolder = "{self.state}"\n', encoding="utf-8")
        configs.keep_good(self.config, configs.load(self.config))
        (self.state / "attachments").mkdir()
        (self.state / "attachments" / "a").write_bytes(b"sealed")

    def record(self, *, proofs: int) -> None:
        journal = open_journal(self.state)
        journal.append(BOOT, [event(), *(proof() for _ in range(proofs))], points(5))
        journal.close()

    def wipe(self, *words: str) -> int:
        return main(["wipe", "--state", str(self.state), "--config", str(self.config), *words])

    @property
    def is_whole(self) -> bool:
        return (self.state / FOLDER / "tls.pem").exists() and (self.state / "attachments" / "a").exists()


@pytest.fixture
def box(fleet: Fleet, tmp_path: Path) -> Box:
    return Box(tmp_path, fleet)


def retained(fleet: Fleet, unit: str) -> list[str]:
    """The topics of a unit on which the broker still shows something."""
    link = BrokerLink(fleet.receiver, "looking", [f"rp/v1/{unit}/up/#"])
    link.connect()
    link.publish(topics.RECEIPT.topic(unit), b"{}", 1)  # its answer comes behind whatever was retained
    shown = []
    while isinstance(happening := link.inbox.get(timeout=10), Delivery):
        shown.append(happening.topic)
    link.close()
    return shown


def test_without_yes_it_is_only_told(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.record(proofs=2)
    capsys.readouterr()
    assert box.wipe() == 0
    told = capsys.readouterr().out
    assert f"this box is {box.unit}" in told
    assert "2 proofs, 0 pictures, 1 events, 5 fixes" in told
    assert str(box.state / FOLDER) in told
    assert box.is_whole


def test_proofs_that_the_fleet_does_not_have_are_not_lost_by_accident(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.record(proofs=2)
    for words in ([], ["--lose", "1"], ["--lose", "all"]):
        capsys.readouterr()
        assert box.wipe("--yes", *words) == 1
        assert "say --lose 2" in capsys.readouterr().err
        assert box.is_whole
    assert box.wipe("--yes", "--lose", "2") == 0
    assert list(box.state.iterdir()) == []


def test_after_a_wipe_a_scan_finds_nothing_and_the_box_is_blank(box: Box, fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    box.record(proofs=0)
    assert box.wipe("--yes") == 0
    told = capsys.readouterr().out
    assert "a scan finds 0 left" in told
    assert f"roadproof fleet revoke {box.unit}" in told
    assert list(box.state.iterdir()) == []
    assert not configs.good_copy(box.config).exists()
    enrolled(box.state, fleet.card())


def test_what_the_broker_showed_of_the_unit_is_taken_away(box: Box, fleet: Fleet) -> None:
    link = BrokerLink(configs.load(box.config).broker, box.unit, [])
    link.connect()
    for channel in (topics.STATE, topics.LAST):
        link.publish(channel.topic(box.unit), b"{}", 1, retain=True)
    link.flush(5)
    eventually(lambda: len(retained(fleet, box.unit)) == 2)
    link.close(orderly=True)
    assert box.wipe("--yes") == 0
    eventually(lambda: retained(fleet, box.unit) == [])


def test_a_broker_out_of_reach_is_told_and_offline_leaves_it_to_the_fleet(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    settings = box.state / FOLDER / "settings.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('host = "127.0.0.1"', 'host = "no-such-host.invalid"'), encoding="utf-8")
    capsys.readouterr()
    assert box.wipe("--yes") == 1
    assert "--offline" in capsys.readouterr().err
    assert box.is_whole
    assert box.wipe("--yes", "--offline") == 0
    assert list(box.state.iterdir()) == []


def test_a_daemon_that_runs_is_told_of_and_keeps_its_session(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    journal, link = open_journal(box.state), BrokerLink(configs.load(box.config).broker, box.unit, [])
    link.connect()
    capsys.readouterr()
    assert box.wipe("--yes") == 1
    assert "systemctl stop roadproof" in capsys.readouterr().err
    assert box.is_whole
    sent = link.publish(topics.LAST.topic(box.unit), b"{}", 1)
    answer = link.inbox.get(timeout=10)  # Lost, had somebody else logged in as this unit
    assert isinstance(answer, Published)
    assert answer.mid == sent
    link.close(orderly=True)
    journal.close()


def test_a_journal_that_nobody_can_count_is_not_lost_by_accident(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    (box.state / "journal.db").write_bytes(b"rubbish" * 1_000)
    capsys.readouterr()
    assert box.wipe("--yes", "--offline") == 1
    assert "--lose unread" in capsys.readouterr().err
    assert box.wipe("--yes", "--offline", "--lose", "unread") == 0
    assert list(box.state.iterdir()) == []


def test_a_wipe_that_was_cut_off_is_begun_again(box: Box) -> None:
    """The identity goes last, and of it the settings may be gone first."""
    for name in ("settings.toml", "identity.json"):
        (box.state / FOLDER / name).unlink()
    assert box.wipe("--yes", "--offline") == 0
    assert list(box.state.iterdir()) == []
    assert box.wipe("--yes") == 0


def test_a_copy_of_the_key_that_somebody_left_is_found(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    copy = box.state / "backup"
    copy.write_bytes((box.state / FOLDER / "tls.pem").read_bytes())
    capsys.readouterr()
    assert box.wipe("--yes") == 1
    assert f"left: {copy}" in capsys.readouterr().out
    assert list(box.state.iterdir()) == [copy]


def test_keys_are_written_over_before_their_names_go(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, bytes] = {}
    real = shutil.rmtree

    def watched(path: Path) -> None:
        seen.update({inner.name: inner.read_bytes() for inner in Path(path).iterdir()})
        real(path)

    monkeypatch.setattr("provisioning.wipe.shutil.rmtree", watched)
    work = Wipe(box.state, box.state, configs.good_copy(box.config))
    assert work.run(work.look()) == []
    assert set(seen["tls.pem"] + seen["evidence.key"]) == {0}
    assert set(seen["root.pem"]) != {0}


def test_a_blank_box_has_nothing_to_wipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--state", str(tmp_path), "--config", str(tmp_path / "roadproof.toml")]
    assert main(["wipe", *words]) == 0
    assert "holds no identity" in capsys.readouterr().out
    assert main(["wipe", "--yes", *words]) == 0
    assert list(tmp_path.iterdir()) == []


def test_programs_get_it_as_json(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.record(proofs=1)
    capsys.readouterr()
    assert box.wipe("--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["unit"], told["proofs"], told["left"]) == (box.unit, 1, None)
    assert box.wipe("--json", "--yes", "--lose", "1") == 0
    assert json.loads(capsys.readouterr().out)["left"] == []
