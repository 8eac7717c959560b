"""The technician's self-test on the glass: findings fill in, the touch test measures, the report is signed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from firmware.kiosk.texts import LANGUAGES
from firmware.selftest.finding import Finding
from tests.browser.rig import PANELS, Panel, ShowcaseGlass
from tests.browser.showcase import Showcase

OpenGlass = Callable[[Panel], ShowcaseGlass]
CROSS_MM, EDGE_MM = 6, 7
TROUBLED = {
    "antenna": Finding("antenna", "warn", "Weak: the best four satellites are heard at 31 dB-Hz, 38 would be good; give the antenna a free"
                       " view of the sky, away from the windscreen's heating.", {"best_db": 31, "heard": 9, "used": 6}, 1_200),
    "gnss": Finding("gnss", "bad", "No sentences at any speed: check that the receiver's TX is on pin 10 (GPIO 15), its ground on pin 6,"
                    " and that enable_uart=1 stands in config.txt.", {"port": "/dev/ttyAMA0", "bytes_read": 0, "baud": None}, 9_000),
    "ignition": Finding("ignition", "ok", "The key is on: pin 11 (GPIO 17) reads low.", {"gpio": 17, "level": "low"}, 4),
    "modem": Finding("modem", "skipped", "No modem is fitted.", {}, 2),
    "storage": Finding("storage", "ok", "SanDisk SD64G: 100 writes of 4 KiB, the slowest twentieth took 12 ms.",
                       {"p95_ms": 12, "free_mb": 48_210, "card": "SD64G", "made": "03/2024"}, 900),
    "touch": Finding("touch", "skipped", "Touch is tested on the screen: tap Touch test.", {}, 0),
}  # fmt: skip


@pytest.fixture
def troubled(showcase: Showcase) -> Showcase:
    """A unit on which a technician has something to do."""
    showcase.bench.tests.found = dict(TROUBLED)
    return showcase


def opened(glass: ShowcaseGlass, **choice: str) -> None:
    """Run all, from the technician's page."""
    glass.show("route", **choice)
    glass.show("diag")
    glass.page.locator("rp-diag .finding").first.wait_for()
    glass.tap_primary()
    glass.page.locator("rp-selftest .part").first.wait_for()


def finished(glass: ShowcaseGlass, showcase: Showcase) -> None:
    showcase.bench.end()
    glass.page.locator("rp-selftest .sum[role=status]").wait_for()


def tap(glass: ShowcaseGlass, x_mm: float, y_mm: float) -> None:
    """Tap a place counted from the glass's corner, or from the opposite one where it is negative."""
    per_mm, panel = glass.panel.px_per_mm, glass.panel
    glass.finger().tap(x_mm * per_mm % panel.width_px, y_mm * per_mm % panel.height_px)


def crosses(panel: Panel) -> list[tuple[float, float]]:
    width_mm, height_mm = panel.width_px / panel.px_per_mm, panel.height_px / panel.px_per_mm
    return [(x, y) for y in (EDGE_MM, height_mm / 2, height_mm - EDGE_MM) for x in (EDGE_MM, width_mm / 2, width_mm - EDGE_MM)]


def touch_test(glass: ShowcaseGlass, off_mm: float = 0.0, *, strokes: int = 1) -> None:
    """Tap every cross so far from its middle, then draw the line in so many strokes."""
    glass.page.locator("rp-touch-test").wait_for()
    every = crosses(glass.panel)
    for n, (x, y) in enumerate(every):
        glass.page.locator(f"rp-touch-test >> text={n + 1} / 9").wait_for()
        tap(glass, x + off_mm, y)
    glass.page.locator("rp-touch-test .ring").first.wait_for()
    per_mm = glass.panel.px_per_mm
    (from_x, from_y), (to_x, to_y) = every[6], every[2]
    for n in range(strokes):
        shares = [(n + step / 6) / strokes for step in range(7)]
        glass.finger().stroke([((from_x + (to_x - from_x) * at) * per_mm, (from_y + (to_y - from_y) * at) * per_mm) for at in shares])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_the_self_test_can_be_read_and_used_by_everybody(load_glass: OpenGlass, troubled: Showcase, panel: Panel, lang: str) -> None:
    glass = load_glass(panel)
    for theme in ("day", "night") if lang == "ar" else ("day",):
        opened(glass, lang=lang, theme=theme)
        troubled.bench.step(5)
        glass.page.locator("rp-selftest .part.ok").first.wait_for()
        _looked_at(glass, f"{panel}-{theme}-{lang}-selftest-running")
        finished(glass, troubled)
        _looked_at(glass, f"{panel}-{theme}-{lang}-selftest-found")
        glass.page.locator("rp-selftest .part.bad").first.click()
        glass.page.locator("rp-selftest .sentence").wait_for()
        _looked_at(glass, f"{panel}-{theme}-{lang}-selftest-part")
        glass.page.locator("rp-selftest rp-actions .back").click()
        glass.tap_primary()
        glass.page.locator("rp-touch-test .cross").first.wait_for()
        _looked_at(glass, f"{panel}-{theme}-{lang}-selftest-touch")
        glass.page.locator("rp-touch-test button").click()
        glass.page.locator("rp-selftest rp-actions .others .key").last.click()
        glass.page.locator("rp-selftest .seal").wait_for()
        _looked_at(glass, f"{panel}-{theme}-{lang}-selftest-paper")


def _looked_at(glass: ShowcaseGlass, name: str) -> None:
    glass.settled()
    glass.picture(name)
    assert (name, glass.misfits(), glass.accessibility()) == (name, [], [])


def test_findings_fill_in_as_they_come_and_the_worst_stands_first_at_the_end(open_glass: OpenGlass, troubled: Showcase) -> None:
    glass = open_glass(PANELS[1])
    opened(glass)
    assert glass.page.locator("rp-selftest .part.wait").count() > 0
    troubled.bench.step(2)
    glass.page.locator("rp-selftest .part.warn").wait_for()
    finished(glass, troubled)
    assert "bad" in str(glass.page.locator("rp-selftest .part").first.get_attribute("class"))


@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_a_good_touch_panel_is_measured_as_good(open_glass: OpenGlass, troubled: Showcase, panel: Panel) -> None:
    glass = open_glass(panel)
    opened(glass)
    finished(glass, troubled)
    glass.tap_primary()
    touch_test(glass)
    glass.page.locator("rp-selftest .sum").wait_for()
    assert _measured(troubled) == {"targets": 9, "hit": 9, "breaks": 0}


def test_taps_that_miss_and_a_broken_line_are_counted(open_glass: OpenGlass, troubled: Showcase) -> None:
    glass = open_glass(PANELS[0])
    opened(glass)
    finished(glass, troubled)
    glass.tap_primary()
    touch_test(glass, CROSS_MM + 1, strokes=3)
    glass.page.locator("rp-selftest .sum").wait_for()
    assert _measured(troubled) == {"targets": 9, "hit": 0, "breaks": 2}
    measured = troubled.bench.tests.measured
    assert measured is not None
    assert abs(measured.worst_px - (CROSS_MM + 1) * glass.panel.px_per_mm) <= 1


def _measured(showcase: Showcase) -> dict[str, Any]:
    measured = showcase.bench.tests.measured
    assert measured is not None
    return {name: getattr(measured, name) for name in ("targets", "hit", "breaks")}


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_a_phone_reads_the_fingerprint_of_the_report(open_glass: OpenGlass, showcase: Showcase, panel: Panel, theme: str) -> None:
    glass = open_glass(panel)
    opened(glass, theme=theme)
    finished(glass, showcase)
    glass.tap_primary()
    touch_test(glass)
    glass.page.locator("rp-selftest .sum").wait_for()
    glass.tap_primary()
    glass.page.locator("rp-selftest .seal").wait_for()
    signed = showcase.bench.report()
    with Image.open(io.BytesIO(glass.page.screenshot())) as picture:
        (code,) = zxingcpp.read_barcodes(picture)
    shown = glass.page.locator("rp-selftest .code").inner_text().replace(" ", "")
    assert code.text.startswith(f"Roadproof report {signed.unit} {shown}")
    assert {line.key: line.state for line in signed.findings}["touch"] == "ok"


def test_a_vehicle_that_moves_is_not_tested(open_glass: OpenGlass, showcase: Showcase) -> None:
    showcase.bench.status = type(showcase.bench.status)(moving=True)
    glass = open_glass(PANELS[1])
    opened(glass)
    glass.page.locator("rp-status .toast").wait_for()
    assert showcase.bench.tests.runs == 0
    assert [fault for fault in glass.faults if "409" not in fault] == []  # which the browser notes, and nobody else minds
    glass.faults.clear()
