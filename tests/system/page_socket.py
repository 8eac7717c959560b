"""A page's socket without a page: one WebSocket, read only when the test says so."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, Request, TextMessage


class RefusedError(Exception):
    """The server did not take the socket; the HTTP status."""


class ClosedError(Exception):
    """The server closed it; the code."""


class PageSocket:
    """Text is JSON both ways, but for `send_text`; pictures come as bytes."""

    def __init__(self, port: int, path: str = "/ws", *, host: str | None = None, origin: str | None = None, buffer_bytes: int = 0) -> None:
        self._socket = socket.socket()
        if buffer_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        self._socket.settimeout(10)
        self._socket.connect(("127.0.0.1", port))
        self._wire = WSConnection(ConnectionType.CLIENT)
        self._arrived: list[Any] = []
        self._parts: list[Any] = []
        extra = [(b"origin", origin.encode())] if origin else []
        self._socket.sendall(self._wire.send(Request(host=host or f"127.0.0.1:{port}", target=path, extra_headers=extra)))
        answer = self._event()
        if isinstance(answer, RejectConnection):
            self._socket.close()
            raise RefusedError(answer.status_code)
        assert isinstance(answer, AcceptConnection)

    def __enter__(self) -> PageSocket:  # noqa: PYI034  no heirs
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def send(self, message: dict[str, Any]) -> None:
        self.send_text(json.dumps(message))

    def send_text(self, text: str | bytes) -> None:
        self._socket.sendall(self._wire.send(TextMessage(data=text) if isinstance(text, str) else BytesMessage(data=text)))

    def command(self, name: str, command_id: str = "00000000-0001", **data: Any) -> dict[str, Any]:
        """The answer to a command; views and bars before it are dropped."""
        self.send({"id": command_id, "cmd": name, "d": data})
        answer: dict[str, Any] = self.until(lambda message: "t" not in message)
        return answer

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message that is wanted."""
        while True:
            message = self.receive()
            if wanted(message):
                return message

    def view(self) -> dict[str, Any]:
        """The next view."""
        found: dict[str, Any] = self.until(lambda message: message.get("t") == "view")
        return found

    def receive(self, within_s: float = 10.0) -> Any:
        """The next message; ClosedError with the code after the last."""
        self._socket.settimeout(within_s)
        while True:
            event = self._event()
            if isinstance(event, CloseConnection):
                raise ClosedError(event.code)
            if isinstance(event, TextMessage | BytesMessage):
                self._parts.append(event.data)
                if event.message_finished:
                    parts, self._parts = self._parts, []
                    return json.loads("".join(parts)) if isinstance(event, TextMessage) else b"".join(parts)

    def _event(self) -> Any:
        while not self._arrived:
            self._wire.receive_data(self._socket.recv(65536) or None)
            self._arrived.extend(self._wire.events())
        return self._arrived.pop(0)
