"""The track in other programs' formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from fleet import track
from mqtt.codec import TrackPoint

START_MS = 1_777_881_600_000  # 2026-05-04T08:00:00Z
GPX = "{http://www.topografix.com/GPX/1/1}"


def drive(count: int, *, start_ms: int = START_MS, lat_e7: int = 520_000_000, first: int = 1, alt_m: int | None = 34) -> list[TrackPoint]:
    """Northwards, 11 m a second."""
    return [
        TrackPoint(first + n, start_ms + 1000 * n, lat_e7 + 1000 * n, 134_000_000, alt_m, 1111, 0, 9, 12) for n in range(count)
    ]  # fmt: skip


def written(name: str, points: Iterable[TrackPoint]) -> str:
    return "".join(track.FORMATS[name]("van-12", points))


def features(points: Iterable[TrackPoint]) -> list[dict[str, Any]]:
    told = json.loads(written("geojson", points))
    assert told["type"] == "FeatureCollection"
    found: list[dict[str, Any]] = told["features"]
    return found


def test_a_drive_is_one_line_with_the_time_of_each_position() -> None:
    (feature,) = features(drive(60))
    assert feature["geometry"]["type"] == "LineString"
    assert feature["geometry"]["coordinates"][0] == [13.4, 52.0, 34]
    told = feature["properties"]
    assert (told["unit"], told["from"], told["to"]) == ("van-12", "2026-05-04T08:00:00.000Z", "2026-05-04T08:00:59.000Z")
    assert len(told["times"]) == len(told["speeds_mps"]) == len(feature["geometry"]["coordinates"]) == 60
    assert told["speeds_mps"][0] == 11.11


@pytest.mark.parametrize(
    ("later_ms", "further_e7", "lines"),
    [(360_000, 0, 1), (360_001, 0, 2), (1_000, 179_000, 1), (1_000, 181_000, 2)],  # 6 min; 2 km are 0.018 degrees
)
def test_a_line_is_not_drawn_over_a_long_pause_or_a_jump(later_ms: int, further_e7: int, lines: int) -> None:
    before = drive(10)
    after = drive(10, start_ms=before[-1].t_ms + later_ms, lat_e7=before[-1].lat_e7 + further_e7, first=11)
    assert len(features(before + after)) == lines


def test_a_line_is_cut_at_the_date_line() -> None:
    points = [
        TrackPoint(n, START_MS + n, 0, lon) for n, lon in ((1, 1_799_999_000), (2, 1_799_999_900), (3, -1_799_999_900), (4, -1_799_999_000))
    ]
    assert [len(feature["geometry"]["coordinates"]) for feature in features(points)] == [2, 2]


def test_a_single_fix_is_a_point() -> None:
    (feature,) = features(drive(1))
    assert feature["geometry"] == {"type": "Point", "coordinates": [13.4, 52.0, 34]}


def test_positions_of_a_line_have_the_same_length_when_a_height_is_missing() -> None:
    points = drive(3) + drive(3, start_ms=START_MS + 3000, lat_e7=520_003_000, first=4, alt_m=None)
    (feature,) = features(points)
    assert {len(position) for position in feature["geometry"]["coordinates"]} == {2}


def test_a_known_distance_is_right() -> None:
    berlin, munich = TrackPoint(1, 0, 525_200_000, 134_050_000), TrackPoint(2, 0, 481_370_000, 115_750_000)
    assert track.distance_m(berlin, munich) == pytest.approx(504_400, rel=0.002)


def test_gpx_has_a_segment_for_each_part_and_its_elements_in_the_order_of_the_standard() -> None:
    points = drive(3) + drive(2, start_ms=START_MS + 400_000, first=4, alt_m=None)
    root = ET.fromstring(written("gpx", points))  # noqa: S314  our own text
    assert (root.tag, root.get("version")) == (f"{GPX}gpx", "1.1")
    segments = root.findall(f"{GPX}trk/{GPX}trkseg")
    assert [len(segment) for segment in segments] == [3, 2]
    first = segments[0][0]
    assert (first.get("lat"), first.get("lon")) == ("52.0000000", "13.4000000")
    assert [child.tag.removeprefix(GPX) for child in first] == ["ele", "time", "sat", "hdop", "extensions"]
    assert first.findtext(f"{GPX}time") == "2026-05-04T08:00:00.000Z"
    assert [child.tag.removeprefix(GPX) for child in segments[1][0]] == ["time", "sat", "hdop", "extensions"]


def test_csv_has_a_heading_and_empty_cells_for_what_is_not_known() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", [*drive(1), TrackPoint(2, START_MS + 1000, -5, 7)]))))
    assert rows[0]["t"] == "2026-05-04T08:00:00.000Z"
    assert (rows[0]["speed_mps"], rows[0]["hdop"], rows[0]["satellites"]) == ("11.11", "1.2", "9")
    assert (rows[1]["latitude"], rows[1]["longitude"], rows[1]["speed_mps"]) == ("-0.0000005", "0.0000007", "")


def test_json_lines_are_a_fix_each() -> None:
    lines = [json.loads(line) for line in written("jsonl", drive(3)).splitlines()]
    assert [line["tseq"] for line in lines] == [1, 2, 3]
    assert (lines[0]["unit"], lines[0]["latitude"], lines[0]["course_deg"]) == ("van-12", 52.0, 0.0)


@pytest.mark.parametrize("name", sorted(track.FORMATS))
def test_no_fixes_at_all_are_still_a_readable_file(name: str) -> None:
    text = written(name, [])
    if name == "geojson":
        assert json.loads(text)["features"] == []
    elif name == "gpx":
        assert ET.fromstring(text).find(f"{GPX}trk") is not None  # noqa: S314  our own text
    else:
        assert text == ""
