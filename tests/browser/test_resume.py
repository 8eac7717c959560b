"""Page and daemon are killed (-9) at every step of a proof: the driver goes on at that step, and the proof is made once."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from drivers.sim.camera import CameraHands
from mqtt.messages import Run
from mqtt.run import Cod, Contact, Driver, Line, Plan, Proofs, Stop
from tests.browser.player import Player
from tests.browser.rig import PANELS, Glass
from tests.eventually import eventually
from tests.proofs import UNIT, keys_of_the_session, pods_of
from tests.system.broker import free_port
from tests.system.daemon_rig import DaemonRig
from tests.terminals import PIN, Card, T, secret

CODE = "PARCEL-001"
RECIPIENT_PIN = "1357"
DOOR = Stop(
    stop_id="s-1",
    address="1 Example Street",
    contact=Contact(name="M. Kowalska"),
    lines=[Line(line_id="1", name="Parcel", codes=[CODE])],
    cod=Cod(amount=2_490, currency="EUR"),
    proofs=Proofs(scan="required", photo="required", signature="required", name="required", pin="required"),
    pin=secret(RECIPIENT_PIN),
    rating=True,
)
DAY = Run(
    unit=UNIT,
    n=1,
    t=T,
    plan=Plan(day="2026-12-11", drivers=[Driver(driver_id="d-1", name="A. Driver", pin=secret(PIN))], stops=[DOOR], checklist=()),
)


class Cabin:
    """A daemon of its own with a driver at the door, and the page before him."""

    def __init__(self, browser: Browser, rig: DaemonRig, port: int, hands: CameraHands) -> None:
        self._browser = browser
        self._rig = rig
        self._url = f"http://127.0.0.1:{port}/"
        self.hands = hands
        self.start_unit()
        self.open_page()

    def start_unit(self) -> None:
        self._rig.start()
        eventually(self._answers, 30)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}api/v1/state", timeout=5) as answer:  # noqa: S310  our own page
                return bool(json.load(answer)["seq"])
        except OSError:
            return False

    def open_page(self) -> None:
        self._glass = Glass(self._browser, self._url, lambda: 0, PANELS[1])
        self.player = Player(self._glass)

    def kill_page(self) -> None:
        """The browser dies, and another one comes up."""
        self._glass.close()
        self.open_page()

    def kill_unit(self) -> None:
        """kill -9, and the start after it; the page finds it by itself."""
        self._rig.end(signal.SIGKILL)
        eventually(lambda: self.player.view() is None)
        self.start_unit()
        eventually(lambda: self.player.view() is not None, 30)
        self._glass.faults.clear()  # the line was down, and the browser says so

    def end(self) -> None:
        """The page closes, and the daemon ends in order."""
        self._glass.close()
        assert self._rig.end() == 0
        assert "Traceback" not in self._rig.told()


@pytest.fixture
def card(tmp_path: Path) -> Card:
    """What lies in the unit: a driver on the way to a door that asks for everything."""
    journal = tmp_path / "journal"
    journal.mkdir()
    card = Card(journal, keys_of_the_session())
    card.start().begin_day(DAY)
    card.eject()
    return card


@pytest.fixture
def cabin(browser: Browser, card: Card, tmp_path: Path) -> Iterator[Cabin]:
    """The daemon with that card, without a broker."""
    rig = DaemonRig(tmp_path, free_port(), journal=card.folder)
    hands, port = CameraHands(tmp_path / "scene"), free_port()
    told = rig.config.read_text(encoding="utf-8")
    rig.config.write_text(
        told.replace("[board]\n", f'[board]\ncamera = "simulated"\nscene_folder = "{tmp_path}/scene"\n'), encoding="utf-8"
    )
    rig.with_terminal(keys_of_the_session().folder, port)
    try:
        yield Cabin(browser, rig, port, hands)
    finally:
        rig.close()


def assert_one_whole_proof(card: Card) -> None:
    """What is on the card at the end of it all."""
    (pod,) = pods_of(card.start().journal)
    told = msgspec.json.decode(pod.rec)
    assert (told["stop"], told["outcome"], told["rating"]) == ("s-1", "delivered_to_recipient", 5)
    assert (told["cash"]["taken"], told["cash"]["change"]) == (3_000, 510)
    assert sorted(one["kind"] for one in told["att"]) == ["photo", "signature"]
    card.eject()


def half_cash(player: Player) -> None:
    """What was given is typed, how it is paid not yet."""
    player.button("30.00", "rp-cod")
    player.data(change={"amount": 510, "currency": "EUR", "digits": 2})


def rest_of_cash(player: Player) -> None:
    player.data(change={"amount": 510, "currency": "EUR", "digits": 2})
    player.button("Cash", "rp-cod")
    player.data(method="cash")
    player.primary()


def give_pin(player: Player) -> None:
    player.digits(RECIPIENT_PIN)
    player.primary()


def nothing(_: Player) -> None:
    """Killed before anything was touched on this screen."""


def test_killed_at_every_step_of_a_proof_the_page_goes_on_at_that_step(cabin: Cabin, card: Card) -> None:
    steps: list[tuple[str, Callable[[Player], Any], Callable[[Player], Any]]] = [
        ("route", nothing, lambda player: player.command("route.arrive")),
        ("stop", nothing, Player.primary),
        ("scan", nothing, lambda _: cabin.hands.show_parcel([CODE])),
        ("photo", nothing, Player.take_photo),
        ("cod", half_cash, rest_of_cash),
        ("pin", nothing, give_pin),
        ("sign", nothing, Player.take_signature),
        ("rate", nothing, lambda player: player.button("Very good", "rp-rate")),
        ("name", Player.name_recipient, Player.confirm),
    ]
    for screen, half, rest in steps:
        cabin.player.see(screen)
        half(cabin.player)
        cabin.kill_unit()
        cabin.player.see(screen)
        cabin.kill_page()
        cabin.player.see(screen)
        rest(cabin.player)
    cabin.player.see("route")
    cabin.kill_unit()
    eventually(lambda: (view := cabin.player.view()) is not None and view["overlay"] is None)
    cabin.player.see("route")
    cabin.end()
    assert_one_whole_proof(card)
