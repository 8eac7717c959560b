"""A box that waits for its card: the camera sees it, a stick brings it, and whatever else is held out is told and passed over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cli import enrol
from cli.enrol import glass, sight, waiting
from cli.main import main
from drivers.board import BoardSettings
from drivers.sim.camera import CameraHands
from firmware.config import TerminalSettings
from firmware.kiosk.reception import Reception
from firmware.terminal.viewfinder import Viewfinder
from provisioning import source
from provisioning.card import Card, Wifi
from provisioning.enrol import Enrolment
from provisioning.identity import FOLDER, read
from provisioning.source import SourceError
from tests.pictures import coded
from tests.system.broker import MOSQUITTO, free_port
from tests.system.enrolled import Fleet, elsewhere

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
ROUNDS = 60  # of a look each: more than a slow machine needs to read one code


@pytest.fixture
def camera(tmp_path: Path) -> CameraHands:
    return CameraHands(tmp_path / "scene")


@pytest.fixture
def config(tmp_path: Path, camera: CameraHands) -> Path:
    file = tmp_path / "roadproof.toml"
    file.write_text(f'[board]\nprofile = "simulated"\ngnss_port = "none"\nscene_folder = "{tmp_path}/scene"\n', encoding="utf-8")
    return file


class Box:
    """A blank box that looks once whenever the test says so, and remembers what it said."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.told: list[str] = []
        self.joined: list[Wifi] = []
        self.sticks: list[Path] = []
        monkeypatch.setattr(waiting, "LOOK_S", 0.3)
        monkeypatch.setattr(source, "sticks", lambda: iter(self.sticks))
        monkeypatch.setattr(source, "join", self.joined.append)

    def enrolment(self, card: Card) -> Enrolment:
        return Enrolment(card, state=self.state, tell=self.told.append)

    def looks_until(self, come_true: Callable[[], bool], folder: Path) -> None:
        """Look again and again, with its camera on the folder."""
        board = BoardSettings(profile="simulated", gnss_port="none", scene_folder=str(folder))
        with sight.opened(board) as eye:
            here = waiting.Waiting(self.enrolment, eye, self.told.append)
            for _ in range(ROUNDS):
                here.step()
                if come_true():
                    return
        raise AssertionError(f"it never came true; told: {self.told}")

    @property
    def is_unit(self) -> bool:
        return read(self.state / FOLDER) is not None


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def test_the_camera_reads_the_card_from_paper(card: Card, camera: CameraHands, config: Path, tmp_path: Path) -> None:
    camera.show(coded(card.text, "QRCode", scale=5))
    (tmp_path / "state").mkdir()
    assert main(["enrol", "--camera", "--state", str(tmp_path / "state"), "--config", str(config)]) == 0
    found = read(tmp_path / "state" / FOLDER)
    assert found is not None
    assert found.unit == card.unit


def test_nothing_before_the_camera_is_told(
    camera: CameraHands, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(enrol, "CAMERA_S", 0.5)
    camera.show_doorstep()
    assert main(["enrol", "--camera", "--state", str(tmp_path), "--config", str(config)]) == 1
    assert "no enrolment code was seen" in capsys.readouterr().err


def test_a_box_without_a_camera_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "roadproof.toml"
    file.write_text('[board]\nprofile = "simulated"\ngnss_port = "none"\n', encoding="utf-8")
    assert main(["enrol", "--camera", "--state", str(tmp_path), "--config", str(file)]) == 1
    assert "no camera" in capsys.readouterr().err


def test_a_waiting_box_joins_the_network_that_it_is_shown_and_then_takes_the_card(card: Card, camera: CameraHands, box: Box) -> None:
    folder = camera._folder
    camera.show(coded("WIFI:T:WPA;S:Depot;P:secret;;", "QRCode", scale=5))
    after: list[int] = []
    box.looks_until(lambda: bool(box.joined) and (after.append(0) or len(after) > 2), folder)  # type: ignore[func-returns-value]
    assert box.joined == [Wifi(ssid="Depot", password="secret")]
    camera.show(coded(card.text, "QRCode", scale=5))
    box.looks_until(lambda: box.is_unit, folder)
    assert "secret" not in "".join(box.told)
    assert card.code not in "".join(box.told)


def test_a_parcel_and_a_misread_card_are_passed_over(camera: CameraHands, box: Box, card: Card) -> None:
    camera.show(coded("(00)340123450000000017", "Code128"))
    box.looks_until(lambda: True, camera._folder)
    assert box.told == []
    camera.show(coded(card.text[:-3], "QRCode", scale=5))
    box.looks_until(lambda: any("fingerprint on the card is misread" in line for line in box.told), camera._folder)
    assert not box.is_unit


def test_rubbish_on_a_stick_is_told_once_and_the_next_stick_may_come(card: Card, camera: CameraHands, box: Box, tmp_path: Path) -> None:
    camera.show_doorstep()
    rubbish, good = tmp_path / "rubbish.txt", tmp_path / "good.txt"
    rubbish.write_bytes(b"\x00\xff" * 100)
    good.write_text(card.text, encoding="utf-8")
    box.sticks = [rubbish]
    rounds: list[int] = []
    box.looks_until(lambda: rounds.append(0) or len(rounds) > 2, camera._folder)  # type: ignore[func-returns-value]
    assert len(box.told) == 1
    assert "no text file" in box.told[0]
    box.sticks = [rubbish, good]
    box.looks_until(lambda: box.is_unit, camera._folder)


def test_a_card_that_works_later_is_tried_again_by_itself(card: Card, camera: CameraHands, box: Box, tmp_path: Path) -> None:
    """The paper is put away, and the network comes back."""
    camera.show_doorstep()
    offline = elsewhere(card, free_port())
    begun: list[Card] = []

    def enrolment(shown: Card) -> Enrolment:
        begun.append(shown)
        return box.enrolment(shown if len(begun) < 3 else card)

    stick = tmp_path / "enrol.txt"
    stick.write_text(offline.text, encoding="utf-8")
    shown = iter([[stick]])
    board = BoardSettings(profile="simulated", gnss_port="none", scene_folder=str(camera._folder))
    with sight.opened(board) as eye:
        here = waiting.Waiting(enrolment, eye, box.told.append)
        for _ in range(3):
            box.sticks = next(shown, [])
            here.step()
    assert begun == [offline, offline, offline]
    assert sum("check the network" in line for line in box.told) == 1
    assert box.is_unit


def test_a_card_that_works_later_is_tried_once_a_look(card: Card, box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a stick that stays plugged in would have a box ask its fleet thousands of times a second."""
    tries, looks = list[Card](), list[float]()
    monkeypatch.setattr("cli.enrol.waiting.time.sleep", looks.append)
    (tmp_path / "enrol.txt").write_text(elsewhere(card, free_port()).text, encoding="utf-8")
    box.sticks.append(tmp_path)

    def begin(shown: Card) -> Enrolment:
        tries.append(shown)
        return box.enrolment(shown)

    here = waiting.Waiting(begin, None, box.told.append)
    for _ in range(4):
        here.step()
    assert len(tries) == 4
    assert len(looks) >= 3


def test_a_spent_card_is_told_once_and_not_tried_again(card: Card, fleet: Fleet, camera: CameraHands, box: Box, tmp_path: Path) -> None:
    camera.show_doorstep()
    spent = msgspec.structs.replace(card, code="A" * 16)
    stick = tmp_path / "enrol.txt"
    stick.write_text(spent.text, encoding="utf-8")
    box.sticks = [stick]
    rounds: list[int] = []
    box.looks_until(lambda: rounds.append(0) or len(rounds) > 2, camera._folder)  # type: ignore[func-returns-value]
    assert sum("does not know this enrolment code" in line for line in box.told) == 1
    assert sum("is the fleet that the card names" in line for line in box.told) == 1


def test_a_network_that_cannot_be_joined_is_told(camera: CameraHands, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(wifi: Wifi) -> None:
        raise SourceError(f"{wifi.ssid} cannot be joined: no such network")

    monkeypatch.setattr(source, "join", refuse)
    camera.show(coded("WIFI:T:nopass;S:Depot;;", "QRCode", scale=5))
    box.looks_until(lambda: "Depot cannot be joined: no such network" in box.told, camera._folder)


def test_the_picture_shows_whose_code_is_in_it_and_never_the_code(card: Card, camera: CameraHands, box: Box) -> None:
    viewfinder = Viewfinder()
    camera.show(coded(card.text, "QRCode", scale=5))
    written: list[str] = []
    board = BoardSettings(profile="simulated", gnss_port="none", scene_folder=str(camera._folder))
    viewfinder.latest()  # somebody looks
    with sight.opened(board, viewfinder) as eye:
        for _ in range(ROUNDS):
            for _ in eye.look(0.3):
                pass
            seen = viewfinder.latest()
            written += [mark.text for mark in seen.marks] if seen else []
            if written:
                break
    assert set(written) == {card.unit}


def test_what_is_held_out_is_on_the_screen_as_it_is_told(card: Card, camera: CameraHands, box: Box, tmp_path: Path) -> None:
    camera.show_doorstep()
    reception = glass.reception_of(TerminalSettings())
    scenes: list[tuple[str, str | None]] = []
    reception.listen(lambda: scenes.append(_scene(reception)))
    stick = tmp_path / "enrol.txt"
    stick.write_text(f"WIFI:T:nopass;S:Depot;;\n{card.text}\n", encoding="utf-8")
    rubbish = tmp_path / "rubbish.txt"
    rubbish.write_bytes(b"\x00")
    board = BoardSettings(profile="simulated", gnss_port="none", scene_folder=str(camera._folder))
    with sight.opened(board) as eye:
        here = waiting.Waiting(box.enrolment, eye, box.told.append, reception)
        for sticks in ([rubbish], [stick]):
            box.sticks = sticks
            here.step()
    assert ("wait", box.told[0]) in scenes
    phases = list(dict.fromkeys(phase for phase, _ in scenes))
    assert phases == ["wait", "join", "work"]
    assert box.is_unit


def _scene(reception: Reception) -> tuple[str, str | None]:
    shown = reception.view()["d"]
    return shown["phase"], (shown["said"] or {}).get("text")


def test_a_camera_that_is_unplugged_is_told_and_a_stick_does_as_well(card: Card, camera: CameraHands, box: Box, tmp_path: Path) -> None:
    camera.unplug()
    box.looks_until(lambda: any("A USB stick with enrol.txt does as well" in line for line in box.told), camera._folder)
    stick = tmp_path / "enrol.txt"
    stick.write_text(card.text, encoding="utf-8")
    box.sticks = [stick]
    box.looks_until(lambda: box.is_unit, camera._folder)


def test_a_board_that_cannot_be_used_is_left_where_the_screen_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(enrol, "STATUS", tmp_path / "status")
    file = tmp_path / "roadproof.toml"
    file.write_text("[board]\ncamera = 7\n", encoding="utf-8")
    assert main(["enrol", "--wait", "--state", str(tmp_path), "--config", str(file)]) == 1
    assert "board.camera" in (tmp_path / "status").read_text(encoding="utf-8")
    assert "board.camera" in capsys.readouterr().err
