"""Bars as an SVG picture: what was measured, its spread, and its target; readable on light and on dark, and by a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from cli.bench.figure import Figure, Verdict, text

WIDTH, LEFT, BARS, RIGHT = 860, 250, 320, 584  # where the names end, how wide the longest bar is, where the values begin
MARGIN, ROW, BAR, HEAD = 20, 28, 14, 46
TITLE = 36
LETTER = 5.9  # a small letter's width, to break the last lines
NAMESPACE = "http://www.w3.org/2000/svg"

# The picture has its own ground: a page that is dark while the reader's system is light, or the reverse, does not swallow it.
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .panel { font-weight: 600 } .name { text-anchor: end }
  .soft { font-size: 12px; fill: #59636e } .falls { font-weight: 600; fill: #bc4c00 }
  .ground { fill: #ffffff } .ours { fill: #0969da } .other { fill: #afb8c1 } .rule { stroke: #d1d9e0 }
  .spread, .target { stroke: #1f2328; stroke-width: 1.5; fill: none } .target { stroke-dasharray: 3 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .soft { fill: #9198a1 } .falls { fill: #f0883e }
    .ground { fill: #0d1117 } .ours { fill: #4493f8 } .other { fill: #656c76 } .rule { stroke: #3d444d }
    .spread, .target { stroke: #f0f6fc }
  }
"""


class Bar(msgspec.Struct, frozen=True):
    """One bar: its name, and the figure that it shows; `ours` stands out."""

    name: str
    figure: Figure
    ours: bool = True

    def __str__(self) -> str:
        """It in words."""
        spread = f" ({self.figure.spread})" if self.figure.spread else ""
        target = f", target {self.figure.target}: {self.figure.verdict}" if self.figure.target else ""
        return f"{self.name} {text(self.figure.median)}{spread}{target}"


class Panel(msgspec.Struct, frozen=True):
    """Bars with one unit and one scale, from 0."""

    title: str
    unit: str
    bars: Sequence[Bar]

    @property
    def longest(self) -> float:
        """The value at the right end."""
        limits = [bar.figure.target.limit for bar in self.bars if bar.figure.target]
        return max([*(bar.figure.most for bar in self.bars), *limits, 1e-9])

    def __str__(self) -> str:
        """It in words."""
        return f"{self.title}, {self.unit}: {'; '.join(map(str, self.bars))}"


def drawn(title: str, panels: Sequence[Panel], notes: str) -> str:
    """The picture; `notes` says at its foot how it was measured."""
    lines = _wrapped(notes)
    parts, y = [f'<text class="title" x="{MARGIN}" y="{MARGIN + 10}">{escape(title)}</text>'], MARGIN + TITLE
    for panel in panels:
        parts += [
            f'<text class="panel" x="{MARGIN}" y="{y + 4}">{escape(panel.title)}</text>',
            f'<text class="soft" x="{RIGHT}" y="{y + 4}">{escape(panel.unit)}</text>',
            f'<line class="rule" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y + 12}" y2="{y + 12}"/>',
        ]
        for number, bar in enumerate(panel.bars):
            parts += _bar(bar, panel.longest, y + 16 + number * ROW)
        y += HEAD + len(panel.bars) * ROW
    parts += [f'<text class="soft" x="{MARGIN}" y="{y + 6 + number * 17}">{escape(line)}</text>' for number, line in enumerate(lines)]
    return _picture(title, panels, y + 6 + len(lines) * 17, parts)


def _picture(title: str, panels: Sequence[Panel], height: int, parts: Sequence[str]) -> str:
    body = "\n  ".join(parts)
    told = escape(". ".join(map(str, panels)))
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f"""<svg xmlns="{NAMESPACE}" {size} role="img" aria-labelledby="title desc">
  <title id="title">{escape(title)}</title>
  <desc id="desc">{told}.</desc>
  <style>{STYLE}  </style>
  <rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>
  {body}
</svg>
"""


def _bar(bar: Bar, longest: float, y: int) -> list[str]:
    """A bar with its whiskers, the mark of its target, and its value."""
    figure, middle = bar.figure, y + ROW // 2
    at = [LEFT + max(0.0, value) / longest * BARS for value in (figure.least, figure.median, figure.most)]
    kind, width = "ours" if bar.ours else "other", max(1.0, at[1] - LEFT)
    parts = [
        f'<text class="name" x="{LEFT - 10}" y="{middle + 4}">{escape(bar.name)}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{middle - BAR // 2}" width="{width:.1f}" height="{BAR}"/>',
    ]
    if figure.spread:
        parts.append(f'<path class="spread" d="M{at[0]:.1f} {middle - 4}v8M{at[0]:.1f} {middle}H{at[2]:.1f}M{at[2]:.1f} {middle - 4}v8"/>')
    if figure.target:
        x = LEFT + figure.target.limit / longest * BARS
        parts.append(f'<line class="target" x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 12}" y2="{middle + 12}"/>')
    return [*parts, f'<text x="{RIGHT}" y="{middle + 4}">{_value(figure)}</text>']


def _value(figure: Figure) -> str:
    told = escape(text(figure.median))
    if figure.spread:
        told += f' <tspan class="soft">{escape(figure.spread)}</tspan>'
    if figure.target:
        short = figure.verdict == Verdict.SHORT
        verdict = f"{figure.target}{': falls short' if short else ''}"
        told += f' <tspan class="{"falls" if short else "soft"}">({escape(verdict)})</tspan>'
    return told


def _wrapped(notes: str) -> list[str]:
    width, lines = int((WIDTH - 2 * MARGIN) / LETTER), [""]
    for word in notes.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines
