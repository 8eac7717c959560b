"""What a machine says of itself, from trees built as the kernel of each board shows them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from cli import hardware as command
from cli.errors import UsageError
from drivers import hardware
from drivers.board import load_profile
from drivers.fitting import Fit, fit
from drivers.hardware import Card, SerialPort

INPUTS = """I: Bus=0018 Vendor=0000 Product=0000 Version=0000
N: Name="10-0038 generic ft5x06 (79)"
B: PROP=2
B: ABS=2608000 3

I: Bus=0003 Vendor=05e0 Product=1200 Version=0110
N: Name="Symbol Technologies, Inc, 2008 Symbol Bar Code Scanner"
B: PROP=0

I: Bus=0003 Vendor=046d Product=c31c Version=0110
N: Name="Logitech USB Keyboard"
B: PROP=0"""


class Tree:
    """A root folder as a booted board has it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, path: str, content: str | bytes = "") -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())

    def link(self, path: str, target: str) -> None:
        (self.root / target).mkdir(parents=True, exist_ok=True)
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).symlink_to(self.root / target)


@pytest.fixture
def pi4(tmp_path: Path) -> Tree:
    """A Raspberry Pi 4 with everything that its profile names."""
    tree = Tree(tmp_path)
    tree.put("proc/device-tree/model", b"Raspberry Pi 4 Model B Rev 1.4\0")
    tree.put("proc/device-tree/serial-number", b"10000000a1b2c3d4\0")
    tree.put("proc/device-tree/system/linux,revision", bytes.fromhex("00c03114"))
    tree.put("proc/meminfo", "MemTotal:        3884396 kB\nMemFree: 1 kB\n")
    tree.put("etc/os-release", 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n')
    tree.put("proc/sys/kernel/osrelease", "6.12.34+rpt-rpi-v8\n")
    tree.put("proc/bus/input/devices", INPUTS)
    tree.link("sys/class/tty/ttyAMA0/device", "sys/devices/platform/soc/fe201000.serial")
    tree.link("sys/devices/platform/soc/fe201000.serial/driver", "sys/bus/amba/drivers/uart-pl011")
    tree.link("sys/class/tty/ttyS5/device", "sys/devices/platform/serial8250")
    tree.put("sys/class/tty/ttyS5/type", "0\n")
    tree.put("sys/class/tty/tty1/dev", "4:1")
    tree.put("sys/class/video4linux/v4l-subdev0/name", "imx708_wide 10-001a\n")
    tree.put("sys/class/video4linux/video10/name", "bcm2835-codec-decode\n")
    tree.put("sys/class/drm/card1-DSI-1/status", "connected\n")
    tree.put("sys/class/drm/card1-DSI-1/modes", "800x480\n")
    tree.put("sys/class/drm/card1-HDMI-A-1/status", "disconnected\n")
    tree.put("sys/class/rtc/rtc0/name", "rtc-ds1307 1-0068\n")
    tree.put("sys/class/pps/pps0/name", "pps-gpio.-1\n")
    tree.put("sys/class/gpio/gpiochip512/label", "pinctrl-bcm2711\n")
    tree.put("sys/class/watchdog/watchdog0/identity", "Broadcom BCM2835 Watchdog timer\n")
    for name, content in {"name": "SD64G", "manfid": "0x000003", "date": "03/2024", "serial": "0x1a2b3c4d"}.items():
        tree.put(f"sys/block/mmcblk0/device/{name}", content)
    tree.put("sys/block/mmcblk0/size", "124735488\n")
    tree.put("sys/block/loop0/size", "0\n")
    return tree


def plug_in(tree: Tree, product: str, port: str, kind: str) -> None:
    """A USB device with one port."""
    usb = "sys/devices/platform/soc/usb1/1-1"
    tree.put(f"{usb}/idVendor", "1546")
    tree.put(f"{usb}/idProduct", "01a8")
    tree.put(f"{usb}/manufacturer", "u-blox AG")
    tree.put(f"{usb}/product", product)
    tree.link(f"sys/class/{kind}/{port}/device", f"{usb}/1-1:1.0")


def faults(found: list[Fit]) -> dict[str, str]:
    return {one.part: one.fault for one in found if one.fault}


def test_a_board_tells_what_it_is(pi4: Tree) -> None:
    found = hardware.seen(pi4.root)
    assert (found.model, found.serial, found.revision) == ("Raspberry Pi 4 Model B Rev 1.4", "10000000a1b2c3d4", "00c03114")
    assert (found.memory_mb, found.system) == (3793, "Debian GNU/Linux 13 (trixie)")
    assert found.kernel.startswith("6.12.34+rpt-rpi-v8 ")


def test_only_ports_that_lead_somewhere_are_told(pi4: Tree) -> None:
    assert hardware.seen(pi4.root).ports == (SerialPort(path="/dev/ttyAMA0", driver="uart-pl011"),)


def test_a_usb_receiver_is_known_by_its_name(pi4: Tree) -> None:
    plug_in(pi4, "u-blox GNSS receiver", "ttyACM0", "tty")
    port = hardware.seen(pi4.root).ports[0]
    assert (port.path, port.usb, port.name) == ("/dev/ttyACM0", "1546:01a8", "u-blox AG u-blox GNSS receiver")


def test_a_modem_is_known_by_its_control_port(pi4: Tree) -> None:
    plug_in(pi4, "LTE modem", "cdc-wdm0", "usbmisc")
    assert hardware.seen(pi4.root).modems == ("u-blox AG LTE modem",)


def test_cameras_are_sensors_and_not_decoders(pi4: Tree) -> None:
    assert hardware.seen(pi4.root).cameras == ("imx708_wide 10-001a",)


def test_a_touchscreen_a_scanner_and_a_keyboard_are_told_apart(pi4: Tree) -> None:
    found = hardware.seen(pi4.root)
    assert found.touch == ("10-0038 generic ft5x06 (79)",)
    assert found.scanners == ("Symbol Technologies, Inc, 2008 Symbol Bar Code Scanner",)


def test_the_card_tells_maker_date_and_size(pi4: Tree) -> None:
    (card,) = hardware.seen(pi4.root).cards
    wanted = Card(device="mmcblk0", name="SD64G", maker="SanDisk", made="03/2024", serial="0x1a2b3c4d", size_bytes=63_864_569_856)
    assert card == wanted
    assert hardware.card_text(card) == "SD64G (63.9 GB, SanDisk, 03/2024)"


def test_an_emmc_tells_its_life(pi4: Tree) -> None:
    pi4.put("sys/block/mmcblk0/device/life_time", "0x02 0x01\n")
    assert "life 0x02 0x01" in hardware.card_text(hardware.seen(pi4.root).cards[0])


def test_the_summary_leaves_out_what_is_not_there(pi4: Tree) -> None:
    told = hardware.summary(hardware.seen(pi4.root))
    assert told["gpio"] == "pinctrl-bcm2711"
    assert told["display"] == "DSI-1 800x480"
    assert "modem" not in told
    assert "otp" not in told


def test_an_empty_machine_is_no_error(tmp_path: Path) -> None:
    found = hardware.seen(tmp_path)
    assert (found.model, found.ports, found.cards) == ("", (), ())


def test_everything_of_the_profile_is_there(pi4: Tree) -> None:
    assert faults(fit(load_profile("raspberry-pi-4"), hardware.seen(pi4.root))) == {}


def test_each_missing_part_says_what_to_do(tmp_path: Path) -> None:
    told = faults(fit(load_profile("raspberry-pi-4"), hardware.seen(tmp_path)))
    assert set(told) == {"board", "GNSS port", "pulse", "camera", "screen", "clock chip", "watchdog"}
    assert told["GNSS port"].startswith("There is no /dev/ttyAMA0: put enable_uart=1, dtoverlay=disable-bt into /boot/firmware/config.txt")
    assert "dtoverlay=pps-gpio,gpiopin=18" in told["pulse"]
    assert "pin 3 (GPIO 2) and pin 5 (GPIO 3)" in told["clock chip"]


def test_another_board_than_the_profile_s_is_named(pi4: Tree) -> None:
    told = faults(fit(load_profile("raspberry-pi-5"), hardware.seen(pi4.root)))
    assert told["board"].startswith("This is Raspberry Pi 4 Model B Rev 1.4: name its profile")


def test_a_receiver_on_usb_is_to_be_plugged_in(pi4: Tree) -> None:
    told = faults(fit(load_profile("raspberry-pi-4"), hardware.seen(pi4.root), "/dev/ttyUSB3"))
    assert told["GNSS port"] == "There is no /dev/ttyUSB3: plug the receiver in, or correct board.gnss_port."


def test_a_port_by_its_lasting_name_is_left_to_the_daemon(pi4: Tree) -> None:
    assert faults(fit(load_profile("raspberry-pi-4"), hardware.seen(pi4.root), "/dev/serial/by-id/usb-u-blox")) == {}


def test_another_camera_is_a_remark_and_a_dead_touch_layer_a_fault(pi4: Tree) -> None:
    found = replace(hardware.seen(pi4.root), cameras=("ov5647 10-0036",), touch=())
    told = faults(fit(load_profile("raspberry-pi-4"), found))
    assert told["camera"].startswith("The camera seen is ov5647 10-0036: photos work")
    assert told["screen"].startswith("The display shows, but no touch panel is seen")


def typed(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["hardware", *words])
    return int(arguments.run(arguments))


def test_the_command_compares_with_the_profile(pi4: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "seen", lambda: hardware.seen(pi4.root))
    assert typed("--profile", "raspberry-pi-4", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["seen"]["ports"][0]["path"] == "/dev/ttyAMA0"
    assert {one["fault"] for one in told["expected"]} == {""}
    assert typed("--profile", "raspberry-pi-5") == 1
    assert "board: This is Raspberry Pi 4 Model B Rev 1.4" in capsys.readouterr().out


def test_an_unknown_profile_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="did you mean raspberry-pi-4"):
        typed("--profile", "raspbery-pi-4")
