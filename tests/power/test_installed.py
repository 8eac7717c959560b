"""The package that a technician installs, in a real system: its services start by themselves, are shut in, survive what happens to them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.faults.machine.installed import PROGRAMS, installed, set_up
from cli.faults.power import block, booted, tree
from cli.faults.power.booted import Machine
from cli.faults.power.unit import make_keys
from drivers.sim.line import Drive, SerialLine
from drivers.sim.van import VirtualVan
from firmware import status as statuses
from firmware.status import Status
from firmware.status_file import STATUS_FILE
from provisioning.package.target import Python
from tests.eventually import eventually

pytestmark = pytest.mark.timeout(900)  # the first time it makes root file systems
# With the Python that each has.
RELEASES: dict[str, Python] = {"bookworm": "3.11", "trixie": "3.13"}
SERVICE = "roadproof.service"
PORT = "/dev/ttyUSB0"
PACKAGE = "/mnt/roadproof.deb"
LONG_S = 60.0  # for what takes a second or five on a machine that has nothing else to do
SPEED, FIXES = 10.0, 20
# The watchdog of the unit, but in a hurry.
HURRY = "[Service]\nWatchdogSec=5\nTimeoutAbortSec=2\n"
# Another program behind the walls of the daemon's own unit.
PROBE = """[Unit]
ConditionPathExists=
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
RuntimeDirectory=
RuntimeDirectory=roadproof-probe
StandardOutput=file:/run/probe.json
ExecStart=
ExecStart=/opt/roadproof/.venv/bin/python -P /usr/lib/roadproof-probe.py
"""
ATTEMPTS = """
import ctypes, errno, json, mmap, os, socket, time
def make_namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        raise OSError(ctypes.get_errno(), "")
tried = {
    "write /usr": lambda: open("/usr/x", "w"),
    "write /etc": lambda: open("/etc/roadproof/x", "w"),
    "write its own code": lambda: open("/opt/roadproof/cli/main.py", "a"),
    "write its own folder": lambda: open("/var/lib/roadproof/probe", "w"),
    "read /root": lambda: os.listdir("/root"),
    "read another's key": lambda: open("/etc/roadproof/other.key").read(),
    "read the passwords": lambda: open("/etc/shadow").read(),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "send raw packets": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "see every packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "make a namespace": make_namespace,
    "run what it wrote": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
}
def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, "OSError")
    return "done"
print(json.dumps({name: outcome(attempt) for name, attempt in tried.items()}))
"""


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Each Debian that packages are made for."""
    if os.uname().machine != "x86_64":
        pytest.skip("what is booted here is a Debian for amd64, and this machine has another processor")
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def system(release: str) -> Path:
    """It, with what the package depends on."""
    try:
        block.need(block.PROGRAMS | tree.PROGRAMS | booted.PROGRAMS | PROGRAMS)
        return tree.made(tree.default_folder(release), tree.bare(release))
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def package(release: str, system: Path, package_for: Callable[[Python], Path]) -> Path:
    """The package of this checkout for it."""
    assert (system / f"usr/bin/python{RELEASES[release]}").exists()
    return package_for(RELEASES[release])


@pytest.fixture(scope="module")
def blank(system: Path, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, SerialLine]]:
    """A machine with the package, booted for the first time: it belongs to nobody yet. A receiver is plugged in."""
    with installed(system, package) as root, SerialLine() as line:
        os.chown(line.port, booted.user(root, "roadproof"), -1)
        (root / PORT[1:]).touch()
        machine = Machine(root, {PACKAGE: package}, {PORT: Path(line.port)}, tmp_path_factory.mktemp("machine") / "console")
        try:
            machine.wait_until_up()
            machine.typed("systemctl", "is-system-running", "--wait")
            yield machine, line
        finally:
            machine.end()


@pytest.fixture(scope="module")
def machine(blank: tuple[Machine, SerialLine], tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The same after a technician set it up, its daemon at work."""
    machine = blank[0]
    made = tmp_path_factory.mktemp("keys")
    make_keys(made)
    set_up(machine.files, made, PORT)
    other = machine.files / "etc/roadproof/other.key"
    other.write_text("not the daemon's")
    other.chmod(0o600)
    write(machine, f"run/systemd/system/{SERVICE}.d/hurry.conf", HURRY)
    done(machine, "systemd-tmpfiles", "--create", "roadproof.conf")
    done(machine, "systemctl", "daemon-reload")
    try:
        done(machine, "systemctl", "start", SERVICE)
    except AssertionError:
        pytest.fail(done(machine, "journalctl", "--unit", SERVICE, "--output", "cat", "--no-pager"))
    return machine


def write(machine: Machine, place: str, text: str) -> None:
    file = machine.files / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def done(machine: Machine, *command: str) -> str:
    code, said = machine.told(*command)
    assert code == 0, said
    return said


def shown(machine: Machine, unit: str, key: str) -> str:
    return done(machine, "systemctl", "show", "--value", f"--property={key}", unit)


def status(machine: Machine, *, but_of: int = 0) -> Status:
    """What the daemon says of itself now; with `but_of`, the first that another process than this one says."""

    def said() -> Status | None:
        found = statuses.read(machine.files / "run/roadproof" / STATUS_FILE)
        return found if found is not None and found.pid not in {0, but_of} else None

    found = eventually(said, LONG_S)
    assert found is not None
    return found


def test_a_unit_that_nobody_enrolled_asks_for_its_code_and_records_nothing(blank: tuple[Machine, SerialLine]) -> None:
    machine = blank[0]
    asking = machine.files / "run/roadproof-provision/status"
    assert shown(machine, SERVICE, "ActiveState") == "inactive"
    assert shown(machine, "roadproof-provision.service", "ActiveState") == "active"
    assert eventually(lambda: asking.read_text() if asking.exists() else "", LONG_S)
    assert shown(machine, "roadproof-provision.service", "NRestarts") == "0"


def test_everything_else_of_a_blank_unit_is_up(blank: tuple[Machine, SerialLine]) -> None:
    assert done(blank[0], "systemctl", "--failed", "--no-legend") == ""


def test_a_technician_is_told_of_every_command(blank: tuple[Machine, SerialLine]) -> None:
    assert "journal" in done(blank[0], "roadproof", "--help")


def test_the_fixes_of_a_receiver_reach_the_journal(machine: Machine, blank: tuple[Machine, SerialLine]) -> None:
    drive = Drive(VirtualVan(1, start=datetime(2026, 12, 11, 6, 30, tzinfo=UTC)), blank[1], speed=SPEED)
    before = status(machine)
    drive.start()
    try:
        eventually(lambda: status(machine).tseq.issued - before.tseq.issued >= FIXES, LONG_S)
    finally:
        drive.stop()
    after = status(machine)
    assert after.position is not None
    assert after.tseq.issued - before.tseq.issued <= drive.epochs_with_fix


def test_nothing_listens_but_to_the_unit_itself(machine: Machine) -> None:
    status(machine)
    asked = ["nsenter", f"--target={machine.first_process}", "--net", "ss", "--no-header", "--listening", "--tcp", "--udp", "--numeric"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    addresses = [line.split()[4] for line in said.splitlines()]
    assert "127.0.0.1:8080" in addresses
    assert [address for address in addresses if not address.startswith(("127.0.0.1:", "[::1]:"))] == []


def test_the_walls_of_the_daemon_hold(machine: Machine) -> None:
    unit = done(machine, "systemctl", "cat", SERVICE)
    write(machine, "run/systemd/system/roadproof-probe.service", unit)
    write(machine, "run/systemd/system/roadproof-probe.service.d/probe.conf", PROBE)
    write(machine, "usr/lib/roadproof-probe.py", ATTEMPTS)
    done(machine, "systemctl", "daemon-reload")
    done(machine, "systemctl", "start", "roadproof-probe.service")
    tried = json.loads((machine.files / "run/probe.json").read_text())
    assert tried.pop("run what it wrote") in {"EPERM", "EACCES"}  # refused by systemd's filter, or by a kernel that can by itself
    assert tried == {
        "write /usr": "EROFS",
        "write /etc": "EROFS",
        "write its own code": "EACCES",
        "write its own folder": "done",
        "read /root": "EACCES",
        "read another's key": "EACCES",
        "read the passwords": "EACCES",
        "set the clock": "EPERM",
        "send raw packets": "EPERM",
        "see every packet": "EAFNOSUPPORT",
        "make a namespace": "EPERM",
    }


def test_a_killed_daemon_is_back_with_every_record(machine: Machine) -> None:
    before = status(machine)
    done(machine, "systemctl", "kill", "--kill-who=main", "--signal=KILL", SERVICE)
    after = status(machine, but_of=before.pid)
    assert after.log == before.log
    assert after.tseq.issued >= before.tseq.issued
    assert after.seq.issued >= before.seq.issued


def test_a_daemon_that_hangs_is_started_again(machine: Machine) -> None:
    before = status(machine)
    done(machine, "systemctl", "kill", "--kill-who=main", "--signal=STOP", SERVICE)
    after = status(machine, but_of=before.pid)
    assert after.log == before.log
    assert "watchdog" in done(machine, "journalctl", "--unit", SERVICE, "--output", "cat", "--no-pager")


def test_an_upgrade_keeps_settings_journal_and_choices_and_starts_what_ran(machine: Machine) -> None:
    before, settings = status(machine), machine.files / "etc/roadproof/roadproof.toml"
    chosen = settings.read_text()
    done(machine, "systemctl", "disable", "roadproof-renew.timer")
    done(machine, "dpkg", "--install", PACKAGE)
    after = status(machine, but_of=before.pid)
    assert after.log == before.log
    assert settings.read_text() == chosen
    assert shown(machine, "roadproof-renew.timer", "UnitFileState") == "disabled"
    assert shown(machine, SERVICE, "UnitFileState") == "enabled"


def test_a_removed_package_leaves_journal_and_keys_and_a_purged_one_nothing(machine: Machine) -> None:
    done(machine, "dpkg", "--remove", "roadproof")
    assert shown(machine, SERVICE, "ActiveState") == "inactive"
    assert not (machine.files / "opt/roadproof").exists()
    assert (machine.files / "var/lib/roadproof/journal.db").exists()
    assert (machine.files / "etc/roadproof/keys/unit.key").exists()
    done(machine, "dpkg", "--purge", "roadproof")
    assert not (machine.files / "var/lib/roadproof").exists()
    assert not (machine.files / "etc/roadproof").exists()
