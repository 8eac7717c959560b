"""The documentation's pictures can still be taken, and are those that the documentation shows."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.album import FOLDER, take_the_day, take_the_proof, take_the_workshop


def test_the_page_still_goes_where_the_pictures_of_the_documentation_show_it(browser: Browser, tmp_path: Path) -> None:
    take_the_day(browser, tmp_path)
    take_the_workshop(browser, tmp_path)
    take_the_proof(browser, tmp_path)
    taken = {path.name for path in tmp_path.iterdir()}
    assert taken == {path.name for path in FOLDER.iterdir()}, "take them anew: python -m tests.browser.album"
