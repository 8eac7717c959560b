"""Captured serial bytes in, epochs out: the whole reader without a port or a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.gnss.epoch import Assembler
from drivers.gnss.fields import FieldError
from drivers.gnss.framer import Framer
from drivers.gnss.sentences import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from drivers.gnss.fix import Epoch


def decode(chunks: Iterable[bytes], not_before: date) -> Iterator[Epoch]:
    """Yield the epochs of a capture in the order of publication; how it is cut into chunks does not matter.

    `not_before` is a day before which it cannot have been made. `mono_s` is 0 in every epoch.
    """
    framer, assembler = Framer(), Assembler(not_before)
    for chunk in chunks:
        for sentence in framer.push(chunk):
            try:
                value = parse(sentence.text)
            except FieldError:
                continue
            if value is not None:
                yield from assembler.add(value, sentence.end_bytes, 0.0)
    yield from assembler.finish(framer.read_bytes, 0.0)
