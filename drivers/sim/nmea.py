"""What a u-blox M8 receiver writes on its serial line for one epoch: NMEA 0183 version 4.0, GPS and GLONASS, factory sentence order.

Source: u-blox 8 / M8 receiver description, NMEA protocol. Positions have five decimals of a minute (2 cm), void sentences
empty fields, and a standing receiver gives no course.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

import msgspec

from drivers.sim.van import VanEpoch

KNOT_MPS = 1852 / 3600
NO_COURSE_BELOW_MPS = 0.3  # the receiver's Doppler noise would turn it round and round
GEOID_ABOVE_ELLIPSOID_M = 44.3  # in Flanders
IN_A_GSV = 4
IN_A_GSA = 12
VOID_DOP = "99.99,99.99,99.99"


class Satellite(msgspec.Struct, frozen=True):
    """One satellite in view; they stand still here, for a round takes minutes and their orbits hours."""

    number: int
    elevation_deg: int
    azimuth_deg: int
    used: bool = True


GPS = (
    Satellite(2, 34, 300),
    Satellite(5, 61, 214),
    Satellite(7, 18, 46),
    Satellite(13, 27, 172, used=False),
    Satellite(16, 44, 101),
    Satellite(21, 71, 77),
    Satellite(26, 12, 130),
    Satellite(29, 39, 262),
    Satellite(31, 8, 20, used=False),
)
GLONASS = (
    Satellite(67, 22, 33),
    Satellite(68, 66, 5),
    Satellite(69, 41, 280, used=False),
    Satellite(77, 15, 88),
    Satellite(78, 52, 140),
    Satellite(79, 37, 210),
)


def burst(epoch: VanEpoch) -> bytes:
    """Every sentence of one epoch, in the receiver's order."""
    sentences = _void(epoch.at) if epoch.in_tunnel else _fixed(epoch)
    return b"".join(sentence(body) for body in sentences)


def sentence(body: str) -> bytes:
    """Frame a sentence: dollar, checksum (the XOR of all characters between), line end."""
    checksum = 0
    for character in body.encode("ascii"):
        checksum ^= character
    return f"${body}*{checksum:02X}\r\n".encode("ascii")


def _fixed(epoch: VanEpoch) -> Iterator[str]:
    time, date = _time(epoch.at), f"{epoch.at:%d%m%y}"
    place = f"{_angle(epoch.lat_deg, 2, 'NS')},{_angle(epoch.lon_deg, 3, 'EW')}"
    course = f"{epoch.course_deg % 360:.2f}" if epoch.speed_mps >= NO_COURSE_BELOW_MPS else ""
    knots, kmh = epoch.speed_mps / KNOT_MPS, epoch.speed_mps * 3.6
    used = sum(satellite.used for satellite in (*GPS, *GLONASS))
    yield f"GNRMC,{time},A,{place},{knots:.3f},{course},{date},,,A"
    yield f"GNVTG,{course},T,,M,{knots:.3f},N,{kmh:.3f},K,A"
    yield f"GNGGA,{time},{place},1,{used:02d},0.86,{epoch.alt_msl_m:.1f},M,{GEOID_ABOVE_ELLIPSOID_M:.1f},M,,"
    for satellites in (GPS, GLONASS):
        numbers = [f"{satellite.number:02d}" for satellite in satellites if satellite.used]
        yield f"GNGSA,A,3,{','.join(numbers + [''] * (IN_A_GSA - len(numbers)))},1.58,0.86,1.32"
    yield from _in_view("GP", GPS, epoch.at)
    yield from _in_view("GL", GLONASS, epoch.at)
    yield f"GNGLL,{place},{time},A,A"


def _void(at: datetime) -> Iterator[str]:
    """No sky: the receiver's own clock keeps the time, everything else is empty."""
    yield f"GNRMC,{_time(at)},V,,,,,,,{at:%d%m%y},,,N"
    yield "GNVTG,,,,,,,,,N"
    yield f"GNGGA,{_time(at)},,,,,0,00,99.99,,,,,,"
    for _ in (GPS, GLONASS):
        yield f"GNGSA,A,1,{',' * (IN_A_GSA - 1)},{VOID_DOP}"
    yield "GPGSV,1,1,00"
    yield "GLGSV,1,1,00"
    yield f"GNGLL,,,,,{_time(at)},V,N"


def _in_view(talker: str, satellites: tuple[Satellite, ...], at: datetime) -> Iterator[str]:
    pages = [satellites[first : first + IN_A_GSV] for first in range(0, len(satellites), IN_A_GSV)]
    for number, page in enumerate(pages, start=1):
        shown = "".join(
            f",{satellite.number:02d},{satellite.elevation_deg:02d},{satellite.azimuth_deg:03d},{_strength_dbhz(satellite, at):02d}"
            for satellite in page
        )
        yield f"{talker}GSV,{len(pages)},{number},{len(satellites):02d}{shown}"


def _strength_dbhz(satellite: Satellite, at: datetime) -> int:
    """C/N0: strong overhead, weak at the horizon, a few dB up and down as houses pass; each satellite at its own pace."""
    passing = 3 * math.sin(at.timestamp() / (5 + satellite.number % 7) + satellite.number)
    return round(24 + 22 * math.sin(math.radians(satellite.elevation_deg)) + passing)


def _time(at: datetime) -> str:
    return f"{at:%H%M%S}.{at.microsecond // 10_000:02d}"


def _angle(angle_deg: float, degree_digits: int, sides: str) -> str:
    """Degrees and minutes with five decimals, rounded once, so that 59.999999 minutes become a degree."""
    degrees, minutes_e5 = divmod(round(abs(angle_deg) * 60e5), 60 * 100_000)
    side = sides[0] if angle_deg >= 0 else sides[1]
    return f"{degrees:0{degree_digits}d}{minutes_e5 / 1e5:08.5f},{side}"
