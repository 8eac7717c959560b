from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gnss.framer import Framer, Sentence
from tests.nmea import at, gga, rmc, sentence

BURST = rmc(at(0)) + gga(at(0))


def texts(stream: bytes) -> list[str]:
    return [found.text for found in Framer().push(stream)]


def test_a_sentence_is_whole_with_its_checksum_and_needs_no_line_end() -> None:
    framer, whole = Framer(), sentence("GPTXT,01,01,02,hello").rstrip()
    assert framer.push(whole[:-2]) == []
    assert framer.push(whole[-2:-1]) == []
    assert framer.push(whole[-1:]) == [Sentence("GPTXT,01,01,02,hello", len(whole))]


def test_the_offset_is_that_of_the_byte_after_the_checksum() -> None:
    noise = b"\xb5b\x01\x07 noise \r\n"
    (found,) = Framer().push(noise + sentence("GPTXT,01,01,02,x"))
    assert (noise + sentence("GPTXT,01,01,02,x"))[: found.end_bytes].endswith(b"*" + sentence("GPTXT,01,01,02,x")[-4:-2])


def test_a_missing_checksum_is_not_accepted() -> None:
    assert texts(b"$GPTXT,01,01,02,hello\r\n" + BURST) == texts(BURST)


def test_a_wrong_checksum_is_counted_and_dropped() -> None:
    framer = Framer()
    assert framer.push(b"$GPTXT,01,01,02,hello*00\r\n") == []
    assert (framer.good, framer.bad) == (0, 1)


def test_every_dollar_starts_anew() -> None:
    assert texts(b"$GPGGA,1200$" + BURST) == texts(BURST)
    assert texts(b"$$$$" + BURST) == texts(BURST)


def test_two_dollars_before_a_sentence_do_not_lose_it() -> None:
    assert len(texts(b"$" + sentence("GPTXT,01,01,02,hello"))) == 1


def test_binary_frames_between_and_before_sentences_are_passed_over() -> None:
    frame = b"\xb5b\x0a\x02\x08\x00$GPRM\r\n$\x00\x99"
    assert texts(frame + BURST + frame + BURST + frame) == texts(BURST) * 2


def test_a_dollar_in_a_binary_frame_is_no_bad_sentence() -> None:
    framer = Framer()
    framer.push(b"\xb5b$\x00$abc\x00$*00" + BURST)
    assert (framer.good, framer.bad) == (2, 0)


def test_an_endless_sentence_is_given_up() -> None:
    framer = Framer()
    framer.push(b"$GPTXT," + b"x" * 10_000)
    assert framer.held_bytes == 0
    assert len(framer.push(BURST)) == 2


def test_after_a_cut_the_line_does_not_continue_the_old_sentence() -> None:
    framer = Framer()
    whole = sentence("GPTXT,01,01,02,hello")
    framer.push(whole[:10])
    framer.cut()
    assert framer.push(whole[10:]) == []
    assert framer.read_bytes == len(whole)


@pytest.mark.parametrize("bit", [0x10, 0x20, 0x40, 0x80])
@pytest.mark.parametrize("digit", range(22, 34))
def test_one_flipped_bit_that_shows_is_put_right(digit: int, bit: int) -> None:
    whole = b"$GNRMC,120213.000,A,5957.0062,N,01100.6429,E,0.00,0.00,310722,,,D,V*0A"
    damaged = bytearray(whole)
    damaged[digit] ^= bit
    framer = Framer()
    found = framer.push(bytes(damaged) + b"\r\n")
    if chr(whole[digit]).isdigit() and damaged[digit] not in b"$*":
        assert [one.text for one in found] == texts(whole)
        assert (framer.good, framer.mended) == (1, 1)
    assert all(one.text == texts(whole)[0] for one in found)


@pytest.mark.parametrize("bit", [0x01, 0x02, 0x04, 0x08])
def test_a_flipped_bit_that_leaves_a_digit_is_not_guessed(bit: int) -> None:
    damaged = bytearray(b"$GNRMC,120213.000,A,5957.0062,N,01100.6429,E,0.00,0.00,310722,,,D,V*0A")
    damaged[24] ^= bit
    assert texts(bytes(damaged)) == []


def test_two_flipped_bits_are_not_mended() -> None:
    damaged = bytearray(b"$GNRMC,120213.000,A,5957.0062,N,01100.6429,E,0.00,0.00,310722,,,D,V*0A")
    damaged[24] ^= 0x40
    damaged[30] ^= 0x01
    assert texts(bytes(damaged)) == []


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(stream[start : start + size])
        start += size
    return [*pieces, stream[start:]]


garbage = st.lists(
    st.one_of(st.binary(max_size=40), st.sampled_from([b"$", b"*", b"$GPGGA,", b"*0", rmc(at(0)), gga(at(1)), b"\xb5b", b"," * 300])),
    max_size=30,
).map(b"".join)


@settings(deadline=None)
@given(garbage, st.lists(st.integers(0, 50), max_size=20))
def test_any_garbage_in_any_pieces_gives_the_same_sentences_and_holds_little(stream: bytes, sizes: list[int]) -> None:
    framer, found = Framer(), []
    for piece in cut(stream, sizes):
        found += framer.push(piece)
        assert framer.held_bytes < 4_096
    assert found == Framer().push(stream)
    assert framer.read_bytes == len(stream)
