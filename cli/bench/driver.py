"""Who works the bench's unit: a driver by the page's HTTP commands, and a page that is open meanwhile."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import BytesMessage, Event, Request, TextMessage

import firmware.kiosk

ADDRESS = "127.0.0.1"
ANSWER_S = 30.0
STATIC = Path(firmware.kiosk.__file__).parent / "static"
POINTS = 90  # of a stroke: a second of writing
STROKE = {
    "x": [200, *[9] * (POINTS - 1)],
    "y": [300, *[-40, 37] * (POINTS // 2)][:POINTS],
    "t": [0, *[11] * (POINTS - 1)],
    "p": [120] * POINTS,
}
STROKES = {"strokes": {"v": 1, "unit": "q", "w": 2_400, "h": 800, "strokes": [STROKE] * 3}}
CONFIRM = "pod.confirm"


class RefusedError(Exception):
    """The unit did not do what the bench's driver asked."""


class Driver:
    """Asks, and takes the time. All times are milliseconds from the request's first byte to the answer's last."""

    def __init__(self, port: int) -> None:
        self._line = http.client.HTTPConnection(ADDRESS, port, timeout=ANSWER_S)

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def view(self) -> dict[str, Any]:
        """What the page shows."""
        self._line.request("GET", "/api/v1/state")
        found: dict[str, Any] = json.load(self._line.getresponse())
        return found

    def do(self, name: str, /, **data: Any) -> float:
        """One command; how long it took."""
        body = json.dumps({"id": str(uuid.uuid4()), "cmd": name, "d": data})
        began_s = time.perf_counter()
        self._line.request("POST", "/api/v1/command", body)
        answer = self._line.getresponse().read()
        took_ms = (time.perf_counter() - began_s) * 1000
        if not json.loads(answer).get("ok"):
            raise RefusedError(f"{name}: {answer.decode()}")
        return took_ms

    def prepare(self, stop_id: str, code: str) -> dict[str, float]:
        """A proof with scan, photo, signature and name, up to its Confirm; milliseconds by command."""
        self._line.close()  # the server ends a line that was silent for 5 s
        self._line.connect()
        took = {"route.stop": self.do("route.stop", stop_id=stop_id)}
        took["route.arrive"] = self.do("route.arrive", stop_id=stop_id)
        took["pod.start"] = self.do("pod.start")
        took["pod.typed"] = self.do("pod.typed", code=code)
        took["pod.photo"] = self.do("pod.photo")
        took["pod.sign"] = self.do("pod.sign", **STROKES)
        took["pod.name"] = self.do("pod.name", relation="recipient", name="M. Kowalska")
        return took

    def hand_over(self, stop_id: str, code: str) -> dict[str, float]:
        """The same to the tick."""
        return {**self.prepare(stop_id, code), CONFIRM: self.do(CONFIRM)}

    def read_pages_files(self) -> None:
        """Fetch what a browser fetches when it opens the page."""
        files = (f"/static/{path.relative_to(STATIC)}" for path in sorted(STATIC.rglob("*.js")))
        for path in ("/", "/i18n/en.json", *files):
            self._line.request("GET", path)
            self._line.getresponse().read()


class OpenPage:
    """One of an open page's two sockets: takes what comes, and says of each picture that it is drawn. Use it in a `with`."""

    def __init__(self, port: int, path: str) -> None:
        self._host = f"{ADDRESS}:{port}"
        self._wire = WSConnection(ConnectionType.CLIENT)
        self._socket = socket.create_connection((ADDRESS, port))
        self._thread = threading.Thread(target=self._look, args=(path,), name="page", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _look(self, path: str) -> None:
        with suppress(OSError):
            self._socket.sendall(self._wire.send(Request(host=self._host, target=path)))
            while data := self._socket.recv(1 << 16):
                self._wire.receive_data(data)
                for event in self._wire.events():
                    self._answer(event)

    def _answer(self, event: Event) -> None:
        if isinstance(event, BytesMessage) and event.message_finished:
            self._socket.sendall(self._wire.send(TextMessage(data="ack")))
