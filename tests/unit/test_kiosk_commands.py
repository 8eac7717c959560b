from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.kiosk.bar import bar
from firmware.kiosk.commands import Order, OrderError, read
from firmware.status import PositionStatus, SeriesStatus, Status

GOOD = {"id": "2f1c8a52-3f0e-4d3a-9a51-0d7a3c8f1b11", "cmd": "pod.photo_keep", "d": {"n": 1}}


def test_a_command_is_read() -> None:
    assert read(msgspec.json.encode(GOOD)) == Order(id="2f1c8a52-3f0e-4d3a-9a51-0d7a3c8f1b11", cmd="pod.photo_keep", d={"n": 1})


def test_a_command_without_data_has_none() -> None:
    assert read('{"id":"00000001","cmd":"pod.next"}').d == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "short"}, {"id": "x" * 65}, {"id": 1}, {"id": "0000 0001"}, {"id": "00000001\n"},
        {"cmd": "next"}, {"cmd": "pod."}, {"cmd": "Pod.next"}, {"cmd": "pod.next\n"}, {"cmd": "a." + "b" * 70}, {"d": []}, {"d": None},
    ],
)  # fmt: skip
def test_a_command_that_breaks_its_form_is_refused_with_a_sentence(wrong: dict[str, object]) -> None:
    with pytest.raises(OrderError, match="this is not a command: "):
        read(msgspec.json.encode(GOOD | wrong))


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_whatever_comes_is_read_or_refused(message: str | bytes) -> None:
    with pytest.raises(OrderError):
        read(message)


@pytest.mark.parametrize("depth", [10, 2_000, 200_000])
def test_nesting_never_ends_the_program(depth: int) -> None:
    message = b'{"id":"00000001","cmd":"pod.next","d":{"a":' + b"[" * depth + b"]" * depth + b"}}"
    with suppress(OrderError):
        read(message)


def test_the_bar_says_what_the_unit_knows() -> None:
    position = PositionStatus(at_ms=1, mono_s=1.0, lat_deg=52.5, lon_deg=13.4, alt_m=34.0, sats=11)
    status = Status(at_ms=5, has_fix=True, position=position, link="dns", seq=SeriesStatus(waiting=2), blobs_waiting=1)
    shown = bar(status, {"moving": True})
    assert (shown["time_ms"], shown["gnss"], shown["sats"], shown["link"], shown["queue"], shown["locked"]) == (5, "3d", 11, "dns", 3, True)


def test_a_fix_that_was_lost_is_not_shown() -> None:
    position = PositionStatus(at_ms=1, mono_s=1.0, lat_deg=52.5, lon_deg=13.4, alt_m=34.0, sats=11)
    assert (bar(Status(has_fix=False, position=position), {})["gnss"], bar(Status(), {})["sats"]) == ("none", None)


def test_what_only_the_terminal_knows_is_in_the_bar_too() -> None:
    assert bar(Status(), {"bar": {"driver": "M. Kowalska", "queue": 7}}) | {"time_ms": 0} == {
        "time_ms": 0, "gnss": "none", "sats": None, "link": "connecting", "queue": 7, "locked": False, "driver": "M. Kowalska",
        "volts": None, "temp_c": None,
    }  # fmt: skip
