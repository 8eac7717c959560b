from __future__ import annotations

import json
import logging
import socket
import stat
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.unit_socket import UnitGoneError, UnitRefusesError, asked
from firmware.box.control import LINE_BYTES, MODE, Control
from tests.eventually import eventually


class Echo(msgspec.Struct):
    """What the stand-in answers."""

    line: str


class Rig:
    """A control worker on its thread, and what it was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[bytes] = []
        self.waits: list[bool] = []
        self.ended = threading.Event()
        self.answers: Callable[[bytes], list[msgspec.Struct]] = lambda line: [Echo(line.decode(errors="replace"))]
        self.control = Control(path, self._answer)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stop.is_set():
            self.control.step(self.stop)
        self.control.finish()

    def _answer(self, line: bytes, wait: Callable[[float], bool]) -> Generator[msgspec.Struct, None, None]:
        self.asked.append(line)
        try:
            yield from self.answers(line)
            while line == b"endless":
                self.waits.append(wait(0.01))
                yield Echo("more")
                if self.waits[-1]:
                    return
        finally:
            self.ended.set()

    def close(self) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "control.sock")
    yield made
    made.close()


def say(path: Path, line: bytes) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(10)
        caller.connect(str(path))
        caller.sendall(line)
        with caller.makefile("rb") as told:
            return [json.loads(one) for one in told]


def test_one_line_asks_and_one_line_answers(rig: Rig) -> None:
    assert say(rig.path, b'{"ask":"selftest"}\n') == [{"line": '{"ask":"selftest"}'}]


def test_one_caller_after_the_other_is_served(rig: Rig) -> None:
    assert [say(rig.path, b"%d\n" % number) for number in range(3)] == [[{"line": str(number)}] for number in range(3)]


def test_only_user_and_group_may_ask(rig: Rig) -> None:
    assert stat.S_IMODE(rig.path.stat().st_mode) == MODE


def test_a_line_that_never_ends_is_cut(rig: Rig) -> None:
    say(rig.path, b"x" * (LINE_BYTES + 100) + b"\n")
    assert len(rig.asked[0]) == LINE_BYTES


def test_a_caller_who_says_nothing_and_goes_away_leaves_it_at_work(rig: Rig) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(rig.path))
    eventually(lambda: rig.asked == [b""])
    assert say(rig.path, b"next\n") == [{"line": "next"}]


def test_the_answer_ends_when_its_caller_goes_away(rig: Rig) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(rig.path))
        caller.sendall(b"endless\n")
        caller.recv(10)
    assert rig.ended.wait(10)
    assert say(rig.path, b"next\n") == [{"line": "next"}]


def test_the_unit_s_end_ends_a_wait_for_a_caller_and_removes_the_socket(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "control.sock")
    say(rig.path, b"x\n")  # it waits for the next one now
    rig.close()
    assert not rig.path.exists()


def test_the_unit_s_end_ends_a_long_answer(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "control.sock")
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(rig.path))
        caller.sendall(b"endless\n")
        caller.recv(10)
        rig.close()
    assert rig.waits[-1] is True


def test_the_socket_of_a_killed_daemon_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    rig = Rig(path)
    assert say(path, b"x\n") == [{"line": "x"}]
    rig.close()


def test_a_unit_whose_socket_cannot_be_made_runs_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        rig = Rig(tmp_path / "missing" / "control.sock")
    rig.close()
    assert "roadproof selftest cannot ask this unit" in caplog.text


# --- the command's side


def test_lines_come_until_done(rig: Rig) -> None:
    rig.answers = lambda _: [Echo("a"), Echo("b"), msgspec.defstruct("Done", [("done", bool)])(done=True)]
    assert list(asked(rig.path, {"ask": "selftest"})) == [{"line": "a"}, {"line": "b"}]
    assert rig.asked == [b'{"ask":"selftest"}']


def test_a_refusal_is_its_sentence(rig: Rig) -> None:
    rig.answers = lambda _: [msgspec.defstruct("Refused", [("error", str)])(error="Another self-test is running.")]
    with pytest.raises(UnitRefusesError, match="Another self-test is running"):
        list(asked(rig.path, {"ask": "selftest"}))


def test_an_answer_without_its_end_is_a_daemon_that_died(rig: Rig) -> None:
    with pytest.raises(UnitGoneError, match="ended in the middle"):
        list(asked(rig.path, {"ask": "selftest"}))


def test_nobody_there_is_not_the_same_as_somebody_who_refuses(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(asked(tmp_path / "none", {"ask": "plug"}))
