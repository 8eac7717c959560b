"""What a self-test finds: one line a part, that a technician can act on."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

State = Literal["ok", "warn", "bad", "skipped"]
Key = Literal[
    "gnss", "antenna", "camera", "scanner", "touch", "ignition", "voltage", "storage", "clock", "modem", "broker", "record", "plug"
]
KEYS: tuple[Key, ...] = get_args(Key)  # the order in which they are tested: from the wires outwards to the fleet
Fact = str | int | bool | None  # no fractions: a fact is signed, and the unit of a number is in its name


class Result(msgspec.Struct, frozen=True):
    """What one probe says."""

    state: State  # warn: it does its job, not as well as it should; skipped: not fitted, or not to be tested here
    sentence: str
    facts: dict[str, Fact] = {}


class Finding(msgspec.Struct, frozen=True):
    """One line of a self-test."""

    key: Key
    state: State
    sentence: str  # what is wrong and what to do; what was seen, where nothing is
    facts: dict[str, Fact]  # names carry their units
    ms: int  # how long it took


class Prompt(msgspec.Struct, frozen=True):
    """What somebody beside the unit is to do now; the finding of that part comes next."""

    prompt: Key
    sentence: str
    seconds: int  # for which is waited


class Touch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="ask", tag="touch"):
    """What the touch test on the screen measured."""

    targets: Annotated[int, msgspec.Meta(ge=1, le=100)]
    hit: Annotated[int, msgspec.Meta(ge=0, le=100)]
    worst_px: Annotated[int, msgspec.Meta(ge=0, le=10_000)]  # the farthest tap from its target's middle
    breaks: Annotated[int, msgspec.Meta(ge=0, le=10_000)]  # how often the drawn line was interrupted


def ok(sentence: str, **facts: Fact) -> Result:
    """It does its job."""
    return Result("ok", sentence, facts)


def warn(sentence: str, **facts: Fact) -> Result:
    """It does its job, not as well as it should."""
    return Result("warn", sentence, facts)


def bad(sentence: str, **facts: Fact) -> Result:
    """It does not do its job."""
    return Result("bad", sentence, facts)


def skipped(sentence: str, **facts: Fact) -> Result:
    """Nothing to test, or not here."""
    return Result("skipped", sentence, facts)
