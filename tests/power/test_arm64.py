"""The package of a Raspberry Pi runs on its processor, with its Debian's Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.faults.machine.installed import packed, set_up
from cli.faults.power import block, tree
from cli.faults.power.unit import make_keys
from drivers.sim.line import Drive, SerialLine
from drivers.sim.van import VirtualVan
from firmware import status as statuses
from firmware.status_file import STATUS_FILE
from provisioning import identity
from tests.eventually import eventually
from tests.power import rewritten
from tests.power.arm64 import NEEDED, PYTHON, RECIPE, TARGET, UNIT_USER, Userland, userland
from tests.system.broker import free_port
from tests.system.offices import HOST, office

pytestmark = pytest.mark.timeout(900)  # the first time it makes a root file system
LONG_S = 120.0  # a start takes ten seconds there

# Journal, wire, evidence, sentences of a receiver, and a receiver on a serial line: what is compiled, and what asks the kernel.
SMOKE = (
    "/opt/roadproof/tests/unit/test_journal_numbers.py",
    "/opt/roadproof/tests/unit/test_gnss_sentences.py",
    "/opt/roadproof/tests/unit/test_gnss_receiver.py",
    "/opt/roadproof/tests/unit/test_evidence_keys.py",
)
# Every package whose wheel is for one processor alone.
COMPILED = ("cryptography.x509", "fontTools.ttLib", "msgspec", "numpy", "PIL.Image", "pkcs11", "pyzbar.pyzbar", "zxingcpp")


@pytest.fixture(scope="module")
def pi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Userland]:
    try:
        block.need(NEEDED)
        package = packed(TARGET, tmp_path_factory.mktemp("package"))
        with userland(tree.made(tree.default_folder("arm64"), RECIPE), package) as made:
            yield made
    except UsageError as error:
        pytest.skip(str(error))


def test_the_smoke_tests_pass_on_the_processor_of_a_raspberry_pi(pi: Userland) -> None:
    ended = pi.typed(PYTHON, "-P", "-m", "pytest", "--noconftest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *SMOKE)
    assert ended.returncode == 0, ended.stdout[-2_000:]
    assert " passed" in ended.stdout


def test_what_is_compiled_loads_on_that_processor(pi: Userland) -> None:
    loaded = pi.typed(PYTHON, "-P", "-c", f"import {', '.join(COMPILED)}; import platform; print(platform.machine())")
    assert loaded.stdout.strip() == "aarch64"


def test_both_processors_read_and_write_the_same_messages(pi: Userland) -> None:
    told = pi.typed(PYTHON, "-P", "-m", "tests.power.rewritten")
    assert told.stdout.splitlines() == list(rewritten.lines())


def test_a_box_of_that_processor_enrols(pi: Userland, tmp_path: Path) -> None:
    state = "run/roadproof/enrolled"  # not where the daemon of the next test looks
    with office(tmp_path) as there:
        card = there.card("van-017")
        with pi.started("/usr/bin/roadproof", "enrol", card.text, "--est", f"{HOST}:{there.port}", "--state", f"/{state}") as enrol:
            said, _ = enrol.communicate(timeout=LONG_S)
        issued = {entry.purpose for entry in there.fleet.register.certificates("van-017")}
    assert enrol.returncode == 0, said
    assert issued == {"tls", "evidence"}
    found = identity.read(pi.root / state / identity.FOLDER)
    assert found is not None
    assert found.unit == "van-017"


def test_the_daemon_records_the_fixes_of_a_receiver_and_ends_in_order(pi: Userland, tmp_path: Path) -> None:
    make_keys(tmp_path)
    with SerialLine() as line:
        os.chown(line.port, UNIT_USER, -1)
        settings = set_up(pi.root, tmp_path, line.port)
        # It shares this machine's network, where another test may have the usual port.
        own = settings.replace("enabled = true\n", f"enabled = true\nport = {free_port()}\n")
        (pi.root / "etc/roadproof/roadproof.toml").write_text(own, encoding="utf-8")
        drive = Drive(VirtualVan(1, start=datetime(2026, 12, 11, 6, 30, tzinfo=UTC)), line)
        drive.start()
        with pi.started("/usr/bin/roadproof", "run") as daemon:
            try:
                eventually(lambda: daemon.poll() is not None or recorded(pi), LONG_S)
                daemon.terminate()
                said, _ = daemon.communicate(timeout=LONG_S)
            finally:
                daemon.kill()
                drive.stop()
    assert daemon.returncode == 0, said
    assert recorded(pi)


def recorded(pi: Userland) -> int:
    status = statuses.read(pi.root / "run/roadproof" / STATUS_FILE)
    return status.tseq.issued if status is not None else 0
