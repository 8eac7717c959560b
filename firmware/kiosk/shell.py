"""What the page's server needs of the rest of the unit: the driver's job, and the camera's picture of the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from firmware.selftest.finding import Touch

Corners = Sequence[Sequence[float]]  # four points x, y of one barcode, in pixels of the picture


class Mark(Protocol):
    """One barcode in a picture."""

    @property
    def corners(self) -> Corners:
        """Where it is."""

    @property
    def text(self) -> str:
        """What it says, as far as it is worth showing."""


class Picture(Protocol):
    """What the camera sees."""

    @property
    def n(self) -> int:
        """Its number; the same number is the same picture."""

    @property
    def jpeg(self) -> bytes:
        """As the page draws it."""

    @property
    def marks(self) -> Sequence[Mark]:
        """The barcodes in it."""

    @property
    def hint(self) -> str | None:
        """What would help to read one: the end of a key of the page's texts, "hint."."""


class Answer(Protocol):
    """What became of a command."""

    @property
    def ok(self) -> bool:
        """Whether it was done."""

    @property
    def key(self) -> str | None:
        """Why not: a key of the page's texts."""

    @property
    def args(self) -> Mapping[str, Any]:
        """What goes into that text."""

    @property
    def status(self) -> int:
        """The same as an HTTP status: 200, 409, 422, 423."""


class No(Protocol):
    """Why a technician's wish is not done."""

    @property
    def value(self) -> str:
        """A key of the page's texts."""


class Terminal(Protocol):
    """The driver's job; every call may block on a commit, so none is made on the server's loop."""

    @property
    def seq(self) -> int:
        """Grows with each change of the view."""

    def command(self, name: str, data: dict[str, Any], *, command_id: str) -> Answer:
        """Do what the driver asks; durable when it returns, and done once however often the same id comes."""

    def photo(self, jpeg: bytes) -> Answer:
        """Take a picture that was given instead of the camera's for the step that waits for one."""

    def picture(self, sha256: str) -> bytes | None:
        """A photo of the proof under way, as JPEG; None when it is not held."""

    def view(self) -> dict[str, Any]:
        """What the page shows now."""

    def listen(self, callback: Callable[[], None]) -> None:
        """Have `callback` called, on any thread, after each change."""

    def wants(self) -> Literal["scan", "photo"] | None:
        """What the camera is needed for now."""


class Viewfinder(Protocol):
    """The newest picture of the camera."""

    def latest(self) -> Picture | None:
        """None before the first. Returns at once."""

    def drop(self, jpeg: bytes) -> None:
        """Look at this picture as if the camera had seen it."""


class Inspection(Protocol):
    """The self-test as the technician runs it; every call may block, so none is made on the server's loop."""

    def state(self) -> dict[str, Any]:
        """How far it is."""

    def start(self) -> No | None:
        """Test everything; why not, when it is not done."""

    def touch(self, measured: Touch) -> No | None:
        """Take what the page measured under a finger."""

    def report(self) -> No | None:
        """Sign what was found and send it; EvidenceError when it cannot be signed."""
