"""Sets a u-blox receiver up for a van, and asks it whether somebody jams it. Pure: told what came and when, returns what to write.

Sources: u-blox 8 / u-blox M8 Receiver Description Including Protocol Specification (UBX-13003221): UBX-MON-VER, UBX-ACK-ACK,
UBX-ACK-NAK, UBX-CFG-NAV5, UBX-CFG-RATE, UBX-CFG-ITFM, UBX-MON-HW. u-blox F9 HPG Interface Description (UBX-18010854):
UBX-CFG-VALSET, UBX-MON-RF, Configuration Interface with the key ids. Everything is written to RAM only: a receiver that is
moved to another use wakes up there as it was.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from enum import Enum

import msgspec

from drivers.gnss.ubx import Frame

MON_VER, MON_HW, MON_RF = (0x0A, 0x04), (0x0A, 0x09), (0x0A, 0x38)
ACK, NAK = (0x05, 0x01), (0x05, 0x00)
CFG_VALSET, CFG_NAV5, CFG_RATE, CFG_ITFM = (0x06, 0x8A), (0x06, 0x24), (0x06, 0x08), (0x06, 0x39)

DYNMODEL_KEY, MEASURE_KEY, NAVIGATE_KEY = 0x20110021, 0x30210001, 0x30210002  # CFG-NAVSPG-DYNMODEL, CFG-RATE-MEAS, CFG-RATE-NAV
HOLD_KEY, MONITOR_KEY = 0x20250038, 0x1041000D  # CFG-MOT-GNSSSPEED_THRS, CFG-ITFM-ENABLE
RAM = 0x01

AUTOMOTIVE = 4
STATIC_HOLD_CMS = 40  # over a parked receiver's Doppler noise, under the 0.5 m/s at which the odometer lets go
NAV5_DYNMODEL, NAV5_STATIC_HOLD = 0x0001, 0x0040  # bits of the mask: nothing else in the message is taken
NAV5 = struct.Struct("<HB19xB13x")  # mask, dynModel, staticHoldThresh; 36 bytes
GPS_TIME = 1  # the factory's reference: epochs on whole seconds
ITFM_ENABLED = (0xAD62ACF3, 0x0000031E)  # bit 31 enables; the other bits and thresholds are those the manual prescribes

GENERATION_9 = 27.0  # the protocol version with which VALSET came
ANSWER_S = 1.5  # the manual promises an answer within one second; a slow line needs its time too
TRIES = 3
WATCH_S = 10.0  # between two questions about interference

INTERFERENCE = {  # jammingState: 0 not watched, 1 none
    2: "warning: interference, the fix holds",
    3: "critical: interference, no fix",
}


class Setting(msgspec.Struct, frozen=True):
    """One thing to set."""

    words: str
    by_key: Frame  # VALSET, generation 9 and later
    legacy: Frame  # before it; generation 9 takes both


class State(Enum):
    """Where the talk with the receiver stands."""

    WAITING = "waiting"  # nothing readable has come yet: no use in asking
    ASKING = "asking"
    SETTING = "setting"
    SET = "set"
    NOT_UBLOX = "not u-blox"


def van_settings(rate_hz: int = 1) -> tuple[Setting, ...]:
    """What a delivery van wants of its receiver; more than 1 Hz costs battery, line and storage and shows a van nothing more."""
    period_ms = round(1000 / rate_hz)
    return (
        Setting("automotive mode", _valset("<IB", DYNMODEL_KEY, AUTOMOTIVE), Frame(CFG_NAV5, NAV5.pack(NAV5_DYNMODEL, AUTOMOTIVE, 0))),
        Setting(
            f"{rate_hz} Hz",
            _valset("<IHIH", MEASURE_KEY, period_ms, NAVIGATE_KEY, 1),
            Frame(CFG_RATE, struct.pack("<HHH", period_ms, 1, GPS_TIME)),
        ),
        Setting("static hold", _valset("<IB", HOLD_KEY, STATIC_HOLD_CMS), Frame(CFG_NAV5, NAV5.pack(NAV5_STATIC_HOLD, 0, STATIC_HOLD_CMS))),
        Setting("interference monitor", _valset("<IB", MONITOR_KEY, 1), Frame(CFG_ITFM, struct.pack("<II", *ITFM_ENABLED))),
    )


def _valset(form: str, *keys_and_values: int) -> Frame:
    return Frame(CFG_VALSET, struct.pack("<BBxx", 0, RAM) + struct.pack(form, *keys_and_values))


class Ublox:
    """The talk with one receiver. Without settings it only asks: nothing about the receiver changes.

    One setting at a time, VALSET first where the receiver knows it, else the message it had before; a refused or unanswered
    one does not stop the others. A receiver that is no u-blox gets three short questions after each plug-in, no more.
    """

    def __init__(self, settings: Sequence[Setting] = ()) -> None:
        self._settings = tuple(settings)
        self.begin()

    def begin(self) -> None:
        """Start over: the port was opened anew, or the receiver restarted and has forgotten."""
        self.state = State.WAITING
        self.interference: str | None = None
        self.watched = False  # whether `interference` is the monitor's word
        self._name = "u-blox"
        self._protocol = 0.0
        self._left: list[tuple[Setting, list[Frame]]] = []  # what is still to be set, and the ways left to try
        self._done: list[str] = []
        self._refused: list[str] = []
        self._unanswered: list[str] = []
        self._waits_for_answer = False
        self._tries = 0
        self._due_s = 0.0  # when to speak next

    def update(self, now_s: float, *, speaking: bool, frames: Sequence[Frame] = ()) -> bytes:
        """Take what came, return what to write now, mostly nothing.

        `speaking`: whether the line is readable at the present speed.
        """
        for frame in frames:
            self._take(frame, now_s)
        if self.state is State.WAITING and speaking:
            self._enter(State.ASKING, now_s)
        if self.state in {State.WAITING, State.NOT_UBLOX} or now_s < self._due_s:
            return b""
        if self.state is State.SET:
            self._due_s = now_s + WATCH_S
            return Frame(MON_RF if self._protocol >= GENERATION_9 else MON_HW).encoded()
        return self._ask_or_set(now_s)

    @property
    def sentence(self) -> str:
        """How the set-up stands, for the technician."""
        if self.state is State.WAITING:
            return "The receiver has not been asked yet whether it is a u-blox."
        if self.state is State.ASKING:
            return "Asking the receiver whether it is a u-blox."
        if self.state is State.NOT_UBLOX:
            return "No u-blox answered: the receiver is used as it is."
        told = f"{self._name}, protocol {self._protocol:.2f}" if self._protocol else self._name
        if self.state is State.SETTING:
            return f"{told}: setting {len(self._settings) - len(self._left) + 1} of {len(self._settings)} is under way."
        return f"{told}{self._outcome()}."

    def _outcome(self) -> str:
        if not self._settings:
            return "; its settings were left as they are"
        parts = [", ".join(self._done)] if self._done else []
        if not self._refused and not self._unanswered:
            return f": {parts[0]}; every setting acknowledged"
        parts += [f"refused: {', '.join(self._refused)}"] if self._refused else []
        parts += [f"not answered: {', '.join(self._unanswered)}"] if self._unanswered else []
        return ": " + "; ".join(parts)

    # What comes

    def _take(self, frame: Frame, now_s: float) -> None:
        if self.state is State.ASKING and frame.kind == MON_VER and frame.payload:
            self._meet(frame.payload, now_s)
        elif self.state is State.SETTING and frame.kind in {ACK, NAK}:
            self._take_answer(frame, now_s)
        elif self.state is State.SET and (state := _jamming_state(frame)) is not None:
            self.watched = state != 0
            self.interference = INTERFERENCE.get(state)

    def _meet(self, version: bytes, now_s: float) -> None:
        protocol = re.search(rb"PROTVER[= ](\d{1,3}\.\d\d)", version)
        model = re.search(rb"MOD=([ -~]+)", version)
        self._protocol = float(protocol[1]) if protocol else 0.0
        self._name = f"u-blox {model[1].decode('ascii').strip()}" if model else "u-blox"
        by_key = self._protocol >= GENERATION_9
        self._left = [(setting, [setting.by_key, setting.legacy] if by_key else [setting.legacy]) for setting in self._settings]
        self._enter(State.SETTING if self._left else State.SET, now_s)

    def _take_answer(self, frame: Frame, now_s: float) -> None:
        _, ways = self._left[0]
        if not self._waits_for_answer or tuple(frame.payload) != ways[0].kind:
            return
        if frame.kind == ACK:
            self._finish(self._done, now_s)
        elif len(ways) > 1:
            ways.pop(0)
            self._wait_out_repeats(now_s)
        else:
            self._finish(self._refused, now_s)

    # What goes

    def _ask_or_set(self, now_s: float) -> bytes:
        if self._tries == TRIES and not self._give_up(now_s):
            return b""
        self._tries += 1
        self._waits_for_answer = True
        self._due_s = now_s + ANSWER_S
        return (Frame(MON_VER) if self.state is State.ASKING else self._left[0][1][0]).encoded()

    def _give_up(self, now_s: float) -> bool:
        """Nobody answered; whether there is something else to try at once."""
        if self.state is State.ASKING:
            self._enter(State.NOT_UBLOX, now_s)
            return False
        if len(self._left[0][1]) > 1:
            self._left[0][1].pop(0)
            self._tries = 0
        else:
            self._finish(self._unanswered, now_s)
        return self.state is State.SETTING

    def _finish(self, outcome: list[str], now_s: float) -> None:
        """The first of what is left is over."""
        outcome.append(self._left.pop(0)[0].words)
        if self._left:
            self._wait_out_repeats(now_s)
        else:
            self._enter(State.SET, now_s)

    def _wait_out_repeats(self, now_s: float) -> None:
        """Go on; but after a repeated message a second answer may still come, which would pass for that of the next."""
        if self._tries <= 1:
            self._due_s = now_s
        self._tries = 0
        self._waits_for_answer = False

    def _enter(self, state: State, now_s: float) -> None:
        self.state = state
        self._tries = 0
        self._waits_for_answer = False
        self._due_s = now_s


def _jamming_state(frame: Frame) -> int | None:
    """Return jammingState 0 to 3 from MON-RF (the worst of its bands) or MON-HW; None for another frame or a short one."""
    payload = frame.payload
    if frame.kind == MON_RF and len(payload) > 4 and len(payload) == 4 + 24 * payload[1]:  # noqa: PLR2004  head, and 24 bytes a band
        return max(payload[5 + 24 * band] & 0b11 for band in range(payload[1]))
    if frame.kind == MON_HW and len(payload) >= 60:  # noqa: PLR2004  68 in generations 6 and 7, the flags at the same place
        return payload[22] >> 2 & 0b11
    return None
