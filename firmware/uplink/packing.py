"""How rows of the track become one message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from firmware.journal.pressure import columns_of
from firmware.journal.row import Row
from firmware.journal.schema import LONGEST_BATCH
from mqtt import codec, messages
from mqtt.codec import Columns


def batches(rows: Iterable[Row], longest: int = LONGEST_BATCH) -> Iterator[list[Row]]:
    """Rows in order, as many together as one message can hold: one boot, no number between them, so many numbers at most."""
    batch: list[Row] = []
    for row in rows:
        if batch and (row.boot != batch[0].boot or row.number != batch[-1].last + 1 or row.last - batch[0].number >= longest):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def pack(rows: Sequence[Row], unit: str, log: str, sift: Callable[[Sequence[Columns]], Columns] = codec.join) -> bytes:
    """The payload of a batch; `sift` says which of its fixes go into it."""
    first, last = rows[0].number, rows[-1].last
    cols = sift([columns_of(row) for row in rows])
    return codec.pack(messages.Track(unit=unit, boot=rows[0].boot, log=log, tseq=first, span=last - first + 1, cols=cols))
