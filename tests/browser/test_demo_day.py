"""A newcomer plays the demo's whole day by touch: nothing is simulated but the van, and the proofs hold before strangers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from cli import mosquitto
from cli.demo.day import PIN, RECIPIENT_PIN
from firmware import status as statuses
from firmware.status_file import STATUS_FILE
from tests.browser.player import Player
from tests.browser.rig import PANELS, Glass
from tests.eventually import eventually

ROOT = Path(__file__).resolve().parents[2]
ROADPROOF = [sys.executable, "-P", "-m", "cli"]
UNIT = "van-017"
ARRIVAL_S = 60.0  # from one door to the next
END_S = 60.0
STANDING_MPS = 0.5


class Demo:
    """The demo as a process, as a newcomer starts it."""

    def __init__(self, folder: Path) -> None:
        self.kept = folder / "kept"
        self._log = folder / "told.txt"
        command = [*ROADPROOF, "demo", "--for", "60s", "--speed", "20", "--keep", str(self.kept)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.page = str(eventually(self._page, 60))

    @property
    def told(self) -> str:
        """What it printed so far."""
        return self._log.read_text(encoding="utf-8")

    def _page(self) -> str | None:
        assert self._process.poll() is None, self.told
        found = re.search(r"http://127\.0\.0\.1:\d+/", self.told)
        return found[0] if found else None

    def pull_the_plug(self) -> int:
        """kill -9 of the daemon; its process id."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        return pid

    def pid(self) -> int:
        status = statuses.read(self.kept / "run" / STATUS_FILE)
        return status.pid if status else 0

    @property
    def stands(self) -> bool:
        """Whether the van has pulled over."""
        status = statuses.read(self.kept / "run" / STATUS_FILE)
        place = status.position if status else None
        return "pulls over" in self.told and place is not None and (place.speed_mps or 0.0) < STANDING_MPS

    def ends(self) -> int:
        """It ends by itself; the exit code."""
        return self._process.wait(END_S)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(END_S)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    if mosquitto.program() is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    playing = Demo(tmp_path)
    yield playing
    playing.close()


class Shift:
    """The driver's day on one page after the other."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self._browser = browser
        self.demo = demo
        self._pictures = 0
        self.open_page()

    def open_page(self) -> None:
        self.glass = Glass(self._browser, self.demo.page, lambda: 0, PANELS[1])
        self.player = Player(self.glass, "day", self._pictures)

    def close_page(self) -> None:
        """The browser dies."""
        self._pictures = self.player.pictures
        self.glass.close()

    def begin(self) -> None:
        """Sign in, look at the vehicle, load."""
        player = self.player
        eventually(lambda: self.demo.stands and (player.view() or {}).get("screen") == "signin", 40)
        player.see("signin")
        player.digits(PIN)
        player.primary()
        player.see("check")
        player.primary()
        player.see("load")
        loaded = player.data(within_s=40, missing=[])
        assert loaded["loaded"] == loaded["total"] == 5
        player.keep_picture("loaded")
        player.primary()
        player.see("route")

    def drive(self) -> str:
        """To the next door; the address."""
        self.player.command("route.drive")
        self.player.see("drive")
        view = self.player.see("stop", within_s=ARRIVAL_S)
        assert view["d"]["inside"], view
        return str(view["d"]["stop"]["address"])

    # --- the doors

    def work(self, address: str) -> None:
        """What the stop of this address asks for."""
        doors = {
            "Kouterstraat 12": self.signature,
            "Visserij 40": self.contactless,
            "Dok-Noord 7": self.cash,
            "Heernislaan 81": self.returned,
            "Keizersvest 3": self.pin,
        }
        doors[address]()

    def signature(self) -> None:
        """Everything, in the middle of which the unit loses its power; and first the wrong button."""
        player = self.player
        player.command("exception.start")
        player.see("exception")
        player.button("Nobody home", "rp-exception")
        player.data(step="photo")
        player.keep_picture("exception-photo")
        player.primary()
        player.data(step="confirm")
        player.keep_picture("exception-confirm")
        player.primary()
        player.see("route", picture="undo")
        player.command("pod.undo")
        player.see("exception", picture="undone")
        player.command("ui.back")
        player.see("stop")
        player.primary()
        player.read_labels()
        player.take_photo()
        player.see("sign")
        player.sign()
        died = self.demo.pull_the_plug()
        eventually(lambda: player.view() is None)
        player.keep_picture("no-power")
        eventually(lambda: self.demo.pid() not in {0, died}, 30)
        player.see("sign", within_s=30, picture="power-is-back")
        self.glass.faults.clear()  # the line was down, and the browser says so
        player.primary()
        player.see("rate")
        player.button("Very good", "rp-rate")
        player.name_recipient()
        player.confirm()

    def contactless(self) -> None:
        self.player.primary()
        self.player.take_photo()
        self.player.confirm()

    def cash(self) -> None:
        """With change; in the middle of which the browser dies."""
        self.player.primary()
        self.player.read_labels()
        self.player.take_photo()
        self.player.see("cod")
        self.player.button("30.00", "rp-cod")
        assert self.player.data(change={"amount": 510, "currency": "EUR", "digits": 2})
        self.close_page()
        self.open_page()
        player = self.player
        assert player.see("cod")["d"]["given"]["amount"] == 3_000
        player.button("Cash", "rp-cod")
        player.data(method="cash")
        player.primary()
        player.take_signature()
        player.name_recipient()
        player.confirm()

    def returned(self) -> None:
        player = self.player
        player.primary()
        player.read_labels()
        for place, grade in enumerate(("Good", "Worn")):
            player.goods(place)
            player.keep_picture("grade")
            player.button(grade, "rp-scan")
            eventually(partial(is_graded, player, place, grade.lower()))
        player.keep_picture("graded")
        player.primary()
        player.take_photo()
        player.take_signature()
        player.confirm()

    def pin(self) -> None:
        player = self.player
        player.primary()
        player.read_labels()
        player.take_photo()
        player.see("pin")
        player.digits(RECIPIENT_PIN)
        player.primary()
        player.take_signature()
        player.confirm()

    def read_message(self) -> None:
        self.player.command("message.open")
        self.player.see("messages")
        self.player.button("", "rp-messages rp-list")
        self.player.keep_picture("message")
        self.player.button("OK", "rp-messages")
        eventually(lambda: (self.player.view() or {"d": {"items": [{}]}})["d"]["items"][0].get("reply"))
        self.player.command("ui.back")
        self.player.see("route")

    def end(self) -> None:
        """Everything is delivered: count the cash, sign out."""
        player = self.player
        player.see("route")
        player.primary()
        ending = player.see("end")["d"]
        assert (ending["done"], ending["total"], ending["failed"]) == (5, 5, 0)
        assert [money["amount"] for money in ending["cash_expected"]] == [5_000 + 2_490]
        player.primary()
        player.data(cash_counted={"amount": 7_490, "currency": "EUR", "digits": 2})
        player.keep_picture("counted")
        player.primary()
        eventually(lambda: (view := player.view()) is None or view["screen"] == "signin")


def is_graded(player: Player, place: int, grade: str) -> bool:
    view = player.view()
    return view is not None and [code["grade"] for line in view["d"]["lines"] for code in line["codes"]][place] == grade


def roadproof(*words: str | Path) -> str:
    """What a command prints, which must end with 0."""
    run = subprocess.run([*ROADPROOF, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, (words, run.stdout, run.stderr)
    return run.stdout


def check_as_a_stranger(kept: Path, pod: dict[str, Any], folder: Path) -> None:
    """Both verifiers accept the bundle; the page is one."""
    root, fleet = kept / "keys" / "authority" / "root.pem", kept / "fleet.toml"
    bundle, unpacked, paper = folder / f"{pod['stop']}.zip", folder / pod["stop"], folder / f"{pod['stop']}.pdf"
    roadproof("fleet", "bundle", pod["id"], "-o", bundle, "--config", fleet)
    assert "The proof holds." in roadproof("verify", bundle, "--root", root)
    with zipfile.ZipFile(bundle) as packed:
        packed.extractall(unpacked)
    told = subprocess.run(["bash", "verify-openssl.sh", root], cwd=unpacked, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stdout
    roadproof("fleet", "pdf", pod["id"], "-o", paper, "--config", fleet)
    assert len(PdfReader(paper).pages) == 1


def test_a_newcomer_plays_the_whole_day_and_its_proofs_hold(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    shift = Shift(browser, demo)
    shift.begin()
    shift.read_message()
    for _ in range(5):
        shift.work(shift.drive())
        shift.player.see("route")
    shift.end()
    shift.glass.context.close()
    assert demo.ends() == 0, demo.told
    counted = dict(re.findall(r"│ ([a-z ]+?)\s+│\s*(\d+)\s*│", demo.told))
    assert (counted["lost"], counted["stored twice"]) == ("0", "0"), demo.told
    assert (counted["proofs received"], counted["proofs good"]) == ("5", "5"), demo.told
    assert "roadproof verify" in demo.told
    pods = json.loads(roadproof("fleet", "pods", "--config", demo.kept / "fleet.toml", "--json"))
    told = {pod["stop"]: (pod["outcome"], pod["photo"], pod["signature"]) for pod in pods}
    assert told == {
        "s1": ("delivered_to_recipient", "there", "there"),
        "s2": ("delivered_to_safe_place", "there", None),
        "s3": ("delivered_to_recipient", "there", "there"),
        "s4": ("picked_up_from_customer", "there", "there"),
        "s5": ("delivered_to_recipient", "there", "there"),
    }
    for pod in pods:
        check_as_a_stranger(demo.kept, pod, tmp_path)
    assert "Traceback" not in "".join(log.read_text() for log in demo.kept.glob("*.log"))
