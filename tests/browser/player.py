"""A driver at the page: knows what each screen is for, touches it with a finger, and counts every touch."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Error, Locator

from tests.browser.rig import Finger, Glass
from tests.eventually import eventually

SQUIGGLE = [(0.15 + 0.014 * n, 0.5 + 0.22 * ((n * 7) % 11 - 5) / 5) for n in range(46)]
FACING = """() => {
  const app = document.querySelector('rp-app');
  return app?.view && !app.offline && app.connection.online && app.connection.pending.size === 0 ? app.view : null;
}"""
SHOWN = """() => {
  const app = document.querySelector('rp-app');
  return { offline: app.offline, pending: [...app.connection.pending.values()].map((one) => one.cmd), toast: app.toast, view: app.view };
}"""
DRAWN = """async () => {
  const app = document.querySelector('rp-app');
  await app.updateComplete;
  for (let n = 0; n < 2; n += 1) await new Promise(requestAnimationFrame);
}"""


class Player:
    """One page and one finger; `taps` counts, a signature's stroke is none."""

    def __init__(self, glass: Glass, album: str = "", pictures: int = 0) -> None:
        self.taps = 0
        self.pictures = pictures  # kept so far
        self._glass = glass
        self._finger: Finger = glass.finger()
        self._album = album  # screenshots are kept under this name; empty: none

    # --- looking

    def view(self) -> dict[str, Any] | None:
        """What the page draws, None while it has no unit behind it or waits for an answer."""
        try:
            found: dict[str, Any] | None = self._glass.page.evaluate(FACING)
        except Error:  # between two documents
            return None
        return found

    def see(self, *screens: str, within_s: float = 20.0, picture: str = "") -> dict[str, Any]:
        """Wait until one of these screens is drawn; its view."""
        try:
            view = eventually(lambda: self._shows(screens), within_s)
        except AssertionError:
            self.keep_picture("lost")
            raise AssertionError(f"waited for {screens}; the page shows {self._glass.page.evaluate(SHOWN)}") from None
        assert view is not None
        self._glass.page.evaluate(DRAWN)
        self.keep_picture(picture or view["screen"])
        return view

    def data(self, within_s: float = 15.0, **wanted: Any) -> dict[str, Any]:
        """Wait until the screen's data say so; them."""

        def found() -> dict[str, Any] | None:
            d: dict[str, Any] = (self.view() or {"d": {}})["d"]
            return d if all(d.get(name) == value for name, value in wanted.items()) else None

        return eventually(found, within_s) or {}

    def keep_picture(self, name: str) -> None:
        """Keep a screenshot, numbered in the order of the day."""
        if not self._album:
            return
        self.pictures += 1
        self._glass.picture(f"{self._album}-{self.pictures:02}-{name}")

    def _shows(self, screens: tuple[str, ...]) -> dict[str, Any] | None:
        view = self.view()
        return view if view and view["screen"] in screens else None

    # --- touching

    def tap(self, place: Locator) -> None:
        """Touch the middle of it."""
        place.wait_for(state="visible", timeout=10_000)
        self._glass.settled()
        box = place.bounding_box()
        assert box is not None
        self.taps += 1
        self._finger.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def primary(self) -> None:
        """The one obvious button."""
        self.tap(self._glass.page.locator("rp-actions [data-primary]"))

    def button(self, text: str, within: str = "") -> None:
        """The button that says this, or begins with it."""
        self.tap(self._glass.page.locator(f"{within} button".strip()).filter(has_text=re.compile(rf"^\s*{re.escape(text)}")).first)

    def goods(self, place: int) -> None:
        """One parcel of the list."""
        self.tap(self._glass.page.locator("rp-scan button.goods").nth(place))

    def command(self, name: str) -> None:
        """The button of this command."""
        self.tap(self._glass.page.locator(f"[data-cmd='{name}']").first)

    def digits(self, typed: str) -> None:
        """On the keypad."""
        for digit in typed:
            self.tap(self._glass.page.locator("rp-keypad button").filter(has_text=re.compile(rf"^\s*{digit}\s*$")))

    def sign(self) -> None:
        """Draw a name; a stroke, and no tap."""
        box = self._glass.page.locator("rp-signature canvas").bounding_box()
        assert box is not None
        self._finger.stroke([(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SQUIGGLE])

    # --- the screens of a proof

    def read_labels(self) -> None:
        """Nothing to tap: labels are held before the camera until all are read, and the page goes on by itself."""
        self.see("scan")
        eventually(lambda: (view := self.view()) is not None and (view["screen"] != "scan" or view["d"]["done"] == view["d"]["total"]))

    def take_photo(self) -> None:
        """The shutter."""
        self.see("photo")
        self.primary()

    def take_signature(self) -> None:
        """The recipient signs, the driver accepts."""
        self.see("sign")
        self.sign()
        self.keep_picture("signed")
        self.primary()

    def name_recipient(self) -> None:
        """The first chip is the one whom the parcel is for."""
        self.see("name")
        self.tap(self._glass.page.locator("rp-name .chip-key").first)
        self.data(relation="recipient")

    def confirm(self) -> None:
        """The tap that makes it a proof."""
        self.see("name", picture="confirm")
        self.primary()
        eventually(lambda: (view := self.view()) is not None and (view["overlay"] or {}).get("kind") == "undo")
