"""The live picture: where the van is, what the unit holds, what the fleet has."""

from __future__ import annotations

import re
import time
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.demo.act import Act
from cli.demo.braille import Canvas
from cli.demo.day import PIN
from cli.demo.stage import Stage
from cli.demo.story import Story
from cli.words import time_text
from firmware.status import SeriesStatus, Status
from fleet.pods import PodSight
from fleet.store import Counts

KMH = 3.6
COUNT_EVERY_S = 0.75
CARD = 38  # columns of a card: two beside each other in 80
TOLD = 3  # acts that stay on the screen
LEAST_ROWS, MOST_ROWS = 7, 12  # of a card's content

LINK_WORDS = {
    "online": ("green", "online"),
    "connecting": ("yellow", "connecting"),
    "no_receiver": ("yellow", "there, but no receiver"),
}


class Picture:
    """Draws in place, four times a second; use it in a `with`."""

    def __init__(self, console: Console, stage: Stage, story: Story, svg: Path | None = None, hints: str = "") -> None:
        self._stage = stage
        self._hints = hints  # which keys there are
        self._story = story
        self._told: list[tuple[float, Act]] = []
        self._passed_s = 0.0
        self._counted_s = 0.0
        self._counts: Counts | None = None
        self._proofs: list[PodSight] = []
        self._rows = max(LEAST_ROWS, min(MOST_ROWS, (console.height - 2 - TOLD) // 2 - 2))
        self._map = Canvas(CARD - 4, self._rows)
        self._newest: RenderableType = ""
        self._svg = svg
        self._live = Live(console=console, auto_refresh=False, screen=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._draw()
        self._live.stop()

    def tell(self, act: Act) -> None:
        """An act begins."""
        self._told.append((self._passed_s, act))
        self._draw()
        if self._svg is not None and act.name == "network":
            self._save(self._svg)

    def look(self, passed_s: float) -> None:
        """Draw again."""
        self._passed_s = passed_s
        if time.monotonic() - self._counted_s > COUNT_EVERY_S:
            self._counted_s = time.monotonic()
            self._counts = self._stage.counts() or self._counts
            self._proofs = self._stage.proofs() or self._proofs
            self._map.draw([(point.lat_e7 / 1e7, point.lon_e7 / 1e7) for point in self._stage.trail()], self._van())
        self._draw()

    def _van(self) -> tuple[float, float] | None:
        place = self._stage.status().position
        return (place.lat_deg, place.lon_deg) if place and self._stage.unit_runs else None

    def _draw(self) -> None:
        status = self._stage.status()
        cards = [
            self._card("vehicle", self._vehicle(status), "cyan"),
            self._card("map: what the fleet has", self._map.render(), "blue"),
            self._card("unit", self._unit(status), "green" if self._stage.unit_runs else "red"),
            self._card("fleet", self._fleet(status), "magenta"),
        ]
        self._newest = Group(self._headline(), self._narration(), Columns(cards))
        self._live.update(self._newest, refresh=True)

    def _save(self, path: Path) -> None:
        paper = Console(record=True, width=2 * CARD + 2, file=StringIO(), force_terminal=True)
        paper.print(self._newest)
        drawn = paper.export_svg(title="./roadproof demo")
        # rich names a web font; a picture in a repository must not fetch anything.
        path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL), encoding="utf-8")

    def _card(self, title: str, content: RenderableType, colour: str) -> Panel:
        return Panel(content, title=title, title_align="left", border_style=colour, width=CARD, height=self._rows + 2)

    def _headline(self) -> RenderableType:
        line = Table.grid(padding=(0, 1))
        if self._stage.aide.driver_came:
            line.add_row(Text("roadproof demo", "bold"), Text(f"the driver's day, at {self._stage.page}; it ends when he signs out"))
            line.add_row("", Text(self._hints or "Ctrl-C ends it", "dim"))
            return line
        line.add_row(
            Text("roadproof demo", "bold"),
            ProgressBar(total=self._story.seconds, completed=min(self._passed_s, self._story.seconds), width=36),
            Text(f"{self._passed_s:3.0f} of {self._story.seconds:.0f} s  Ctrl-C ends it", "dim"),
        )
        return Group(line, Text.assemble("be the driver: open ", (self._stage.page, "bold underline"), f" and sign in with PIN {PIN}"))

    def _vehicle(self, status: Status) -> RenderableType:
        place, rows = status.position, _grid()
        if not self._stage.unit_runs:
            rows.add_row("power", Text("none: the plug is pulled", "bold red"))
        fix = f"3D, {place.sats or 0} satellites" if place and status.has_fix else "none"
        rows.add_row("fix", Text(fix, "green" if status.has_fix else "bold yellow"))
        speed = (place.speed_mps or 0) * KMH if place and status.has_fix else None
        rows.add_row("speed", Text("-") if speed is None else Text(f"{speed:3.0f} km/h ") + Text("█" * round(speed / 5), "cyan"))
        rows.add_row("position", f"{place.lat_deg:.5f} {place.lon_deg:.5f}" if place else "-")
        rows.add_row("time", time_text(place.at_ms) if place else "-")
        rows.add_row("ignition", {None: "not known yet", True: "on", False: "off"}[status.ignition])
        rows.add_row("trip", status.trip)
        return rows

    def _unit(self, status: Status) -> RenderableType:
        rows, total = _grid(), self._stage.total
        colour, word = LINK_WORDS.get(status.link, ("bold red", f"none ({status.link})"))
        rows.add_row("network", Text(word, colour) if self._stage.unit_runs else Text("off", "dim"))
        rows.add_row("fixes read", str(total("fixes_read")))
        rows.add_row("in memory", f"{status.fixes_held} fixes")
        rows.add_row("journal", f"{status.tseq.issued} fixes, {status.seq.issued} events")
        rows.add_row("waiting", _waiting(status.tseq, status.seq))
        rows.add_row("sent", f"{total('live_sent')} live, {total('track_sent')} batches")
        rows.add_row("driver", self._stage.aide.driver or Text("nobody", "dim"))
        return rows

    def _fleet(self, status: Status) -> RenderableType:
        rows, counts = _grid(), self._counts
        rows.add_row("stored", f"{counts.fixes if counts else 0} fixes")
        rows.add_row("", f"{counts.records if counts else 0} events")
        twice = (counts.fixes - counts.fixes_distinct_time + counts.records - counts.records_distinct) if counts else 0
        rows.add_row("stored twice", Text(str(twice), "bold red" if twice else "green"))
        good = sum(proof.verified is True for proof in self._proofs)
        rows.add_row("proofs", Text(f"{len(self._proofs)}, {good} good", "green" if good == len(self._proofs) else "bold red"))
        rows.add_row("newest", _newest(self._proofs))
        rows.add_row("receipted to", f"fix {status.tseq.receipted}")
        rows.add_row("", f"event {status.seq.receipted}")
        return rows

    def _narration(self) -> RenderableType:
        lines = _grid()
        for number, (at_s, act) in enumerate(self._told[-TOLD:], start=1):
            newest = number == min(TOLD, len(self._told))
            lines.add_row(f"{at_s:3.0f} s", Text(act.told, "bold" if newest else "dim"))
        return lines


class PlainPicture:
    """The same story as lines, for a log or a pipe."""

    def __init__(self, console: Console, stage: Stage) -> None:
        self._console = console
        self._stage = stage
        self._passed_s = 0.0

    def __enter__(self) -> Self:
        self._console.print(f"Be the driver: open {self._stage.page} and sign in with PIN {PIN}", soft_wrap=True)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        """Lines need no end."""

    def tell(self, act: Act) -> None:
        """Say the act, and how things stand."""
        status = self._stage.status()
        stand = f"{self._stage.total('fixes_read')} fixes read, {status.tseq.issued} written, {status.tseq.receipted} receipted"
        self._console.print(f"{self._passed_s:4.0f} s  {act.told}\n        [dim]{stand}[/dim]", soft_wrap=True)

    def look(self, passed_s: float) -> None:
        """Only the time goes on."""
        self._passed_s = passed_s


def _grid() -> Table:
    rows = Table.grid(padding=(0, 1))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    return rows


def _newest(proofs: list[PodSight]) -> RenderableType:
    if not proofs:
        return Text("none yet", "dim")
    last = proofs[-1]
    return Text(f"{last.stop}: {(last.outcome or '?').replace('_', ' ')}", no_wrap=True, overflow="ellipsis")


def _waiting(*series: SeriesStatus) -> RenderableType:
    waiting = sum(one.waiting for one in series)
    return Text(f"{waiting:4d} ", "yellow" if waiting else "green") + Text("▇" * min(16, -(-waiting // 20)), "yellow")
