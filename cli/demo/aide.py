"""Who stands beside the demo's driver: stops the van for him, and holds before the camera what he would hold there."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from drivers.sim.camera import CameraHands
from drivers.sim.line import Drive

ANSWER_S = 2.0
DRIVING = "drive"  # the only screen with which a driver drives
DOOR_M = 100  # a receiver between houses errs by less, and the next door is farther
SSCC_AI = "00"


class Aide:
    """Looks at the terminal's page four times a second, and does what its screen asks for."""

    def __init__(self, page: str, drive: Drive, hands: CameraHands) -> None:
        self.page = page
        self.driver: str | None = None
        self._drive = drive
        self._hands = hands
        self._held = False
        self._before_camera: tuple[str, str] | None = None
        self._was_here = False

    @property
    def driver_left(self) -> bool:
        """Whether somebody signed in and has signed out again."""
        return self._was_here and self.driver is None

    @property
    def driver_came(self) -> bool:
        """Whether somebody ever signed in."""
        return self._was_here

    def look(self, *, page_open: bool) -> None:
        """Look once; `page_open` while a browser shows the page."""
        view = self._view()
        if view is None:
            return
        self.driver = view.get("bar", {}).get("driver")
        self._was_here = self._was_here or self.driver is not None
        self._hold(page_open if self.driver is None else view["screen"] != DRIVING or self._at_door(view))
        self._show(view)

    def _view(self) -> dict[str, Any] | None:
        """What the page shows, None while the unit is without power."""
        try:
            with urllib.request.urlopen(f"{self.page}api/v1/state", timeout=ANSWER_S) as answer:  # noqa: S310  our own page
                view: dict[str, Any] = json.load(answer)
                return view
        except (OSError, urllib.error.URLError, json.JSONDecodeError):
            return None

    def _at_door(self, view: dict[str, Any]) -> bool:
        """Whether the van has switched off at the door of the next stop, where it waits until the driver has worked it."""
        epoch, away_m = self._drive.epoch, view["d"].get("distance_m")
        return epoch is not None and not epoch.ignition and away_m is not None and away_m < DOOR_M

    def _hold(self, wanted: bool) -> None:
        epoch = self._drive.epoch
        if wanted and not self._held and epoch is not None and epoch.in_tunnel:
            return  # nobody pulls over in a tunnel, where the terminal could not know that the van stands
        if wanted and not self._held:
            self._drive.hold()
        elif self._held and not wanted:
            self._drive.release()
        self._held = wanted

    def _show(self, view: dict[str, Any]) -> None:
        wanted = wanted_scene(view)
        if wanted == self._before_camera:
            return
        self._before_camera = wanted
        kind, text = wanted
        if kind == "parcel":
            self._hands.show_parcel([printed(text)], lines=["ROADPROOF DEMO", text])
        else:
            self._hands.show_doorstep(text)


def wanted_scene(view: dict[str, Any]) -> tuple[str, str]:
    """What the driver would hold before the camera: the next parcel's label, or the doorstep."""
    d = view["d"]
    codes = []
    if view["screen"] == "load":
        codes = [parcel["code"] for parcel in d["missing"] if not parcel["reason"]]
    elif view["screen"] == "scan":
        codes = [parcel["code"] for line in d["lines"] for parcel in line["codes"] if parcel["state"] == "open"]
    if codes:
        return "parcel", codes[0]
    number = str(d.get("stop", {}).get("address", "")).rpartition(" ")[2] if isinstance(d.get("stop"), dict) else ""
    return "doorstep", number or "17"


def printed(code: str) -> str:
    """A code as its label carries it: an SSCC as GS1-128."""
    return f"({SSCC_AI}){code[2:]}" if len(code) == 20 and code.startswith(SSCC_AI) else code  # noqa: PLR2004  the AI and 18 digits
