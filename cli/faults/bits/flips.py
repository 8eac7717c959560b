"""One bit, one start, again and again."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.progress import Progress

from cli.faults.bits.card import Card, lived
from cli.faults.bits.notice import Notice
from cli.faults.power.day import DAY
from cli.faults.power.unit import make_keys
from cli.faults.scratch import scratch
from cli.faults.tally import Tally

KILLED_AFTER = 0.97  # of the day's lines
# The database is most of what there is to hit; the small files would never be hit by chance, and are what numbers depend on.
KINDS = {"database": 50, "log": 20, "attachment": 18, "numbers": 6, "chain": 6}


class Flip(msgspec.Struct, frozen=True):
    """Which bit."""

    kind: str
    name: str
    at: int
    bit: int

    def do(self, folder: Path) -> None:
        """Flip it."""
        with (folder / self.name).open("r+b") as file:
            file.seek(self.at)
            byte = file.read(1)[0]
            file.seek(self.at)
            file.write(bytes([byte ^ 1 << self.bit]))


def flip(*, flips: int, seed: int, progress: Progress, command: Sequence[str] = DAY, kinds: dict[str, int] | None = None) -> Tally:
    """Live one day, and flip so many bits of what it left, each in a fresh copy."""
    begun_s = time.monotonic()
    chance = random.Random(seed)  # noqa: S311  a reproducible choice, no secret
    total = Tally(harm="bits", seed=seed, faults=0)
    hit, salvaged = Counter[str](), 0
    with scratch("bits") as folder:
        keys = folder / "keys"
        make_keys(keys)
        cards = [lived(folder / "stopped", keys, seed, command), lived(folder / "killed", keys, seed, command, kill_after=KILLED_AFTER)]
        for _ in progress.track(range(flips), description="flipped bits"):
            card = chance.choice(cards)
            one = chosen(card, chance, kinds or KINDS)
            card.copy(folder / "damaged")
            one.do(folder / "damaged")
            tally = Notice(folder / "damaged", keys, card.promise).tally()
            tally.faults = 1
            tally.examples = [f"bit {one.bit} of byte {one.at} of {one.name}: {text}" for text in tally.examples]
            salvaged += tally.more.get("salvaged", 0)
            hit[one.kind] += 1
            total.add(tally)
            shutil.rmtree(folder / "damaged")
    total.more = {"flips_in": dict(hit), "salvaged": salvaged}
    total.seconds = round(time.monotonic() - begun_s, 1)
    return total


def chosen(card: Card, chance: random.Random, kinds: dict[str, int]) -> Flip:
    """A bit of this card."""
    files = {kind: names for kind, names in card.files().items() if kind in kinds and names}
    kind = chance.choices(list(files), [kinds[kind] for kind in files])[0]
    name = chance.choice(files[kind])
    return Flip(kind, name, chance.randrange(card.length(name)), chance.randrange(8))
