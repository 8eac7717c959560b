"""How soon the page answers a tap: `python -m tests.browser.figures`, one JSON object.

The real terminal behind the real server, a real Chromium, a finger through its own input. A tap takes from the moment at which the finger
lifts (the page's own clock, at the event's time stamp) to the end of the frame in which the next screen is drawn. What the browser weighs
is counted too. Nothing is judged here: the figure to reach is 100 ms at the 95th percentile.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from playwright.sync_api import sync_playwright

from cli.bench.figure import p50, p95
from cli.bench.memory import children_of, memory_of
from mqtt.messages import Run
from tests.browser.rig import PANELS, Finger, Glass, launch
from tests.browser.stage import Stage
from tests.eventually import eventually
from tests.proofs import Keys
from tests.terminals import code, run_of

TAPS = 120
TAPS_A_PROOF = 6
# Remembers when the finger lifted. In each frame from then on it looks for the screen that is waited for; the message that it then sends
# itself arrives once that frame is painted.
STOPWATCH = """() => {
  const app = () => document.querySelector('rp-app');
  const painted = new MessageChannel();
  const watch = { lifted: 0, drawn: 0, wanted: '' };
  globalThis.watch = watch;
  painted.port1.onmessage = () => { watch.drawn ||= performance.now(); };
  const fits = (view) => view.screen === watch.wanted && (view.screen !== watch.from || view.seq > watch.seq);
  const look = () => {
    if (watch.lifted && fits(app().view) && app().renderRoot.querySelector('main > *')) painted.port2.postMessage(0);
    else requestAnimationFrame(look);
  };
  watch.arm = (wanted) => {
    const { screen, seq } = app().view;
    Object.assign(watch, { lifted: 0, drawn: 0, wanted, from: screen, seq });
    requestAnimationFrame(look);
  };
  addEventListener('pointerup', (event) => { watch.lifted ||= event.timeStamp; }, { capture: true, passive: true });
}"""
DRAWN = "() => globalThis.watch.drawn ? globalThis.watch.drawn - globalThis.watch.lifted : null"


class Watch:
    """Taps, and takes the time of each in milliseconds, by the screen that it led to."""

    def __init__(self, stage: Stage, glass: Glass) -> None:
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        self._stage = stage
        self._glass = glass
        self._finger: Finger = glass.finger()
        glass.page.evaluate(STOPWATCH)

    @property
    def count(self) -> int:
        """How many taps were timed."""
        return sum(map(len, self.took_ms.values()))

    def tap(self, selector: str, wanted: str) -> None:
        """Tap this box and wait until the screen is drawn that it leads to."""
        box = self._glass.page.locator(selector).first.bounding_box()
        assert box is not None, selector
        self._glass.page.evaluate("(wanted) => globalThis.watch.arm(wanted)", wanted)
        self._finger.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        took: Any = self._glass.page.wait_for_function(DRAWN).json_value()
        self.took_ms[wanted].append(took)

    def primary(self, wanted: str) -> None:
        """Tap the one obvious button, as soon as it takes taps."""
        self.tap("rp-actions .primary:not([aria-disabled])", wanted)

    def sign(self) -> None:
        """Draw a name; not timed."""
        box = self._glass.page.locator("rp-signature").bounding_box()
        assert box is not None
        across = [(box["x"] + box["width"] * part / 12, box["y"] + box["height"] * (0.3 + 0.4 * (part % 2))) for part in range(2, 11)]
        self._finger.stroke(across)

    def scan(self, parcel: str, wanted: str) -> None:
        """Hold the parcel before the scanner; not timed."""
        self._stage.cabin.read(parcel)
        eventually(lambda: self._stage.cabin.screen == wanted)
        self._glass.drawn()


def deliver(watch: Watch, stop: int) -> None:
    """One whole hand-over by touch, from the route to the tick."""
    watch.primary("stop")
    watch.primary("scan")
    watch.scan(code(stop), "photo")
    watch.primary("sign")
    watch.sign()
    watch.primary("name")
    watch.tap("rp-name rp-list button", "name")
    watch.primary("route")


def measure(taps: int) -> dict[str, Any]:
    """The figures, as they are printed."""
    stops = -(-taps // TAPS_A_PROOF)
    began_load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="roadproof-taps-") as folder,
        _stage(Path(folder), stops) as stage,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        glass = Glass(browser, stage.web.url, stage.seq, PANELS[1])
        watch = Watch(stage, glass)
        for stop in range(1, stops + 1):
            deliver(watch, stop)
        told = _told(watch) | {"browser": browser.version, "browser_mb": _browser_mb(), "load": began_load}
        glass.close()
        browser.close()
    return told


@contextmanager
def _stage(folder: Path, stops: int) -> Iterator[Stage]:
    """A driver on the route of a run that is long enough; the last stop stays open, so that each proof leads back to the route."""
    keys = Keys.make(folder / "keys")
    card = folder / "card"
    card.mkdir()
    with Stage(card, keys) as stage:
        stage.cabin.receive(_placeless(run_of(2, stops=stops + 1)))
        stage.cabin.done("run.accept")
        stage.cabin.done("route.open")
        yield stage


def _placeless(run: Run) -> Run:
    """The same run with stops that no geofence knows: arriving takes the driver's tap."""
    return replace(run, plan=replace(run.plan, stops=[replace(stop, place=None) for stop in run.plan.stops]))


def _told(watch: Watch) -> dict[str, Any]:
    every = [ms for values in watch.took_ms.values() for ms in values]
    by_screen = {screen: _spread(values) for screen, values in watch.took_ms.items()}
    return {"taps": len(every), "tap_to_next_screen_ms": _spread(every), "by_screen_ms": by_screen}


def _spread(values: list[float]) -> dict[str, float]:
    return {"p50": round(p50(values), 1), "p95": round(p95(values), 1), "most": round(max(values), 1)}


def _browser_mb() -> dict[str, float]:
    """What all of the browser's processes hold, shared pages counted once (pss) and as often as they are seen (rss)."""
    ours = [pid for pid in children_of(os.getpid()) if (Path("/proc") / str(pid) / "comm").read_text().startswith("chrom")]
    held = memory_of(*ours)
    return {"processes": len(ours), "pss": round(held.pss_bytes / 1e6, 1), "rss": round(held.rss_bytes / 1e6, 1)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taps", type=int, default=TAPS, help="at least so many (default %(default)s)")
    print(json.dumps(measure(parser.parse_args().taps), indent=2))


if __name__ == "__main__":
    main()
