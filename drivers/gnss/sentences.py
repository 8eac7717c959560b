"""One checked sentence in, one typed value out: empty and void fields are None, an impossible field condemns the sentence.

pynmea2 splits a sentence and names its fields. Their values are read raw here, because pynmea2 is wrong about some:
`RMC.is_valid` denies fixes with navigation status V, `latitude` is 0.0 where there is none, a bad date comes back as
text, `GGA.is_valid` denies qualities 6 to 8, GSA's system id has no name and GSV's signal id reads as a satellite.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache

import msgspec
import pynmea2

from drivers.gnss.fields import (
    KMH_MPS,
    KNOT_MPS,
    FieldError,
    Position,
    altitude_m,
    course_deg,
    dop,
    field_at,
    is_active,
    long_date,
    need,
    position,
    short_date,
    speed_mps,
    time_of_day_s,
    whole,
)


class Rmc(msgspec.Struct, frozen=True):
    """Recommended minimum: position, speed, course, date."""

    address: str
    tod_s: float | None  # UTC time of day; 86400 and more within a leap second
    valid: bool
    position: Position | None
    speed_mps: float | None
    course_deg: float | None
    day: date | None  # the year's century is not said; stands as 2000 to 2099


class Gga(msgspec.Struct, frozen=True):
    """Fix data: quality, satellites, altitude."""

    address: str
    tod_s: float | None
    quality: int | None  # 0 none, 1 GNSS, 2 differential, 4/5 RTK, 6 estimated, 7 manual, 8 simulator
    position: Position | None
    alt_msl_m: float | None
    sats_used: int | None
    hdop: float | None


class Gll(msgspec.Struct, frozen=True):
    """Geographic position."""

    address: str
    tod_s: float | None
    valid: bool
    position: Position | None


class Gns(msgspec.Struct, frozen=True):
    """Fix data of several constellations."""

    address: str
    tod_s: float | None
    valid: bool
    position: Position | None
    alt_msl_m: float | None
    sats_used: int | None
    hdop: float | None


class Zda(msgspec.Struct, frozen=True):
    """Time and date with the whole year."""

    address: str
    tod_s: float | None
    day: date | None


class Vtg(msgspec.Struct, frozen=True):
    """Course and speed over ground."""

    address: str
    speed_mps: float | None
    course_deg: float | None


class Gsa(msgspec.Struct, frozen=True):
    """Fix mode and the satellites in use."""

    address: str
    mode: int  # 1 no fix, 2 two-dimensional, 3 three-dimensional
    satellites: tuple[int, ...]
    hdop: float | None
    system_id: int | None  # NMEA 4.11: 1 GPS, 2 GLONASS, 3 Galileo, 4 BeiDou, 5 QZSS, 6 NavIC


class SatelliteInView(msgspec.Struct, frozen=True):
    """One entry of GSV; C/N0 is None while the satellite is not tracked."""

    number: int
    elevation_deg: int | None
    azimuth_deg: int | None
    cn0_dbhz: int | None


class Gsv(msgspec.Struct, frozen=True):
    """Satellites in view, up to four a sentence."""

    address: str
    total: int
    index: int
    satellites: tuple[SatelliteInView, ...]
    signal_id: str | None


class Txt(msgspec.Struct, frozen=True):
    """A notice of the receiver."""

    address: str
    text: str


Value = Rmc | Gga | Gll | Gns | Zda | Vtg | Gsa | Gsv | Txt
Timed = Rmc | Gga | Gll | Gns | Zda


def parse(text: str) -> Value | None:
    """Return the value of a sentence (`GPRMC,...` without `$` and checksum); None for one that nobody here reads.

    Raises FieldError for an impossible field.
    """
    reader = _READERS.get(text[2:6])
    if reader is None or text[0] == "P":
        return None
    return _repeated(text) if reader in _REPEATED else _read(reader, text)


@lru_cache(maxsize=32)
def _repeated(text: str) -> Value:
    """The satellites in use and in view: a receiver says the same of them for many epochs."""
    return _read(_READERS[text[2:6]], text)


def _read(reader: Callable[[str, list[str]], Value], text: str) -> Value:
    try:
        sentence = pynmea2.parse(text)
    except pynmea2.ParseError as error:
        raise FieldError(text) from error
    return reader(sentence.talker + sentence.sentence_type, sentence.data)


def _rmc(address: str, fields: list[str]) -> Rmc:
    need(fields, 9, 13)
    valid = is_active(fields[1]) and field_at(fields, 11) != "N"
    return Rmc(
        address=address,
        tod_s=time_of_day_s(fields[0]),
        valid=valid,
        position=position(fields[2:6]) if valid else None,
        speed_mps=speed_mps(fields[6], KNOT_MPS) if valid else None,
        course_deg=course_deg(fields[7]) if valid else None,
        day=short_date(fields[8]),
    )


def _gga(address: str, fields: list[str]) -> Gga:
    need(fields, 9, 14)
    quality = whole(fields[5], 9)
    return Gga(
        address=address,
        tod_s=time_of_day_s(fields[0]),
        quality=quality,
        position=position(fields[1:5]) if quality else None,
        alt_msl_m=altitude_m(fields[8]) if quality else None,
        sats_used=whole(fields[6], 99),
        hdop=dop(fields[7]),
    )


def _gll(address: str, fields: list[str]) -> Gll:
    need(fields, 6, 7)
    valid = is_active(fields[5]) and field_at(fields, 6) != "N"
    return Gll(address=address, tod_s=time_of_day_s(fields[4]), valid=valid, position=position(fields[0:4]) if valid else None)


def _gns(address: str, fields: list[str]) -> Gns:
    need(fields, 10, 13)
    if fields[5].strip("ADEFMNPRS"):
        raise FieldError(fields[5])
    valid = not fields[5] or bool(fields[5].strip("N"))  # the further sentences of a constellation each leave it empty
    return Gns(
        address=address,
        tod_s=time_of_day_s(fields[0]),
        valid=valid,
        position=position(fields[1:5]) if valid else None,
        alt_msl_m=altitude_m(fields[8]) if valid else None,
        sats_used=whole(fields[6], 199),
        hdop=dop(fields[7]),
    )


def _zda(address: str, fields: list[str]) -> Zda:
    need(fields, 4, 6)
    return Zda(address=address, tod_s=time_of_day_s(fields[0]), day=long_date(fields[1:4]))


def _vtg(address: str, fields: list[str]) -> Vtg:
    need(fields, 8, 9)
    valid = field_at(fields, 8) != "N"
    speed = speed_mps(fields[4], KNOT_MPS) if fields[4] else speed_mps(fields[6], KMH_MPS)
    return Vtg(address=address, speed_mps=speed if valid else None, course_deg=course_deg(fields[0]) if valid else None)


def _gsa(address: str, fields: list[str]) -> Gsa:
    need(fields, 3, 40)
    mode = whole(fields[1], 3)
    if not mode or fields[0] not in {"A", "M", ""}:
        raise FieldError(fields[1])
    has_system = len(fields) == 18  # noqa: PLR2004  mode, type, 12 satellites, 3 DOP, system
    dops_end = 17 if has_system else len(fields)
    return Gsa(
        address=address,
        mode=mode,
        satellites=tuple(int(number) for number in fields[2 : dops_end - 3] if number.isdigit()),
        hdop=dop(fields[dops_end - 2]),
        system_id=int(fields[17], 16) if has_system and re.fullmatch("[0-9A-F]", fields[17]) else None,
    )


def _gsv(address: str, fields: list[str]) -> Gsv:
    need(fields, 3, 20)
    total, index = whole(fields[0], 9), whole(fields[1], 9)
    if not total or not index or index > total:
        raise FieldError(fields[1])
    entries, rest = fields[3:], len(fields[3:]) % 4
    satellites = [_satellite(*entries[start : start + 4]) for start in range(0, len(entries) - rest, 4)]
    return Gsv(
        address=address,
        total=total,
        index=index,
        satellites=tuple(satellite for satellite in satellites if satellite),
        signal_id=entries[-1] or None if rest else None,
    )


@lru_cache(maxsize=128)
def _satellite(name: str, elevation: str, azimuth: str, cn0: str) -> SatelliteInView | None:
    """The same one is said again every second, and is mostly heard as well as before."""
    number = whole(name, 999)
    if number is None:
        return None
    return SatelliteInView(number, whole(elevation, 90), whole(azimuth, 360), whole(cn0, 99))


def _txt(address: str, fields: list[str]) -> Txt:
    return Txt(address=address, text=",".join(fields[3:]).strip())


_READERS: dict[str, Callable[[str, list[str]], Value]] = {
    "RMC,": _rmc,
    "GGA,": _gga,
    "GLL,": _gll,
    "GNS,": _gns,
    "ZDA,": _zda,
    "VTG,": _vtg,
    "GSA,": _gsa,
    "GSV,": _gsv,
    "TXT,": _txt,
}
_REPEATED = (_gsa, _gsv)
