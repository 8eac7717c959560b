"""A small map in braille dots: eight dots a character."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.text import Text

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # the bit of each dot, by row and column
BLANK = 0x2800

Place = tuple[float, float]  # latitude, longitude in degrees


class Canvas:
    """Fits a trail into a box of characters, north up."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns = columns
        self._rows = rows
        self._cells: dict[tuple[int, int], int] = {}
        self._van: tuple[int, int] | None = None

    def draw(self, trail: Sequence[Place], van: Place | None) -> None:
        """Replace what is drawn."""
        places = [*trail, *([van] if van else [])]
        self._cells, self._van = {}, None
        if not places:
            return
        west, east = min(lon for _, lon in places), max(lon for _, lon in places)
        south, north = min(lat for lat, _ in places), max(lat for lat, _ in places)
        shrink = math.cos(math.radians((south + north) / 2))  # a degree of longitude is shorter than one of latitude
        scale = max((east - west) * shrink / (self._columns * 2 - 1), (north - south) / (self._rows * 4 - 1), 1e-6)
        for lat, lon in trail:
            x, y = round((lon - west) * shrink / scale), round((north - lat) / scale)
            cell = (x // 2, y // 4)
            self._cells[cell] = self._cells.get(cell, 0) | DOTS[y % 4][x % 2]
        if van:
            self._van = (round((van[1] - west) * shrink / scale) // 2, round((north - van[0]) / scale) // 4)

    def render(self) -> Text:
        """The map as text."""
        if not self._cells and self._van is None:
            return Text("nothing yet", "dim")
        text = Text(no_wrap=True)
        for row in range(self._rows):
            for column in range(self._columns):
                if (column, row) == self._van:
                    text.append("●", "bold cyan")
                else:
                    text.append(chr(BLANK + self._cells.get((column, row), 0)), "green")
            text.append("\n")
        return text
