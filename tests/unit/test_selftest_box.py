from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from drivers.board import load_profile
from drivers.camera import Camera, Photo
from drivers.camera.frame import Stamp
from drivers.errors import CameraError
from firmware.selftest.clock import clock as clock_probe
from firmware.selftest.finding import Touch
from firmware.selftest.modem import modem
from firmware.selftest.place import Ran, Running
from firmware.selftest.sight import camera, scanner
from firmware.selftest.vehicle import ignition, touch, voltage
from firmware.status import Status
from tests.journals import START_MS
from tests.selftests import Programs, WiredPanel, clock, place, write

LISTED = '{"modem-list":["/org/freedesktop/ModemManager1/Modem/0"]}'
CHIP = {"sys/class/rtc/rtc0/name": "rtc-ds1307 1-0068\n", "sys/class/rtc/rtc0/since_epoch": f"{START_MS // 1000}\n"}


def throttled(flags: str) -> Programs:
    return Programs({"vcgencmd get_throttled": f"throttled={flags}\n"})


class Scanners:
    def __init__(self, count: int = 0, faults: tuple[str, ...] = (), *, wanted: bool = True) -> None:
        self.count, self.faults, self.wanted = count, faults, wanted


class Lens(Camera):
    """A camera that takes this photo, or fails so."""

    def __init__(self, photo: Photo | CameraError) -> None:
        super().__init__(lambda: pytest.fail("opened"))
        self._photo = photo

    def still(self, stamp: Stamp | None = None) -> Photo:
        assert stamp is None
        if isinstance(self._photo, CameraError):
            raise self._photo
        return self._photo


def photo(**flaws: object) -> Photo:
    return msgspec.structs.replace(Photo(b"x" * 90, 1920, 1080, 40.2, 120.1, None), **flaws)


# --- ignition and supply


def test_an_ignition_that_reads_on_is_ok(tmp_path: Path) -> None:
    assert ignition(place(tmp_path)).state == "ok"


def test_an_ignition_that_reads_off_names_where_to_measure(tmp_path: Path) -> None:
    found = ignition(place(tmp_path, panel=WiredPanel(ignition=False)))
    assert found.state == "warn"
    assert found.sentence.endswith("measure between pin 11 (GPIO 17) and pin 9: a turned key makes under 0.4 V.")


def test_a_vehicle_that_moves_with_its_ignition_off_is_a_wiring_fault(tmp_path: Path) -> None:
    moving = Running(status=lambda: Status(moving=True), journal=None, diary=None, boot="")  # type: ignore[arg-type]
    found = ignition(place(tmp_path, panel=WiredPanel(ignition=False), daemon=moving))
    assert (found.state, "check F2 and K1" in found.sentence) == ("bad", True)


def test_pins_that_cannot_be_opened_are_told_in_the_board_s_words(tmp_path: Path) -> None:
    told = "the panel does not work: the GPIO library is missing"
    found = ignition(place(tmp_path, panel=WiredPanel(ignition=None), faults=(told,)))
    assert (found.state, found.sentence) == ("bad", told)


def test_a_box_without_an_ignition_line_skips_it(tmp_path: Path) -> None:
    profile = load_profile("raspberry-pi-4")
    bare = msgspec.structs.replace(profile, pins=msgspec.structs.replace(profile.pins, ignition=None))
    assert ignition(place(tmp_path, panel=WiredPanel(ignition=None), profile=bare)).state == "skipped"


@pytest.mark.parametrize(
    ("flags", "state", "words"),
    [
        ("0x0", "ok", "holds"),
        ("0x50005", "bad", "too low now"),
        ("0x50000", "warn", "while cranking"),
        ("0x80008", "warn", "too hot"),
        ("0x80000", "warn", "too hot"),
        ("0x20000", "ok", "holds"),  # slowed down for a moment: no supply's fault
    ],
)
def test_the_firmware_s_flags_become_a_sentence(tmp_path: Path, flags: str, state: str, words: str) -> None:
    found = voltage(place(tmp_path, run=throttled(flags)))
    assert (found.state, words in found.sentence, found.facts["throttled"]) == (state, True, flags)


@pytest.mark.parametrize(("alarm", "state"), [("1\n", "bad"), ("0\n", "ok")])
def test_without_vcgencmd_the_kernel_s_alarm_counts(tmp_path: Path, alarm: str, state: str) -> None:
    write(
        tmp_path,
        {
            "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
            "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
            "sys/class/hwmon/hwmon1/in0_lcrit_alarm": alarm,
        },
    )
    assert voltage(place(tmp_path)).state == state


def test_a_box_on_its_hold_up_supply_says_where_to_look(tmp_path: Path) -> None:
    found = voltage(place(tmp_path, panel=WiredPanel(supply=False), run=throttled("0x0")))
    assert (found.state, "fuse F1" in found.sentence, "pin 29 (GPIO 5)" in found.sentence) == ("bad", True, True)


def test_a_machine_that_says_nothing_of_its_supply_is_skipped(tmp_path: Path) -> None:
    odd = Programs({"vcgencmd": "error=2 error_msg=Command not registered"})
    assert voltage(place(tmp_path, panel=WiredPanel(supply=None), run=odd)).state == "skipped"


# --- touch, camera, scanner


@pytest.mark.parametrize(
    ("done", "state", "words"),
    [
        (None, "skipped", "tested on the screen"),
        (Touch(targets=9, hit=9, worst_px=8, breaks=0), "ok", "All 9 targets"),
        (Touch(targets=9, hit=7, worst_px=8, breaks=0), "bad", "2 of 9 targets cannot be hit"),
        (Touch(targets=9, hit=9, worst_px=90, breaks=0), "bad", "90 px beside the finger"),
        (Touch(targets=9, hit=9, worst_px=8, breaks=2), "warn", "breaks off 2 times"),
    ],
)
def test_what_the_screen_measured_becomes_a_sentence(tmp_path: Path, done: Touch | None, state: str, words: str) -> None:
    found = touch(place(tmp_path, terminal=True, touch=done))
    assert (found.state, words in found.sentence) == (state, True)


def test_a_unit_without_a_screen_skips_touch_camera_and_scanner(tmp_path: Path) -> None:
    unit = place(tmp_path)
    assert [probe(unit).state for probe in (touch, camera, scanner)] == ["skipped"] * 3


@pytest.mark.parametrize(
    ("taken", "state", "words"),
    [
        (photo(), "ok", "1920 x 1080"),
        (photo(warning="dark"), "warn", "lens cap"),
        (photo(warning="blurred"), "warn", "clean the lens"),
        (CameraError("missing", "No camera is connected."), "bad", "No camera is connected."),
    ],
)
def test_the_camera_is_judged_by_a_photo(tmp_path: Path, taken: Photo | CameraError, state: str, words: str) -> None:
    found = camera(place(tmp_path, camera=Lens(taken)))
    assert (found.state, words in found.sentence) == (state, True)


def test_a_unit_that_is_set_to_have_no_camera_skips_it(tmp_path: Path) -> None:
    assert camera(place(tmp_path, camera=Camera(None))).state == "skipped"


@pytest.mark.parametrize(
    ("known", "state", "words"),
    [
        (Scanners(1), "ok", "A hand scanner works"),
        (Scanners(2), "ok", "2 hand scanners work"),
        (Scanners(1, ("There is no hand scanner at /dev/ttyUSB0; plug it in.",)), "bad", "plug it in"),
        (Scanners(0), "skipped", "No hand scanner is plugged in"),
        (Scanners(0, wanted=False), "skipped", "board.scanner_usb"),
    ],
)
def test_hand_scanners_are_counted_and_their_faults_told(tmp_path: Path, known: Scanners, state: str, words: str) -> None:
    found = scanner(place(tmp_path, scanners=known))
    assert (found.state, words in found.sentence) == (state, True)


# --- clock


def test_a_set_clock_with_a_chip_that_keeps_it_is_ok(tmp_path: Path) -> None:
    write(tmp_path, CHIP)
    found = clock_probe(place(tmp_path))
    assert (found.state, found.sentence) == ("ok", "The time comes from the network, and rtc-ds1307 keeps it without power.")


def test_a_clock_chip_that_does_not_answer_names_its_pins_and_its_line(tmp_path: Path) -> None:
    found = clock_probe(place(tmp_path))
    assert found.state == "warn"
    assert "check SDA on pin 3 (GPIO 2), SCL on pin 5 (GPIO 3), and dtoverlay=i2c-rtc,ds3231 in" in found.sentence


@pytest.mark.parametrize("since", ["315532800\n", "Invalid argument"])
def test_a_chip_that_lost_its_time_wants_a_battery(tmp_path: Path, since: str) -> None:
    write(tmp_path, CHIP | {"sys/class/rtc/rtc0/since_epoch": since})
    found = clock_probe(place(tmp_path))
    assert (found.state, "put a fresh battery into the clock" in found.sentence) == ("warn", True)


def test_nobody_who_knows_the_time_is_bad(tmp_path: Path) -> None:
    found = clock_probe(place(tmp_path, time=clock("floor", folder=tmp_path)))
    assert (found.state, found.sentence.split(",")[0]) == ("bad", "Nobody knows the time")


def test_a_battery_clock_alone_is_told(tmp_path: Path) -> None:
    write(tmp_path, CHIP)
    found = clock_probe(place(tmp_path, time=clock("rtc", folder=tmp_path)))
    assert (found.state, "battery clock alone" in found.sentence) == ("warn", True)


# --- modem


def found_modem(generic: str, cell: str = '"registration-state":"home","operator-name":"Proximus"') -> Programs:
    return Programs({"mmcli -L": LISTED, "mmcli -m": f'{{"modem":{{"generic":{{{generic}}},"3gpp":{{{cell}}}}}}}'})


@pytest.mark.parametrize(
    ("programs", "state", "words"),
    [
        (Programs({}), "skipped", "the way to the fleet is eth0"),
        (Programs({"mmcli -L": '{"modem-list":[]}'}), "skipped", "No modem is fitted"),
        (Programs({"mmcli -L": Ran(1, "error: couldn't create manager")}), "warn", "systemctl restart ModemManager"),
        (found_modem('"state":"connected","signal-quality":{"recent":"yes","value":"61"}'), "ok", "connected by Proximus, 61 % of signal."),
        (found_modem('"state":"connected","signal-quality":{"value":"9"}'), "warn", "9 % of signal: check its antenna"),
        (found_modem('"state":"failed","state-failed-reason":"sim-missing"'), "bad", "finds no SIM"),
        (found_modem('"state":"failed","state-failed-reason":"unknown-capabilities"'), "bad", "unknown-capabilities"),
        (found_modem('"state":"locked","unlock-required":"sim-pin"'), "bad", "wants its PIN"),
        (found_modem('"state":"locked","unlock-required":"sim-puk"'), "bad", "wants its PUK"),
        (found_modem('"state":"enabled"', '"registration-state":"denied"'), "bad", "refuses this SIM"),
        (found_modem('"state":"searching"'), "warn", "The modem is searching"),
        (found_modem('"state":"connected"', '"operator-name":"--"'), "ok", "The modem is connected."),
    ],
)
def test_what_modemmanager_says_becomes_a_sentence(tmp_path: Path, programs: Programs, state: str, words: str) -> None:
    write(tmp_path, {"proc/net/route": "Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\n"})
    found = modem(place(tmp_path, run=programs))
    assert (found.state, words in found.sentence) == (state, True), found.sentence
