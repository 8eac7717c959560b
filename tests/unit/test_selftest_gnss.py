from __future__ import annotations

from pathlib import Path

import pytest

from drivers.board import BoardSettings
from drivers.gnss.sky import Satellite
from firmware.selftest.finding import Result
from firmware.selftest.gnss import antenna, gnss
from firmware.selftest.place import Heard
from tests.selftests import heard, place


def receiver(folder: Path, told: Heard, board: BoardSettings | None = None) -> Result:
    return gnss(place(folder, board=board, listen=lambda: told))


def sky(folder: Path, told: Heard) -> Result:
    return antenna(place(folder, listen=lambda: told))


def satellites(*levels_dbhz: int | None) -> tuple[Satellite, ...]:
    return tuple(Satellite("GPS", n, 40, 10, level, used=False) for n, level in enumerate(levels_dbhz))


def test_a_receiver_with_a_fix_is_ok(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard())
    assert (found.state, found.sentence) == ("ok", "The receiver has a 3D fix: 33 sentences in 3 s at 9600 baud.")


def test_silence_names_the_pins_of_the_board_profile(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard(bytes_read=0, good=0))
    assert found.state == "bad"
    assert (
        found.sentence
        == "No byte comes from /dev/ttyAMA0: check that the receiver has 3.3 V (pin 1), and that its TX is on pin 10 (GPIO 15)."
    )


def test_silence_on_a_port_that_was_set_names_the_box_s_own(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard(bytes_read=0, good=0, port="/dev/ttyAMA3"), BoardSettings(gnss_port="/dev/ttyAMA3"))
    assert found.sentence.endswith("The settings name this port; the box's own is /dev/ttyAMA0.")


def test_silence_of_a_usb_receiver_names_no_pin(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard(bytes_read=0, good=0, port="/dev/ttyACM0"), BoardSettings(gnss_port="/dev/ttyACM0"))
    assert "pin" not in found.sentence
    assert "USB plug" in found.sentence


def test_garbage_at_every_speed_is_the_console_or_the_wire(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard(good=0))
    assert found.sentence.startswith("No sentences at any speed, though bytes come from /dev/ttyAMA0: switch the login console off")
    assert found.sentence.endswith("check the receiver's ground, and that its TX, not its RX, is on pin 10 (GPIO 15).")


def test_a_wrong_speed_that_was_found_out_says_what_to_set(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard(baud=38_400))
    assert (found.state, "set gnss_baud = 38400 under [board]" in found.sentence) == ("bad", True)


def test_a_port_that_cannot_be_opened_is_told_in_the_driver_s_words(tmp_path: Path) -> None:
    told = "Another program holds /dev/ttyAMA0; stop it first."
    assert receiver(tmp_path, heard(bytes_read=0, good=0, trouble=told)).sentence == told


def test_damaged_sentences_are_told_with_their_share(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard(good=30, bad=10))
    assert (found.state, found.sentence.split(" % ")[0]) == ("warn", "25")


def test_no_fix_asks_for_sky(tmp_path: Path) -> None:
    found = receiver(tmp_path, heard(stale=True, age_s=20.0))
    assert (found.state, "view of the sky" in found.sentence) == ("warn", True)


def test_a_good_antenna_is_told_with_its_best_satellite(tmp_path: Path) -> None:
    found = sky(tmp_path, heard(satellites=satellites(44, 38, 30, 26, 18, None)))
    assert (found.state, found.sentence) == ("ok", "5 satellites are heard, 4 of them well, the best with 44 dBHz.")
    assert found.facts["in_view"] == 6


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        (heard(satellites=satellites(24, 20, 18)), "warn", "only 0 of them well"),
        (heard(satellites=satellites(None, None)), "bad", "No satellite is heard: screw the antenna's plug in"),
        (heard(satellites=()), "bad", "No satellite is heard"),
        (heard(antenna="OPEN"), "bad", "finds no antenna"),
        (heard(antenna="SHORT"), "bad", "short circuit"),
        (heard(antenna="UNKNOWN 7"), "bad", "says of its antenna: UNKNOWN 7"),
        (heard(antenna="DONTKNOW"), "ok", "heard"),
        (heard(jamming="critical: interference, no fix"), "bad", "drowns the satellites out"),
        (heard(jamming="warning: interference, the fix holds"), "ok", "heard"),
        (heard(good=0), "skipped", "mend GNSS first"),
    ],
)
def test_what_the_antenna_lacks_is_a_sentence(tmp_path: Path, told: Heard, state: str, words: str) -> None:
    found = sky(tmp_path, told)
    assert (found.state, words in found.sentence) == (state, True), found.sentence
