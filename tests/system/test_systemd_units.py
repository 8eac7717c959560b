"""The units are clean, shut in, and name what the manual sets up."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "systemd"
UNITS = ["roadproof.service", "roadproof-fleet.service"]
PYTHON = "/opt/roadproof/.venv/bin/python"
HIGHEST_EXPOSURE = 2.0  # of 10, as systemd-analyze counts; a bare unit has 9.6

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: apt-get install systemd"
)


def lines(name: str) -> list[str]:
    text = (SYSTEMD / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith(("#", "[", ";"))]


def value(name: str, key: str) -> str:
    found = [line.removeprefix(f"{key}=") for line in lines(name) if line.startswith(f"{key}=")]
    assert len(found) == 1, f"{key} stands {len(found)} times in {name}"
    return found[0]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", "--man=no", *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def runnable(unit: str, tmp_path: Path) -> Path:
    """The unit with a Python that this machine has."""
    copy = tmp_path / unit
    copy.write_text((SYSTEMD / unit).read_text(encoding="utf-8").replace(PYTHON, sys.executable), encoding="utf-8")
    return copy


@needs_analyze
def test_systemd_understands_every_line(runnable: Path) -> None:
    verified = analyze("verify", str(runnable))
    ours = [line for line in verified.stderr.splitlines() if runnable.name in line]
    assert ours == []
    assert verified.returncode == 0, verified.stderr


@needs_analyze
def test_a_mistake_in_a_unit_would_be_found(runnable: Path) -> None:
    runnable.write_text(runnable.read_text(encoding="utf-8").replace("RestartSec=", "RestartSecs="), encoding="utf-8")
    assert "RestartSecs" in analyze("verify", str(runnable)).stderr


@needs_analyze
def test_the_service_is_shut_in(runnable: Path) -> None:
    rated = analyze("security", "--offline=true", f"--threshold={HIGHEST_EXPOSURE * 10:.0f}", str(runnable))
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", rated.stdout)
    assert exposure is not None, rated.stdout + rated.stderr
    assert float(exposure[1]) <= HIGHEST_EXPOSURE
    assert rated.returncode == 0


def test_the_terminal_may_open_what_its_board_has() -> None:
    allowed = {line.removeprefix("DeviceAllow=") for line in lines("roadproof.service") if line.startswith("DeviceAllow=")}
    lines_and_pins = ("ttyAMA", "ttyS", "ttyUSB", "ttyACM", "gpiochip", "pps")
    camera_and_scanners = ("video4linux", "media", "dma_heap", "input")
    assert {f"char-{name} rw" for name in (*lines_and_pins, *camera_and_scanners)} == allowed
    assert "ProcSubset=all" in lines("roadproof.service")  # the GPIO library reads the board's revision there, the clock the boot id


def test_usb_serial_drivers_are_loaded_before_the_terminal_starts() -> None:
    assert lines("roadproof.modules.conf") == ["cdc_acm", "usbserial"]
    assert "systemd-modules-load.service" in value("roadproof.service", "After")


def test_the_watchdog_starves_within_half_a_minute_and_the_service_comes_back() -> None:
    assert value("roadproof.service", "Type") == "notify"
    assert value("roadproof.service", "WatchdogSec") == "30"
    assert all(value(name, "Restart") == "always" and value(name, "StartLimitIntervalSec") == "0" for name in UNITS)


def test_each_service_runs_as_a_user_of_its_own_that_sysusers_makes(unit: str) -> None:
    user = value(unit, "User")
    assert any(line.startswith(f"u {user} ") for line in lines(f"{unit.removesuffix('.service')}.sysusers.conf"))
    assert value(unit, "StateDirectory") == user


def test_the_terminals_user_has_what_its_devices_need_and_no_more() -> None:
    groups = {line.split()[2] for line in lines("roadproof.sysusers.conf") if line.startswith("m roadproof ")}
    assert groups == {"dialout", "gpio", "input", "video"}


def test_settings_and_password_are_for_the_service_alone() -> None:
    rights = {path: (mode, user, group) for _, path, mode, user, group, _ in (line.split() for line in lines("roadproof.tmpfiles.conf"))}
    for path in ("/etc/roadproof/roadproof.toml", "/etc/roadproof/broker-password"):
        assert rights[path] == ("0640", "root", "roadproof")
    assert rights["/etc/roadproof"] == ("0755", "root", "root")
    assert rights["/etc/roadproof/keys/unit.key"] == ("0600", "roadproof", "roadproof")


def test_the_commands_are_those_of_the_manual(unit: str) -> None:
    words = {"roadproof.service": "run --config /etc/roadproof/roadproof.toml"}
    words["roadproof-fleet.service"] = "fleet receive --config /etc/roadproof/fleet.toml"
    assert value(unit, "ExecStart") == f"{PYTHON} -P -m cli {words[unit]}"


def test_logs_stay_in_memory_and_small() -> None:
    assert value("journald-roadproof.conf", "Storage") == "volatile"
    assert value("journald-roadproof.conf", "RuntimeMaxUse") == "16M"


def test_the_manual_installs_every_file_of_this_folder() -> None:
    manual = (ROOT / "provisioning" / "by-hand.md").read_text(encoding="utf-8")
    assert [file.name for file in sorted(SYSTEMD.iterdir()) if f"systemd/{file.name}" not in manual] == []
