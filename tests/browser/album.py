"""The pictures of the documentation: a blank unit, a self-test, the demo's day in the real page, and a proof as the fleet prints it.

`python -m tests.browser.album` takes them anew for docs/pictures. The day is decided by firmware/day at a fixed hour, so that the same
program gives the same pictures; only the proof's page has a new key, and with it new numbers, each time.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import msgspec
from msgspec.structs import replace
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from cli.demo.day import PIN, plan
from drivers.camera.photo import VIEW_PX, view
from drivers.sim import scenes
from drivers.sim.route import ghent
from firmware.selftest.finding import Finding
from firmware.terminal.viewfinder import Mark, Picture
from fleet import dossier, paper, pods, strokes
from mqtt.evidence.record import Item, Recipient, When, Where
from mqtt.evidence.verdict import verify_bundle
from mqtt.messages import Run, utc_text
from mqtt.run import Stop
from tests.browser.rehearsal import Eye, Understudy, nobody, staged
from tests.browser.rig import PANELS, Glass, ShowcaseGlass, launch
from tests.browser.showcase import Showcase
from tests.browser.test_selftest import TROUBLED
from tests.cards import CARD, TEXT
from tests.pictures import coded
from tests.runs import NINE_MS, Shift, at
from tests.system.notaries import Desk, Sealer, World
from tests.system.stores import SqlitePlace

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PANEL = PANELS[1]
COLOURS = 64  # a page is flat, and a repository keeps every version of a picture
DASHBOARD = (74, 78, 84)
PAPER_EDGE_PX = 40  # white round the code
MINUTE_S = 60.0
PAPER = {"width": 794, "height": 1123}  # A4 at 96 dots to the inch
MARGINS = "body { padding: 14mm 15mm }"  # as @page has them, which a screen does not know
CODE = "00034012345000000019"
WELL = {
    "camera": Finding("camera", "ok", "The camera took a photo of 4608 x 2592.", {}, 900),
    "scanner": Finding("scanner", "skipped", "No hand scanner is plugged in; the camera reads the codes.", {}, 1),
    "voltage": Finding("voltage", "ok", "The supply holds, and has held since the start.", {}, 4),
}
# A name as a finger writes it: x and y of each stroke, in heights of a letter.
NAME = (
    [(0.0, 1.0), (0.05, -1.0), (0.3, 0.4), (0.55, -1.0), (0.6, 1.0)],
    [(0.8, 0.9), (0.84, 1.0)],
    [(1.15, -1.0), (1.13, 0.0), (1.15, 1.0)],
    [(1.65, -0.9), (1.17, 0.1), (1.35, 0.4), (1.7, 1.0), (1.9, 0.4), (2.05, 0.4), (2.1, 0.9), (1.9, 1.0), (1.9, 0.5), (2.15, 0.4),
     (2.3, 0.9), (2.4, 0.4), (2.6, 0.9), (2.8, 0.4), (2.95, 0.9), (3.2, 0.3), (3.5, 0.5), (3.9, 0.2)],
)  # fmt: skip


class Album:
    """Takes a picture when the script says so."""

    def __init__(self, folder: Path, shift: Shift, understudy: Understudy, eye: Eye, glass: Glass) -> None:
        self._folder = folder
        self._shift = shift
        self._understudy = understudy
        self._eye = eye
        self._glass = glass

    def take(self, name: str, *, lang: str = "en", theme: str = "day", signed: bool = False) -> None:
        """One picture of the screen as it is now."""
        self._shift.tap("ui.lang", lang=lang)
        self._shift.tap("ui.theme", theme=theme)
        self.show()
        if signed:
            self._sign()
        _keep(self._glass, self._folder / f"{name}.png")

    def show(self) -> None:
        """Have the screen drawn with everything that comes a little later: the camera's picture, the way ahead."""
        page = self._glass.page
        self._understudy.changed()
        self._glass.drawn()
        if page.locator("rp-viewfinder").count():
            self._eye.asked.clear()
            assert self._eye.asked.wait(10), "the page does not draw the camera's picture"
        if page.locator("rp-map").count():
            page.locator("rp-strip svg").first.wait_for()
        self._glass.drawn()

    def _sign(self) -> None:
        box = self._glass.page.locator("rp-signature").bounding_box()
        assert box is not None
        high = box["height"] * 0.25
        left, middle = box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5
        finger = self._glass.finger()
        for stroke in NAME:
            finger.stroke([(left + x * high, middle + y * high) for x, y in stroke])


def shrink(path: Path) -> None:
    """The same picture with fewer colours."""
    with Image.open(path) as drawn:
        small = drawn.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


class Script:
    """The demo's driver, as far as there is something to see."""

    def __init__(self, shift: Shift, stops: Sequence[Stop], album: Album) -> None:
        self._shift = shift
        self._stops = {stop.stop_id: stop for stop in stops}
        self._album = album

    def play(self) -> None:
        """The morning, and the first doors."""
        self._set_out()
        self._hand_over_signed()
        self._leave_at_the_door()
        self._collect_cash()

    def _set_out(self) -> None:
        shift = self._shift
        self._album.take("sign-in")
        shift.tap("session.pin", driver="d1", pin=PIN)
        for item in ("brakes", "parking_brake", "steering", "lights"):
            shift.tap("check.item", item_id=item, ok=True)
        shift.tap("check.submit", all_ok=True)
        for stop_id in ("s1", "s2", "s3", "s5"):
            shift.scan(*self._codes(stop_id))
        shift.tap("load.done")
        shift.be(position=at(self._before("s1"), course_deg=30.0, speed_mps=0.0))
        self._album.take("route")
        shift.be(position=at(self._before("s1"), course_deg=30.0, speed_mps=11.0), moving=True)
        self._album.take("driving-at-night", theme="night")

    def _hand_over_signed(self) -> None:
        shift = self._shift
        self._arrive("s1")
        self._album.take("stop")
        shift.tap("pod.start")
        shift.scan(self._codes("s1")[0])
        self._album.take("scan")
        shift.scan(self._codes("s1")[1])
        self._album.take("photo")
        shift.shoot()
        self._album.take("signature", signed=True)
        shift.sign()
        shift.tap("pod.rate", stars=5)
        shift.tap("pod.name", relation="recipient", name="M. Kowalska")
        self._album.take("confirm")
        shift.tap("pod.confirm")

    def _leave_at_the_door(self) -> None:
        shift = self._shift
        self._arrive("s2")
        shift.tap("pod.start")
        shift.shoot("gate")
        shift.tap("pod.name", relation="safe_place")
        shift.tap("pod.confirm")
        self._album.show()

    def _collect_cash(self) -> None:
        shift = self._shift
        self._arrive("s3")
        self._album.take("arabic", lang="ar")
        shift.tap("exception.start", scope="stop")
        self._album.take("cannot-deliver")
        shift.tap("ui.back")
        shift.tap("pod.start")
        shift.scan(*self._codes("s3"))
        shift.shoot("lamp")
        shift.tap("cash.amount", given=3_000)
        shift.tap("cash.method", method="cash")
        self._album.take("cash")

    def _codes(self, stop_id: str) -> list[str]:
        return [code for line in self._stops[stop_id].lines for code in line.codes]

    def _before(self, stop_id: str) -> Any:
        """Some hundred metres before a stop."""
        place = self._stops[stop_id].place
        assert place is not None
        return replace(place, latitude=place.latitude - 0.006, longitude=place.longitude - 0.004)

    def _arrive(self, stop_id: str) -> None:
        place = self._stops[stop_id].place
        assert place is not None
        self._shift.be(position=at(place, speed_mps=0.0), moving=False)
        self._shift.tick(MINUTE_S)
        assert self._shift.screen == "stop", self._shift.screen


def take_the_day(browser: Browser, folder: Path) -> None:
    """Every picture of the driver's page."""
    shift = Shift()
    day = plan(ghent(), datetime.fromtimestamp(NINE_MS / 1000, UTC))
    shift.arrives(Run(unit="van-017", n=1, t=utc_text(NINE_MS), plan=day))
    shift.tick()
    with staged(browser, shift, PANEL) as (understudy, eye, glass):
        Script(shift, day.stops, Album(folder, shift, understudy, eye, glass)).play()


class Paper:
    """The enrolment code on paper before the camera of a blank unit, and whose it is."""

    def __init__(self) -> None:
        sheet = coded(TEXT, "QRCode", scale=5)
        scene = Image.new("RGB", (VIEW_PX[0], VIEW_PX[1]), DASHBOARD)
        left, top = (scene.width - sheet.width) // 2, (scene.height - sheet.height) // 2
        scene.paste(sheet, (left, top))
        near, far = PAPER_EDGE_PX, sheet.width - PAPER_EDGE_PX
        corners = tuple((left + x, top + y) for x, y in ((near, near), (far, near), (far, far), (near, far)))
        self._picture = Picture(1, view(scene), (Mark(corners, CARD.unit),))

    def latest(self) -> Picture:
        return self._picture

    def drop(self, jpeg: bytes) -> NoReturn:
        nobody(f"drops a picture of {len(jpeg)} bytes")


def take_the_workshop(browser: Browser, folder: Path) -> None:
    """What the technician sees: a blank unit that is shown its code, and the self-test of a finished one."""
    with Showcase(px_per_mm=PANEL.px_per_mm, viewfinder=Paper()) as showcase:
        glass = ShowcaseGlass(browser, showcase, PANEL)
        glass.show("enrol")
        glass.page.locator("rp-viewfinder .state").wait_for(state="detached")
        _keep(glass, folder / "enrol.png")
        showcase.bench.tests.found = TROUBLED | WELL
        glass.show("diag")
        glass.page.locator("rp-diag .finding").first.wait_for()
        glass.tap_primary()
        glass.page.locator("rp-selftest .part").first.wait_for()
        showcase.bench.end()
        glass.page.locator("rp-selftest .sum[role=status]").wait_for()
        glass.settled()
        _keep(glass, folder / "self-test.png")
        glass.close()


def _keep(glass: Glass, path: Path) -> None:
    glass.page.screenshot(path=path)
    shrink(path)


def take_the_proof(browser: Browser, folder: Path) -> None:
    """The page of a proof that a unit signed, a receiver countersigned, and the verifier found good."""
    with TemporaryDirectory() as home:
        drawn = _proof_page(Path(home))
    context = browser.new_context(viewport={"width": PAPER["width"], "height": PAPER["height"]})
    page = context.new_page()
    page.set_content(drawn)
    page.add_style_tag(content=MARGINS)
    page.screenshot(path=folder / "proof.png")
    shrink(folder / "proof.png")
    context.close()


def _proof_page(home: Path) -> str:
    world = World(home)
    pen, desk = world.pen(), Desk(world, SqlitePlace(home))
    photo = Sealer(pen.seal, "photo", "image/jpeg", view(scenes.doorstep("12")))
    signature = Sealer(pen.seal, "signature", strokes.MIME, msgspec.json.encode(_written()))
    record = pen.record(
        "s1",
        photo,
        signature,
        job="o-4711",
        recipient=Recipient(name="M. Kowalska", relation="recipient", signature_state="signed"),
        items=(Item(code=CODE, sym="code128", line_id="1", state="scanned", qty=1, qty_fact=1, reason=None),),
        pos=Where(lat_e7=510_502_000, lon_e7=37_301_000, acc_m=4, fix=3, sats=11, age_ms=300),
        t=When(wall=utc_text(time.time_ns() // 1_000_000 - 30_000), mono_ms=5, src="gnss", err_ms=50, after=None),
        rating=5,
        place_m=8,
    )
    desk.proof(pen.pod(1, record))
    desk.send(photo)
    desk.send(signature)
    found = dossier.gather(desk.store, desk.notary, pods.find(desk.store, record.id))
    verdict = verify_bundle(dossier.contents(desk.store, desk.notary, found), desk.notary.root)
    page = paper.html(found, verdict.findings, 8, paper.Extras(address="Kouterstraat 12, 2nd floor, bell Kowalska"))
    desk.store.close()
    for number, held in enumerate(one for one in found.attachments if one.told.kind == "photo"):
        assert held.data is not None
        page = page.replace(f"{paper.PICTURE}{number}", "data:image/jpeg;base64," + base64.b64encode(held.data).decode())
    return page


def _written() -> dict[str, Any]:
    """NAME as a unit sends strokes: whole numbers, each point as the difference to the one before."""
    strokes = []
    for stroke in NAME:
        points = [(round(300 + x * 300), round(500 + y * 300)) for x, y in stroke]
        steps = [step for before, after in pairwise(points) for step in (after[0] - before[0], after[1] - before[1])]
        strokes.append([*points[0], *steps])
    return {"v": 1, "unit": "px/4", "width": 2_400, "height": 1_000, "fields": ["x", "y"], "strokes": strokes}


def main() -> None:
    """Take all of them."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        take_the_day(browser, FOLDER)
        take_the_workshop(browser, FOLDER)
        take_the_proof(browser, FOLDER)
        browser.close()
    for path in sorted(FOLDER.glob("*.png")):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
