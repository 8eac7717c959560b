"""docs/performance.md and its pictures, from a result."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from cli.bench import plots
from cli.bench.figure import Figure, Verdict, text
from cli.bench.result import Result

PLOTS = "plots"  # the folder beside the page

PAGE = """# Performance

Measured by `./roadproof bench` on {day}: {machine} with {processors} processors, {kernel}; {versions}. Not a Raspberry Pi. Read the
ratios: rates differ between machines. Each figure is the median of its runs, with the spread from the least to the most; each run has
another drive of the virtual van. Load average while it was measured: {loads}, our own work included.

{sentence}
{causes}
{plots}
## What was promised

| figure | median | spread | target | verdict | unit | what was measured |
|---|---|---|---|---|---|---|
{promised}

## Every figure

{parts}
## How to repeat it

```sh
sudo ./roadproof bench --markdown docs/performance.md
```

It takes {hours}, wants mosquitto, and root for the network and the card; without root it leaves those two out and says so. The ThingsBoard
gateway is compared with where `ROADPROOF_THINGSBOARD_VENV` names a virtual environment that holds it. One part alone:

```sh
./roadproof bench drain
./roadproof bench payload --json
```

Nothing here is typed by hand: all of it is made from [performance.json](performance.json), what `--json` tells. `--from FILE ...` makes
it from what was told before, one file or several, so that parts can be measured one after the other:

```sh
./roadproof bench --from docs/performance.json --markdown docs/performance.md
```

How soon the page answers a tap is measured in a real browser: `python -m tests.browser.figures`. What becomes of records when things
break is another page's: `./roadproof faults`. Not measured here: anything on a real Raspberry Pi, its card or a real mobile network.
"""
HOURS = "about an hour"


def write(path: Path, result: Result) -> None:
    """Write the page, its pictures into a folder beside it, and beside it what `--from` makes all of them from again."""
    folder = path.parent / PLOTS
    folder.mkdir(exist_ok=True)
    shown = [(plot, told) for plot in plots.PLOTS if (told := plots.panels(plot, result))]
    for plot, told in shown:
        (folder / f"{plot.file}.svg").write_text(plots.picture(plot, told, result), encoding="utf-8")
    pictures = [f"![{plot.title}. {'. '.join(map(str, told))}.]({PLOTS}/{plot.file}.svg)\n" for plot, told in shown]
    path.write_text(_page(result, pictures), encoding="utf-8")
    path.with_suffix(".json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))


def sentence(result: Result) -> str:
    """How many targets are kept, and which are not."""
    promised, short = len(result.promised), result.short
    if not promised:
        return "None of these figures has a target."
    told = f"{promised - len(short)} of {promised} targets are met."
    return f"{told} It falls short in: {', '.join(_shortfall(figure) for figure in short)}." if short else told


def _shortfall(figure: Figure) -> str:
    return f"{figure.name} ({text(figure.median)} {figure.unit}, to be {figure.target})"


def _page(result: Result, pictures: Sequence[str]) -> str:
    machine = result.machine
    return PAGE.format(
        day=result.day,
        machine=machine.architecture,
        processors=machine.processors,
        kernel=machine.kernel,
        versions=machine.versions,
        loads=f"{text(min(result.loads))} to {text(max(result.loads))}",
        sentence=sentence(result),
        causes=_causes(result),
        plots="\n".join(pictures),
        promised="\n".join(_promised(figure) for figure in result.promised),
        parts="\n".join([*_parts(result), *(f"*{one.part}* was left out: {one.why}.\n" for one in result.left_out)]),
        hours=HOURS,
    )


def _causes(result: Result) -> str:
    """Why, one line for each reason."""
    told = {figure.target.cause for figure in result.short if figure.target and figure.target.cause}
    return "".join(f"\n- {cause}\n" for cause in sorted(told))


def _promised(figure: Figure) -> str:
    verdict = f"**{figure.verdict}**" if figure.verdict == Verdict.SHORT else figure.verdict
    return _row(figure.name, text(figure.median), figure.spread, f"{figure.target}", f"{verdict}", figure.unit, figure.told)


def _parts(result: Result) -> list[str]:
    head = "| figure | median | spread | unit | what was measured |\n|---|---|---|---|---|"
    return [
        "\n".join([f"### {part}", "", head, *(_row(one.name, text(one.median), one.spread, one.unit, one.told) for one in figures), ""])
        for part, figures in groupby(result.figures, key=lambda figure: figure.part)
    ]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
