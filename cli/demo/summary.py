"""What was counted: on the unit, at the fleet, and what is missing between them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.table import Table

from cli.demo.stage import Stage
from firmware.journal import Series
from firmware.journal.look import JournalLook, SeriesLook
from fleet.pods import PodSight
from fleet.store import Counts


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The demo in numbers; a record is a fix or an event."""

    fixes_read: int
    records_written: int
    records_received: int
    records_receipted: int
    lost: int
    stored_twice: int
    proofs_received: int
    proofs_good: int


def count(stage: Stage) -> tuple[Summary, int]:
    """Count each number where it is kept: the journal's file, the store's tables. With it: the fixes that were only in memory."""
    with JournalLook(stage.journal_file) as look:
        series = look.series()
    fixes_written = next(one.last for one in series if one.series == Series.TSEQ)
    return summarise(series, stage.counts(), stage.total("fixes_read"), stage.proofs()), max(0, stage.total("fixes_read") - fixes_written)


def summarise(series: Sequence[SeriesLook], counts: Counts | None, fixes_read: int, proofs: Sequence[PodSight] = ()) -> Summary:
    """Compare what the unit wrote with what the fleet holds; None when its store could not be read: then all is lost."""
    written = sum(one.last for one in series)
    received = counts.fixes + counts.records if counts else 0
    distinct = counts.fixes_distinct_time + counts.records_distinct if counts else 0
    return Summary(
        fixes_read=fixes_read,
        records_written=written,
        records_received=received,
        records_receipted=written - sum(one.waiting for one in series),
        lost=written - distinct,
        stored_twice=received - distinct,
        proofs_received=len(proofs),
        proofs_good=sum(proof.verified is True for proof in proofs),
    )


MEANING = {
    "fixes_read": "positions that the daemon read from the serial line",
    "records_written": "fixes and events committed to the journal",
    "records_received": "fixes and events in the fleet's store",
    "records_receipted": "of those written, how many the receiver confirmed",
    "lost": "written, and not in the store",
    "stored_twice": "the same fix or event under two numbers",
    "proofs_received": "proofs of delivery in the fleet's store",
    "proofs_good": "of those, how many verify: signature, chain, certificates",
}


def table(summary: Summary, in_memory_count: int) -> Table:
    """The summary for people."""
    told = f"{in_memory_count} fixes were in memory when the plug was pulled: 10 s at most, by design; events are written at once"
    view = Table(title="What was counted", show_header=False, title_justify="left", caption=told, caption_justify="left")
    for name, meaning in MEANING.items():
        value = getattr(summary, name)
        bad = name in {"lost", "stored_twice"} and value
        colour = "bold red" if bad else "bold green" if name in {"lost", "stored_twice"} else "bold"
        view.add_row(name.replace("_", " "), f"[{colour}]{value}[/]", meaning)
    return view
