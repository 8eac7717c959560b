"""A u-blox receiver that takes orders as the real ones do: acknowledges what it knows, refuses what it does not, forgets at a restart.

Sources: those named in drivers/gnss/ublox.py. Generation 8 knows the single messages, 9 also VALSET, 10 only VALSET.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal

from drivers.gnss.ubx import Frame, UbxFramer
from drivers.sim.line import SerialLine
from drivers.sim.nmea import sentence

MON_VER, MON_HW, MON_RF = (0x0A, 0x04), (0x0A, 0x09), (0x0A, 0x38)
ACK, NAK = (0x05, 0x01), (0x05, 0x00)
CONFIGURATION = 0x06
Generation = Literal[8, 9, 10]
VALSET, NAV5, RATE, ITFM = (0x06, 0x8A), (0x06, 0x24), (0x06, 0x08), (0x06, 0x39)
VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}  # by bits 28 to 30 of a key
ALGORITHM_BITS = 0x2D62AC00  # of CFG-ITFM's first word: the manual asks for exactly these
DYNAMIC_MODELS = {0, 2, 3, 4, 5, 6, 7, 8, 9, 10}

FACTORY = {
    0x20110021: 0,  # CFG-NAVSPG-DYNMODEL: portable
    0x30210001: 1000,  # CFG-RATE-MEAS, ms
    0x30210002: 1,  # CFG-RATE-NAV, measurements a fix
    0x20250038: 0,  # CFG-MOT-GNSSSPEED_THRS, cm/s
    0x1041000D: 0,  # CFG-ITFM-ENABLE
}
DYNMODEL, MEASURE, NAVIGATE, HOLD, MONITOR = FACTORY
VERSIONS = {  # software, hardware, extensions of UBX-MON-VER
    8: ("ROM CORE 3.01 (107888)", "00080000", ("FWVER=SPG 3.01", "PROTVER=18.00", "MOD=NEO-M8N-0", "GPS;GLO;GAL;BDS", "SBAS;IMES;QZSS")),
    9: ("EXT CORE 4.04 (7f89f7)", "00190000", ("FWVER=SPG 4.04", "PROTVER=32.01", "MOD=NEO-M9N", "GPS;GLO;GAL;BDS", "SBAS;QZSS")),
    10: ("ROM SPG 5.10 (7b202e)", "000A0000", ("FWVER=SPG 5.10", "PROTVER=34.10", "GPS;GLO;GAL;BDS", "SBAS;QZSS")),
}


class SimulatedUblox:
    """The receiver's ears behind a `SerialLine`. `answer` must be called now and then; the epochs come from elsewhere.

    Hands: `deaf` hears nothing (its RX wire is loose), `is_ublox` False is another maker's, `refuses` names the kinds of message and
    the keys that it acknowledges with NAK, `loses` swallows that many of the next answers, `jamming` is 0 to 3 as in MON-RF.
    """

    def __init__(self, line: SerialLine, generation: Generation = 9) -> None:
        self.deaf = False
        self.is_ublox = True
        self.refuses: set[tuple[int, int] | int] = set()
        self.loses = 0
        self.jamming = 1
        self.ram = dict(FACTORY)
        self.orders: list[Frame] = []  # everything it understood as UBX, in order
        self._line = line
        self._generation = generation
        self._framer = UbxFramer()

    def answer(self) -> None:
        """Do what the terminal asked for since the last time."""
        heard = self._line.heard()
        answers = self.answers_to(heard)
        if answers:
            self._line.write(answers)

    def answers_to(self, heard: bytes) -> bytes:
        """The bytes that it sends back."""
        if self.deaf or not self.is_ublox:
            return b""
        answers = b""
        for frame in self._framer.push(heard):
            self.orders.append(frame)
            answer = self._obey(frame)
            if answer is not None and self.loses:
                self.loses -= 1
            elif answer is not None:
                answers += answer.encoded()
        return answers

    def restart(self) -> None:
        """Its supply blinked: what was only in RAM is gone, and it says its maker's name."""
        self.ram = dict(FACTORY)
        self._line.write(sentence("GNTXT,01,01,02,u-blox AG - www.u-blox.com"))

    def _obey(self, frame: Frame) -> Frame | None:
        if frame.kind == MON_VER and not frame.payload:
            return self._version()
        if frame.kind == MON_HW and not frame.payload:
            return Frame(MON_HW, bytes(22) + bytes([self._jamming_state() << 2]) + bytes(37))
        if frame.kind == MON_RF and not frame.payload and self._generation > 8:  # noqa: PLR2004  a generation, not a quantity
            return Frame(MON_RF, bytes([0, 1, 0, 0, 0, self._jamming_state()]) + bytes(22))
        if frame.kind[0] == CONFIGURATION:
            return Frame(ACK if self._configure(frame) else NAK, bytes(frame.kind))
        return None

    def _jamming_state(self) -> int:
        return self.jamming if self.ram[MONITOR] else 0

    def _version(self) -> Frame:
        software, hardware, extensions = VERSIONS[self._generation]
        texts = [(software, 30), (hardware, 10), *((extension, 30) for extension in extensions)]
        return Frame(MON_VER, b"".join(text.encode("ascii").ljust(length, b"\0") for text, length in texts))

    def _configure(self, frame: Frame) -> bool:
        """Whether the order is one that this generation knows and whose values are possible; then it is done."""
        known: dict[tuple[int, int], Callable[[bytes], dict[int, int] | None]] = {}
        if self._generation < 10:  # noqa: PLR2004
            known |= {NAV5: _from_nav5, RATE: _from_rate, ITFM: _from_itfm}
        if self._generation > 8:  # noqa: PLR2004
            known |= {VALSET: _from_valset}
        if frame.kind not in known or frame.kind in self.refuses:
            return False
        values = known[frame.kind](frame.payload)
        if values is None or not self.refuses.isdisjoint(values) or not all(_is_possible(key, value) for key, value in values.items()):
            return False
        self.ram |= values
        return True


def _is_possible(key: int, value: int) -> bool:
    if key == DYNMODEL:
        return value in DYNAMIC_MODELS
    return key in FACTORY and (value >= 25 if key == MEASURE else value >= 1 if key == NAVIGATE else True)  # noqa: PLR2004  ms, the shortest


def _from_valset(payload: bytes) -> dict[int, int] | None:
    """Keys and values of version 0; None for another version, no layer or a torn value."""
    if len(payload) < 4 or payload[0] != 0 or not payload[1] & 0b111:  # noqa: PLR2004  the head
        return None
    values, at = {}, 4
    while at < len(payload):
        key = int.from_bytes(payload[at : at + 4], "little")
        end = at + 4 + VALUE_BYTES.get(key >> 28 & 0b111, 0)
        if end > len(payload) or end == at + 4:
            return None
        values[key] = int.from_bytes(payload[at + 4 : end], "little")
        at = end
    return values


def _from_nav5(payload: bytes) -> dict[int, int] | None:
    if len(payload) != 36:  # noqa: PLR2004
        return None
    mask = int.from_bytes(payload[:2], "little")
    return ({DYNMODEL: payload[2]} if mask & 0x0001 else {}) | ({HOLD: payload[22]} if mask & 0x0040 else {})


def _from_rate(payload: bytes) -> dict[int, int] | None:
    if len(payload) != 6:  # noqa: PLR2004
        return None
    period_ms, measurements, _ = struct.unpack("<HHH", payload)
    return {MEASURE: period_ms, NAVIGATE: measurements}


def _from_itfm(payload: bytes) -> dict[int, int] | None:
    if len(payload) != 8:  # noqa: PLR2004
        return None
    first, _ = struct.unpack("<II", payload)
    return {MONITOR: first >> 31} if first & 0x7FFFFE00 == ALGORITHM_BITS else None
