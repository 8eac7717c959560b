"""The units are clean, shut in, and fit to each other and to what the program does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.enrol import glass
from cli.main import parser
from firmware.box import requests
from firmware.box.screen import KIOSK

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "systemd"
PYTHON = "/opt/roadproof/.venv/bin/python"
UNITS = sorted(file.name for kind in ("service", "path", "timer") for file in SYSTEMD.glob(f"*.{kind}"))
SERVICES = [name for name in UNITS if name.endswith(".service")]
OURS = [name for name in SERVICES if f"ExecStart={PYTHON} " in (SYSTEMD / name).read_text(encoding="utf-8")]
LASTING = [name for name in SERVICES if "Restart=always" in (SYSTEMD / name).read_text(encoding="utf-8").splitlines()]
# Of 10, as systemd-analyze counts; a bare unit has 9.6. A browser needs namespaces and compiles machine code.
HIGHEST_EXPOSURE = dict.fromkeys(SERVICES, 2.0) | {"roadproof-kiosk.service": 2.5}
# Wired on the board: who may open what.
SERIAL_AND_PINS = {f"char-{name}" for name in ("ttyAMA", "ttyS", "ttyUSB", "ttyACM", "gpiochip", "pps")}
CAMERA = {f"char-{name}" for name in ("video4linux", "media", "dma_heap")}
DEVICES = {
    "roadproof.service": SERIAL_AND_PINS | CAMERA | {"char-input", "/dev/vcio"},
    "roadproof-provision.service": CAMERA | {"/dev/vcio"},
    "roadproof-renew.service": {"/dev/vcio"},
    "roadproof-kiosk.service": {"char-drm"},
}

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: apt-get install systemd"
)
each_service = pytest.mark.parametrize("unit", SERVICES)


def lines(name: str) -> list[str]:
    """Its settings, a continued line as one."""
    text = (SYSTEMD / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith(("#", "[", ";"))]


def values(name: str, key: str) -> list[str]:
    return [line.removeprefix(f"{key}=") for line in lines(name) if line.startswith(f"{key}=")]


def value(name: str, key: str) -> str:
    found = values(name, key)
    assert len(found) == 1, f"{key} stands {len(found)} times in {name}"
    return found[0]


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", "--man=no", *arguments], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def runnable(tmp_path: Path) -> Path:
    """All units in a folder, with programs that this machine has: what is not installed here is no fault of a unit."""
    for name in UNITS:
        text = (SYSTEMD / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(PYTHON, sys.executable).replace("/usr/bin/cage", "/usr/bin/env"), encoding="utf-8")
    return tmp_path


def faults(folder: Path, unit: str) -> list[str]:
    """What systemd says of a unit of ours; of others that this machine has it may say what it likes."""
    return [line for line in analyze("verify", str(folder / unit)).stderr.splitlines() if "roadproof" in line]


@needs_analyze
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_every_line(runnable: Path, unit: str) -> None:
    assert faults(runnable, unit) == []


@needs_analyze
def test_a_mistake_in_a_unit_would_be_found(runnable: Path) -> None:
    copy = runnable / "roadproof.service"
    copy.write_text(copy.read_text(encoding="utf-8").replace("RestartSec=", "RestartSecs="), encoding="utf-8")
    assert any("RestartSecs" in line for line in faults(runnable, copy.name))


@needs_analyze
@each_service
def test_the_service_is_shut_in(unit: str) -> None:
    rated = analyze("security", "--offline=true", str(SYSTEMD / unit))
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", rated.stdout)
    assert exposure is not None, rated.stdout + rated.stderr
    assert float(exposure[1]) <= HIGHEST_EXPOSURE[unit]


@each_service
def test_a_service_opens_what_it_needs_of_the_board_and_no_other_device(unit: str) -> None:
    assert value(unit, "DevicePolicy") == "closed"
    assert {allowed.removesuffix(" rw") for allowed in values(unit, "DeviceAllow")} == DEVICES.get(unit, set())


def test_the_terminal_may_read_which_board_it_is_and_which_boot() -> None:
    assert value("roadproof.service", "ProcSubset") == "all"


def test_usb_serial_drivers_are_loaded_before_the_terminal_starts() -> None:
    assert lines("roadproof.modules.conf") == ["cdc_acm", "usbserial"]
    assert "systemd-modules-load.service" in value("roadproof.service", "After")


def test_the_watchdog_starves_within_half_a_minute_and_every_lasting_service_comes_back() -> None:
    assert value("roadproof.service", "Type") == "notify"
    assert value("roadproof.service", "WatchdogSec") == "30"
    assert LASTING == ["roadproof-authority.service", "roadproof-fleet.service", "roadproof-kiosk.service", "roadproof.service"]
    assert all(value(name, "StartLimitIntervalSec") == "0" for name in LASTING)


def test_the_board_is_reset_when_the_system_hangs_and_an_end_takes_half_a_minute_at_most() -> None:
    assert value("system-roadproof.conf", "RuntimeWatchdogSec") == "15s"
    limits_s = [int(limit) for name in SERVICES for limit in values(name, "TimeoutStopSec")]
    assert max([*limits_s, int(value("system-roadproof.conf", "DefaultTimeoutStopSec").removesuffix("s"))]) <= 20


@pytest.mark.parametrize("unit", [*OURS, "roadproof-kiosk.service"])
def test_what_runs_code_of_others_or_hears_others_is_a_user_that_sysusers_makes(unit: str) -> None:
    users = [line.split()[1] for file in SYSTEMD.glob("*.sysusers.conf") for line in lines(file.name) if line.startswith("u ")]
    assert users.count(value(unit, "User")) == 1
    assert values(unit, "CapabilityBoundingSet") == [""]


def test_each_user_has_what_its_devices_need_and_no_more() -> None:
    rights = {tuple(line.split()[1:]) for line in lines("roadproof.sysusers.conf") if line.startswith("m ")}
    assert {group for user, group in rights if user == "roadproof"} == {"dialout", "gpio", "input", "video"}
    assert {group for user, group in rights if user == "roadproof-kiosk"} == {"video", "render"}


def test_settings_and_keys_are_for_the_service_alone() -> None:
    rights = {path: (mode, user, group) for _, path, mode, user, group, _ in (line.split() for line in lines("roadproof.tmpfiles.conf"))}
    assert rights["/etc/roadproof/roadproof.toml"] == ("0640", "root", "roadproof")
    assert rights["/etc/roadproof"] == ("0755", "root", "root")
    assert rights["/etc/roadproof/keys/unit.key"] == ("0600", "roadproof", "roadproof")


@each_service
def test_no_memory_of_a_service_is_written_to_a_disk_when_it_crashes(unit: str) -> None:
    assert value(unit, "LimitCORE") == "0"  # keys are in it


def test_the_root_key_and_the_issuing_key_are_not_for_others_on_the_fleets_server() -> None:
    told = {line.split()[1].rsplit("/", 1)[-1]: line.split()[2:5] for line in lines("roadproof-authority.tmpfiles.conf")}
    assert told["offline"] == ["~0700", "root", "root"]
    assert told["authority"] == ["~0700", "roadproof-authority", "roadproof-authority"]
    assert values("roadproof-authority.service", "InaccessiblePaths") == ["-/var/lib/roadproof-authority/offline"]


@pytest.mark.parametrize("unit", OURS)
def test_a_unit_starts_a_command_that_there_is(unit: str) -> None:
    start = value(unit, "ExecStart")
    assert start.startswith(f"{PYTHON} -P -m cli ")
    words = start.removeprefix(f"{PYTHON} -P -m cli ").split()
    assert callable(parser(words[0]).parse_args(words).run)


# --- what one unit leaves to the next


def test_the_daemon_starts_with_an_identity_or_with_keys_by_hand_and_else_the_enrolment_does() -> None:
    wanted = {"/var/lib/roadproof/identity/identity.json", "/etc/roadproof/keys/*", "/etc/roadproof/by-hand"}
    for unit, sign in (("roadproof.service", "|"), ("roadproof-provision.service", "!")):
        conditions = [*values(unit, "ConditionPathExists"), *values(unit, "ConditionPathExistsGlob")]
        assert set(conditions) == {sign + path for path in wanted}
    assert values("roadproof-provision.service", "OnSuccess") == ["roadproof.service"]


def test_every_path_waits_for_the_file_that_the_daemon_leaves() -> None:
    runtime = Path("/run") / value("roadproof.service", "RuntimeDirectory")
    awaited = {name: values(name, "PathExists") for name in UNITS if name.endswith(".path") and "authority" not in name}
    assert awaited == {
        "roadproof-kiosk.path": [str(runtime / requests.PAGE), str(glass.RUNTIME / requests.PAGE)],
        "roadproof-kiosk-restart.path": [str(runtime / "requests" / requests.RESTART_KIOSK)],
        "roadproof-poweroff.path": [str(runtime / "requests" / requests.POWER_OFF)],
    }
    assert all(name.replace(".path", ".service") in SERVICES for name in awaited)


def test_a_wish_is_taken_before_it_is_granted_so_that_none_is_lost() -> None:
    for name in ("roadproof-kiosk-restart", "roadproof-authority-reload"):
        awaited = value(f"{name}.path", "PathExists")
        assert values(f"{name}.service", "ExecStart")[0] == f"/bin/rm -f {awaited}"


def test_the_browser_shows_the_enrolment_until_the_daemon_has_a_page_and_is_not_started_without_either() -> None:
    pages = values("roadproof-kiosk.path", "PathExists")
    assert Path("/run") / value("roadproof-provision.service", "RuntimeDirectory") == glass.RUNTIME
    assert values("roadproof-kiosk.service", "EnvironmentFile") == [f"-{page}" for page in reversed(pages)]  # the last one counts
    assert values("roadproof-kiosk.service", "ConditionPathExists") == [f"|{page}" for page in pages]


def test_the_daemon_sees_by_its_folder_whether_the_browser_runs() -> None:
    assert Path("/run") / value("roadproof-kiosk.service", "RuntimeDirectory") == KIOSK


def test_whatever_runs_always_is_enabled_or_started_by_what_is() -> None:
    enabled = {name for name in UNITS if "[Install]" in (SYSTEMD / name).read_text(encoding="utf-8")}
    started = {name.rsplit(".", 1)[0] + ".service" for name in enabled}
    assert set(SERVICES) <= started
    assert "roadproof-kiosk.service" not in enabled  # a unit without a screen has no browser


# --- the browser


def test_the_browser_keeps_its_own_sandbox() -> None:
    start = value("roadproof-kiosk.service", "ExecStart")
    assert not re.search(r"--(no|disable)-\S*sandbox|--disable-web-security|--remote-debugging", start)
    assert values("roadproof-kiosk.service", "RestrictNamespaces") == ["user pid net"]
    assert "chroot capset" in values("roadproof-kiosk.service", "SystemCallFilter")


def test_the_browser_writes_into_memory_alone_and_has_no_way_out() -> None:
    start = value("roadproof-kiosk.service", "ExecStart")
    folders = re.findall(r"--\S*-dir=(\S+)", start)
    assert len(folders) == 2
    assert all(Path(folder).is_relative_to(KIOSK) for folder in folders)
    assert value("roadproof-kiosk.service", "ProtectSystem") == "strict"
    assert values("roadproof-kiosk.service", "ReadWritePaths") == values("roadproof-kiosk.service", "StateDirectory") == []
    assert value("roadproof-kiosk.service", "IPAddressDeny") == "any"
    assert value("roadproof-kiosk.service", "IPAddressAllow") == "localhost"


def test_the_browser_sees_neither_journal_nor_keys() -> None:
    hidden = value("roadproof-kiosk.service", "InaccessiblePaths").split()
    assert {"-/var/lib/roadproof", "-/etc/roadproof", "-/run/roadproof"} <= set(hidden)


def test_the_browser_shows_this_units_page_and_nothing_else() -> None:
    policy = json.loads((SYSTEMD / "chromium-roadproof.json").read_text(encoding="utf-8"))
    assert policy["URLBlocklist"] == ["*"]
    assert policy["URLAllowlist"] == ["http://127.0.0.1"]
    assert policy["DeveloperToolsAvailability"] == 2  # never
    assert policy["DownloadRestrictions"] == 3  # all
    assert not policy["PasswordManagerEnabled"]


def test_logs_stay_in_memory_and_small() -> None:
    assert value("journald-roadproof.conf", "Storage") == "volatile"
    assert value("journald-roadproof.conf", "RuntimeMaxUse") == "16M"


def test_the_page_of_this_folder_names_every_file() -> None:
    told = (SYSTEMD / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in sorted(SYSTEMD.iterdir()) if f"`{file.name}`" not in told and file.name != "README.md"] == []
