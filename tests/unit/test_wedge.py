"""Hand scanners: what they send becomes the code, wherever its bytes are cut, and pulling one out harms nobody."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import tty
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wedge import HidWedge, Wedges, WedgeSettings
from drivers.wedge.keys import EV_KEY, EV_SYN, EVENT, KEYS, NUMBER_BLOCK, SYN_DROPPED, KeyText
from drivers.wedge.reading import GAP_S, Lines, Reading, reading_of
from tests.eventually import eventually

GS = "\x1d"
ENTER, TAB, SHIFT, CTRL, ALT, CAPS = 28, 15, 42, 29, 56, 58
CODES = {sign: (code, shifted) for code, pair in KEYS.items() for shifted, sign in enumerate(pair)}


def event(code: int, value: int, kind: int = EV_KEY) -> bytes:
    return EVENT.pack(1_700_000_000, 0, kind, code, value)


def stroke(code: int) -> bytes:
    return event(code, 1) + event(0, 0, EV_SYN) + event(code, 0) + event(0, 0, EV_SYN)


def held(modifier: int, *codes: int) -> bytes:
    return event(modifier, 1) + b"".join(stroke(code) for code in codes) + event(modifier, 0)


def typed(text: str, end: int = ENTER) -> bytes:
    """As a scanner on the US layout types it."""
    packed = b""
    for sign in text:
        code, shifted = (27, 0) if sign == GS else CODES[sign]
        packed += held(CTRL, code) if sign == GS else held(SHIFT, code) if shifted else stroke(code)
    return packed + stroke(end)


def test_an_event_has_the_kernels_size() -> None:
    assert EVENT.size == 24


@pytest.mark.parametrize("end", [ENTER, TAB, 96])
def test_keys_become_the_code_at_its_end(end: int) -> None:
    assert KeyText().feed(typed("]C100340123450000000017", end)) == ["]C100340123450000000017"]


@given(st.text(alphabet=[*sorted(CODES), GS], min_size=1, max_size=40))
def test_every_sign_of_the_layout_survives(text: str) -> None:
    assert KeyText().feed(typed(text)) == [text]


def test_shift_held_over_several_keys_and_caps_lock_count() -> None:
    keys = KeyText()
    assert keys.feed(held(SHIFT, 30, 48, 46) + stroke(ENTER)) == ["ABC"]
    assert keys.feed(stroke(CAPS) + stroke(30) + stroke(2) + held(SHIFT, 30) + stroke(CAPS) + stroke(30) + stroke(ENTER)) == ["A1aa"]


def test_a_separator_typed_on_the_number_block_is_one() -> None:
    assert KeyText().feed(stroke(2) + held(ALT, 82, 82, 80, 73) + stroke(3) + stroke(ENTER)) == [f"1{GS}2"]


def test_a_scanner_that_sends_every_sign_on_the_number_block_is_understood() -> None:
    block = {digit: code for code, digit in NUMBER_BLOCK.items()}
    packed = b"".join(held(ALT, *(block[digit] for digit in f"{ord(sign):04}")) for sign in f"]d201{GS}Ab9")
    assert KeyText().feed(packed + stroke(ENTER)) == [f"]d201{GS}Ab9"]


HEX = {digit: CODES[digit][0] for digit in "0123456789abcdef"}
TO_UNICODE = event(CTRL, 1) + held(SHIFT, 22)


@pytest.mark.parametrize(
    "number",
    [
        TO_UNICODE + stroke(HEX["1"]) + stroke(HEX["d"]) + event(CTRL, 0),
        TO_UNICODE + event(CTRL, 0) + b"".join(stroke(HEX[digit]) for digit in "001d") + stroke(57),
        TO_UNICODE + event(CTRL, 0) + b"".join(stroke(HEX[digit]) for digit in "001d") + stroke(ENTER),
    ],
)
def test_a_separator_typed_as_linux_takes_any_character_is_one(number: bytes) -> None:
    assert KeyText().feed(stroke(2) + number + stroke(3) + stroke(ENTER)) == [f"1{GS}2"]


def test_a_number_that_is_none_is_passed_over() -> None:
    assert KeyText().feed(TO_UNICODE + event(CTRL, 0) + stroke(CODES["x"][0]) + stroke(ENTER)) == ["x"]
    assert KeyText().feed(TO_UNICODE + event(CTRL, 0) + stroke(HEX["f"]) * 6 + stroke(57) + stroke(3) + stroke(ENTER)) == ["2"]


def test_half_a_number_ends_with_its_code() -> None:
    keys = KeyText()
    assert keys.feed(stroke(2) + event(ALT, 1) + stroke(82) + stroke(ENTER)) == ["1"]
    assert keys.feed(event(ALT, 0) + typed("next")) == ["next"]


def test_the_number_block_alone_is_digits() -> None:
    assert KeyText().feed(stroke(79) + stroke(80) + stroke(ENTER)) == ["12"]


def test_a_key_that_repeats_is_typed_once() -> None:
    assert KeyText().feed(event(30, 1) + event(30, 2) * 5 + event(30, 0) + stroke(ENTER)) == ["a"]


def test_keys_that_are_no_signs_are_passed_over() -> None:
    assert KeyText().feed(stroke(1) + stroke(103) + held(CTRL, 103, 2) + stroke(30) + stroke(ENTER)) == ["a"]


def test_a_code_that_the_kernel_dropped_keys_of_is_not_told() -> None:
    keys = KeyText()
    assert keys.feed(stroke(30) + event(SYN_DROPPED, 0, EV_SYN) + stroke(48) + stroke(ENTER)) == []
    assert keys.feed(typed("next")) == ["next"]


def test_a_code_without_end_is_not_kept_for_ever() -> None:
    keys = KeyText()
    assert keys.feed(stroke(30) * 5_000 + stroke(ENTER)) == []
    assert keys.feed(typed("next")) == ["next"]


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"ABC\r\n", ["ABC"]),
        (b"ABC\tDEF\n\n\r", ["ABC", "DEF"]),
        (b"]d201095\x1d10L\r", ["]d201095\x1d10L"]),
        ("Łódź\n".encode(), ["Łódź"]),
        (b"\xd8\n", ["Ø"]),
        (b"x" * 5_000 + b"\nABC\n", ["ABC"]),
        (b"ABC", []),
    ],
)
def test_serial_bytes_become_codes(data: bytes, texts: list[str]) -> None:
    assert Lines().feed(data, 0.0) == texts


@given(st.lists(st.integers(0, 30), max_size=8))
def test_where_the_bytes_are_cut_does_not_matter(cuts: list[int]) -> None:
    data, lines, texts = b"]C100340123450000000017\r\nRR473124829FI\r\n", Lines(), []
    for cut in [*cuts, len(data)]:
        texts += lines.feed(data[:cut], 0.0)
        data = data[cut:]
    assert texts == ["]C100340123450000000017", "RR473124829FI"]


def test_silence_ends_a_code_without_a_suffix() -> None:
    lines = Lines()
    assert lines.feed(b"ABC", 1.0) == []
    assert lines.pending
    assert lines.feed(b"", 1.0 + GAP_S / 2) == []
    assert lines.feed(b"", 1.0 + GAP_S) == ["ABC"]
    assert not lines.pending


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("]C100340", Reading("00340", "]C1", "CODE128", "s")),
        ("]E04006381333931", Reading("4006381333931", "]E0", "EAN13", "s")),
        ("]Z9text", Reading("]Z9text", None, "", "s")),
        (" plain ", Reading("plain", None, "", "s")),
        ("]C1", None),
        ("", None),
    ],
)
def test_the_aim_prefix_is_told_apart(text: str, reading: Reading | None) -> None:
    assert reading_of(text, "s") == reading


class Pseudo:
    """A serial scanner at the other end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def unplug(self) -> None:
        os.close(self.master)


@pytest.fixture
def grabs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A pipe cannot be grabbed: the request is noted instead."""
    asked: list[int] = []
    real = fcntl.ioctl

    def ioctl(fd: int, request: int, *rest: Any) -> Any:
        if request == 0x40044590:
            asked.append(fd)
            return 0
        return real(fd, request, *rest)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return asked


def test_a_serial_scanner_is_read_and_its_unplugging_is_a_sentence() -> None:
    scanner = Pseudo()
    wedges = Wedges(WedgeSettings(serial=(scanner.path,)))
    assert wedges.wanted
    assert wedges.read(0) == []
    scanner.send(b"]C100340123450000000017\r\n")
    (reading,) = eventually(lambda: wedges.read(0.5))
    assert (reading.text, reading.aim, reading.device) == ("00340123450000000017", "]C1", scanner.path)
    scanner.unplug()
    eventually(lambda: wedges.read(0.1) or wedges.faults)
    assert wedges.count == 0
    assert "hand scanner" in wedges.faults[0]
    wedges.close()


def test_a_serial_code_without_suffix_comes_after_silence() -> None:
    scanner = Pseudo()
    wedges = Wedges(WedgeSettings(serial=(scanner.path,)))
    wedges.read(0)
    scanner.send(b"RR473124829FI")
    assert [reading.text for reading in eventually(lambda: wedges.read(1.0))] == ["RR473124829FI"]
    wedges.close()
    scanner.unplug()


def test_a_port_that_is_not_there_is_a_sentence_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.wedge.wedges.LOOK_S", 0.0)
    path = tmp_path / "ttyACM0"
    wedges = Wedges(WedgeSettings(serial=(str(path),)))
    assert wedges.read(0) == []
    assert "There is no hand scanner at" in wedges.faults[0]
    scanner = Pseudo()
    path.symlink_to(scanner.path)
    assert wedges.read(0) == []
    assert (wedges.faults, wedges.count) == ((), 1)
    wedges.close()
    scanner.unplug()


def test_usb_scanners_are_found_grabbed_and_taken_up_again(tmp_path: Path, grabs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.wedge.wedges.LOOK_S", 0.0)
    scanner = tmp_path / "usb-Honeywell_Scanner_1902-event-kbd"
    wedges = Wedges(WedgeSettings(usb="auto"), by_id=tmp_path)
    assert wedges.read(0) == []
    for text in ("4006381333931", "RR473124829FI"):
        os.mkfifo(scanner)
        cable = os.open(scanner, os.O_RDWR)
        wedges.read(0)
        os.write(cable, typed(text))
        assert [reading.text for reading in eventually(lambda: wedges.read(0.5))] == [text]
        os.close(cable)  # the last writer: the reader sees the end, as with a device pulled out
        scanner.unlink()
        eventually(lambda: not wedges.read(0.1) and wedges.count == 0 and not wedges.faults)
    assert len(grabs) == 2
    wedges.close()


def test_a_usb_scanner_in_serial_mode_is_found_by_its_name(tmp_path: Path) -> None:
    scanner, receiver = Pseudo(), Pseudo()
    (tmp_path / "usb-Zebra_Scanner_DS2208-if00").symlink_to(scanner.path)
    (tmp_path / "usb-u-blox_GNSS_receiver-if00").symlink_to(receiver.path)
    wedges = Wedges(WedgeSettings(usb="auto"), by_id=tmp_path / "none", serial_by_id=tmp_path)
    wedges.read(0)
    assert wedges.count == 1
    scanner.send(b"]C100340123450000000017\r")
    assert [reading.aim for reading in eventually(lambda: wedges.read(0.5))] == ["]C1"]
    wedges.close()
    named = Wedges(WedgeSettings(usb="auto", serial=(scanner.path,)), by_id=tmp_path / "none", serial_by_id=tmp_path)
    named.read(0)
    assert (named.count, named.faults) == (1, ()), "the same scanner under its other name is not opened twice"
    named.close()
    scanner.unplug()
    receiver.unplug()


def test_what_a_scanner_sends_instead_of_the_separator_becomes_one() -> None:
    scanner = Pseudo()
    wedges = Wedges(WedgeSettings(serial=(scanner.path,), separator="<GS>"))
    wedges.read(0)
    scanner.send(b"]d20104006381333931<GS>21A7\r")
    assert [reading.text for reading in eventually(lambda: wedges.read(0.5))] == [f"0104006381333931{GS}21A7"]
    wedges.close()
    scanner.unplug()


def test_two_scanners_are_read_together(tmp_path: Path, grabs: list[int]) -> None:
    serial, usb = Pseudo(), tmp_path / "event7"
    os.mkfifo(usb)
    cable = os.open(usb, os.O_RDWR)
    wedges = Wedges(WedgeSettings(serial=(serial.path,), usb=str(usb)))
    wedges.read(0)
    assert (wedges.count, len(grabs)) == (2, 1)
    serial.send(b"FROM-SERIAL\n")
    os.write(cable, typed("FROM-USB"))
    texts: list[str] = []
    while len(texts) < 2:  # pytest's own time limit ends it
        texts += [reading.text for reading in wedges.read(0.1)]
    assert sorted(texts) == ["FROM-SERIAL", "FROM-USB"]
    wedges.close()
    os.close(cable)
    serial.unplug()


def test_events_that_arrive_in_pieces_are_put_together(tmp_path: Path, grabs: list[int]) -> None:
    path = tmp_path / "event0"
    os.mkfifo(path)
    cable = os.open(path, os.O_RDWR)
    wedge = HidWedge(str(path))
    packed, texts = typed("TBA123456789012"), []
    for start in range(0, len(packed), 31):
        os.write(cable, packed[start : start + 31])
        texts += [reading.text for reading in wedge.read()]
    assert texts == ["TBA123456789012"]
    wedge.close()
    wedge.close()
    os.close(cable)


def test_an_ordinary_keyboard_stays_the_technicians(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "usb-Logitech_USB_Keyboard-event-kbd")
    wedges = Wedges(WedgeSettings(usb="auto"), by_id=tmp_path)
    assert wedges.read(0) == []
    assert (wedges.count, wedges.faults) == (0, ())


def test_nothing_wanted_is_nothing_opened() -> None:
    wedges = Wedges(WedgeSettings())
    assert not wedges.wanted
    assert wedges.read(0) == []
    wedges.close()


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EACCES, "add the user to the group input"), (errno.EBUSY, "Another program holds"), (errno.EINVAL, "cannot be opened")],
)
def test_a_scanner_that_cannot_be_grabbed_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    path = tmp_path / "event0"
    path.touch()

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    wedges = Wedges(WedgeSettings(usb=str(path)))
    wedges.read(0)
    assert said in wedges.faults[0]


def test_a_file_that_is_no_port_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    wedges = Wedges(WedgeSettings(serial=(str(path),)))
    wedges.read(0)
    assert "cannot be opened as a hand scanner" in wedges.faults[0]
