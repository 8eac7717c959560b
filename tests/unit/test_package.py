"""What goes into a package, and where; that it works is shown by tests/power/test_installed.py."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.main import main
from provisioning.package import commit, deb
from provisioning.package.commit import Commit
from provisioning.package.contents import stage
from provisioning.package.errors import PackageError
from provisioning.package.places import belongs_to, place
from provisioning.package.target import Target
from provisioning.package.wheels import pinned, unpack

ROOT = Path(__file__).resolve().parents[2]
UNIT = Target("arm64", "3.13")
FILES = tuple(sorted([f"systemd/{path.name}" for path in (ROOT / "systemd").iterdir()] + ["cli/main.py", "tests/conftest.py"]))
MADE = Commit("0.1.0+git7.abcdef0", 1_777_000_000, FILES)
LOCK = """# made by a tool
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
tzdata==2026.6 ; sys_platform == 'win32' \\
    --hash=sha256:dd
rich==15.0.0 \\
    --hash=sha256:ee
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with a module, a command and a manual page."""
    file = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("thing/__init__.py", "thing-1.0.data/purelib/other.py", "thing-1.0.data/scripts/thing", "thing-1.0.data/data/man.1"):
            archive.writestr(name, f"# {name}\n")
    return file


@contextmanager
def file_rights(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("file", "where"),
    [
        ("roadproof.service", "usr/lib/systemd/system/roadproof.service"),
        ("roadproof-renew.timer", "usr/lib/systemd/system/roadproof-renew.timer"),
        ("roadproof.sysusers.conf", "usr/lib/sysusers.d/roadproof.conf"),
        ("roadproof-fleet.tmpfiles.conf", "usr/lib/tmpfiles.d/roadproof-fleet.conf"),
        ("roadproof.modules.conf", "usr/lib/modules-load.d/roadproof.conf"),
        ("journald-roadproof.conf", "usr/lib/systemd/journald.conf.d/roadproof.conf"),
        ("system-roadproof.conf", "usr/lib/systemd/system.conf.d/roadproof.conf"),
        ("polkit-roadproof-provision.rules", "usr/share/polkit-1/rules.d/50-roadproof-provision.rules"),
        ("99-roadproof.rules", "usr/lib/udev/rules.d/99-roadproof.rules"),
        ("chromium-roadproof.json", "etc/chromium/policies/managed/chromium-roadproof.json"),
    ],
)
def test_the_name_of_a_file_says_where_it_is_installed(file: str, where: str) -> None:
    assert str(place(file)) == where


def test_a_file_that_nobody_can_place_stops_the_build() -> None:
    with pytest.raises(PackageError, match=r"systemd/roadproof\.mount"):
        place("roadproof.mount")


def test_every_file_of_systemd_has_a_place() -> None:
    assert [path.name for path in (ROOT / "systemd").iterdir() if place(path.name) is None and path.suffix != ".md"] == []


def test_services_of_the_server_are_not_the_units() -> None:
    assert belongs_to("roadproof-authority.service") == belongs_to("roadproof-fleet.sysusers.conf") == "roadproof-fleet"
    assert belongs_to("roadproof.service") == belongs_to("99-roadproof.rules") == "roadproof"


def test_a_lock_is_read_for_the_python_that_the_unit_has() -> None:
    assert pinned([LOCK], UNIT) == ["numpy==2.5.5 --hash=sha256:bb --hash=sha256:cc", "rich==15.0.0 --hash=sha256:ee"]
    assert pinned([LOCK], Target("amd64", "3.11"))[0] == "numpy==2.4.6 --hash=sha256:aa"


def test_what_two_locks_name_is_fetched_once() -> None:
    assert pinned([LOCK, LOCK], UNIT) == pinned([LOCK], UNIT)


def test_the_locks_of_the_project_pin_every_package_of_a_unit() -> None:
    for target in (UNIT, Target("amd64", "3.11")):
        requirements = pinned([(ROOT / "requirements/unit.lock").read_text(encoding="utf-8")], target)
        names = [requirement.partition("==")[0] for requirement in requirements]
        assert len(names) == len(set(names))
        assert {"numpy", "msgspec", "zxing-cpp"} <= set(names)
        assert all("--hash=sha256:" in requirement for requirement in requirements)


def test_only_what_is_imported_comes_out_of_a_wheel(wheel: Path, tmp_path: Path) -> None:
    unpack(wheel, tmp_path / "packages")
    found = sorted(str(path.relative_to(tmp_path / "packages")) for path in (tmp_path / "packages").rglob("*") if path.is_file())
    assert found == ["other.py", "thing/__init__.py"]


def test_a_package_is_the_same_to_the_byte_whoever_makes_it(wheel: Path, tmp_path: Path) -> None:
    with file_rights(0o077):
        mine = deb.build("roadproof", UNIT, MADE, [wheel], tmp_path / "mine")
    with file_rights(0o002):
        yours = deb.build("roadproof", UNIT, MADE, [wheel], tmp_path / "yours")
    assert mine.read_bytes() == yours.read_bytes()


def test_a_package_belongs_to_root_and_says_what_it_needs(wheel: Path, tmp_path: Path) -> None:
    made = deb.build("roadproof", UNIT, MADE, [wheel], tmp_path)
    listed = subprocess.run(["dpkg-deb", "--contents", str(made)], check=True, capture_output=True, text=True).stdout
    assert all(" root/root " in line for line in listed.splitlines())
    asked = subprocess.run(["dpkg-deb", "--field", str(made), "Depends", "Architecture"], check=True, capture_output=True, text=True).stdout
    assert "python3 (>= 3.13~), python3 (<< 3.14~)" in asked
    assert "Architecture: arm64" in asked


def test_a_unit_gets_its_own_services_and_no_tests(wheel: Path, tmp_path: Path) -> None:
    stage(tmp_path, "roadproof", UNIT, FILES, [wheel])
    assert (tmp_path / "usr/lib/systemd/system/roadproof.service").is_file()
    assert not (tmp_path / "usr/lib/systemd/system/roadproof-fleet.service").exists()
    assert not (tmp_path / "opt/roadproof/tests").exists()
    assert (tmp_path / "opt/roadproof/.venv/bin/python").readlink() == Path("python3.13")


def test_a_units_scripts_enable_what_can_be_enabled_and_a_servers_nothing(wheel: Path, tmp_path: Path) -> None:
    stage(tmp_path / "unit", "roadproof", UNIT, FILES, [wheel])
    stage(tmp_path / "server", "roadproof-fleet", UNIT, FILES, [wheel])
    unit, server = deb.scripts(tmp_path / "unit", "roadproof"), deb.scripts(tmp_path / "server", "roadproof-fleet")
    assert "for unit in roadproof" in unit["postinst"]
    assert "roadproof.service" in unit["postinst"]
    assert "roadproof-fleet" not in unit["postinst"]
    assert "for unit in ;" in server["postinst"]
    assert "@" not in "".join(unit.values()).replace('"$@"', "")


def test_a_removal_keeps_the_journal_until_it_is_purged(tmp_path: Path, wheel: Path) -> None:
    stage(tmp_path, "roadproof", UNIT, FILES, [wheel])
    scripts = deb.scripts(tmp_path, "roadproof")
    assert "/var/lib/roadproof" not in scripts["prerm"]
    assert "rm -rf /var/lib/roadproof" in scripts["postrm"].partition("= purge ]")[2]


def test_nothing_takes_the_fleets_proofs_and_keys_away(tmp_path: Path, wheel: Path) -> None:
    stage(tmp_path, "roadproof-fleet", UNIT, FILES, [wheel])
    removed = [line for line in deb.scripts(tmp_path, "roadproof-fleet")["postrm"].splitlines() if "rm -rf" in line]
    assert removed == ["    rm -rf /etc/roadproof"]


def test_a_later_commit_is_a_later_version() -> None:
    assert subprocess.run(["dpkg", "--compare-versions", "0.1.0+git76.845ed46", "lt", "0.1.0+git100.0aa0000"], check=False).returncode == 0


def test_a_folder_that_is_no_checkout_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="checkout"):
        commit.read(tmp_path)


def test_a_processor_that_nothing_is_made_for_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["package", "--arch", "riscv64"])
    assert ended.value.code == 2
    assert "riscv64" in capsys.readouterr().err
