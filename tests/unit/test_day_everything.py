"""Every screen meets every input, and long walks through the day lose nothing, whatever comes in whichever order."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from firmware.day import machine, pins
from firmware.day.machine import COMMANDS, update
from firmware.day.messages import REPLIES
from firmware.day.record import attachments_of
from firmware.day.views import view
from firmware.day.words import WORDS
from firmware.day.work import (
    Command,
    Input,
    PhotoMade,
    RunArrived,
    Scanned,
    Screen,
    SignatureMade,
    Tick,
    Work,
    from_rows,
    rows,
)  # fmt: skip
from mqtt.messages import Run
from mqtt.run import CHECKLIST, Cod, Notice, Proofs, Stop
from tests.runs import BADGE, DAY, EVERYTHING, HOME, PIN, PLAIN, Shift, at, at_the_door, attachment, codes, run, secret, stop

FULL = Proofs(scan="required", photo="required", signature="required", name="required", pin="required")
MAYBE = Proofs(scan="warn", photo="warn", signature="warn", name="warn", pin="warn")


def plenty(n: int = 1, **changes: Any) -> Run:
    """Every kind of stop, close together."""
    stops = [
        stop("a", proofs=FULL, pin=secret("9876"), cod=Cod(amount=2_490, currency="EUR"), rating=True),
        stop("b", 1, contactless="mailbox"),
        stop("c", proofs=MAYBE, pin=secret("9876")),
        stop("d", service="return", proofs=PLAIN),
        stop("e", 0, service="pickup"),
    ]
    told: dict[str, Any] = {"checklist": CHECKLIST[:2], "messages": [Notice(message_id="m1", t=f"{DAY}T08:00:00.000Z", text="Hello")]}
    return run(*stops, n=n, **(told | changes))


DATA: dict[str, list[dict[str, Any]]] = {
    "session.pin": [{"pin": PIN, "driver": "ann"}, {"pin": "0000"}],
    "session.training": [{"on": True}, {"on": False}],
    "check.item": [{"item_id": "brakes", "ok": True}, {"item_id": "brakes", "ok": False}, {"item_id": "wings", "ok": True}],
    "check.photo": [{"item_id": "brakes"}],
    "check.submit": [{}, {"all_ok": True}],
    "load.missing": [{"code": "JD-a-1", "reason": "missing"}, {"code": "JD-a-1", "reason": "?"}, {"code": "x", "reason": "missing"}],
    "route.stop": [{"stop_id": "a"}, {"stop_id": "b"}, {"stop_id": "c"}, {"stop_id": "d"}, {"stop_id": "e"}, {"stop_id": "?"}],
    "route.arrive": [{"stop_id": "a"}, {"stop_id": "c"}],
    "pod.typed": [{"code": "JD-a-2"}, {"code": "JD-b-1"}, {"code": " "}],
    "pod.line": [
        {"line_id": "1", "qty_fact": 1, "reason": "damaged"},
        {"line_id": "1", "qty_fact": 2},
        {"line_id": "9", "qty_fact": 0, "reason": "damaged"},
    ],
    "pod.photo_skip": [{"reason": "camera"}, {"reason": "lazy"}],
    "pod.sign": [{"strokes": [[0, 0, 0, 0]], "width": 1, "height": 1}],
    "pod.unsigned": [{"state": "declined"}, {"state": "unable"}],
    "pod.name": [{"relation": "recipient", "name": "Ann"}, {"relation": "neighbour"}, {"relation": "mailbox"}],
    "pod.pin": [{"pin": "9876"}, {"pin": "1111"}],
    "pod.rate": [{"stars": 5}, {"stars": None}],
    "pod.note": [{"text": "left of the door"}, {"text": ""}],
    "pod.correct": [{"stop_id": "a"}, {"stop_id": "d"}, {"stop_id": "e"}],
    "cash.amount": [{"given": 2_490}, {"given": 5_000}, {"given": 1}],
    "cash.method": [{"method": "cash"}, {"method": "card", "reference": "T-77"}, {"method": "paid"}],
    "exception.start": [{"scope": "stop"}, {"scope": "parcel", "line_id": "1"}, {"scope": "parcel"}],
    "exception.reason": [{"code": "refused"}, {"code": "not_home", "note": "dark"}, {"code": "?"}],
    "return.grade": [{"code": "JD-d-1", "grade": "worn"}],
    "return.absent": [{"code": "JD-d-2"}],
    "message.read": [{"message_id": "m1"}, {"message_id": "?"}],
    "message.reply": [{"message_id": "m1", "key": "reply.ok"}, {"message_id": "m1", "text": "soon"}, {"message_id": "m1"}],
    "end.cash": [{"counted": 2_490}],
    "ui.theme": [{"theme": "night"}],
    "ui.lang": [{"lang": "ar"}],
    "ui.hand": [{"hand": "left"}],
}
NESTED: list[Any] = []
for _ in range(2_000):
    NESTED = [NESTED]
NONSENSE: list[Any] = [
    None, [], "text", {1: 2}, {"code": "\x00", "reason": "\x1b"}, {"code": "a\ud800", "reason": "a\ud800"}, {"stop_id": 1},
    {"given": -1}, {"given": 10**30, "counted": 2.5}, {"pin": "١٢٣٤"}, {"pin": "9" * 99}, {"text": "x" * 501}, {"text": "a\nb"},
    {"line_id": "1", "qty_fact": -1}, {"stars": 6}, {"relation": "stranger"}, {"strokes": NESTED}, {"name": object()}, {"on": 1},
]  # fmt: skip
OTHERS: list[Input] = [
    Tick(),
    Scanned("JD-a-1", "code128", "JD-a-1"),
    Scanned("JD-b-1", "code128", "JD-b-1"),
    Scanned("NOBODY", "qr", "NOBODY"),
    Scanned("A\x00B", "qr", "A\x00B"),
    Scanned("A\ud800", "qr", "A\ud800"),
    Scanned("", "", ""),
    Scanned("x" * 4_000, "qr", "x" * 4_000),
    PhotoMade(attachment("p1")),
    PhotoMade(attachment("p2"), "dark"),
    SignatureMade(attachment("s1", "signature")),
    RunArrived(plenty(2)),
    RunArrived(run(stop("z"), n=3)),
    RunArrived(run(stop("z"), stop("z"), n=4)),
]
WRONG_TYPE: list[Any] = [Command(7, {}), Command(None, {}), Command("", {}), Command("pod.fly", {})]  # type: ignore[arg-type] # what a page could send


@pytest.fixture(autouse=True)
def _quick_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "digest", cache(pins.digest))


def everything() -> Iterator[Input]:
    for name in COMMANDS:
        yield from (Command(name, data) for data in [*DATA.get(name, []), {}, *NONSENSE])
    yield from (*OTHERS, *WRONG_TYPE)


def test_every_screen_meets_every_input() -> None:
    seen = screens()
    assert seen.keys() == set(get_args(Screen))
    inputs, keys = list(everything()), set()
    for work in seen.values():
        for given in inputs:
            result = update(work, given, NOW)
            if result.refusal:
                keys.add(result.refusal.key)
                assert result.work is work
            else:
                assert from_rows(rows(result.work)) == result.work
                assert view(result.work, NOW, {})["screen"] in get_args(Screen)
                keys |= {face.toast.key for face in [result.work.face] if face.toast}
    assert keys <= WORDS.keys()


@pytest.mark.parametrize("screen", get_args(Screen))
def test_while_moving_only_the_page_itself_can_be_touched(screen: Screen) -> None:
    shift = Shift(screens()[screen])
    shift.be(moving=True)
    assert shift.page()["screen"] in {"drive", "boot"}
    for name, act in COMMANDS.items():
        for data in DATA.get(name, [{}]):
            key = Shift.refused(Shift(shift.work), name, **data) if act.moving else shift.refused(name, **data)
            assert key == "moving" or act.moving


def test_no_walk_loses_or_repeats_a_proof_or_forgets_a_picture() -> None:
    seen: set[str] = set()
    for seed in range(14):
        walk = Walk(seed)
        for _ in range(250):
            walk.step()
        walk.finish()
        assert sorted(proof.id for proof in walk.shift.proofs) == sorted(walk.confirmed)
        assert walk.made == walk.held() | set(walk.shift.dropped)
        assert not walk.held() & set(walk.shift.dropped)
        seen |= walk.screens | {proof.outcome for proof in walk.shift.proofs}
    assert set(get_args(Screen)) - {"boot"} <= seen
    assert {"delivered_to_recipient", "delivered_to_mailbox", "picked_up_from_customer", "failed_not_home"} <= seen


def test_every_key_that_the_source_names_has_its_words_and_every_word_is_used() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(machine.__file__).parent.glob("*.py") if path.stem != "words")
    named = set(re.findall(r'(?:refuse\(|toast\("[a-z]+", )"([a-z_0-9.]+)"', source)) | set(REPLIES)
    made = {f"{step}.needed" for step in ("scan", "photo", "cod", "pin", "sign", "rate", "name")}
    made |= {f"load.{verdict}" for verdict in ("dup", "wrong", "unknown")} | {f"exception.then_{then}" for then in THEN}
    made |= {f"scan.{verdict}" for verdict in ("dup", "wrong", "unknown", "rejected")}
    assert named | made == WORDS.keys()


THEN = ("retry", "return", "neighbour")
NOW = Shift().now
SENSIBLE: dict[str, list[str]] = {
    "check": ["check.submit"],
    "load": ["load.done", "load.missing"],
    "route": ["route.stop", "route.stop", "route.stop", "pod.correct", "pod.undo"],
    "drive": ["route.open"],
    "stop": ["pod.start", "pod.start", "pod.start", "pod.correct"],
    "scan": ["pod.next", "pod.typed", "return.absent"],
    "cod": ["cash.amount", "cash.method", "cash.taken"],
    "pin": ["pod.pin"],
    "rate": ["pod.rate"],
    "name": ["pod.name", "pod.confirm", "pod.confirm"],
    "exception": ["exception.reason", "exception.confirm"],
}


class Walk:
    """Somebody who taps at random, among cuts of power, new runs and a vehicle that moves."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.shift = Shift()
        self.confirmed: list[str] = []
        self.made: set[str] = set()
        self.n = 1
        self.pictures = 0
        self.screens: set[str] = set()
        self.shift.arrives(plenty())
        self.shift.tick()

    def step(self) -> None:
        before = self.shift.work.pending
        acts = [self.sensible, self.tap, self.scan, self.picture, self.world]
        self.random.choices(acts, [14, 4, 2, 2, 3])[0]()
        self.screens.add(self.shift.screen)
        after = self.shift.work.pending
        if after and (before is None or after.proof.id != before.proof.id):
            self.confirmed.append(after.proof.id)
        elif before and after is None and all(proof.id != before.proof.id for proof in self.shift.proofs):
            self.confirmed.remove(before.proof.id)  # undone

    def sensible(self) -> None:
        """What a driver would do on this screen."""
        screen = self.shift.screen
        self.shift.be(moving=False)
        if screen == "signin":
            self.shift.scan(BADGE)
        elif screen in {"photo", "sign"} or (screen == "exception" and self.random.random() < 0.4):
            self.picture()
        elif screen in {"scan", "load"} and self.random.random() < 0.7:
            self.scan()
        else:
            name = self.random.choice(SENSIBLE.get(screen, ["ui.back"]))
            self.shift.give(Command(name, self.random.choice(DATA.get(name, [{}]))))

    def tap(self) -> None:
        possible = [name for name, act in COMMANDS.items() if act.on and self.shift.screen in act.on]
        rarely = [name for name, act in COMMANDS.items() if act.on is None and name not in {"session.training", "motion.override"}]
        names = possible if possible and self.random.random() < 0.9 else rarely
        name = self.random.choice(names)
        self.shift.give(Command(name, self.random.choice(DATA.get(name, [{}]))))

    def scan(self) -> None:
        text = self.random.choice([BADGE, "NEW-1", "NEW-2", *(code for name in "abcd" for code in codes(name, 2))])
        self.shift.give(Scanned(text, "code128", text))

    def picture(self) -> None:
        self.pictures += 1
        kind = self.random.choice(["photo", "signature"])
        made = attachment(f"made-{self.pictures}", "signature" if kind == "signature" else "photo")
        warning = self.random.choice([None, "dark"]) if kind == "photo" else None
        if self.shift.screen == "check":
            return
        self.made.add(made.enc_sha256)
        self.shift.give(PhotoMade(made, "dark" if warning else None) if kind == "photo" else SignatureMade(made))

    def world(self) -> None:
        acts: list[Callable[[], object]] = [
            lambda: self.shift.tick(0.25),
            lambda: self.shift.tick(6),
            self.shift.restart,
            lambda: self.shift.restart(reboot=True),
            lambda: self.shift.be(moving=self.random.choice([True, False, False, None])),
            lambda: self.shift.be(camera=self.random.choice(["ok", "missing"])),
            lambda: self.shift.be(position=self.random.choice([None, at(HOME), at(_place(self.random.choice("abcde")))])),
            self.new_run,
        ]
        self.random.choice(acts)()

    def new_run(self) -> None:
        self.n += self.random.choice([1, 1, 0, -1])
        stops = list(plenty().plan.stops)
        self.random.shuffle(stops)
        changes: dict[str, Any] = {"day": "2026-11-22"} if self.random.random() < 0.1 else {}
        newer = run(*stops[: self.random.randint(1, 5)], n=max(1, self.n), checklist=CHECKLIST[:2], **changes)
        self.shift.arrives(newer)

    def finish(self) -> None:
        self.shift.be(moving=False)
        self.shift.give(Command("session.end", {}))
        self.shift.restart(reboot=True)
        self.shift.tick(6)

    def held(self) -> set[str]:
        work = self.shift.work
        drafts = [made.enc_sha256 for progress in work.stops.values() for made in attachments_of(progress.draft)]
        return {*drafts, *(made.enc_sha256 for proof in self.shift.proofs for made in proof.attachments)}


def _place(stop_id: str) -> Any:
    return next(other.place for other in plenty().plan.stops if other.stop_id == stop_id)


@cache
def screens() -> dict[Screen, Work]:
    return dict(_screens())


def _screens() -> Iterator[tuple[Screen, Work]]:
    """The work as it stands on each screen."""
    shift = Shift()
    yield "boot", shift.work
    shift.arrives(plenty())
    shift.tick()
    yield "signin", shift.work
    shift.scan(BADGE)
    yield "check", shift.work
    shift.tap("check.submit", all_ok=True)
    yield "load", shift.work
    shift.scan(*(code for name in "abc" for code in codes(name, 1 if name == "b" else 2)))
    shift.tap("load.done")
    yield "route", shift.work
    yield from _elsewhere(shift.work)
    yield from _proof(at_the_door(*plenty().plan.stops))


def _elsewhere(work: Work) -> Iterator[tuple[Screen, Work]]:
    names: list[tuple[Screen, str]] = [("drive", "route.drive"), ("messages", "message.open"), ("end", "end.open")]
    for screen, name in names:
        shift = Shift(work)
        shift.tap(name)
        yield screen, shift.work


def _proof(shift: Shift) -> Iterator[tuple[Screen, Work]]:
    def then(name: str, **data: Any) -> tuple[Screen, Work]:
        shift.tap(name, **data)
        return shift.work.screen, shift.work

    yield shift.work.screen, shift.work
    yield then("exception.start")
    yield then("ui.back")
    yield then("pod.start")
    shift.scan(*codes("a", 2))
    yield shift.work.screen, shift.work
    shift.shoot()
    yield shift.work.screen, shift.work
    shift.tap("cash.method", method="paid")
    yield then("cash.taken")
    yield then("pod.pin", pin="9876")
    shift.sign()
    yield shift.work.screen, shift.work
    yield then("pod.rate", stars=4)


def test_a_stop_of_every_kind_is_in_the_walk() -> None:
    kinds: list[Stop] = plenty().plan.stops
    assert {kind.service for kind in kinds} == {"delivery", "pickup", "return"}
    assert any(kind.proofs == EVERYTHING or kind.cod for kind in kinds)
