"""A question to the daemon on this machine, by its control socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

Line = dict[str, Any]  # JSON, as the daemon wrote it

ANSWER_S = 60.0  # the longest pause between two lines: a record waits 30 s for its receipt, a camera may need ten


class UnitGoneError(Exception):
    """The daemon was there and answers no more; the sentence says what to look at."""


class UnitRefusesError(Exception):
    """The daemon does not do what was asked; the sentence is its own."""


def asked(path: Path, ask: Mapping[str, Any]) -> Iterator[Line]:
    """The lines that answer, the last one not among them. FileNotFoundError and ConnectionRefusedError: no daemon."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ANSWER_S)
        try:
            line.connect(str(path))
        except PermissionError:
            raise UnitRefusesError(f"this user may not ask the daemon at {path}: say sudo before the command") from None
        try:
            line.sendall(msgspec.json.encode(ask) + b"\n")
            with line.makefile("rb") as answers:
                for told in answers:
                    answer = msgspec.json.decode(told, type=Line)
                    if "error" in answer:
                        raise UnitRefusesError(answer["error"])
                    if answer.get("done") is True:
                        return
                    yield answer
        except TimeoutError:
            raise UnitGoneError(f"the daemon has said nothing for {ANSWER_S:.0f} s; see sudo journalctl -u roadproof -n 20") from None
        except (ConnectionError, msgspec.DecodeError):
            pass
    raise UnitGoneError("the daemon ended in the middle of its answer; see sudo journalctl -u roadproof -n 20")
