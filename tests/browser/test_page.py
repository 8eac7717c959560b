"""What the page does when it is touched, looked at through, and left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from firmware.terminal import signature
from tests.browser.rig import PANELS, Panel, ShowcaseGlass
from tests.browser.showcase import Reply, Showcase
from tests.eventually import eventually

OpenGlass = Callable[..., ShowcaseGlass]
SQUIGGLE = [(0.2, 0.7), (0.3, 0.3), (0.35, 0.7), (0.45, 0.3), (0.5, 0.65), (0.6, 0.4), (0.75, 0.5)]


def strokes(glass: ShowcaseGlass) -> list[tuple[float, float]]:
    """A name on the canvas, as points of the glass."""
    box = glass.page.locator("canvas").bounding_box()
    assert box is not None
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SQUIGGLE]


def primary(glass: ShowcaseGlass) -> tuple[float, float]:
    """Where the one obvious button is."""
    glass.settled()
    box = glass.page.locator("rp-actions .primary").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def names(showcase: Showcase) -> list[str]:
    return [command.name for command in showcase.standin.commands]


@pytest.mark.parametrize("by_mouse", [False, True], ids=["touch", "mouse-then-touch"])
@pytest.mark.parametrize("pause_ms", [0, 50, 150])
def test_the_click_after_a_stroke_is_never_dropped(open_glass: OpenGlass, showcase: Showcase, pause_ms: int, *, by_mouse: bool) -> None:
    glass = open_glass()
    finger = glass.finger()
    for _ in range(4):
        glass.show("sign")
        points = strokes(glass)
        if by_mouse:
            glass.page.mouse.move(*points[0])
            glass.page.mouse.down()
            glass.page.mouse.move(*points[1], steps=5)
            glass.page.mouse.up()
        finger.stroke(points)
        glass.page.wait_for_timeout(pause_ms)
        finger.tap(*primary(glass))
        eventually(lambda: "pod.sign" in names(showcase), within_s=5)
        showcase.standin.commands.clear()
        glass.show("route")


def test_a_signature_has_its_points_times_and_pressure(open_glass: OpenGlass, showcase: Showcase) -> None:
    glass = open_glass()
    glass.show("sign")
    finger = glass.finger()
    finger.stroke(strokes(glass))
    finger.tap(*primary(glass))
    eventually(lambda: "pod.sign" in names(showcase))
    signed = next(command.data for command in showcase.standin.commands if command.name == "pod.sign")
    (stroke,) = signature.read(signed).strokes
    assert len(stroke.x) == len(stroke.y) == len(stroke.t) == len(stroke.p) >= len(SQUIGGLE)
    assert min(stroke.t) >= 0
    assert max(stroke.p) > min(stroke.p) > 0


def test_a_command_tapped_while_the_line_is_down_is_sent_once_when_it_is_back(open_glass: OpenGlass, showcase: Showcase) -> None:
    glass = open_glass()
    glass.page.evaluate("document.querySelector('rp-app').connection.socket.close()")
    glass.page.evaluate("document.querySelector('rp-app').connection.command('route.arrive', {stop_id: 'S17'})")
    eventually(lambda: "route.arrive" in names(showcase))
    glass.show("stop")
    assert names(showcase).count("route.arrive") == 1


def test_what_is_refused_is_said(open_glass: OpenGlass, showcase: Showcase) -> None:
    showcase.standin.answers["pod.start"] = Reply(ok=False, key="moving", args={}, status=423)
    glass = open_glass()
    glass.show("stop")
    glass.finger().tap(*primary(glass))
    eventually(lambda: glass.page.evaluate("document.querySelector('rp-app').toast?.key") == "moving")


def test_the_page_says_that_it_lives(open_glass: OpenGlass, showcase: Showcase) -> None:
    glass = open_glass()
    for _ in range(200):  # the browser's own clock runs only while Playwright is served
        glass.page.wait_for_timeout(50)
        if showcase.alive:
            return
    pytest.fail("no ui.alive within 10 s")


@pytest.mark.parametrize("screen", ["scan", "photo"])
def test_the_viewfinder_draws_each_new_picture(open_glass: OpenGlass, showcase: Showcase, screen: str) -> None:
    glass = open_glass()
    before = showcase.camera.looked
    glass.show(screen)
    for _ in range(200):
        glass.page.wait_for_timeout(25)
        if showcase.camera.looked > before + 5:
            break
    assert showcase.camera.looked > before + 5


def test_arabic_turns_the_page_around_and_its_numbers_stay(open_glass: OpenGlass) -> None:
    glass = open_glass()
    glass.show("route", lang="ar")
    assert glass.page.evaluate("[document.documentElement.dir, document.documentElement.lang]") == ["rtl", "ar"]


@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_no_text_of_the_showcase_is_a_bare_key(open_glass: OpenGlass, panel: Panel) -> None:
    glass = open_glass(panel)
    glass.show("stop")
    assert glass.page.locator("text=/^[a-z]+\\.[a-z_.]+$/").count() == 0
