"""What the driver's place asks of the C library."""

from __future__ import annotations

import ctypes

import pytest

from firmware.terminal.memory import limit_arenas


def test_a_c_library_that_knows_no_such_limit_stops_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: object) -> object:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    limit_arenas()
    monkeypatch.setattr(ctypes, "CDLL", nothing)
    limit_arenas()


def test_the_limits_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        asked: list[tuple[int, int]] = []  # noqa: RUF012  one test's

        def mallopt(self, parameter: int, value: int) -> int:
            self.asked.append((parameter, value))
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library())
    limit_arenas()
    assert Library.asked == [(-3, 131_072), (-8, 2)]
