"""Each task of the day costs no more touches of the real page than its budget; scans and a signature's stroke are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from mqtt.messages import Run
from mqtt.run import Cod, Contact, Driver, Line, Notice, Plan, Proofs, Stop
from tests.browser.player import Player
from tests.browser.rig import PANELS, Glass
from tests.browser.stage import Stage
from tests.eventually import eventually
from tests.proofs import UNIT, keys_of_the_session
from tests.terminals import PIN, Card, T, secret

SCANS_ALONE = Proofs(scan="required", photo="disabled", signature="disabled", name="disabled")
PHOTO_ALONE = Proofs(scan="disabled", photo="required", signature="disabled", name="disabled")
SIGNED = Proofs(scan="required", photo="required", signature="required", name="required")
COLLECTED = Proofs(scan="required", photo="required", signature="disabled", name="disabled")


def stop(stop_id: str, proofs: Proofs, **more: object) -> Stop:
    """A call with one parcel, at no place: nothing happens there but by the driver."""
    lines = [Line(line_id="1", name="Parcel", codes=[f"PARCEL-{stop_id}"])]
    told = {"address": f"Example Street {stop_id}", "contact": Contact(name="M. Kowalska"), "lines": lines, "proofs": proofs, **more}
    return Stop(stop_id=stop_id, **told)  # type: ignore[arg-type]  # keyword by keyword they fit


DAY = Run(
    unit=UNIT,
    n=1,
    t=T,
    plan=Plan(
        day="2026-12-11",
        drivers=[Driver(driver_id="d-1", name="A. Driver", pin=secret(PIN))],
        stops=[
            stop("contactless", PHOTO_ALONE, contactless="safe_place"),
            stop("scans", SCANS_ALONE),
            stop("signed", SIGNED),
            stop("cash", SIGNED, cod=Cod(amount=2_490, currency="EUR")),
            stop("nobody", SIGNED),
            stop("return", COLLECTED, service="return"),
        ],
        cash_float=5_000,
        messages=[Notice(message_id="m-1", t=T, text="The gate closes at 18:00")],
    ),
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The terminal before the sign-in."""
    card = Card(tmp_path, keys_of_the_session())
    card.start().receive(DAY)
    with Stage(tmp_path, keys_of_the_session(), card) as running:
        yield running


@pytest.fixture
def player(browser: Browser, stage: Stage) -> Iterator[Player]:
    """A driver before the page."""
    glass = Glass(browser, stage.web.url, stage.seq, PANELS[1])
    yield Player(glass)
    glass.close()


def spent(player: Player, task: Callable[[], None]) -> int:
    """How many touches a task takes."""
    before = player.taps
    task()
    return player.taps - before


def begin(stage: Stage) -> None:
    """Signed in, checked and loaded by other hands."""
    cabin = stage.cabin
    cabin.done("session.pin", pin=PIN)
    cabin.done("check.submit", all_ok=True)
    load(stage)
    cabin.done("load.done")


def load(stage: Stage) -> None:
    for call in DAY.plan.stops:
        if call.service == "delivery":
            stage.cabin.read(f"PARCEL-{call.stop_id}")


def at_door(stage: Stage, player: Player, stop_id: str) -> None:
    """At a stop, as the geofence would have it: no tap."""
    begin(stage)
    stage.cabin.done("route.stop", stop_id=stop_id)
    stage.cabin.done("route.arrive")
    player.see("stop")


def test_signing_in_checking_the_vehicle_and_loading(stage: Stage, player: Player) -> None:
    def sign_in() -> None:
        player.see("signin")
        player.digits(PIN)
        player.primary()
        player.see("check")

    def check() -> None:
        player.primary()
        player.see("load")

    def depart() -> None:
        load(stage)
        player.data(missing=[])
        player.primary()
        player.see("route")

    assert spent(player, sign_in) == 5
    assert spent(player, check) <= 2
    assert spent(player, depart) == 1


def test_a_contactless_drop_takes_three(stage: Stage, player: Player) -> None:
    at_door(stage, player, "contactless")

    def drop() -> None:
        player.primary()
        player.take_photo()
        player.confirm()

    assert spent(player, drop) == 3


def test_a_hand_over_with_scans_alone_takes_two(stage: Stage, player: Player) -> None:
    at_door(stage, player, "scans")

    def hand_over() -> None:
        player.primary()
        player.see("scan")
        stage.cabin.read("PARCEL-scans")
        player.confirm()

    assert spent(player, hand_over) == 2


def hand_over_signed(stage: Stage, player: Player, stop_id: str) -> None:
    player.primary()
    player.see("scan")
    stage.cabin.read(f"PARCEL-{stop_id}")
    player.take_photo()
    if player.see("cod", "sign")["screen"] == "cod":
        player.button("30.00", "rp-cod")
        player.data(change={"amount": 510, "currency": "EUR", "digits": 2})
        player.button("Cash", "rp-cod")
        player.data(method="cash")
        player.primary()
    player.take_signature()
    player.name_recipient()
    player.confirm()


def test_a_signed_delivery_takes_five_after_the_arrival_and_cash_adds_three(stage: Stage, player: Player) -> None:
    at_door(stage, player, "signed")
    signed = spent(player, lambda: hand_over_signed(stage, player, "signed"))
    assert signed == 5  # and one more where no geofence opens the stop
    stage.cabin.done("route.stop", stop_id="cash")
    player.see("stop")
    assert spent(player, lambda: hand_over_signed(stage, player, "cash")) == signed + 3


def test_an_exception_takes_four(stage: Stage, player: Player) -> None:
    at_door(stage, player, "nobody")

    def give_up() -> None:
        player.command("exception.start")
        player.see("exception")
        player.button("Nobody home", "rp-exception")
        player.data(step="photo")
        player.primary()
        player.data(step="confirm")
        player.primary()
        player.see("route")

    assert spent(player, give_up) == 4


def test_a_return_takes_five_at_most(stage: Stage, player: Player) -> None:
    at_door(stage, player, "return")

    def collect() -> None:
        player.primary()
        player.see("scan")
        stage.cabin.read("PARCEL-return")
        player.data(done=1)
        player.primary()
        player.take_photo()
        player.confirm()

    assert spent(player, collect) <= 5


def test_reading_and_answering_a_message_takes_two_once_the_list_is_open(stage: Stage, player: Player) -> None:
    begin(stage)
    player.see("route")

    def answer() -> None:
        player.see("messages")
        player.button("", "rp-messages rp-list")
        player.button("OK", "rp-messages")
        eventually(lambda: (view := player.view()) is not None and view["d"]["items"][0]["reply"])

    player.command("message.open")
    assert spent(player, answer) == 2


def test_the_end_of_the_day_takes_three(stage: Stage, browser: Browser) -> None:
    begin(stage)
    for call in DAY.plan.stops:
        stage.cabin.done("route.stop", stop_id=call.stop_id)
        stage.cabin.done("exception.start", scope="stop")
        stage.cabin.done("exception.reason", code="refused")
        stage.cabin.done("exception.confirm")
    glass = Glass(browser, stage.web.url, stage.seq, PANELS[1])
    player = Player(glass)

    def end() -> None:
        player.see("route")
        player.primary()
        player.see("end")
        player.primary()
        player.data(cash_counted={"amount": 5_000, "currency": "EUR", "digits": 2})
        player.primary()
        player.see("signin")

    assert spent(player, end) == 3
    glass.close()
