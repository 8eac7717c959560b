"""What may be asked of a unit at its control socket, and the lines that answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import msgspec

from firmware.clock import Clock
from firmware.selftest.drill import DrillError, drill
from firmware.selftest.finding import KEYS, Finding, Key, Prompt, Touch
from firmware.selftest.place import Running
from firmware.selftest.selftest import BusyError, Selftest
from mqtt.evidence import EvidenceError

if TYPE_CHECKING:  # the daemon of a unit without a screen loads no cryptography before it signs
    from mqtt.evidence.report import Paper


class AskSelftest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="selftest"):
    """Test all parts, or those named: a line a finding."""

    only: Annotated[tuple[Key, ...], msgspec.Meta(max_length=len(KEYS))] = ()
    hands: bool = False  # who asks can do what he is asked to at the vehicle


class AskPlug(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="plug"):
    """Begin the drill: a line a record that was promised, until the plug is pulled or the caller goes away."""


class AskReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="report"):
    """Sign what was found since the start, and tell the fleet: one line, the signed report."""


Ask = AskSelftest | AskPlug | AskReport | Touch
Wait = Callable[[float], bool]


class Marks(msgspec.Struct, frozen=True):
    """How many records were promised so far."""

    marks: int


class Done(msgspec.Struct, frozen=True):
    """The last line."""

    done: bool = True


class Refused(msgspec.Struct, frozen=True):
    """The only line of an ask that was not understood, or the last of one that could not be answered to its end."""

    error: str  # a sentence


Answer: TypeAlias = "Finding | Prompt | Marks | Paper | Done | Refused"


class Answers:
    """Understands asks. `sign` makes the signed report; EvidenceError says why it cannot."""

    def __init__(self, selftest: Selftest, running: Running, clock: Clock, sign: Callable[[Sequence[Finding]], Paper]) -> None:
        self._selftest = selftest
        self._sign = sign
        self._running = running
        self._clock = clock

    def to(self, line: bytes, wait: Wait) -> Generator[Answer, None, None]:
        """The lines that answer one; `wait` waits, and says True when this is to end."""
        try:
            ask = msgspec.json.decode(line, type=Ask)
            yield from self._answered(ask, wait)
        except msgspec.DecodeError as error:
            yield Refused(f"This is no ask that the unit knows: {error}.")
        except (BusyError, DrillError, EvidenceError) as error:
            yield Refused(str(error))
        else:
            yield Done()

    def _answered(self, ask: Ask, wait: Wait) -> Iterator[Answer]:
        match ask:
            case AskSelftest():
                yield from self._selftest.run(ask.only, wait, hands=ask.hands)
            case Touch():
                yield self._selftest.touched(ask)
            case AskReport():
                yield self._sign(self._selftest.findings)
            case AskPlug():
                unit = self._running
                marks = drill(journal=unit.journal, diary=unit.diary, boot=unit.boot, clock=self._clock, wait=wait)
                yield from (Marks(count) for count in marks)
