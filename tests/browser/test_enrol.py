"""A blank box and its technician: what he holds out, what the screen says, and the same browser with the driver's page afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cli.enrol import glass as screen
from cli.enrol import waiting
from drivers.board import BoardSettings
from drivers.sim.camera import CameraHands
from firmware.box.requests import PAGE
from firmware.config import TerminalSettings
from provisioning import source
from provisioning.card import Card
from provisioning.enrol import Enrolment
from provisioning.identity import FOLDER, Identity, read
from tests.browser.rig import PANELS, Glass
from tests.browser.showcase import Showcase
from tests.eventually import eventually
from tests.pictures import coded
from tests.system.broker import MOSQUITTO, free_port
from tests.system.enrolled import Fleet, a_fleet

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
SECRET = "hunter22"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with a_fleet(tmp_path_factory.mktemp("fleet")) as there:
        yield there


@pytest.fixture(scope="module")
def other_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with a_fleet(tmp_path_factory.mktemp("other")) as there:
        yield there


class Blank:
    """A box that waits, with a screen, a camera and a place for a stick; `told` is its console."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.port = free_port()
        self.state = folder / "state"
        self.state.mkdir()
        self.camera = CameraHands(folder / "scene")
        self.camera.show_doorstep()
        self.told: list[str] = []
        self.sticks: list[Path] = []
        self.done: list[Identity] = []
        self.runtime = folder
        monkeypatch.setattr(screen, "RUNTIME", folder)
        monkeypatch.setattr(waiting, "LOOK_S", 0.3)
        monkeypatch.setattr(source, "sticks", lambda: iter(self.sticks))
        monkeypatch.setattr(source, "join", lambda _: None)
        self.thread = threading.Thread(target=self._wait, name="enrol", daemon=True)
        self.thread.start()
        eventually((folder / PAGE).exists, 20)

    @property
    def url(self) -> str:
        """Where the kiosk is told to look."""
        return (self.runtime / PAGE).read_text(encoding="ascii").strip().removeprefix("ROADPROOF_PAGE=")

    def _wait(self) -> None:
        board = BoardSettings(profile="simulated", gnss_port="none", scene_folder=str(self.runtime / "scene"))
        blank = waiting.Blank(state=self.state, board=board, terminal=TerminalSettings(enabled=True, port=self.port))
        waiting.wait(self._enrolment, blank, self.told.append, lambda identity, _: self.done.append(identity))

    def _enrolment(self, card: Card) -> Enrolment:
        return Enrolment(card, state=self.state, tell=self.told.append)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blank:
    return Blank(tmp_path, monkeypatch)


@pytest.fixture
def glass(browser: Browser, box: Blank) -> Iterator[Glass]:
    opened = Glass(browser, box.url, lambda: 1, PANELS[0])
    yield opened
    away = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "WebSocket")  # while one program gives its address to the next
    opened.faults = [fault for fault in opened.faults if not any(sign in fault for sign in away)]
    opened.close()


def test_a_technician_makes_a_unit_of_a_box_and_the_same_browser_goes_on_with_the_drivers_page(
    glass: Glass, box: Blank, fleet: Fleet, other_fleet: Fleet, tmp_path: Path
) -> None:
    page, card = glass.page, fleet.card()
    page.locator("rp-enrol h1", has_text="Show me the enrolment code").wait_for()
    page.locator("rp-enrol rp-viewfinder .state").wait_for(state="detached")  # the camera's picture is drawn

    rubbish = tmp_path / "enrol.txt"
    rubbish.write_bytes(b"\x00\xff" * 100)
    box.sticks = [rubbish]
    page.locator("rp-enrol .verdict.wrong", has_text="is no text file with an enrolment code").wait_for()
    box.sticks = []

    box.camera.show(coded(f"WIFI:T:WPA;S:Depot;P:{SECRET};;", "QRCode", scale=5))
    page.locator("rp-enrol .verdict.ok", has_text="Depot").wait_for()

    foreign = card.text.replace(card.fingerprint, other_fleet.card().fingerprint)
    box.camera.show(coded(foreign, "QRCode", scale=5))
    wrong = page.locator("rp-enrol .verdict.wrong", has_text="shows another root certificate than the card names")
    wrong.wait_for()
    assert wrong.locator("bdi").inner_text() in box.told  # the very sentence

    page.locator("rp-enrol footer .key", has_text="Deutsch").click()
    page.locator("rp-enrol h1", has_text="Zeigen Sie mir").wait_for()

    box.camera.show(coded(card.text, "QRCode", scale=5))
    page.locator("rp-enrol .unit").wait_for()
    (identity,) = box.done
    assert page.locator("rp-enrol .unit .name bdi").inner_text() == identity.unit == card.unit
    assert page.locator("rp-enrol .print").inner_text().replace(" ", "") == card.fingerprint
    assert read(box.state / FOLDER) == identity
    assert card.code not in page.content()
    glass.picture("enrol-done")

    page.locator("rp-enrol .key.primary").click()
    box.thread.join(20)
    assert not box.thread.is_alive()
    with Showcase(port=box.port):  # as the daemon does, at the same address
        page.locator("rp-route").wait_for()


def test_a_box_that_was_enrolled_over_the_network_meanwhile_says_who_it_is(glass: Glass, box: Blank, fleet: Fleet) -> None:
    card = fleet.card("van-018")
    Enrolment(card, state=box.state, tell=lambda _: None).run()
    glass.page.locator("rp-enrol .unit .name", has_text=card.unit).wait_for()
    glass.page.locator("rp-enrol .key.primary").click()
    box.thread.join(20)
    assert not box.thread.is_alive()
