"""The technician's page: what the antenna hears, and how each part is."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from firmware.kiosk.texts import LANGUAGES
from tests.browser import screens
from tests.browser.rig import PANELS, Panel, ShowcaseGlass
from tests.browser.showcase import Showcase

OpenGlass = Callable[[Panel], ShowcaseGlass]
TROUBLED: dict[str, Any] = {
    "sky": screens.sky(),
    "gnss": "The receiver has a 3D fix.",
    "gnss_setup": "A u-blox 8 at 9600 baud, set up for a vehicle.",
    "camera": "The camera at /dev/video0 was unplugged; plug it in again.",
    "scanners": ("The hand scanner at /dev/ttyACM0 was unplugged.",),
    "link": "dns",
    "link_sentence": "The name of the broker cannot be resolved; check the modem's SIM and its antenna.",
    "journal_used_bytes": 48_000_000,
    "journal_quota_bytes": 50_000_000,
}


@pytest.fixture
def bench(showcase: Showcase) -> Iterator[Showcase]:
    """A unit on which a technician has something to do."""
    well = showcase._status
    showcase.status(**TROUBLED)
    yield showcase
    showcase._status = well


def open_sky(glass: ShowcaseGlass, **choice: str) -> None:
    glass.show("route", **choice)
    glass.show("diag")
    glass.page.locator("rp-diag .finding").first.wait_for()
    glass.page.locator("rp-diag rp-actions .others .key").first.click()
    glass.page.locator("rp-diag svg.sky").wait_for()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("panel", PANELS, ids=str)
@pytest.mark.usefixtures("bench")
def test_the_technicians_pages_can_be_read_and_used_by_everybody(load_glass: OpenGlass, panel: Panel, lang: str) -> None:
    glass = load_glass(panel)
    for theme in ("day", "night"):
        glass.show("route", lang=lang, theme=theme)
        glass.show("diag")
        glass.page.locator("rp-diag .finding").first.wait_for()
        glass.picture(f"{panel}-{theme}-{lang}-diag-parts")
        assert (glass.misfits(), glass.accessibility()) == ([], [])
        open_sky(glass)
        glass.picture(f"{panel}-{theme}-{lang}-diag-sky")
        assert (glass.misfits(), glass.accessibility()) == ([], [])


@pytest.mark.usefixtures("bench")
def test_the_sky_shows_each_satellite_where_it_is_and_whether_it_is_used(open_glass: OpenGlass) -> None:
    glass = open_glass(PANELS[0])
    open_sky(glass, lang="ar")
    placed = [one for one in screens.sky() if one.elevation_deg is not None]
    assert glass.page.locator("svg.sky .mark").count() == len(placed)
    assert glass.page.locator("svg.sky .mark.used").count() == sum(one.used for one in placed)
    assert glass.page.locator("svg.bars rect").count() == sum(one.snr_db is not None for one in screens.sky())
    middle = glass.page.locator("svg.sky .ground").bounding_box()
    east = glass.page.locator("svg.sky .mark").nth(3).bounding_box()  # G9, at 95 degrees
    assert middle is not None
    assert east is not None
    assert east["x"] > middle["x"] + middle["width"] / 2  # the world is not mirrored where the words are


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_a_phone_reads_from_the_boot_screen_which_unit_this_is(open_glass: OpenGlass, panel: Panel, theme: str) -> None:
    glass = open_glass(panel)
    glass.show("boot", theme=theme)
    with Image.open(io.BytesIO(glass.page.screenshot())) as picture:
        assert [code.text for code in zxingcpp.read_barcodes(picture)] == ["Roadproof VAN-042 0.1.0"]
