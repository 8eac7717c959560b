"""A unit's track in the formats that other programs read. Pure; streams, so that a month needs no memory."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.sax.saxutils import escape

from mqtt.codec import TrackPoint
from mqtt.messages import utc_text

SPLIT_MS = 6 * 60_000  # longer than between two heart-beats of a parked vehicle: a gap, and no line is drawn over it
SPLIT_M = 2_000.0  # nor over a jump
EARTH_M = 6_371_009.0
HALF_TURN_E7 = 1_800_000_000

Json = dict[str, Any]


def parts(points: Iterable[TrackPoint]) -> Iterator[list[TrackPoint]]:
    """Runs of fixes that belong together: split where more than 6 minutes or 2 km lie between, or at the date line."""
    part: list[TrackPoint] = []
    for point in points:
        if part and _apart(part[-1], point):
            yield part
            part = []
        part.append(point)
    if part:
        yield part


def _apart(one: TrackPoint, other: TrackPoint) -> bool:
    over_date_line = abs(other.lon_e7 - one.lon_e7) > HALF_TURN_E7  # RFC 7946, 3.1.9: cut there
    return over_date_line or other.t_ms - one.t_ms > SPLIT_MS or distance_m(one, other) > SPLIT_M


def distance_m(one: TrackPoint, other: TrackPoint) -> float:
    """Great-circle distance, haversine formula."""
    lat1, lat2 = math.radians(one.lat_e7 / 1e7), math.radians(other.lat_e7 / 1e7)
    dlon = math.radians((other.lon_e7 - one.lon_e7) / 1e7)
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(dlon / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(h))


def values(point: TrackPoint) -> Json:
    """A fix under the contract's names for people: degrees, metres, seconds."""
    return {
        "t": utc_text(point.t_ms),
        "latitude": _scaled(point.lat_e7, 7),
        "longitude": _scaled(point.lon_e7, 7),
        "altitude_m": point.alt_m,
        "speed_mps": _scaled(point.speed_cms, 2),
        "course_deg": _scaled(point.course_cdeg, 2),
        "satellites": point.sats,
        "hdop": _scaled(point.hdop_e1, 1),
        "tseq": point.tseq,
    }


def _scaled(value: int | None, digits: int) -> float | None:
    return None if value is None else round(value / 10**digits, digits)


def geojson(unit: str, points: Iterable[TrackPoint]) -> Iterator[str]:
    """GeoJSON (RFC 7946): one LineString for each part, with the time and speed of each of its positions."""
    yield '{"type": "FeatureCollection", "features": ['
    before = "\n"
    for part in parts(points):
        yield before + json.dumps(_feature(unit, part))
        before = ",\n"
    yield "\n]}\n"


def _feature(unit: str, part: list[TrackPoint]) -> Json:
    level = all(point.alt_m is not None for point in part)  # positions of one line have the same length
    positions = [[point.lon_e7 / 1e7, point.lat_e7 / 1e7, *([point.alt_m] if level else [])] for point in part]
    line = len(part) > 1  # a LineString has two positions at least
    return {
        "type": "Feature",
        "geometry": {"type": "LineString" if line else "Point", "coordinates": positions if line else positions[0]},
        "properties": {
            "unit": unit,
            "from": utc_text(part[0].t_ms),
            "to": utc_text(part[-1].t_ms),
            "times": [utc_text(point.t_ms) for point in part],
            "speeds_mps": [_scaled(point.speed_cms, 2) for point in part],
        },
    }


def gpx(unit: str, points: Iterable[TrackPoint]) -> Iterator[str]:
    """GPX 1.1: one track, one segment for each part; speed as Garmin's TrackPointExtension 2."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="roadproof" xmlns="http://www.topografix.com/GPX/1/1"'
    yield ' xmlns:tpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">\n'
    yield f"<trk><name>{escape(unit)}</name>\n"
    for part in parts(points):
        yield "<trkseg>\n"
        yield from map(_trackpoint, part)
        yield "</trkseg>\n"
    yield "</trk>\n</gpx>\n"


def _trackpoint(point: TrackPoint) -> str:
    told = [f"<ele>{point.alt_m}</ele>"] if point.alt_m is not None else []
    told.append(f"<time>{utc_text(point.t_ms)}</time>")
    if point.sats is not None:
        told.append(f"<sat>{point.sats}</sat>")
    if point.hdop_e1 is not None:
        told.append(f"<hdop>{point.hdop_e1 / 10:.1f}</hdop>")
    if point.speed_cms is not None:
        speed = f"<tpx:speed>{point.speed_cms / 100:.2f}</tpx:speed>"
        told.append(f"<extensions><tpx:TrackPointExtension>{speed}</tpx:TrackPointExtension></extensions>")
    return f'<trkpt lat="{_degrees(point.lat_e7)}" lon="{_degrees(point.lon_e7)}">{"".join(told)}</trkpt>\n'


def table(unit: str, points: Iterable[TrackPoint]) -> Iterator[str]:
    """CSV (RFC 4180): a heading, then a fix a row."""
    for number, point in enumerate(points):
        degrees = {"latitude": _degrees(point.lat_e7), "longitude": _degrees(point.lon_e7)}  # never as 5e-07: spreadsheets misread it
        row = {"unit": unit, **values(point), **degrees}
        if not number:
            yield _csv_line(row.keys())
        yield _csv_line(row.values())


def _degrees(value_e7: int) -> str:
    return f"{value_e7 / 1e7:.7f}"


def _csv_line(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def jsonl(unit: str, points: Iterable[TrackPoint]) -> Iterator[str]:
    """JSON lines: a fix a line."""
    return (json.dumps({"unit": unit, **values(point)}) + "\n" for point in points)


FORMATS: dict[str, Callable[[str, Iterable[TrackPoint]], Iterator[str]]] = {"geojson": geojson, "gpx": gpx, "csv": table, "jsonl": jsonl}
