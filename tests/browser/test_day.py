"""A stop by touch, against the real terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.rig import PANELS, Glass
from tests.browser.stage import Stage
from tests.eventually import eventually
from tests.proofs import keys_of_the_session
from tests.terminals import code


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A driver on the route."""
    folder = tmp_path / "card"
    folder.mkdir()
    with Stage(folder, keys_of_the_session()) as running:
        yield running


@pytest.fixture
def glass(browser: Browser, stage: Stage) -> Iterator[Glass]:
    """The page before that driver."""
    opened = Glass(browser, stage.web.url, stage.seq, PANELS[1])
    yield opened
    opened.close()


def shown(stage: Stage, glass: Glass, screen: str) -> None:
    """Wait until the terminal and the page are there."""
    eventually(lambda: stage.cabin.screen == screen)
    glass.drawn()


def test_the_driver_taps_from_the_route_to_the_scanner(stage: Stage, glass: Glass) -> None:
    shown(stage, glass, "route")
    glass.tap_primary()
    shown(stage, glass, "stop")
    glass.tap_primary()
    shown(stage, glass, "scan")
    stage.cabin.read(code(1))
    shown(stage, glass, "photo")


def test_a_page_that_loses_the_unit_goes_on_where_it_was(stage: Stage, glass: Glass) -> None:
    glass.tap_primary()
    shown(stage, glass, "stop")
    glass.tap_primary()
    shown(stage, glass, "scan")
    stage.restart()
    glass.faults.clear()  # the line was down, and the browser says so
    eventually(lambda: glass.page.evaluate("document.querySelector('rp-app').view.screen") == "scan")
    assert stage.cabin.screen == "scan"
    glass.faults.clear()
