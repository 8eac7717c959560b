"""What the fleet commands print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.errors import UsageError
from fleet.lettering import plain
from mqtt.messages import utc_ms


def age(text: str) -> str:
    """How long ago a time of the contract was, for people."""
    seconds = max(0, int(time.time() - utc_ms(text) / 1000))
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def print_json(told: Sequence[Any]) -> int:
    """Structs as JSON for programs."""
    print(json.dumps(msgspec.to_builtins(told), indent=2))
    return 0


def print_table(heading: Iterable[str], rows: list[list[str]], *, empty: str) -> int:
    """Rows as a table for people, or the sentence that there are none."""
    if not rows:
        print(empty)
        return 0
    shown = Table(*heading)
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))  # Text: what came over the air is no markup
    Console().print(shown)
    return 0


def position_text(latitude: float | None, longitude: float | None) -> str:
    """Degrees to about a metre."""
    return "-" if latitude is None or longitude is None else f"{latitude:.5f}, {longitude:.5f}"


def write(text: Iterable[str], output: Path | None) -> None:
    """Text into a file, or to standard output without one."""
    if output is None:
        sys.stdout.writelines(text)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(text)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {(error.strerror or str(error)).lower()}") from None


def write_file(path: Path, data: bytes) -> None:
    """Bytes into a file; UsageError when it cannot be written."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from None
