from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.gnss.decode import decode
from tests.nmea import FLOOR, at, gga, gll, gsa, place, rmc, sentence, void_gga, void_rmc, vtg, zda

SENTENCES = [maker(at(second)) for maker in (rmc, gga, gll, zda, void_rmc, void_gga) for second in (0, 1, 2, 900, 40_000)]
ODD = [
    gsa(1),
    gsa(2),
    gsa(3),
    vtg(4.0),
    sentence("GPRMC,,V,,,,,,,,,,N"),
    sentence("GPGGA,,,,,,,,,,,,,,"),
    sentence(f"GPGGA,235960.00,{place(89.9, 179.9)},1,04,1.0,1.0,M,,,,"),
    sentence("GPZDA,235959.00,31,12,9999,00,00"),
    sentence("GPGSV,1,1,01,,,,,"),
    sentence("GPGSA,A,3"),
    sentence("GPRMC," + "," * 60),
    b"$$\xb5b\x00*00",
]
streams = st.lists(st.one_of(st.sampled_from(SENTENCES + ODD), st.binary(max_size=30)), max_size=60).map(b"".join)


@settings(deadline=None, max_examples=200)
@given(streams, st.integers(1, 70))
def test_any_stream_in_any_chunks_gives_the_same_epochs_and_no_error(stream: bytes, chunk: int) -> None:
    whole = list(decode([stream], FLOOR))
    pieces = [stream[start : start + chunk] for start in range(0, len(stream), chunk)]
    assert list(decode(pieces, FLOOR)) == whole
    offsets = [epoch.offset_bytes for epoch in whole]
    assert offsets == sorted(offsets)
    assert all(epoch.at is None or epoch.at.date() >= FLOOR for epoch in whole)
    assert all(epoch.lat_deg is None or epoch.mode >= 2 for epoch in whole)


def drive(seconds: int) -> bytes:
    places = [place(51.05 + second * 9e-5) for second in range(seconds)]
    return b"".join(part for second in range(seconds) for part in (rmc(at(second), places[second]), gga(at(second), places[second]), gsa()))


def flipped(stream: bytes, share: float, random: Random) -> bytes:
    return bytes(byte ^ (1 << random.randrange(8)) if random.random() < share else byte for byte in stream)


def dropped(stream: bytes, share: float, random: Random) -> bytes:
    return bytes(byte for byte in stream if random.random() >= share)


@pytest.mark.parametrize("damage", [flipped, dropped])
@pytest.mark.parametrize("share", [1e-3, 1e-2])
def test_damage_moves_no_position_and_no_date(damage: Callable[[bytes, float, Random], bytes], share: float) -> None:
    clean = drive(600)
    sent = {(epoch.at, epoch.lat_deg, epoch.lon_deg) for epoch in decode([clean], FLOOR)}
    found = [epoch for epoch in decode([damage(clean, share, Random(share))], FLOOR) if epoch.has_fix]
    assert {(epoch.at, epoch.lat_deg, epoch.lon_deg) for epoch in found} <= sent
    assert len(found) > (590 if share == 1e-3 else 400)
