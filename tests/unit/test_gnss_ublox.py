"""The talk with a u-blox: every state meets every input, then whole talks with a stand-in that obeys the protocol."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import product

import pytest

from drivers.gnss.ublox import (
    ACK,
    ANSWER_S,
    CFG_ITFM,
    CFG_NAV5,
    CFG_RATE,
    CFG_VALSET,
    GENERATION_9,
    MON_HW,
    MON_RF,
    MON_VER,
    NAK,
    STATIC_HOLD_CMS,
    TRIES,
    WATCH_S,
    State,
    Ublox,
    van_settings,
)
from drivers.gnss.ubx import Frame, UbxFramer
from drivers.sim.line import SerialLine
from drivers.sim.ublox import DYNMODEL, FACTORY, HOLD, MEASURE, MONITOR, NAVIGATE, Generation, SimulatedUblox

VAN = {DYNMODEL: 4, MEASURE: 1000, NAVIGATE: 1, HOLD: STATIC_HOLD_CMS, MONITOR: 1}
ALL_DONE = "automotive mode, 1 Hz, static hold, interference monitor; every setting acknowledged."


def version(protocol: float = 18.0) -> Frame:
    return Frame(MON_VER, b"ROM CORE".ljust(30, b"\0") + b"00080000".ljust(10, b"\0") + f"PROTVER={protocol:.2f}".encode().ljust(30, b"\0"))


def ack(kind: tuple[int, int]) -> Frame:
    return Frame(ACK, bytes(kind))


def nak(kind: tuple[int, int]) -> Frame:
    return Frame(NAK, bytes(kind))


def sent(words: bytes) -> list[tuple[int, int]]:
    return [frame.kind for frame in UbxFramer().push(words)]


# Every state x every input


def waiting() -> Ublox:
    return Ublox(van_settings())


def asking() -> Ublox:
    talk = waiting()
    talk.update(0.0, speaking=True)
    return talk


def setting_by_key() -> Ublox:
    talk = asking()
    talk.update(0.0, speaking=True, frames=[version(32.01)])
    return talk


def setting_by_message() -> Ublox:
    talk = asking()
    talk.update(0.0, speaking=True, frames=[version()])
    return talk


def done() -> Ublox:
    talk = setting_by_message()
    for kind in (CFG_NAV5, CFG_RATE, CFG_NAV5, CFG_ITFM):
        talk.update(0.0, speaking=True, frames=[ack(kind)])
    return talk


def not_ublox() -> Ublox:
    talk = asking()
    for n in range(1, TRIES + 1):
        talk.update(n * ANSWER_S, speaking=True)
    return talk


STATES: dict[Callable[[], Ublox], State] = {
    waiting: State.WAITING,
    asking: State.ASKING,
    setting_by_key: State.SETTING,
    setting_by_message: State.SETTING,
    done: State.SET,
    not_ublox: State.NOT_UBLOX,
}
NOTHING = Frame((0x01, 0x07), bytes(92))
INPUTS = {
    "silence": [],
    "a frame of nobody's business": [NOTHING],
    "a version of generation 8": [version()],
    "a version of generation 9": [version(32.01)],
    "a version without a protocol": [Frame(MON_VER, bytes(40))],
    "an empty version": [Frame(MON_VER)],
    "an acknowledged VALSET": [ack(CFG_VALSET)],
    "an acknowledged NAV5": [ack(CFG_NAV5)],
    "an acknowledged stranger": [ack((0x06, 0x01))],
    "an empty acknowledgement": [Frame(ACK)],
    "a refused VALSET": [nak(CFG_VALSET)],
    "a refused NAV5": [nak(CFG_NAV5)],
    "a refused stranger": [nak((0x06, 0x01))],
    "jamming": [Frame(MON_RF, bytes([0, 1, 0, 0, 0, 2]) + bytes(22))],
    "old jamming": [Frame(MON_HW, bytes(22) + b"\x0c" + bytes(37))],
    "a short MON-RF": [Frame(MON_RF, b"\x00\x02")],
    "a short MON-HW": [Frame(MON_HW, bytes(10))],
}
MOVES = {  # (state, input) -> what it becomes, what it says; all others stay and say nothing
    (asking, "a version of generation 8"): (State.SETTING, [CFG_NAV5]),
    (asking, "a version of generation 9"): (State.SETTING, [CFG_VALSET]),
    (asking, "a version without a protocol"): (State.SETTING, [CFG_NAV5]),
    (setting_by_key, "an acknowledged VALSET"): (State.SETTING, [CFG_VALSET]),
    (setting_by_key, "a refused VALSET"): (State.SETTING, [CFG_NAV5]),
    (setting_by_message, "an acknowledged NAV5"): (State.SETTING, [CFG_RATE]),
    (setting_by_message, "a refused NAV5"): (State.SETTING, [CFG_RATE]),
}


@pytest.mark.parametrize(("state", "told"), list(product(STATES, INPUTS)), ids=lambda part: getattr(part, "__name__", part))
def test_every_state_meets_every_input(state: Callable[[], Ublox], told: str) -> None:
    talk = state()
    assert talk.state is STATES[state]
    talk._due_s += 1.0  # nothing is due by time
    words = talk.update(0.5, speaking=state is not waiting, frames=INPUTS[told])
    becomes, says = MOVES.get((state, told), (STATES[state], []))
    assert (talk.state, sent(words)) == (becomes, says)
    assert talk.sentence.endswith(".")


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_replug_starts_over_from_every_state(state: Callable[[], Ublox]) -> None:
    talk = state()
    talk.begin()
    assert talk.state is State.WAITING
    assert (talk.update(99.0, speaking=False), talk.interference) == (b"", None)
    assert sent(talk.update(99.0, speaking=True)) == [MON_VER]


# Time


def test_nothing_is_asked_before_the_line_is_readable() -> None:
    talk = Ublox(van_settings())
    assert [talk.update(float(second), speaking=False) for second in range(100)] == [b""] * 100


def test_another_maker_s_receiver_gets_three_questions_within_five_seconds_and_no_more() -> None:
    talk = Ublox(van_settings())
    told = [(tenth / 10, words) for tenth in range(600) if (words := talk.update(tenth / 10, speaking=True))]
    assert [sent(words) for _, words in told] == [[MON_VER]] * TRIES
    assert told[-1][0] < 5.0
    assert (talk.state, talk.sentence) == (State.NOT_UBLOX, "No u-blox answered: the receiver is used as it is.")


def test_an_unanswered_setting_is_repeated_then_tried_the_older_way_then_left() -> None:
    talk = asking()
    told = [talk.update(0.1, speaking=True, frames=[version(32.01)])]
    told += [talk.update(n * ANSWER_S + 0.2, speaking=True) for n in range(1, 2 * TRIES + 1)]
    assert [kind for words in told for kind in sent(words)] == [CFG_VALSET] * TRIES + [CFG_NAV5] * TRIES + [CFG_VALSET]


def test_a_late_second_answer_is_not_taken_for_that_of_the_next_setting() -> None:
    talk = asking()
    talk.update(0.0, speaking=True, frames=[version(32.01)])
    assert sent(talk.update(1.6, speaking=True)) == [CFG_VALSET]
    assert talk.update(1.7, speaking=True, frames=[ack(CFG_VALSET), ack(CFG_VALSET)]) == b""
    assert talk.update(1.8, speaking=True, frames=[ack(CFG_VALSET)]) == b""
    assert "setting 2 of 4" in talk.sentence
    assert sent(talk.update(1.6 + ANSWER_S, speaking=True)) == [CFG_VALSET]


@pytest.mark.parametrize(("protocol", "question"), [(18.0, MON_HW), (GENERATION_9, MON_RF)])
def test_interference_is_asked_for_every_ten_seconds(protocol: float, question: tuple[int, int]) -> None:
    talk = Ublox()
    talk.update(0.0, speaking=True)
    told = [(0, talk.update(0.0, speaking=True, frames=[version(protocol)]))]
    told += [(second, words) for second in range(1, 35) if (words := talk.update(float(second), speaking=True))]
    assert [(second, sent(words)) for second, words in told] == [(n * int(WATCH_S), [question]) for n in range(4)]


# What is on the wire


def test_the_settings_are_the_bytes_of_the_manuals() -> None:
    automotive, rate, hold, monitor = van_settings()
    assert automotive.by_key.payload.hex(" ") == "00 01 00 00 21 00 11 20 04"
    assert rate.by_key.payload.hex(" ") == "00 01 00 00 01 00 21 30 e8 03 02 00 21 30 01 00"
    assert hold.by_key.payload.hex(" ") == "00 01 00 00 38 00 25 20 28"
    assert monitor.by_key.payload.hex(" ") == "00 01 00 00 0d 00 41 10 01"
    assert automotive.legacy.payload == b"\x01\x00\x04" + bytes(33)
    assert rate.legacy.payload.hex(" ") == "e8 03 01 00 01 00"
    assert hold.legacy.payload == b"\x40\x00" + bytes(20) + b"\x28" + bytes(13)
    assert monitor.legacy.payload.hex(" ") == "f3 ac 62 ad 1e 03 00 00"


def test_another_rate_is_another_period() -> None:
    assert struct.unpack("<H", van_settings(5)[1].legacy.payload[:2]) == (200,)
    assert van_settings(5)[1].words == "5 Hz"


# Whole talks


class Talk:
    """Both ends without a line between: what one says the other hears."""

    def __init__(self, receiver: SimulatedUblox, *, asks_only: bool = False) -> None:
        self.receiver = receiver
        self.ublox = Ublox(() if asks_only else van_settings())
        self.now_s = 0.0
        self._framer = UbxFramer()
        self._answers = b""

    def go_on(self, seconds: float) -> str:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            words = self.ublox.update(self.now_s, speaking=True, frames=self._framer.push(self._answers))
            self._answers = self.receiver.answers_to(words)
            self.now_s += 0.1
        return self.ublox.sentence


@pytest.fixture
def receiver() -> SimulatedUblox:
    return SimulatedUblox(SerialLine(), 9)


@pytest.mark.parametrize(
    ("generation", "name"),
    [(8, "u-blox NEO-M8N-0, protocol 18.00: "), (9, "u-blox NEO-M9N, protocol 32.01: "), (10, "u-blox, protocol 34.10: ")],
)
def test_every_generation_is_set_up_within_two_seconds(generation: Generation, name: str) -> None:
    talk = Talk(SimulatedUblox(SerialLine(), generation))
    assert talk.go_on(2.0) == name + ALL_DONE
    assert talk.receiver.ram == VAN


def test_a_receiver_that_refuses_valset_is_set_up_the_older_way(receiver: SimulatedUblox) -> None:
    receiver.refuses.add(CFG_VALSET)
    talk = Talk(receiver)
    assert talk.go_on(3.0).endswith(ALL_DONE)
    assert receiver.ram == VAN


def test_a_key_that_one_model_lacks_does_not_stop_the_others() -> None:
    receiver = SimulatedUblox(SerialLine(), 10)
    receiver.refuses.add(MONITOR)
    sentence = Talk(receiver).go_on(3.0)
    assert sentence == "u-blox, protocol 34.10: automotive mode, 1 Hz, static hold; refused: interference monitor."
    assert receiver.ram == VAN | {MONITOR: 0}


@pytest.mark.parametrize("lost", range(1, 6))
def test_lost_answers_cost_a_repeat_and_no_setting(receiver: SimulatedUblox, lost: int) -> None:
    talk = Talk(receiver)
    talk.go_on(0.05)
    receiver.loses = lost
    assert talk.go_on(20.0).endswith(ALL_DONE)
    assert receiver.ram == VAN


def test_a_receiver_that_never_acknowledges_is_told_so_and_left(receiver: SimulatedUblox) -> None:
    talk = Talk(receiver)
    talk.go_on(0.05)
    receiver.loses = 1_000
    sentence = talk.go_on(60.0)
    assert sentence == "u-blox NEO-M9N, protocol 32.01: not answered: automotive mode, 1 Hz, static hold, interference monitor."


@pytest.mark.parametrize("hand", ["deaf", "other maker"])
def test_one_that_does_not_answer_stays_as_it_is(receiver: SimulatedUblox, hand: str) -> None:
    receiver.deaf, receiver.is_ublox = hand == "deaf", hand != "other maker"
    assert Talk(receiver).go_on(10.0) == "No u-blox answered: the receiver is used as it is."
    assert receiver.ram == FACTORY


def test_who_only_looks_changes_nothing(receiver: SimulatedUblox) -> None:
    sentence = Talk(receiver, asks_only=True).go_on(30.0)
    assert sentence == "u-blox NEO-M9N, protocol 32.01; its settings were left as they are."
    assert {frame.kind for frame in receiver.orders} == {MON_VER, MON_RF}


@pytest.mark.parametrize("generation", [8, 9])
@pytest.mark.parametrize(("jamming", "told"), [(0, None), (1, None), (2, "the fix holds"), (3, "no fix")])
def test_jamming_is_told_as_the_receiver_judges_it(generation: Generation, jamming: int, told: str | None) -> None:
    talk = Talk(SimulatedUblox(SerialLine(), generation))
    talk.receiver.jamming = jamming
    talk.go_on(15.0)
    assert talk.ublox.watched is (jamming > 0)
    if told is None:
        assert talk.ublox.interference is None
    else:
        assert told in (talk.ublox.interference or "")
    talk.receiver.jamming = 1
    talk.go_on(2 * WATCH_S)
    assert talk.ublox.interference is None


# The stand-in keeps the protocol, too


@pytest.mark.parametrize(
    "order",
    [
        Frame(CFG_VALSET, b""),
        Frame(CFG_VALSET, b"\x01\x01\x00\x00"),
        Frame(CFG_VALSET, b"\x00\x00\x00\x00" + struct.pack("<IB", DYNMODEL, 4)),
        Frame(CFG_VALSET, b"\x00\x01\x00\x00" + struct.pack("<IB", DYNMODEL, 1)),
        Frame(CFG_VALSET, b"\x00\x01\x00\x00" + struct.pack("<I", DYNMODEL)),
        Frame(CFG_VALSET, b"\x00\x01\x00\x00" + struct.pack("<IB", 0x20990099, 1)),
        Frame(CFG_VALSET, b"\x00\x01\x00\x00" + struct.pack("<IH", MEASURE, 5)),
        Frame(CFG_RATE, b"\x00\x00\x00\x00\x00\x00"),
        Frame(CFG_RATE, b"\xe8\x03"),
        Frame(CFG_NAV5, bytes(35)),
        Frame(CFG_ITFM, b"\xff\xff\xff\xff\x00\x00\x00\x00"),
        Frame(CFG_ITFM, b""),
        Frame((0x06, 0x01), b"\x00"),
    ],
)
def test_the_stand_in_refuses_what_a_receiver_would(receiver: SimulatedUblox, order: Frame) -> None:
    assert UbxFramer().push(receiver.answers_to(order.encoded())) == [nak(order.kind)]
    assert receiver.ram == FACTORY
