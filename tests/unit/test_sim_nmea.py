"""The simulated receiver's sentences: framed right, read right by an independent parser, void where there is no sky."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec
import pynmea2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.nmea import burst, sentence
from drivers.sim.van import VanEpoch, VirtualVan

ORDER = ["RMC", "VTG", "GGA", "GSA", "GSA", "GSV", "GSV", "GSV", "GSV", "GSV", "GLL"]
EPOCH = VanEpoch(
    at=datetime(2026, 3, 2, 6, 30, 1, 250_000, tzinfo=UTC),
    lat_deg=51.053,
    lon_deg=3.74,
    speed_mps=13.5,
    course_deg=81.25,
    alt_msl_m=9.4,
    ignition=True,
    in_tunnel=False,
    driven_m=0.0,
)
ANY_EPOCH = st.builds(
    VanEpoch,
    at=st.datetimes(datetime(2000, 1, 1), datetime(2079, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  hypothesis adds the zone
    lat_deg=st.floats(-90, 90),
    lon_deg=st.floats(-180, 180),
    speed_mps=st.floats(0, 90),
    course_deg=st.floats(0, 360, exclude_max=True),
    alt_msl_m=st.floats(-400, 8800),
    ignition=st.booleans(),
    in_tunnel=st.booleans(),
    driven_m=st.just(0.0),
)


def lines(epoch: VanEpoch) -> list[str]:
    return burst(epoch).decode("ascii").splitlines()


def parsed(epoch: VanEpoch) -> list[pynmea2.NMEASentence]:
    return [pynmea2.parse(line, check=True) for line in lines(epoch)]


def test_a_sentence_is_framed_as_the_receivers_manual_shows() -> None:
    assert sentence("GPGSV,1,1,00") == b"$GPGSV,1,1,00*79\r\n"
    assert sentence("GNGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99") == b"$GNGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99*2E\r\n"


@given(epoch=ANY_EPOCH)
def test_every_sentence_has_its_checksum_and_fits_in_a_line(epoch: VanEpoch) -> None:
    for line in burst(epoch).split(b"\r\n")[:-1]:
        framed = re.fullmatch(rb"\$([ -#%-)+-~]+)\*([0-9A-F]{2})", line)
        assert framed is not None
        checksum = 0
        for byte in framed[1]:
            checksum ^= byte
        assert checksum == int(framed[2], 16)
        assert len(line) + 2 <= 82  # NMEA 0183: with the dollar and the line end


@given(epoch=ANY_EPOCH.filter(lambda epoch: not epoch.in_tunnel))
def test_an_independent_parser_reads_the_position_back(epoch: VanEpoch) -> None:
    for message in parsed(epoch):
        if message.sentence_type in {"RMC", "GGA", "GLL"}:
            assert message.latitude == pytest.approx(epoch.lat_deg, abs=1.01e-7)
            assert message.longitude == pytest.approx(epoch.lon_deg, abs=1.01e-7)


def test_an_independent_parser_reads_time_speed_course_and_height_back() -> None:
    rmc, vtg, gga, *_ = parsed(EPOCH)
    assert rmc.datetime == EPOCH.at
    assert float(rmc.spd_over_grnd) * 1852 / 3600 == pytest.approx(13.5, abs=0.001)
    assert float(vtg.spd_over_grnd_kmph) == pytest.approx(13.5 * 3.6, abs=0.001)
    assert float(rmc.true_course) == pytest.approx(81.25)
    assert float(gga.altitude) == pytest.approx(9.4)
    assert int(gga.num_sats) == 12


def test_sentences_come_in_the_receivers_order() -> None:
    assert [message.sentence_type for message in parsed(EPOCH)] == ORDER


def test_minutes_that_round_up_to_sixty_become_a_degree() -> None:
    epoch = msgspec.structs.replace(EPOCH, lat_deg=51.0 - 1e-9, lon_deg=-(4.0 - 1e-9))
    assert ",5100.00000,N,00400.00000,W," in lines(epoch)[0]


def test_a_standing_receiver_gives_no_course() -> None:
    rmc = parsed(msgspec.structs.replace(EPOCH, speed_mps=0.04))[0]
    assert rmc.true_course is None


def test_in_the_tunnel_every_sentence_is_void_and_the_time_goes_on() -> None:
    rmc, vtg, gga, *rest = lines(msgspec.structs.replace(EPOCH, in_tunnel=True))
    assert rmc.startswith("$GNRMC,063001.25,V,,,,,,,020326,,,N*")
    assert vtg.startswith("$GNVTG,,,,,,,,,N*")
    assert gga.startswith("$GNGGA,063001.25,,,,,0,00,99.99,,,,,,*")
    assert [line[3:6] for line in rest] == ["GSA", "GSA", "GSV", "GSV", "GLL"]
    assert all(line.split(",")[2] == "1" for line in rest[:2])


def test_signal_strengths_are_plausible_and_change() -> None:
    strengths = set()
    for epoch in islice(VirtualVan(), 120):
        for line in lines(epoch):
            if line[3:6] == "GSV":
                strengths |= {int(field) for field in line.split("*")[0].split(",")[7::4]}
    assert 20 <= min(strengths) < max(strengths) <= 50


def test_satellites_in_use_are_in_view() -> None:
    messages = parsed(EPOCH)
    in_view = {int(field) for line in lines(EPOCH) if line[3:6] == "GSV" for field in line.split("*")[0].split(",")[4::4]}
    used = {int(field) for message in messages if message.sentence_type == "GSA" for field in message.data[2:14] if field}
    assert used <= in_view
    assert len(used) == 12


def test_a_burst_fits_into_its_second_at_the_factory_speed() -> None:
    bits_per_byte = 10
    assert all(len(burst(epoch)) * bits_per_byte < 9600 for epoch in islice(VirtualVan(), 60))


def test_the_century_is_left_to_the_reader() -> None:
    assert ",020326,,,A" in lines(EPOCH)[0]
    assert ",311299,,,A" in lines(msgspec.structs.replace(EPOCH, at=datetime(2100, 1, 1, tzinfo=UTC) - timedelta(seconds=1)))[0]
