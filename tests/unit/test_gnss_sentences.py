from __future__ import annotations

from datetime import date

import pynmea2
import pytest

from drivers.gnss.fields import FieldError
from drivers.gnss.sentences import Gga, Gll, Gns, Gsa, Gsv, Rmc, Txt, Vtg, Zda, parse

RMC = "GNRMC,120213.000,A,5957.0062,N,01100.6429,E,10.0,84.40,310722,,,D,V"
GGA = "GNGGA,120213.000,5957.0062,N,01100.6429,E,2,11,1.3,168.9,M,39.5,M,,"


def rmc(text: str) -> Rmc:
    value = parse(text)
    assert isinstance(value, Rmc)
    return value


def gga(text: str) -> Gga:
    value = parse(text)
    assert isinstance(value, Gga)
    return value


def test_rmc_says_time_place_speed_course_and_date() -> None:
    value = rmc(RMC)
    assert value.tod_s == 12 * 3600 + 2 * 60 + 13
    assert value.position is not None
    assert value.position.lat_deg == pytest.approx(59.95010333, abs=1e-8)
    assert value.position.lon_deg == pytest.approx(11.01071500, abs=1e-8)
    assert value.speed_mps == pytest.approx(5.14444, abs=1e-5)
    assert value.course_deg == 84.4
    assert value.day == date(2022, 7, 31)


# Where pynmea2 is wrong, the raw field is read.


def test_navigation_status_v_does_not_void_a_fix() -> None:
    assert not pynmea2.parse(RMC).is_valid
    assert rmc(RMC).valid


@pytest.mark.parametrize("text", ["GPRMC,,V,,,,,,,,,,N", "GPRMC,120213,V,5957.0062,N,01100.6429,E,0.0,0.0,310722,,,N"])
def test_a_void_rmc_has_no_place_and_no_speed(text: str) -> None:
    value = rmc(text)
    assert (value.valid, value.position, value.speed_mps, value.course_deg) == (False, None, None, None)


def test_a_void_gga_has_no_place_where_pynmea2_says_zero() -> None:
    text = "GPGGA,,,,,,0,00,99.99,,,,,,"
    assert pynmea2.parse(text).latitude == 0.0
    value = gga(text)
    assert (value.tod_s, value.quality, value.position, value.alt_msl_m, value.hdop) == (None, 0, None, None, None)


def test_the_signal_id_of_gsv_is_not_a_satellite() -> None:
    text = "GPGSV,1,1,01,36,19,156,51,7"
    assert pynmea2.parse(text).sv_prn_num_2 == "7"
    value = parse(text)
    assert isinstance(value, Gsv)
    assert [(satellite.number, satellite.cn0_dbhz) for satellite in value.satellites] == [(36, 51)]
    assert value.signal_id == "7"


def test_gsa_says_its_system() -> None:
    value = parse("GNGSA,A,3,04,05,09,11,36,,,,,,,,1.5,1.3,1.0,3")
    assert isinstance(value, Gsa)
    assert (value.mode, value.system_id, value.hdop, value.satellites) == (3, 3, 1.3, (4, 5, 9, 11, 36))


def test_a_gsa_of_24_satellites_finds_its_dilutions_at_the_end() -> None:
    value = parse("GPGSA,A,3,23,13,07,25,,,,,,,,,,,,,,,,,,,,,09.2,07.2,05.7")
    assert isinstance(value, Gsa)
    assert (value.hdop, value.system_id, value.satellites) == (7.2, None, (23, 13, 7, 25))


def test_an_impossible_date_is_an_error_where_pynmea2_returns_text() -> None:
    text = RMC.replace("310722", "310622")
    assert pynmea2.parse(text).datestamp == "310622"
    with pytest.raises(FieldError):
        parse(text)


@pytest.mark.parametrize("quality", [1, 2, 3, 4, 5, 6, 7, 8])
def test_every_gga_quality_but_zero_is_a_fix(quality: int) -> None:
    value = gga(GGA.replace(",E,2,", f",E,{quality},"))
    assert (value.quality, value.position is not None) == (quality, True)


# Ranges: a checksum does not make sense of nonsense.


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("120213.000", "240213.000"),
        ("120213.000", "126013.000"),
        ("120213.000", "120260.000"),
        ("120213.000", "12213.000"),
        ("5957.0062", "9057.0062"),
        ("5957.0062", "5960.0062"),
        ("5957.0062", "59570062"),
        ("01100.6429", "18100.6429"),
        (",N,", ",X,"),
        (",N,", ",,"),
        (",10.0,", ",1010.0,"),
        (",10.0,", ",-1.0,"),
        (",10.0,", ",1O.0,"),
        (",A,", ",B,"),
        ("310722", "31072"),
        (",310722,,,D,V", ""),
    ],
)
def test_a_field_that_cannot_be_condemns_the_rmc(right: str, wrong: str) -> None:
    with pytest.raises(FieldError):
        parse(RMC.replace(right, wrong))


@pytest.mark.parametrize(("right", "wrong"), [(",11,", ",-1,"), ("168.9", "1688888.9"), (",1.3,", ",1.3.1,"), (",2,11", ",A,11")])
def test_a_field_that_cannot_be_condemns_the_gga(right: str, wrong: str) -> None:
    with pytest.raises(FieldError):
        parse(GGA.replace(right, wrong))


@pytest.mark.parametrize(
    ("dop", "read"), [("0.0", None), ("0.01", 0.01), ("50.0", 50.0), ("89.99", 89.99), ("90.0", None), ("99.99", None), ("", None)]
)
def test_dilutions_that_mean_unknown_are_none(dop: str, read: float | None) -> None:
    assert gga(GGA.replace(",1.3,", f",{dop},")).hdop == read


def test_a_leap_second_is_a_time() -> None:
    assert rmc(RMC.replace("120213.000", "235960.500")).tod_s == 86_400.5


def test_south_and_west_are_negative() -> None:
    value = parse("GPGLL,3454.4922,S,01100.0000,W,012238.00,A,D")
    assert isinstance(value, Gll)
    assert value.position is not None
    assert value.position.lat_deg == pytest.approx(-34.90820333)
    assert value.position.lon_deg == -11.0


def test_resolution_is_that_of_the_coarser_coordinate() -> None:
    value = rmc(RMC.replace("01100.6429", "01100.64"))
    assert value.position is not None
    assert value.position.resolution_deg == pytest.approx(0.01 / 60)


@pytest.mark.parametrize(("modes", "valid"), [("AANN", True), ("NNN", False), ("RRNN", True), ("", True)])
def test_gns_is_a_fix_when_one_constellation_has_one(modes: str, valid: bool) -> None:
    value = parse(f"GNGNS,170600.000,4111.5,N,11156.5,W,{modes},21,0.53,01443.9,-016.5,,")
    assert isinstance(value, Gns)
    assert value.valid is valid


def test_zda_says_the_century() -> None:
    value = parse("GPZDA,120213.000,31,07,2022,+00,00")
    assert isinstance(value, Zda)
    assert value.day == date(2022, 7, 31)


@pytest.mark.parametrize("text", ["GPVTG,87.2,T,,M,10.0,N,18.5,K,A", "GPVTG,87.2,T,,M,,N,18.52,K,A"])
def test_vtg_says_speed_in_either_unit(text: str) -> None:
    value = parse(text)
    assert isinstance(value, Vtg)
    assert value.speed_mps == pytest.approx(5.1444, abs=0.001)


def test_a_notice_keeps_its_commas() -> None:
    assert parse("GPTXT,01,01,02,ANTSTATUS=OK, as it seems") == Txt("GPTXT", "ANTSTATUS=OK, as it seems")


@pytest.mark.parametrize("text", ["PGRMC,A,218.8,100", "PUBX,00,1", "GPXTE,A", "X", ""])
def test_other_sentences_are_nobodys_business(text: str) -> None:
    assert parse(text) is None
