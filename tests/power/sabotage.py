"""The day of `roadproof faults power` on a product that breaks one of its rules.

python -m tests.power.sabotage RULE FOLDER KEYS --seed N --steps N [--wait]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.faults.power import day, said
from firmware.evidence import attachments, book
from firmware.journal import Appended, Journal, numbers, schema
from mqtt.durable import sync_names, write_durably

write_photo = write_durably


def commits_are_not_synced() -> None:
    """What SQLite's synchronous=NORMAL does in WAL mode."""
    schema.PRAGMAS = schema.PRAGMAS.replace("synchronous = FULL", "synchronous = NORMAL")


def photos_are_not_synced() -> None:
    def careless(path: Path, content: bytes) -> None:
        write_carelessly(path, content)
        sync_names(path.parent)

    vars(attachments)["write_durably"] = careless


def the_photos_folder_is_not_synced() -> None:
    def careless(path: Path, content: bytes) -> None:
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    vars(attachments)["write_durably"] = careless


def the_record_comes_before_its_photo() -> None:
    late: list[tuple[Path, bytes]] = []
    append: Callable[..., Appended] = Journal.append

    def keep_later(path: Path, content: bytes) -> None:
        late.append((path, content))

    def append_first(self: Journal, *records: Any, **more: Any) -> Appended:
        appended = append(self, *records, **more)
        while late:
            write_photo(*late.pop())
        return appended

    vars(attachments)["write_durably"] = keep_later
    Journal.append = append_first  # type: ignore[method-assign]  # that is the sabotage
    said.ToldAttachments.keep = attachments.Attachments.keep  # type: ignore[method-assign]  # nobody says that it is there yet


def the_numbers_file_is_not_synced() -> None:
    vars(numbers)["write_durably"] = write_carelessly


def the_chains_file_is_not_synced() -> None:
    vars(book)["write_durably"] = write_carelessly


def write_carelessly(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    fresh.replace(path)


RULES: dict[str, Callable[[], None]] = {
    act.__name__: act
    for act in (
        commits_are_not_synced,
        photos_are_not_synced,
        the_photos_folder_is_not_synced,
        the_record_comes_before_its_photo,
        the_numbers_file_is_not_synced,
        the_chains_file_is_not_synced,
    )
}


def main() -> None:
    RULES[sys.argv.pop(1)]()
    day.main()


if __name__ == "__main__":
    main()
