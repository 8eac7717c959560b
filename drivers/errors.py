"""The errors that a broken device may raise; everything else is a broken program."""

from __future__ import annotations

from typing import Literal


class DriverError(Exception):
    """A device does not work; the sentence says what and, where it can, what to do."""


class PortGoneError(DriverError, OSError):
    """A serial port is missing, was unplugged or may not be opened."""


class BarcodeError(DriverError):
    """What a scanner read cannot be a code of ours; the sentence says why."""


class PictureError(DriverError):
    """A picture cannot be used; the sentence says why and what to do instead."""


class CameraError(DriverError):
    """The camera gives no picture: which of the states it is in, and a sentence that says what to do."""

    def __init__(self, state: Literal["missing", "busy", "unplugged", "broken", "none"], sentence: str) -> None:
        super().__init__(sentence)
        self.state = state
