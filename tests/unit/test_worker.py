"""Threads that cannot die quietly, seen from inside one process; tests/system/test_daemon.py looks from outside."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware import worker as workers
from firmware.worker import notify_systemd, supervise


class Clerk:
    """A worker that does as the test says, and writes down what happened to it."""

    def __init__(self, name: str, book: list[str], *, stall_s: float = 30.0) -> None:
        self.name = name
        self.stall_s = stall_s
        self.may_be_left = False
        self.book = book
        self.hang = threading.Event()
        self.released = threading.Event()
        self.raises: BaseException | None = None
        self.raises_at_the_end: Exception | None = None
        self.steps = threading.Semaphore(0)

    def step(self, stop: threading.Event) -> None:
        self.steps.release()
        if self.raises is not None:
            raise self.raises
        if self.hang.is_set():
            self.released.wait(30)
        stop.wait(0.01)

    def finish(self) -> None:
        self.book.append(f"{self.name} finished")
        if self.raises_at_the_end is not None:
            raise self.raises_at_the_end


@pytest.fixture(autouse=True)
def _signals_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, action in before.items():
        signal.signal(number, action)


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CHECK_S", 0.1)


@pytest.fixture
def book() -> list[str]:
    return []


@pytest.fixture
def bell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def heard(bell: socket.socket) -> list[str]:
    bell.settimeout(0)
    told = []
    while True:
        try:
            told.append(bell.recv(1_000).decode())
        except BlockingIOError:
            return told


def test_an_orderly_end_is_zero_and_the_workers_end_in_their_order(book: list[str]) -> None:
    stop = threading.Event()
    stop.set()
    assert supervise([Clerk("first", book), Clerk("second", book), Clerk("third", book)], stop=stop) == 0
    assert book == ["first finished", "second finished", "third finished"]


def test_dead_worker_ends_the_process_with_an_error_and_the_others_finish(book: list[str], caplog: pytest.LogCaptureFixture) -> None:
    dead, alive = Clerk("dead", book), Clerk("alive", book)
    dead.raises = ZeroDivisionError("boom")
    assert supervise([dead, alive]) == 1
    assert sorted(book) == ["alive finished", "dead finished"]
    assert "dead failed; the program ends, so that it is started again" in caplog.text


def test_a_dead_worker_rings_and_is_not_waited_for(book: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CHECK_S", 60.0)
    dead = Clerk("dead", book)
    dead.raises = ZeroDivisionError("boom")
    assert supervise([dead, Clerk("alive", book)]) == 1


def test_a_worker_whose_library_calls_exit_is_a_dead_one(book: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CHECK_S", 60.0)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    dead = Clerk("dead", book)
    dead.raises = SystemExit(3)
    assert supervise([dead, Clerk("alive", book)]) == 1


def test_a_worker_that_cannot_finish_is_an_error_too(book: list[str]) -> None:
    clumsy, other = Clerk("clumsy", book), Clerk("other", book)
    clumsy.raises_at_the_end = OSError("no")
    stop = threading.Event()
    stop.set()
    assert supervise([clumsy, other], stop=stop) == 1
    assert book == ["clumsy finished", "other finished"]


def test_stalled_worker_ends_the_process_with_an_error_and_is_left_behind(book: list[str], caplog: pytest.LogCaptureFixture) -> None:
    stalled, other = Clerk("stalled", book, stall_s=0.2), Clerk("other", book)
    stalled.hang.set()
    assert supervise([stalled, other]) == 1
    assert book == ["other finished"]
    assert "stalled has not moved for" in caplog.text
    stalled.released.set()


def test_a_worker_that_does_not_stop_is_left_behind(
    book: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "STOP_S", 0.1)
    slow, other = Clerk("slow", book), Clerk("other", book)
    slow.hang.set()
    stop = threading.Event()
    stop.set()
    assert supervise([slow, other], stop=stop) == 1
    assert book == ["other finished"]
    assert "slow does not end" in caplog.text
    slow.released.set()


def test_a_worker_that_holds_nothing_may_be_left_behind_at_an_orderly_end(book: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "STOP_S", 0.1)
    slow, other = Clerk("slow", book), Clerk("other", book)
    slow.may_be_left = True
    slow.hang.set()
    stop = threading.Event()
    stop.set()
    assert supervise([slow, other], stop=stop) == 0
    assert book == ["other finished"]
    slow.released.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_is_not_waited_for(book: list[str], number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CHECK_S", 60.0)
    clerk = Clerk("clerk", book)

    def ring() -> None:
        assert clerk.steps.acquire(timeout=10)
        os.kill(os.getpid(), number)

    ringer = threading.Thread(target=ring)
    ringer.start()
    assert supervise([clerk]) == 0
    ringer.join()
    assert book == ["clerk finished"]


def test_systemd_hears_that_it_is_ready_alive_and_ending(bell: socket.socket, book: list[str]) -> None:
    clerk, stop = Clerk("clerk", book), threading.Event()

    def watch() -> None:
        told = ""
        while "WATCHDOG=1" not in told:
            told = bell.recv(1_000).decode()
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert supervise([clerk], stop=stop, status=lambda: "connected to broker:8883") == 0
    watcher.join()
    assert heard(bell)[-1] == "STOPPING=1"


def test_the_watchdog_is_fed_with_a_sentence_only_while_every_worker_moves(bell: socket.socket, book: list[str]) -> None:
    stalled = Clerk("stalled", book, stall_s=0.6)
    stalled.hang.set()
    assert supervise([stalled, Clerk("other", book)], status=lambda: "all is well") == 1
    told = heard(bell)
    assert told[0] == "READY=1"
    assert told[-1] == "STOPPING=1"
    assert set(told[1:-1]) <= {"WATCHDOG=1\nSTATUS=all is well"}
    assert len(told) <= 9
    stalled.released.set()


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify_systemd("READY=1")


def test_systemd_s_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"roadproof-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        notify_systemd("READY=1")
        assert listener.recv(100) == b"READY=1"
