"""The fleet's folder on an installed server: `fleet init` as root, then the package's own tmpfiles, with the real systemd-tmpfiles."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from cli.fleet import access
from cli.main import main
from provisioning.authority import founding
from provisioning.authority.acting import as_oneself, as_owner
from provisioning.authority.errors import FleetError
from provisioning.authority.folder import Fleet
from provisioning.authority.settings import BrokerPlace, EstPlace, FleetPlace

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = {"root": 0, "roadproof-authority": 40_001, "roadproof-fleet": 40_002, "mosquitto": 40_003}
AUTHORITY, RECEIVER, BROKER = 40_001, 40_002, 40_003
RULES = "roadproof-authority.conf"
PLACE = FleetPlace(
    name="Test", crl_urls=("http://127.0.0.1/crl",), reload=(), broker=BrokerPlace(host="127.0.0.1"), est=EstPlace(host="127.0.0.1")
)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server's root with a fleet on it, whose users have the numbers above; not below pytest's folders, which are for root alone."""
    with TemporaryDirectory(prefix="roadproof-server-") as folder:
        yield installed(Path(folder), monkeypatch)


def installed(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root.chmod(0o755)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=NUMBERS[name]))
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=NUMBERS[name]))
    (root / "etc").mkdir()
    lines = [f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in NUMBERS.items()]
    (root / "etc/passwd").write_text("".join(lines), encoding="utf-8")
    (root / "etc/group").write_text("".join(f"{name}:x:{number}:\n" for name, number in NUMBERS.items()), encoding="utf-8")
    (root / "usr/lib/tmpfiles.d").mkdir(parents=True)
    shutil.copyfile(ROOT / "systemd/roadproof-authority.tmpfiles.conf", root / "usr/lib/tmpfiles.d" / RULES)
    founding.found(fleet_of(root), PLACE)
    return root


def fleet_of(machine: Path) -> Path:
    return machine / "var/lib/roadproof-authority"


def settle(machine: Path) -> None:
    """What the package's postinst does, and every boot."""
    if shutil.which("systemd-tmpfiles") is None:
        pytest.skip("systemd-tmpfiles is not installed: apt-get install systemd")
    subprocess.run(["systemd-tmpfiles", "--create", f"--root={machine}", RULES], check=True, timeout=30)


def rights(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Owner, group and mode of everything, by its name in the folder."""
    named = {path.relative_to(folder).as_posix(): path.lstat() for path in (folder, *folder.rglob("*"))}
    return {name: (held.st_uid, held.st_gid, f"{stat.S_IMODE(held.st_mode):o}") for name, held in named.items()}


def shut(held: dict[str, tuple[int, int, str]]) -> dict[str, tuple[int, int, str]]:
    """As it is but for the modes of files behind the authority's own door, which nobody else comes through."""
    return {name: (user, group, "" if name.startswith("authority/") else mode) for name, (user, group, mode) in held.items()}


def test_the_packages_rules_say_what_init_did(machine: Path) -> None:
    before = rights(fleet_of(machine))
    settle(machine)
    assert shut(rights(fleet_of(machine))) == shut(before)


def test_a_folder_whose_doors_were_left_open_is_shut(machine: Path) -> None:
    before, folder = rights(fleet_of(machine)), fleet_of(machine)
    for name in ("", "offline", "authority", "broker", "receiver", "operator"):
        (folder / name).chmod(0o777)
    settle(machine)
    assert shut(rights(folder)) == shut(before)


def test_each_key_is_for_the_program_that_uses_it_alone(machine: Path) -> None:
    settle(machine)
    held = rights(fleet_of(machine))
    assert held["offline/root.key"] == (0, 0, "600")
    assert held["authority"] == (AUTHORITY, AUTHORITY, "700")
    assert held["authority/issuing.key"] == held["authority/est.key"] == (AUTHORITY, AUTHORITY, "600")
    assert held["broker/broker.key"] == (AUTHORITY, BROKER, "640")
    assert held["receiver/receiver.key"] == held["receiver/seal.key"] == (RECEIVER, held["receiver/seal.key"][1], "600")
    assert held["receiver/tls.key"] == (AUTHORITY, RECEIVER, "640")
    assert held["fleet.toml"] == (0, RECEIVER, "640")  # with the name of the receivers' group


def test_the_server_that_faces_the_internet_cannot_write_what_root_reads_and_runs(machine: Path) -> None:
    settle(machine)
    held = rights(fleet_of(machine))
    assert held["."] == (0, 0, "755")
    assert held["fleet-settings.toml"] == (0, 0, "644")
    unit = (ROOT / "systemd/roadproof-authority.service").read_text(encoding="utf-8")
    assert "\nStateDirectory=" not in unit  # systemd would give it the folder, and all that is in it
    writable = [word for line in unit.splitlines() if line.startswith("ReadWritePaths=") for word in line.split("=")[1].split()]
    assert {Path(path).name for path in writable} == {"authority", "broker", "receiver", "operator", "units"}


def test_root_at_the_keyboard_acts_as_the_authority_and_so_does_what_it_starts(machine: Path) -> None:
    folder, note = fleet_of(machine), machine / "note"
    with as_owner(folder):
        assert (os.geteuid(), os.getegid(), os.getgroups()) == (AUTHORITY, AUTHORITY, [AUTHORITY])
        started = subprocess.run(["sh", "-c", "grep Uid /proc/self/status"], capture_output=True, text=True, check=True)
        assert started.stdout.split()[1:] == [str(AUTHORITY)] * 4
        with pytest.raises(PermissionError):
            note.touch()
        with as_oneself():
            note.touch()
        assert os.geteuid() == AUTHORITY
    assert os.getresuid() == (0, 0, 0)


def test_a_link_in_the_authoritys_folders_leads_root_nowhere(machine: Path) -> None:
    folder, target = fleet_of(machine), machine / "etc/cron.d"
    target.mkdir(mode=0o755)
    shutil.rmtree(folder / "broker")
    (folder / "broker").symlink_to(target)
    with as_owner(folder), Fleet.open(folder) as fleet, pytest.raises(FleetError, match="permission denied"):
        fleet.write_access()
    assert list(target.iterdir()) == []


def test_a_card_is_made_by_root_with_its_picture_where_root_wants_it(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    private = machine / "root"
    private.mkdir(mode=0o700)
    assert main(["fleet", "enrol", "van-017", "--png", str(private / "card.png"), "--fleet", str(fleet_of(machine))]) == 0
    assert (private / "card.png").stat().st_uid == 0
    assert "RP1:" in capsys.readouterr().out
    assert rights(fleet_of(machine))["authority/register.db"][:2] == (AUTHORITY, AUTHORITY)
    assert access.RELOADER.name == "roadproof-authority-reload.path"
