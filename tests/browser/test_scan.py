"""The scan screen while the camera looks: what a code says is drawn beside it, and what would help is said in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest
from playwright.sync_api import expect

from firmware.kiosk import texts
from firmware.terminal.hints import Hint
from tests.browser.rig import PANELS, Panel, ShowcaseGlass
from tests.browser.showcase import Showcase
from tests.eventually import eventually

OpenGlass = Callable[[Panel], ShowcaseGlass]
# How many pixels of the viewfinder's picture have the colour of the plate under a code.
COUNT_PLATE = """() => {
  const inner = (root, tag) => root.querySelector(tag).shadowRoot;
  const canvas = inner(inner(inner(document, 'rp-app'), 'rp-scan'), 'rp-viewfinder').querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let n = 0;
  for (let at = 0; at < data.length; at += 4) n += data[at] === 11 && data[at + 1] === 97 && data[at + 2] === 56;
  return n;
}"""


def seen(glass: ShowcaseGlass) -> None:
    """Wait until a picture of the camera is on the glass."""
    expect(glass.page.locator("rp-viewfinder .state")).to_have_count(0)


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_a_code_in_sight_has_its_value_beside_it(open_glass: OpenGlass, panel: Panel, theme: str) -> None:
    glass = open_glass(panel)
    glass.show("scan", theme=theme)
    seen(glass)
    glass.page.wait_for_function(f"({COUNT_PLATE})() > 2000")
    glass.picture(f"{panel}-{theme}-scan-value")


@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_every_hint_fits_in_every_language(open_glass: OpenGlass, showcase: Showcase, panel: Panel) -> None:
    glass = open_glass(panel)
    faults = {}
    for lang in texts.LANGUAGES:
        for hint in get_args(Hint):
            showcase.camera.hint = hint
            glass.show("scan", lang=lang, theme="night" if hint == "torch" else "day")
            seen(glass)
            expect(glass.page.locator("rp-viewfinder .hint")).to_have_text(str(texts.load(lang).texts[f"hint.{hint}"]))
            faults[lang, hint] = glass.misfits() + (glass.accessibility() if hint == "torch" else [])
            glass.picture(f"{panel}-{lang}-hint-{hint}")
    assert {shown: found for shown, found in faults.items() if found} == {}


def test_a_hint_goes_when_it_no_longer_holds(open_glass: OpenGlass, showcase: Showcase) -> None:
    showcase.camera.hint = "glare"
    glass = open_glass(PANELS[0])
    glass.show("scan")
    expect(glass.page.locator("rp-viewfinder .hint")).to_have_text("Glare: tilt the label")
    showcase.camera.hint = None
    expect(glass.page.locator("rp-viewfinder .hint")).to_have_count(0)


def test_a_tap_says_which_of_several_codes_is_meant(open_glass: OpenGlass, showcase: Showcase) -> None:
    glass = open_glass(PANELS[0])
    glass.show("scan-several")
    glass.page.locator("rp-choice rp-list button.key").nth(1).click()
    glass.settled()
    glass.page.locator("rp-actions button").first.click()
    commands = showcase.standin.commands
    eventually(lambda: [(command.name, command.data) for command in commands] == [("scan.choose", {"n": 1}), ("scan.none", {})])
