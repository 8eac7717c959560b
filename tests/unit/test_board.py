"""The board: profiles that are checked to the last key, and the one choice between real and simulated."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from drivers.board import PROFILE_FOLDERS, WINDOW, BoardSettings, load_profile, open_board, read_profile
from drivers.errors import DriverError
from drivers.panel import GpioPanel
from drivers.sim.panel import PanelHands, SimulatedPanel

HARDWARE = Path(__file__).resolve().parents[2] / "hardware"
PROFILES = sorted((HARDWARE / "boards").glob("*.toml"))


@pytest.fixture(params=PROFILES, ids=lambda path: path.stem)
def profile_file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = PROFILES[0].read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_there_are_profiles_for_both_boards() -> None:
    assert [path.stem for path in PROFILES] == ["raspberry-pi-4", "raspberry-pi-5"]


def test_no_pin_is_used_twice(profile_file: Path) -> None:
    pins = [bcm for _, bcm in read_profile(profile_file).wires()]
    assert len(pins) == len(set(pins))


def test_every_pin_is_on_the_header_and_free(profile_file: Path) -> None:
    for part, bcm in read_profile(profile_file).wires():
        assert 2 <= bcm <= 27, part


def test_only_the_clock_uses_the_pin_that_wakes_the_board(profile_file: Path) -> None:
    assert [part for part, bcm in read_profile(profile_file).wires() if bcm == 3] in ([], ["clock"])


def test_the_wiring_page_names_every_pin_of_the_profile(profile_file: Path) -> None:
    rows = [line for line in (HARDWARE / "wiring.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    for part, bcm in read_profile(profile_file).wires():
        assert any(f"`{part}`" in row and f"| GPIO {bcm} |" in row for row in rows), f"{part} on GPIO {bcm}"


def test_the_boot_lines_name_the_profiles_own_pins(profile_file: Path) -> None:
    profile = read_profile(profile_file)
    assert f"dtoverlay=pps-gpio,gpiopin={profile.gnss.pps_bcm}" in profile.boot.config
    assert profile.pins.power_latch is not None
    assert f"dtoverlay=gpio-poweroff,gpiopin={profile.pins.power_latch.bcm}" in profile.boot.config


def test_config_txt_holds_the_profiles_boot_lines_in_its_section(profile_file: Path) -> None:
    sections: dict[str, list[str]] = {"": []}
    section = ""
    for line in (HARDWARE / "config.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            sections.setdefault(section, []).append(line)
    board = {"raspberry-pi-4": "pi4", "raspberry-pi-5": "pi5"}[profile_file.stem]
    assert sorted(sections[board] + sections["all"]) == sorted(read_profile(profile_file).boot.config)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[pins.ignition]", "[pins.ignitoin]", "unknown key ignitoin, did you mean ignition?"),
        ("active_high =", "actve_high =", "unknown key actve_high, did you mean active_high?"),
        ("bcm = 17", "bcm = 28", "<= 27"),
        ("bcm = 17", "bcm = 1", ">= 2"),
        ("bcm = 17", 'bcm = "17"', "Expected `int`"),
        ("baud = 9600", "baud = 9601", "9601"),
        ("bcm = 27", "bcm = 17", "GPIO 17 is both ignition and led"),
        ("bcm = 27", "bcm = 14", "GPIO 14 is both led and gnss"),
        ('name = "Raspberry Pi 4 Model B"\n', "", "missing required field `name`"),
        ("[gnss]", "[gnss", "Expected ']'"),
    ],
)
def test_a_faulty_profile_is_named_with_its_fault(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(DriverError) as error:
        read_profile(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_profile_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"cannot read the board profile .*: no such file"):
        read_profile(tmp_path / "none.toml")


def test_an_unknown_profile_is_answered_with_the_nearest_and_with_all() -> None:
    with pytest.raises(DriverError) as error:
        open_board(BoardSettings(profile="rasberry-pi4"))
    assert "did you mean raspberry-pi-4?" in str(error.value)
    assert "raspberry-pi-5, simulated" in str(error.value)


def test_a_profile_of_ones_own_comes_first(tmp_path: Path) -> None:
    changed(tmp_path, "/dev/ttyAMA0", "/dev/ttyS9").rename(tmp_path / "raspberry-pi-4.toml")
    assert load_profile("raspberry-pi-4", str(tmp_path)).gnss.port == "/dev/ttyS9"
    assert load_profile("raspberry-pi-5", str(tmp_path)).gnss.port == "/dev/ttyAMA0"


def test_profiles_are_found_in_a_checkout_and_when_installed() -> None:
    assert list(PROFILE_FOLDERS) == [HARDWARE / "boards", Path("/opt/roadproof/hardware/boards")]


def test_a_broken_panel_is_a_fault_and_positions_still_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lgpio", None)
    monkeypatch.delitem(__import__("sys").modules, "gpiozero.pins.lgpio", raising=False)
    board = open_board(BoardSettings(profile="raspberry-pi-4"))
    assert (board.gnss_port, board.gnss_baud) == ("/dev/ttyAMA0", 9600)
    assert board.panel.ignition_on() is None
    (fault,) = board.faults
    assert "the ignition counts as not wired" in fault
    board.panel.close()


def test_settings_win_over_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.board.GpioPanel", lambda *_pins: GpioPanel())
    board = open_board(BoardSettings(gnss_port="/dev/roadproof-gnss", gnss_baud=38400))
    assert (board.gnss_port, board.gnss_baud, board.faults) == ("/dev/roadproof-gnss", 38400, ())


def test_the_simulated_board_has_the_vans_line_and_its_key(tmp_path: Path) -> None:
    board = open_board(BoardSettings(profile="simulated", gnss_port="/dev/pts/7", sim_socket=str(tmp_path / "key")))
    hands = PanelHands(tmp_path / "key")
    assert isinstance(board.panel, SimulatedPanel)
    assert hands.turn_key(on=True)
    assert board.gnss_port == "/dev/pts/7"
    hands.close()
    board.panel.close()


def test_the_simulated_board_needs_a_line() -> None:
    with pytest.raises(DriverError, match=r"needs board\.gnss_port"):
        open_board(BoardSettings(profile="simulated"))


def test_the_simulated_board_without_a_socket_has_no_key() -> None:
    board = open_board(BoardSettings(profile="simulated", gnss_port="/dev/pts/7"))
    assert board.panel.ignition_on() is None
    board.panel.close()


@pytest.fixture
def no_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.board.GpioPanel", lambda *_pins: GpioPanel())


@pytest.mark.usefixtures("no_pins")
def test_the_box_brings_its_camera_and_its_screen(profile_file: Path) -> None:
    board = open_board(BoardSettings(profile=profile_file.stem))
    assert (board.camera.kind, board.camera.width_px, board.camera.height_px) == ("picamera2", 4_608, 2_592)
    assert board.screen == read_profile(profile_file).screen
    assert (board.wedges.serial, board.wedges.usb) == ((), "auto")


@pytest.mark.usefixtures("no_pins")
def test_the_settings_name_another_camera_and_the_hand_scanners() -> None:
    board = open_board(BoardSettings(camera="v4l2:/dev/video2", scanner_serial=("/dev/ttyACM0",), scanner_usb="none"))
    assert board.camera.kind == "v4l2:/dev/video2"
    assert (board.wedges.serial, board.wedges.usb) == (("/dev/ttyACM0",), "none")


def test_the_buzzer_of_the_profile_reaches_the_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    pins: list[object] = []

    def noted(*given: object) -> GpioPanel:
        pins.extend(given)
        return GpioPanel()

    monkeypatch.setattr("drivers.board.GpioPanel", noted)
    open_board(BoardSettings())
    assert pins[3] == load_profile("raspberry-pi-4").pins.buzzer


def test_the_simulated_board_sees_a_folder_where_there_is_one(tmp_path: Path) -> None:
    seeing = open_board(BoardSettings(profile="simulated", gnss_port="/dev/pts/7", scene_folder=str(tmp_path)))
    assert (seeing.camera.kind, seeing.camera.scene_folder, seeing.screen) == ("simulated", str(tmp_path), WINDOW)
    blind = open_board(BoardSettings(profile="simulated", gnss_port="/dev/pts/7"))
    assert (blind.camera.kind, blind.wedges.usb) == ("none", "none")


@pytest.mark.parametrize("camera", ["webcam", "v4l2:video0", "v4l2:/etc/passwd", ""])
def test_a_camera_that_cannot_be_is_refused_by_the_settings(camera: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"camera": camera}, BoardSettings)
