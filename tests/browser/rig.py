"""A real browser before the page: it switches the screen, looks at what is drawn, and touches it as a finger does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, CDPSession, ConsoleMessage, Page, Playwright

from tests.browser.showcase import Showcase

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--hide-scrollbars",
)  # fmt: skip
HERE = Path(__file__).parent
AXE = (HERE / "vendor" / "axe.min.js").read_text()
MEASURE = (HERE / "measure.js").read_text()
SCREENSHOTS = Path(os.environ.get("ROADPROOF_SCREENSHOTS", HERE.parents[1] / "build" / "screenshots"))

WATCH = "addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));"
DRAWN = """async (seq) => {
  const frame = () => new Promise(requestAnimationFrame);
  const until = performance.now() + 10000;
  const app = () => document.querySelector('rp-app');
  while (!(app()?.view?.seq >= seq)) {
    if (performance.now() > until) return `the page has not drawn view ${seq}; it shows ${app()?.view?.seq}`;
    await frame();
  }
  await app().updateComplete;
  await document.fonts.ready;
  await frame(); await frame();
  return 'drawn';
}"""
SETTLED = """async (bar) => {
  while (bar.settling && bar.isConnected) await new Promise(requestAnimationFrame);
  return bar.isConnected;
}"""
AXE_RUN = """async (rules) => (await axe.run(document, rules)).violations.map(
  (v) => `${v.id} (${v.impact}): ${v.nodes.length} x ${v.nodes[0].target.flat().join(' ')}: ${v.nodes[0].failureSummary}`)"""
STRICT = """axe.configure({ checks: [{ id: 'color-contrast-enhanced', options: { contrastRatio: {
  normal: { expected: 7, minThreshold: 4.5 }, large: { expected: 7, minThreshold: 3 } } } }] })"""  # for large text too
WCAG_AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}, "resultTypes": ["violations"]}
CONTRAST_AAA = {"runOnly": {"type": "rule", "values": ["color-contrast-enhanced"]}, "resultTypes": ["violations"]}


class Panel(NamedTuple):
    """A display by its pixels and its real width."""

    width_px: int
    height_px: int
    width_mm: float

    @property
    def px_per_mm(self) -> float:
        return self.width_px / self.width_mm

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}"


PANELS = (Panel(800, 480, 155), Panel(1024, 600, 154), Panel(720, 1280, 88))


def launch(playwright: Playwright) -> Browser:
    """The one browser of a session."""
    return playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))


class Glass:
    """One page on one panel, as the driver has it before them; remembers everything that must not happen."""

    def __init__(self, browser: Browser, url: str, seq: Callable[[], int], panel: Panel) -> None:
        self.panel = panel
        self.faults: list[str] = []
        self._url = url
        self._seq = seq
        self.context: BrowserContext = browser.new_context(
            viewport={"width": panel.width_px, "height": panel.height_px},
            has_touch=True,
            device_scale_factor=1,
            locale="en-GB",
            reduced_motion="reduce",
        )
        self.context.add_init_script(WATCH)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"the page broke: {error}"))
        self.page.on("request", lambda request: self._follow(request.url))
        self.page.goto(url)
        self.drawn()

    def close(self) -> None:
        """End this page; AssertionError when it complained, or asked anybody else."""
        self.context.close()
        assert self.faults == [], self.faults

    def drawn(self) -> None:
        """Wait until the newest view is on the glass."""
        shown = self.page.evaluate(DRAWN, self._seq())
        assert shown == "drawn", [shown, *self.faults]

    def tap_primary(self) -> None:
        """Tap the one obvious button."""
        self.settled()
        box = self.page.locator("rp-actions .primary").bounding_box()
        assert box is not None
        self.finger().tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def settled(self) -> None:
        """Wait until the bottom bar takes taps: for a moment after its button has changed it takes none."""
        while not self.page.locator("rp-actions").evaluate(SETTLED):
            pass  # that bar went with its screen

    def accessibility(self, rules: dict[str, Any] = WCAG_AA) -> list[str]:
        """What axe finds against the rules."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
            self.page.evaluate(STRICT)
        found: list[str] = self.page.evaluate(AXE_RUN, rules)
        return found

    def misfits(self) -> list[str]:
        """Boxes too small for a finger, too close or off the glass, and texts that are cut."""
        found: list[str] = self.page.evaluate(MEASURE, self.panel.px_per_mm)
        return found

    def picture(self, name: str) -> None:
        """Keep a screenshot."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def finger(self) -> Finger:
        """A finger for this glass."""
        return Finger(self.context.new_cdp_session(self.page))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console {message.type}: {message.text}")

    def _follow(self, url: str) -> None:
        if not url.startswith((self._url, "blob:" + self._url, "data:")):
            self.faults.append(f"a request left the unit: {url}")


class ShowcaseGlass(Glass):
    """A glass before the showcase, which can be told what to show."""

    def __init__(self, browser: Browser, showcase: Showcase, panel: Panel) -> None:
        self._showcase, self._standin = showcase, showcase.standin
        showcase.panel(panel.px_per_mm)
        super().__init__(browser, showcase.web.url, lambda: showcase.standin.seq, panel)

    def load(self, panel: Panel) -> None:
        """Load the page anew, on another panel."""
        self.panel = panel
        self._showcase.panel(panel.px_per_mm)
        self.page.set_viewport_size({"width": panel.width_px, "height": panel.height_px})
        self.page.goto(self._url)
        self.drawn()

    def unload(self) -> None:
        """Show no page; AssertionError when the last one complained."""
        self.page.goto("about:blank")
        faults, self.faults = self.faults, []
        assert faults == [], faults

    def show(self, screen: str, **choice: str) -> None:
        """Have another screen drawn."""
        self._standin.show(screen=screen, **choice)
        self.drawn()


class Finger:
    """Touches through the browser's own input, with pressure."""

    def __init__(self, wire: CDPSession) -> None:
        self._wire = wire

    def tap(self, x: float, y: float) -> None:
        self._touch("touchStart", [{"x": x, "y": y, "force": 0.6, "id": 1}])
        self._touch("touchEnd", [])

    def stroke(self, points: list[tuple[float, float]]) -> None:
        """Draw through all points without lifting."""
        for n, (x, y) in enumerate(points):
            kind = "touchMove" if n else "touchStart"
            self._touch(kind, [{"x": x, "y": y, "force": 0.2 + 0.6 * n / len(points), "id": 1}])
        self._touch("touchEnd", [])

    def _touch(self, kind: str, points: list[dict[str, float]]) -> None:
        self._wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
