from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gnss.framer import Framer
from drivers.gnss.ubx import HEAD_BYTES, LONGEST_PAYLOAD_BYTES, SYNC, Frame, UbxFramer
from tests.nmea import at, gga, rmc

ACK = Frame((0x05, 0x01), b"\x06\x08")
BURST = rmc(at(0)) + gga(at(0))


# Frames as u-blox's own tool writes them.


@pytest.mark.parametrize(
    ("frame", "wire"),
    [
        (Frame((0x0A, 0x04)), "b5 62 0a 04 00 00 0e 34"),
        (Frame((0x06, 0x08), b"\xe8\x03\x01\x00\x01\x00"), "b5 62 06 08 06 00 e8 03 01 00 01 00 01 39"),
        (ACK, "b5 62 05 01 02 00 06 08 16 3f"),
    ],
)
def test_a_frame_is_written_and_read_as_the_maker_does(frame: Frame, wire: str) -> None:
    assert frame.encoded() == bytes.fromhex(wire)
    assert UbxFramer().push(bytes.fromhex(wire)) == [frame]


def test_frames_are_found_between_sentences_and_disturb_none() -> None:
    stream = BURST + ACK.encoded() + BURST + ACK.encoded() * 2 + BURST
    assert UbxFramer().push(stream) == [ACK] * 3
    framer = Framer()
    assert framer.push(stream)
    assert (framer.good, framer.bad) == (6, 0)


def test_a_damaged_frame_is_passed_over_and_the_next_is_found() -> None:
    damaged = bytearray(ACK.encoded())
    damaged[7] ^= 0x01
    assert UbxFramer().push(bytes(damaged) + ACK.encoded()) == [ACK]


def test_a_frame_that_claims_too_much_is_not_waited_for() -> None:
    endless = SYNC + b"\x0a\x04" + (LONGEST_PAYLOAD_BYTES + 1).to_bytes(2, "little")
    framer = UbxFramer()
    assert framer.push(endless + ACK.encoded()) == [ACK]
    assert framer.held_bytes == 0


def test_a_head_whose_frame_never_came_hides_the_next_only_until_it_cannot_be_true() -> None:
    framer = UbxFramer()
    found = framer.push(SYNC + b"\x0a\x04\x10\x00" + ACK.encoded())
    assert found == []
    assert framer.push(BURST) == [ACK]


def test_after_a_cut_the_line_does_not_continue_the_old_frame() -> None:
    framer, wire = UbxFramer(), ACK.encoded()
    framer.push(wire[:5])
    framer.cut()
    assert framer.push(wire[5:] + wire) == [ACK]


frames = st.builds(Frame, st.tuples(st.integers(0, 255), st.integers(0, 255)), st.binary(max_size=60))
noise = st.one_of(st.binary(max_size=30), st.sampled_from([SYNC, b"\xb5", BURST, SYNC + b"\x05\x01\x02\x00"]))


@given(st.lists(st.one_of(noise, frames.map(Frame.encoded)), max_size=20), st.lists(st.integers(1, 40), max_size=40))
def test_any_stream_in_any_pieces_gives_the_same_frames_and_holds_little(parts: list[bytes], sizes: list[int]) -> None:
    stream, framer, found, start = b"".join(parts), UbxFramer(), [], 0
    for size in [*sizes, len(stream)]:
        found += framer.push(stream[start : start + size])
        start += size
        assert framer.held_bytes <= HEAD_BYTES + LONGEST_PAYLOAD_BYTES + 2
    assert found == UbxFramer().push(stream)


@given(st.lists(frames, max_size=10))
def test_every_frame_that_was_written_is_read(written: list[Frame]) -> None:
    assert UbxFramer().push(b"".join(frame.encoded() for frame in written)) == written
