"""One NMEA field as a value: None where it is empty, FieldError where no receiver says such a thing."""

from __future__ import annotations

import re
from datetime import date

import msgspec

KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6
FASTEST_MPS = 515.0  # receivers stop at 1000 knots (the export limit)
ALTITUDES_M = (-1_000.0, 100_000.0)
DOP_RANGE = (0.01, 89.99)  # 0, 50, 99 and 99.99 are the receivers' words for unknown; 89.99 keeps a bad but real one

_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(\.\d*)?")
_ANGLE = re.compile(r"(\d{1,3})([0-5]\d)(?:\.(\d*))?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)")


class FieldError(ValueError):
    """A field holds what no receiver says: the sentence is damaged although its checksum holds."""


class Position(msgspec.Struct, frozen=True):
    """A point in WGS 84, with the resolution that its sentence wrote it in."""

    lat_deg: float
    lon_deg: float
    resolution_deg: float


def need(fields: list[str], fewest: int, most: int) -> None:
    """Refuse a sentence with too few or too many fields."""
    if not fewest <= len(fields) <= most:
        raise FieldError(f"{len(fields)} fields")


def field_at(fields: list[str], index: int) -> str:
    """Return a field that older receivers leave out; empty then."""
    return fields[index] if index < len(fields) else ""


def is_active(field: str) -> bool:
    """Read a status: A is a fix, V or nothing is none."""
    if field not in {"A", "V", ""}:
        raise FieldError(field)
    return field == "A"


def number(field: str) -> float | None:
    """Read a decimal number; some receivers pad it with spaces."""
    field = field.strip()
    if not field:
        return None
    if not _NUMBER.fullmatch(field):
        raise FieldError(field)
    return float(field)


def whole(field: str, most: int) -> int | None:
    """Read a whole number from 0 to `most`."""
    field = field.strip()
    if not field:
        return None
    if not field.isdigit() or int(field) > most:
        raise FieldError(field)
    return int(field)


def altitude_m(field: str) -> float | None:
    """Read a height in metres."""
    height = number(field)
    if height is not None and not ALTITUDES_M[0] <= height <= ALTITUDES_M[1]:
        raise FieldError(field)
    return height


def dop(field: str) -> float | None:
    """Read a dilution of precision; None where the receiver says that it does not know."""
    value = number(field)
    return value if value is not None and DOP_RANGE[0] <= value <= DOP_RANGE[1] else None


def speed_mps(field: str, unit_mps: float) -> float | None:
    """Read a speed written in a unit of so many m/s."""
    value = number(field)
    if value is None:
        return None
    if not 0 <= value * unit_mps <= FASTEST_MPS:
        raise FieldError(field)
    return value * unit_mps


def course_deg(field: str) -> float | None:
    """Read a course, 0 to 360 exclusive; None where it is out of range."""
    course = number(field)
    return course % 360 if course is not None and 0 <= course <= 360 else None  # noqa: PLR2004


def time_of_day_s(field: str) -> float | None:
    """Read hhmmss.sss as seconds of the UTC day; 86400 and more within a leap second."""
    if not field:
        return None
    match = _TIME.fullmatch(field)
    if not match:
        raise FieldError(field)
    hours, minutes, seconds, fraction = match.groups()
    if seconds == "60" and minutes != "59":
        raise FieldError(field)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(fraction + "0" if fraction else 0)


def short_date(field: str) -> date | None:
    """Read ddmmyy; the year stands as 2000 to 2099, for its century is not said."""
    if not field:
        return None
    match = _DATE.fullmatch(field)
    if not match:
        raise FieldError(field)
    day, month, year = (int(part) for part in match.groups())
    return _real_date(2000 + year, month, day, field)


def long_date(fields: list[str]) -> date | None:
    """Read day, month and four-digit year."""
    if not all(fields):
        return None
    if not all(field.isdigit() for field in fields):
        raise FieldError(fields[2])
    return _real_date(int(fields[2]), int(fields[1]), int(fields[0]), ",".join(fields))


def _real_date(year: int, month: int, day: int, field: str) -> date | None:
    if day == month == 0:
        return None
    try:
        return date(year, month, day)
    except ValueError as error:
        raise FieldError(field) from error


def position(fields: list[str]) -> Position | None:
    """Read latitude, N or S, longitude, E or W."""
    if not any(fields):
        return None
    lat, lat_resolution = _angle(fields[0], fields[1], "NS", 90)
    lon, lon_resolution = _angle(fields[2], fields[3], "EW", 180)
    return Position(lat, lon, max(lat_resolution, lon_resolution))


def _angle(field: str, hemisphere: str, hemispheres: str, most_deg: int) -> tuple[float, float]:
    match = _ANGLE.fullmatch(field)
    if not match or len(hemisphere) != 1 or hemisphere not in hemispheres:
        raise FieldError(field)
    degrees, minutes, fraction = match[1], match[2], match[3] or ""
    angle = int(degrees) + float(f"{minutes}.{fraction}0") / 60
    if angle > most_deg:
        raise FieldError(field)
    return (angle if hemisphere == hemispheres[0] else -angle), 10 ** -len(fraction) / 60
