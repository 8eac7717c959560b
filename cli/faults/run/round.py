"""The driver of the storm: drives, stands, hands over, and asks again until he is answered."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from cli.bench.driver import ADDRESS, STROKES
from cli.demo import day
from drivers.sim.camera import CameraHands
from drivers.sim.line import Drive
from drivers.sim.route import ghent
from mqtt.run import Line, Plan, Policy, Proofs, Stop

STOPS_LIMIT = 490  # a run holds 500
STOP_S = 5.0  # nobody is quicker at a door and to the next one
DRIVES_S = 4.0  # from door to door, on the average
ANSWER_S = 10.0
AGAIN_S = 0.2
PATIENCE_S = 120.0  # for one answer: a storm kills the unit more than once in a minute
LATER = {"moving", "photo.no_camera"}  # refusals that pass: the van has not stood long enough, the camera is not open yet
DONE = ".not_now"  # ends the refusal of a step that was done before


class RefusedError(Exception):
    """The unit refuses a step that must be possible after the one before it."""


def plan(seconds: float) -> Plan:
    """Stops enough for so long, with a parcel each: photo, signature and name are needed at every door."""
    drivers = day.plan(ghent(), datetime.now(UTC)).drivers
    wanted = Proofs(scan="enabled", photo="required", signature="required", name="required")
    calls = [
        Stop(stop_id=_stop(number), address=f"Kouter {number}", lines=[Line(line_id="1", name="Parcel", codes=[_code(number)])])
        for number in _numbers(seconds)
    ]
    return Plan(day=f"{datetime.now(UTC):%Y-%m-%d}", drivers=drivers, stops=calls, proofs=Policy(delivery=wanted), checklist=())


def _numbers(seconds: float) -> range:
    return range(1, min(STOPS_LIMIT, int(seconds / STOP_S) + 3) + 1)


def _stop(number: int) -> str:
    return f"b{number}"


def _code(number: int) -> str:
    return day.sscc(9_000 + number)


class Round:
    """Works stop after stop on a thread of its own until `finish`."""

    def __init__(self, page_port: int, drive: Drive, camera: CameraHands, seconds: float, seed: int) -> None:
        self.confirmed: dict[str, float] = {}  # stops whose Confirm was answered with ok, and when: monotonic seconds
        self.begun: set[str] = set()  # stops at whose door something was asked
        self.refused: list[str] = []  # sentences
        self.answered = 0  # commands that were answered with ok: each is called durable
        self._page_port = page_port
        self._drive = drive
        self._camera = camera
        self._numbers = _numbers(seconds)
        self._drives_s = max(DRIVES_S, seconds / STOPS_LIMIT - STOP_S)
        self._chance = random.Random(seed)  # noqa: S311  no secret
        self._finish = threading.Event()
        self._give_up = threading.Event()
        self._thread = threading.Thread(target=self._work, name="round", daemon=True)

    def sign_in(self) -> None:
        """Take the run and be ready for the first stop; the van stands."""
        self._await(lambda view: view["screen"] == "signin" and view["d"]["has_run"])
        self._do("session.pin", driver="d1", pin=day.PIN)
        self._await(lambda view: view["screen"] == "load")
        self._do("load.done")

    def start(self) -> None:
        """Drive off."""
        self._thread.start()

    def finish(self, within_s: float) -> None:
        """End after the stop under way; what is confirmed is final when this returns."""
        self._finish.set()
        self._thread.join(within_s)
        self.give_up()

    def give_up(self) -> None:
        """End at once."""
        self._finish.set()
        self._give_up.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        for number in self._numbers:
            self._drive.release()
            if self._finish.wait(self._chance.uniform(0.5, 1.5) * self._drives_s):
                return
            self._drive.hold()
            self._camera.show_doorstep(str(number))
            while not self._drive.held_still:
                if self._finish.wait(AGAIN_S):
                    return
            try:
                self._hand_over(number)
            except RefusedError as error:
                self.refused.append(f"{_stop(number)}: {error}")

    def _hand_over(self, number: int) -> None:
        stop = _stop(number)
        self.begun.add(stop)
        self._do("route.stop", stop_id=stop)
        self._do("route.arrive", stop_id=stop)
        self._do("pod.start")
        self._do("pod.typed", code=_code(number))
        self._do("pod.photo")
        self._do("pod.sign", **STROKES)
        self._do("pod.name", relation="recipient", name="M. Kowalska")
        self._do("pod.confirm")
        self.confirmed[stop] = time.monotonic()

    def _do(self, name: str, /, **data: Any) -> None:
        """One command, asked under one id until it is answered; RefusedError when the answer is no."""
        body = _body(name, data)
        unsure, until_s = False, time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s and not self._give_up.is_set():
            answer = self._post(body)
            if answer is None:
                unsure = True
            elif answer.get("ok") or (unsure and answer["err"].endswith(DONE)):  # it was done, and only its answer was lost
                self.answered += 1
                return
            elif answer["err"] in LATER:
                body = _body(name, data)
            else:
                raise RefusedError(f"{name} is refused: {json.dumps(answer)}")
            time.sleep(AGAIN_S)
        raise RefusedError(f"{name} was not answered within {PATIENCE_S:.0f} s")

    def _await(self, seen: Any) -> None:
        until_s = time.monotonic() + PATIENCE_S
        while (view := self._ask("GET", "/api/v1/state")) is None or not seen(view):
            if time.monotonic() > until_s:
                raise RefusedError(f"the page does not get on; it shows {view}")
            time.sleep(AGAIN_S)

    def _post(self, body: str) -> dict[str, Any] | None:
        return self._ask("POST", "/api/v1/command", body)

    def _ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any] | None:
        """The page's answer, None when there is none: the unit was killed, or is not up yet."""
        line = http.client.HTTPConnection(ADDRESS, self._page_port, timeout=ANSWER_S)
        try:
            line.request(method, path, body)
            answer: dict[str, Any] = json.load(line.getresponse())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        else:
            return answer
        finally:
            line.close()


def _body(name: str, data: dict[str, Any]) -> str:
    return json.dumps({"id": str(uuid.uuid4()), "cmd": name, "d": data})
