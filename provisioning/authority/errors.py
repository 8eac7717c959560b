"""What an authority refuses, and why."""

from __future__ import annotations

from typing import Literal

Why = Literal["unknown", "used", "expired", "other_unit", "revoked"]


class FleetError(RuntimeError):
    """Something of the fleet's folder cannot be done; the sentence says what is wrong and what to do."""


class CodeError(FleetError):
    """An enrolment code that is not taken. `why` is for programs; the sentence never holds the code."""

    def __init__(self, why: Why, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why
