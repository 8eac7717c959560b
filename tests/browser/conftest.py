"""One browser and one server for all of this folder; one context, as clean as a new browser, for a test that does more than look."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.rig import CHROMIUM, PANELS, Panel, ShowcaseGlass, launch
from tests.browser.showcase import Showcase


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium fonts-noto-core")
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def one_showcase() -> Iterator[Showcase]:
    """The server that all tests share."""
    with Showcase() as running:
        yield running
    assert running.failure is None


@pytest.fixture
def showcase(one_showcase: Showcase) -> Showcase:
    """The server, showing the route in English by day."""
    one_showcase.reset()
    return one_showcase


@pytest.fixture
def open_glass(browser: Browser, showcase: Showcase) -> Iterator[Callable[[Panel], ShowcaseGlass]]:
    """Opens the page on a panel; at the end no complaint of the page may have been heard."""
    opened: list[ShowcaseGlass] = []

    def one(panel: Panel = PANELS[1]) -> ShowcaseGlass:
        glass = ShowcaseGlass(browser, showcase, panel)
        opened.append(glass)
        return glass

    yield one
    for glass in opened:
        glass.close()


@pytest.fixture(scope="package")
def kept_glass(browser: Browser, one_showcase: Showcase) -> Iterator[ShowcaseGlass]:
    """One context for all tests that only look: a new one costs more than what they do in it."""
    glass = ShowcaseGlass(browser, one_showcase, PANELS[1])
    glass.unload()
    yield glass
    glass.close()


@pytest.fixture
def load_glass(kept_glass: ShowcaseGlass, showcase: Showcase) -> Iterator[Callable[[Panel], ShowcaseGlass]]:
    """Loads the page anew on a panel; at the end no complaint of the page may have been heard."""

    def one(panel: Panel) -> ShowcaseGlass:
        kept_glass.load(panel)
        return kept_glass

    yield one
    kept_glass.unload()
