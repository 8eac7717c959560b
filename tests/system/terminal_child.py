"""A process of its own that is a terminal on a card: does what it is told on stdin, and says so after it was done, until it is killed.

python -m tests.system.terminal_child FOLDER KEYS
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from tests.proofs import Keys
from tests.terminals import Cabin


class Told(msgspec.Struct):
    """One thing for the driver to do."""

    name: str
    data: dict[str, object] = {}
    id: str = ""


class Done(msgspec.Struct):
    """What came of it."""

    ok: bool
    key: str | None
    screen: str


def main(folder: Path, keys: Path) -> int:
    cabin = Cabin(folder, Keys(keys))
    sys.stdout.write(f"{cabin.screen}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        told = msgspec.json.decode(line, type=Told)
        answer = cabin.do(told.name, told.data, told.id)
        sys.stdout.buffer.write(msgspec.json.encode(Done(answer.ok, answer.key, cabin.screen)) + b"\n")
        sys.stdout.flush()
    cabin.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
