"""Every screen, on every panel, by day and night, in both directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from firmware.kiosk.texts import LANGUAGES
from tests.browser.rig import CONTRAST_AAA, PANELS, Panel, ShowcaseGlass
from tests.browser.screens import SCREENS

LoadGlass = Callable[[Panel], ShowcaseGlass]
THEMES = ("day", "night")
DRIVING = ("drive", "drive-moving", "drive-done")


@pytest.mark.parametrize("lang", ["en", "ar"])
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_every_screen_can_be_used_by_everybody(load_glass: LoadGlass, panel: Panel, theme: str, lang: str) -> None:
    glass = load_glass(panel)
    faults = {}
    for screen in SCREENS:
        glass.show(screen, lang=lang, theme=theme)
        faults[screen] = glass.accessibility()
        glass.picture(f"{panel}-{theme}-{lang}-{screen}")
    assert {screen: found for screen, found in faults.items() if found} == {}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_every_box_is_for_a_finger_and_no_word_is_cut(load_glass: LoadGlass, panel: Panel, lang: str) -> None:
    glass = load_glass(panel)
    faults = {}
    for hand in ("right", "left"):
        for screen in SCREENS:
            glass.show(screen, lang=lang, theme="day", hand=hand)
            faults[hand, screen] = glass.misfits()
    assert {screen: found for screen, found in faults.items() if found} == {}


@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_what_is_read_while_driving_has_a_contrast_of_seven_to_one(load_glass: LoadGlass, panel: Panel) -> None:
    glass = load_glass(panel)
    for screen in DRIVING:
        for theme in THEMES:
            glass.show(screen, theme=theme)
            assert glass.accessibility(CONTRAST_AAA) == [], f"{screen} by {theme}"
