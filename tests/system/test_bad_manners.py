"""Everything that can be done to the daemon by accident: one clear sentence each, and nothing lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.journal.look import JournalLook
from tests.eventually import eventually
from tests.system.broker import free_port
from tests.system.daemon_rig import ROOT, DaemonRig

Start = Callable[..., DaemonRig]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system: needs root")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Start]:
    made: list[DaemonRig] = []

    def make(port: int, folder: Path = tmp_path, **settings: object) -> DaemonRig:
        made.append(DaemonRig(folder, port, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def run(van: DaemonRig) -> tuple[int, str]:
    """Start where it must end by itself: the exit code and what it said."""
    command = [sys.executable, "-m", "cli", "run", "--config", str(van.config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def fixes(van: DaemonRig) -> int:
    with JournalLook(van.journal / "journal.db") as look:
        return next(one.last for one in look.series() if one.series == "tseq")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("batch_s = 2", "bach_s = 2", "unknown setting uplink.bach_s; did you mean uplink.batch_s?"),
        ("[broker]", "[brokr]", "unknown setting brokr; did you mean broker?"),
        ("quota_mb = 50", "quota_mb = 5", "journal.quota_mb = 5 is not allowed; it must be a whole number, 8 to 100000"),
        ("tls = false", 'tls = "no"', 'broker.tls = "no" is not allowed; it must be true or false'),
        ('unit = "van-1"', 'unit = "Van 1"', 'unit = "Van 1" is not allowed; it must be text like'),
        ('unit = "van-1"', "unit = ", "is not valid TOML"),
    ],
)
def test_a_typo_in_the_settings_is_named_with_what_is_right(rig: Start, right: str, wrong: str, told: str) -> None:
    van = rig(free_port())
    van.config.write_text(van.config.read_text().replace(right, wrong))
    code, said = run(van)
    assert code == 2
    assert told in said
    assert said.startswith(f"roadproof: {van.config}")
    assert "Traceback" not in said
    assert said.count("\n") == (2 if wrong == "[brokr]" else 1)  # a section under a wrong name is missed under its right one


def test_a_settings_file_that_is_not_there_is_one_line(rig: Start) -> None:
    van = rig(free_port())
    van.config.unlink()
    assert run(van) == (2, f"roadproof: cannot read {van.config}: no such file or directory\n")


def test_a_board_that_nobody_knows_is_one_line_with_those_that_are_known(rig: Start) -> None:
    van = rig(free_port())
    van.config.write_text(van.config.read_text().replace('profile = "simulated"', 'profile = "simulatet"'))
    code, said = run(van)
    assert code == 2
    assert 'there is no board profile "simulatet", did you mean simulated? (known:' in said
    assert said.count("\n") == 1


def test_a_second_daemon_is_refused_and_the_first_goes_on(rig: Start) -> None:
    van = rig(free_port())
    van.start_and_wait()
    code, said = run(van)
    assert code == 2
    assert said == f"roadproof: the journal at {van.journal / 'journal.db'} is in use by another process; only one daemon may run on it\n"
    van.drive.start()
    eventually(lambda: van.seen().fixes_read >= 2)
    assert van.end() == 0


def test_a_broker_that_is_not_there_is_a_state_and_not_an_end(rig: Start) -> None:
    port = free_port()
    van = rig(port)
    van.start_and_wait()
    eventually(lambda: van.seen().link == "tcp")
    assert van.seen().link_sentence == f"nobody answers at 127.0.0.1:{port}: connection refused; check the network, host and port"
    assert van.end() == 0
    assert "Traceback" not in van.told()


def test_a_broker_s_name_without_an_address_is_told_apart(rig: Start) -> None:
    van = rig(free_port())
    van.config.write_text(van.config.read_text().replace('host = "127.0.0.1"', 'host = "broker.invalid"').replace("tls = false\n", ""))
    van.start_and_wait()
    eventually(lambda: van.seen().link == "dns", 40)
    assert "the name broker.invalid has no address" in van.seen().link_sentence
    assert van.end() == 0


def test_a_megabyte_of_garbage_on_the_serial_line_stops_nobody(rig: Start) -> None:
    van = rig(free_port(), speed=10)
    van.start_and_wait()
    van.drive.start()
    eventually(lambda: van.seen().fixes_read >= 10, 30)
    chance = random.Random(1)
    for _ in range(256):
        van.line.write(chance.randbytes(4_096))
    van.line.write(b"$GP" + b"A" * 100_000)
    before = van.seen().fixes_read
    eventually(lambda: van.seen().fixes_read >= before + 20, 30)
    assert van.seen().sentences_bad >= 0
    assert van.end() == 0
    assert "Traceback" not in van.told()
    assert fixes(van) == van.seen().fixes_read


def test_a_receiver_that_is_pulled_out_and_plugged_in_again_is_taken_up(rig: Start) -> None:
    van = rig(free_port(), speed=10)
    van.start_and_wait()
    van.drive.start()
    eventually(lambda: van.seen().fixes_read >= 5, 30)
    van.drive.unplug()
    eventually(lambda: not van.seen().has_fix and "plug" in van.seen().gnss)
    van.drive.replug()
    before = van.seen().fixes_read
    eventually(lambda: van.seen().fixes_read >= before + 5, 30)
    assert van.end() == 0
    assert "Traceback" not in van.told()


def test_a_serial_port_that_is_not_there_is_a_state(rig: Start) -> None:
    van = rig(free_port())
    van.line.unplug()
    van.start_and_wait()
    eventually(lambda: "There is no serial port" in van.seen().gnss)
    assert van.end() == 0


def test_garbage_on_the_simulated_panel_turns_no_key(rig: Start) -> None:
    van = rig(free_port())
    van.start_and_wait()
    for garbage in (b"\xff" * 200, b"ignition maybe", b"", b"\n\n\n"):
        van.hands._socket.sendto(garbage, str(van.folder / "panel"))
    van.hands.turn_key(on=True)
    eventually(lambda: van.seen().ignition)
    assert van.end() == 0


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "card"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"this machine lets nobody mount: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@root_only
def test_a_read_only_card_is_one_line(rig: Start, mounted: Path) -> None:
    van = rig(free_port(), journal=mounted / "journal")
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    assert run(van) == (
        2,
        f"roadproof: cannot write in {mounted / 'journal'}: read-only file system; check the folder's owner and rights\n",
    )


@root_only
def test_a_runtime_folder_that_cannot_be_made_is_one_line(rig: Start, mounted: Path) -> None:
    van = rig(free_port())
    van.config.write_text(van.config.read_text().replace(f"{van.folder}/run", f"{mounted}/run"))
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    assert run(van) == (2, f"roadproof: cannot write in {mounted}/run: read-only file system; check its owner and rights\n")


@root_only
def test_a_card_that_is_full_keeps_the_fixes_in_memory_until_there_is_room(rig: Start, mounted: Path) -> None:
    van = rig(free_port(), journal=mounted / "journal", speed=10, commit_s=1)
    van.start_and_wait()
    ballast = mounted / "ballast"
    fill_up(ballast)
    (van.journal / "reserve").unlink(missing_ok=True)
    fill_up(mounted / "more")
    van.drive.start()
    eventually(lambda: van.seen().fixes_held + van.seen().tseq.issued > 40, 30)
    ballast.unlink()
    (mounted / "more").unlink()
    eventually(lambda: van.seen().tseq.issued > 40, 30)
    assert van.end() == 0
    last = van.seen()
    assert last.tseq.issued == last.fixes_read
    assert "Traceback" not in van.told()


def fill_up(path: Path) -> None:
    with path.open("ab", buffering=0) as file:
        for size in (2**20, 4_096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


@root_only
def test_a_card_that_is_full_at_the_start_is_told_in_one_line(rig: Start, mounted: Path) -> None:
    van = rig(free_port(), journal=mounted / "journal")
    van.journal.mkdir()
    fill_up(mounted / "ballast")
    code, said = run(van)
    assert code == 2
    assert said.count("\n") == 1
    assert said.startswith("roadproof: cannot ")
    assert "free space" in said


def test_a_keyboard_interrupt_is_an_orderly_end(rig: Start) -> None:
    van = rig(free_port())
    van.start_and_wait()
    assert van.end(signal.SIGINT) == 0
    assert "Traceback" not in van.told()
