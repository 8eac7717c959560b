"""The terminal in a process that is killed: at every step of a proof, in the middle of a step, and on a card that is full."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mqtt.evidence.chain import Signed, first_head
from mqtt.evidence.stream import check_stream
from tests.proofs import Keys, keys_of_the_session, pods_of
from tests.system.terminal_child import Done, Told
from tests.terminals import STROKES, Cabin, Card, begun_card, hand_out, run_of, steps_at

ROOT = Path(__file__).resolve().parents[2]
STOPS = 6


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture
def card(tmp_path: Path, keys: Keys) -> Card:
    """A day of six stops."""
    card = begun_card(tmp_path, keys)
    cabin = card.start()
    cabin.receive(run_of(2, STOPS))
    cabin.done("run.accept")
    card.eject()
    return card


class Child:
    """The terminal's process, and what it said."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        command = [sys.executable, "-m", "tests.system.terminal_child", str(folder), str(keys.folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.told, self.said = self.process.stdin, self.process.stdout
        self.screen = self.said.readline().decode().strip()

    def tell(self, name: str, data: dict[str, Any], command_id: str) -> None:
        self.told.write(msgspec.json.encode(Told(name, data, command_id)) + b"\n")

    def do(self, name: str, data: dict[str, Any], command_id: str) -> Done:
        self.tell(name, data, command_id)
        done = msgspec.json.decode(self.said.readline(), type=Done)
        self.screen = done.screen
        return done

    def kill(self) -> None:
        self.process.kill()
        _, error = self.process.communicate()
        assert b"Traceback" not in error, error.decode()


@pytest.fixture
def start(card: Card, keys: Keys) -> Iterator[Any]:
    children = list[Child]()

    def begin() -> Child:
        children.append(Child(card.folder, keys))
        return children[-1]

    yield begin
    for child in children:
        child.process.kill()
        child.process.communicate()


def proofs_of(cabin: Cabin, keys: Keys) -> list[dict[str, Any]]:
    """The records of the chain, which is whole, each with every picture that it names."""
    pods = pods_of(cabin.journal)
    signed = [Signed(rec=pod.rec, jws=pod.jws) for pod in pods]
    assert check_stream(signed, [], first_head(keys.signer.certificate_der)) == []
    told = [msgspec.json.decode(pod.rec) for pod in pods]
    for record in told:
        for one in record["att"]:
            assert cabin.attachments.size(one["enc_sha256"]) == one["enc_len"]
            assert cabin.attachments.is_whole(one["enc_sha256"])
    return told


def test_killed_after_every_step_of_a_proof_it_goes_on_at_that_step(card: Card, keys: Keys, start: Any) -> None:
    steps = steps_at(1)
    child = start()
    for name, data in steps:
        assert child.do(name, data, f"id-{name}").ok, name
        screen = child.screen
        child.kill()
        child = start()
        assert child.screen == screen, name
        if name != "scan":
            assert child.do(name, data, f"id-{name}").ok, name  # the page had no answer, and asks again
            assert child.screen == screen, name
    child.kill()
    cabin = card.start()
    hand_out(cabin)
    (told,) = proofs_of(cabin, keys)
    assert (told["stop"], [one["kind"] for one in told["att"]]) == ("s-1", ["photo", "signature"])
    card.eject()


def test_killed_at_any_moment_no_confirmed_proof_is_lost_and_none_is_made_twice(card: Card, keys: Keys, start: Any) -> None:
    chance = random.Random(2026)
    confirmed, kills = set[str](), 0
    child = start()
    for stop in range(1, STOPS + 1):
        place = 0
        while place < len(steps_at(stop)):
            name, data = steps_at(stop)[place]
            command_id = f"{stop}-{name}"
            if chance.random() < 0.35 and kills < 14:
                child.tell(name, data, command_id)
                try:
                    child.process.wait(chance.random() * 0.05)  # somewhere in the middle of it
                except subprocess.TimeoutExpired:
                    child.kill()
                kills += 1
                child = start()
            done = child.do(name, data, command_id)
            # A step that was done before the kill is refused as done; only its answer was lost.
            assert done.ok or done.key in {"scan.not_now", "command.not_now"}, (name, done)
            place += 1
        confirmed.add(f"s-{stop}")
    child.kill()
    cabin = card.start()
    cabin.receive(run_of(3, STOPS + 1))
    cabin.tap("run.accept")
    cabin.done("route.stop", stop_id=f"s-{STOPS + 1}")
    cabin.done("pod.start")
    stops = [told["stop"] for told in proofs_of(cabin, keys)]
    assert sorted(stops) == sorted(confirmed)
    assert kills >= 8
    named = {one["enc_sha256"] for told in proofs_of(cabin, keys) for one in told["att"]}
    assert set(cabin.attachments.names()) == named  # what the kills left over was swept up
    card.eject()


def test_a_card_that_fills_in_the_middle_of_a_proof_still_takes_the_proof(keys: Keys) -> None:
    if shutil.which("mount") is None:
        pytest.skip("no mount command")
    with tempfile.TemporaryDirectory() as place:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=52m", "none", place], capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"this machine lets nobody mount: {made.stderr.decode().strip()}")
        card = begun_card(Path(place), keys)
        try:
            _work_on_a_full_card(card, keys)
        finally:
            card.eject()
            subprocess.run(["umount", place], check=True)


def _work_on_a_full_card(card: Card, keys: Keys) -> None:
    cabin = card.start()
    for name, data in steps_at(1)[:4]:
        assert cabin.do(name, data).ok
    with (card.folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4_096))
    answer = cabin.tap("pod.photo")
    assert (answer.key, answer.args["sentence"]) == (
        "photo.no_room",
            "the card is nearly full, and what room is left is kept for the proofs themselves; go on without the picture",
    )  # fmt: skip
    cabin.done("pod.photo_skip", reason="camera")
    if cabin.tap("pod.sign", **STROKES).key == "sign.no_room":
        cabin.done("pod.unsigned", state="unable")
    cabin.done("pod.name", relation="recipient", name="M. Kowalska")
    cabin.done("pod.confirm")
    card.eject()
    cabin = card.start()
    hand_out(cabin)
    (told,) = proofs_of(cabin, keys)
    assert (told["stop"], [one["kind"] for one in told["att"] if one["kind"] == "photo"]) == ("s-1", [])
    assert "no_photo" in told["flags"]
