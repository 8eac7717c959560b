"""From a blank box to a unit that its fleet trusts, as docs/technician.md says it: enrolled, tested, its plug pulled, its report signed."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CDLL
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest

from cli import child
from cli.errors import UsageError
from cli.faults.machine.installed import PROGRAMS, installed
from cli.faults.power import block, booted, tree
from cli.faults.power.booted import Machine
from cli.unit_socket import asked
from provisioning.package.target import PYTHONS, Python
from tests.eventually import eventually
from tests.system.broker import MOSQUITTO
from tests.system.enrolled import Fleet, a_fleet

pytestmark = [
    pytest.mark.timeout(900),  # the first time it makes a root file system
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto"),
]
ROOT = Path(__file__).resolve().parents[2]
CLONE_NEWNET = 0x40000000
LONG_S = 60.0
MARKS = 6
# A container's kernel was booted once, when this machine was; a box has a new name for each of its boots.
BOOT = "etc/boot-id"
CONTAINER = f"[Service]\nBindReadOnlyPaths=/{BOOT}:/proc/sys/kernel/random/boot_id\n"


class Box:
    """A box with the package on its card. What is on the card stays when the power is cut."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder = root, folder
        self.card = folder / "card"
        self.card.mkdir()
        os.chown(self.card, *[booted.user(root, "roadproof")] * 2)
        self._put("etc/systemd/system/roadproof.service.d/container.conf", CONTAINER)
        self.machine: Machine | None = None

    def switch_on(self) -> None:
        """Boot it."""
        self._put(BOOT, f"{uuid4()}\n")
        self.machine = Machine(self._root, {}, {"/var/lib/roadproof": self.card}, self._folder / "console", alone=False)
        self.machine.wait_until_up()
        self.machine.typed("systemctl", "is-system-running", "--wait")

    def cut(self) -> None:
        """Pull the plug: every process of it is gone at once."""
        if self.machine is not None:
            self.machine.end()
            self.machine = None

    def typed(self, *words: str) -> tuple[int, str]:
        """What a technician types, as root."""
        assert self.machine is not None
        return self.machine.told(*words)

    def done(self, *words: str) -> str:
        """It went well, and this is what it said."""
        code, said = self.typed(*words)
        assert code == 0, said
        return said

    def found(self, *parts: str) -> dict[str, dict[str, object]]:
        """The findings of a self-test of these parts."""
        lines = self.typed("roadproof", "selftest", "--json", *parts)[1].splitlines()
        return {finding["key"]: finding for finding in map(json.loads, lines)}

    def runs(self, service: str) -> bool:
        return self.typed("systemctl", "is-active", service)[1] == "active"

    @property
    def files(self) -> Path:
        assert self.machine is not None
        return self.machine.files

    def _put(self, place: str, text: str) -> None:
        (self._root / place).parent.mkdir(parents=True, exist_ok=True)
        (self._root / place).write_text(text, encoding="utf-8")


@contextmanager
def own_network() -> Iterator[None]:
    """Inside the `with` this thread, and what it starts, has a network of its own: a loopback, and no way out."""
    libc, before = CDLL(None, use_errno=True), os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        assert libc.unshare(CLONE_NEWNET) == 0
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            assert libc.setns(before, CLONE_NEWNET) == 0
    finally:
        os.close(before)


@pytest.fixture(scope="module")
def system() -> tuple[Path, Python]:
    """This machine's own Debian, with what the package depends on, and its Python."""
    python = next((one for one in PYTHONS if one == f"{sys.version_info.major}.{sys.version_info.minor}"), None)
    if python is None or os.uname().machine != "x86_64":
        pytest.skip("no package is made for this machine's processor and Python")
    try:
        block.need(block.PROGRAMS | tree.PROGRAMS | booted.PROGRAMS | PROGRAMS | {"ip": "iproute2"})
        release = platform.freedesktop_os_release()["VERSION_CODENAME"]
        return tree.made(tree.default_folder(release), tree.bare(release)), python
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def package(system: tuple[Path, Python], package_for: Callable[[Python], Path]) -> Path:
    """The package of this checkout for that; its wheels come over this machine's network."""
    return package_for(system[1])


@pytest.fixture(scope="module")
def fleet(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The office, the broker and a receiver, in a network with nobody else; `package` is made before."""
    folder = tmp_path_factory.mktemp("fleet")
    with own_network(), a_fleet(folder) as there:
        there.broker.start()
        settings = there.broker.fleet.folder / "fleet.toml"
        settings.write_text(f'store = "sqlite:///{folder}/fleet.db"\n{settings.read_text(encoding="utf-8")}', encoding="utf-8")
        command = [sys.executable, "-P", "-m", "cli", "fleet", "receive", "--config", str(settings)]
        with subprocess.Popen(child.mortal(command), cwd=ROOT) as receiver:
            try:
                yield there
            finally:
                receiver.terminate()


@pytest.fixture(scope="module")
def box(system: tuple[Path, Python], package: Path, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Blank, switched on for the first time. A technician's way begins; each test below is the next step of it."""
    assert fleet
    with installed(system[0], package) as root:
        made = Box(root, tmp_path_factory.mktemp("box"))
        try:
            made.switch_on()
            yield made
        finally:
            made.cut()


def at_the_desk(*words: str) -> tuple[int, str]:
    """A command of this checkout, typed on another computer than the box: a process of its own, which leaves this one no threads."""
    command = [sys.executable, "-P", "-m", "cli", *words]
    ended = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return ended.returncode, ended.stdout


def test_a_blank_box_is_a_unit_as_soon_as_it_was_told_the_code(box: Box, fleet: Fleet) -> None:
    eventually(lambda: box.runs("roadproof-provision.service"), LONG_S)
    assert not box.runs("roadproof.service")
    said = box.done("roadproof", "enrol", fleet.card("van-017").text)
    assert "enrolled as van-017 in " in said
    assert "the daemon starts by itself" in said
    eventually(lambda: box.runs("roadproof.service"), LONG_S)
    found = box.found("broker", "record")
    assert {key: finding["state"] for key, finding in found.items()} == {"broker": "ok", "record": "ok"}, found


def test_nothing_that_was_promised_is_lost_when_the_plug_is_pulled(box: Box) -> None:
    marks = asked(box.files / "run/roadproof/control.sock", {"ask": "plug"})
    promised = list(islice(marks, MARKS))[-1]["marks"]
    box.cut()
    box.switch_on()
    eventually(lambda: box.runs("roadproof.service"), LONG_S)
    plug = box.found("plug")["plug"]
    print(f"plug: {plug['sentence']}")
    facts = plug["facts"]
    assert isinstance(facts, dict)
    assert plug["state"] == "ok", plug
    assert (facts["cut"], facts["lost"]) == ("power", 0)
    assert facts["promised"] >= promised


def test_the_report_holds_for_anybody_with_the_root_certificate(box: Box, fleet: Fleet, tmp_path: Path) -> None:
    folder = fleet.broker.fleet.folder
    root, settings = str(folder / "authority" / "root.pem"), str(folder / "fleet.toml")
    box.done("roadproof", "selftest", "storage", "broker", "record", "plug", "--report", "/srv/van-017.pdf")
    code, told = at_the_desk("verify", str(box.files / "srv/van-017.pdf"), "--root", root)
    assert code == 0, told
    assert "Unit van-017 signed this report" in told
    assert "plug ok: The plug was pulled: 0 of " in told
    copy = str(tmp_path / "van-017.pdf")
    eventually(lambda: at_the_desk("fleet", "report", "van-017", "-o", copy, "--config", settings)[0] == 0, LONG_S)
    assert at_the_desk("verify", copy, "--root", root)[0] == 0


def test_a_renewed_certificate_is_in_use_without_a_restart(box: Box) -> None:
    before = (box.card / "identity/tls.pem").read_bytes()
    pid = box.done("systemctl", "show", "--value", "--property=MainPID", "roadproof.service")
    assert "renewed: the certificate for the login" in box.done("roadproof", "renew", "--force")
    eventually(lambda: (box.card / "identity/tls.pem").read_bytes() != before, LONG_S)
    assert box.found("record")["record"]["state"] == "ok"
    assert box.done("systemctl", "show", "--value", "--property=MainPID", "roadproof.service") == pid


def test_a_wiped_box_is_blank_again_and_takes_the_code_of_its_successor(box: Box, fleet: Fleet) -> None:
    code, said = box.typed("roadproof", "wipe", "--yes")
    assert code == 1
    assert "sudo systemctl stop roadproof" in said
    box.done("systemctl", "stop", "roadproof.service")
    assert "wiped: a scan finds 0 left" in box.done("roadproof", "wipe", "--yes")
    assert list(box.card.iterdir()) == []
    box.done("systemctl", "start", "roadproof-provision.service")
    successor = fleet.broker.fleet.replace("van-017", "screen broken")
    assert "enrolled as van-017-2 in " in box.done("roadproof", "enrol", successor.text)
    eventually(lambda: box.runs("roadproof.service"), LONG_S)
    assert box.found("record")["record"]["state"] == "ok"


def test_a_unit_that_is_shut_out_while_it_is_connected_reaches_the_fleet_no_more(box: Box, fleet: Fleet) -> None:
    fleet.broker.fleet.revoke("van-017-2", "stolen")
    record = box.found("record")["record"]
    assert record["state"] == "bad", record
