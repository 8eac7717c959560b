"""A small invented city as a PMTiles file, for the map's tests: streets named in several scripts, a river, a park, houses.

The layers and keys are those of the Protomaps basemap (version 4 tiles), so the page draws it as it would draw a real extract.
Sources: Mapbox Vector Tile specification 2.1, PMTiles specification 3.
"""

from __future__ import annotations

import gzip
import json
import math
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise

CENTRE_LAT_DEG, CENTRE_LON_DEG = 50.02, 20.03
BLOCK_M = 180  # from one street to the next
STREETS = 21  # in each direction; the city is STREETS * BLOCK_M wide
ZOOMS = range(10, 15)
EXTENT = 4096
MARGIN = 0.25  # of a tile, around it; longer than any side that is not parallel to an axis
NAMES = (
    "Hauptstraße",
    "Łąkowa",
    "شارع النخيل",
    "Gartenweg",
    "Świętej Jadwigi",
    "רחוב הזית",
    "Rue de la Tour",
    "Źródlana",
    "شارع البحر",
    "Bahnhofstraße",
    "Проспект Миру",
)
LINE, POLYGON = 2, 3
Point = tuple[float, float]  # metres east and north of the centre


@dataclass(frozen=True)
class Feature:
    """One thing of the city: its layer, its shape in metres from the centre, its keys, and the zoom from which it is there."""

    layer: str
    kind: int
    points: tuple[Point, ...]
    tags: dict[str, str | int]
    min_zoom: int = 10


@dataclass
class Layer:
    """A layer of one tile while it is encoded; keys and values are written once and referred to by their place."""

    features: list[bytes] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    values: dict[str | int, int] = field(default_factory=dict)


def write_city() -> bytes:
    """The whole archive: about 20 kB, always the same bytes."""
    features = list(_city())
    tiles = {_tile_id(z, x, y): tile for z in ZOOMS for x, y in _columns_and_rows(z) if (tile := _tile(features, z, x, y))}
    return _archive(tiles)


def at(east_m: float, north_m: float) -> tuple[float, float]:
    """Latitude and longitude in degrees of a point of the city."""
    return CENTRE_LAT_DEG + north_m / 111_195, CENTRE_LON_DEG + east_m / (111_195 * math.cos(math.radians(CENTRE_LAT_DEG)))


def _city() -> Iterator[Feature]:
    half_m = STREETS * BLOCK_M / 2
    yield Feature("earth", POLYGON, _box(-half_m * 2, -half_m * 2, half_m * 2, half_m * 2), {"kind": "earth"})
    yield Feature("landuse", POLYGON, _box(BLOCK_M * 3, -BLOCK_M * 4, BLOCK_M * 6, -BLOCK_M), {"kind": "park", "name": "Stadtpark"})
    yield from (Feature("water", POLYGON, reach, {"kind": "river"}) for reach in _river(half_m))
    yield from _streets(half_m)
    yield from _houses()
    yield Feature("places", 1, ((0.0, BLOCK_M * 3.5),), {"kind": "locality", "name": "Zmyślonów", "min_zoom": 8, "population_rank": 9})


def _streets(half_m: float) -> Iterator[Feature]:
    for n in range(STREETS + 1):
        across_m = n * BLOCK_M - half_m
        kind, zoom = ("major_road", 10) if n % 5 == 0 else ("minor_road", 12)
        for name, points in (
            (NAMES[n % len(NAMES)], _way((-half_m, across_m), (half_m, across_m))),
            (NAMES[(n * 3 + 1) % len(NAMES)], _way((across_m, -half_m), (across_m, half_m))),
        ):
            yield Feature("roads", LINE, points, {"kind": kind, "name": name, "min_zoom": zoom}, zoom)
    yield Feature("roads", LINE, _way((-half_m, -half_m), (half_m, half_m * 0.6)), {"kind": "highway", "name": "Ring", "min_zoom": 6})


def _houses() -> Iterator[Feature]:
    for column in range(-STREETS // 2, STREETS // 2):
        for row in range(-STREETS // 2, STREETS // 2):
            west_m, south_m = (column + 0.65) * BLOCK_M, (row + 0.65) * BLOCK_M
            size_m = 50 + 17 * ((column * 7 + row * 3) % 4)
            yield Feature("buildings", POLYGON, _box(west_m, south_m, west_m + size_m, south_m + size_m * 0.7), {"kind": "building"}, 14)


def _river(half_m: float) -> Iterator[tuple[Point, ...]]:
    bank = [(-half_m + step * half_m / 10, -half_m * 0.45 + 160 * math.sin(step / 2.2)) for step in range(21)]
    for (west_m, north_m), (east_m, onward_m) in pairwise(bank):
        yield (west_m, north_m), (east_m, onward_m), (east_m, onward_m - 95), (west_m, north_m - 95)


def _way(start: Point, end: Point) -> tuple[Point, ...]:
    return tuple((start[0] + (end[0] - start[0]) * n / STREETS, start[1] + (end[1] - start[1]) * n / STREETS) for n in range(STREETS + 1))


def _box(west_m: float, south_m: float, east_m: float, north_m: float) -> tuple[Point, ...]:
    return ((west_m, south_m), (west_m, north_m), (east_m, north_m), (east_m, south_m))


def _mercator(point: Point, zoom: int) -> tuple[float, float]:
    """A point in tiles from the north-west corner of the world."""
    lat_deg, lon_deg = at(*point)
    north = math.asinh(math.tan(math.radians(lat_deg)))
    return (lon_deg + 180) / 360 * 2**zoom, (1 - north / math.pi) / 2 * 2**zoom


def _columns_and_rows(zoom: int) -> Iterator[tuple[int, int]]:
    half_m = STREETS * BLOCK_M
    west, north = _mercator((-half_m, half_m), zoom)
    east, south = _mercator((half_m, -half_m), zoom)
    return ((x, y) for x in range(int(west), int(east) + 1) for y in range(int(north), int(south) + 1))


def _tile(features: Iterable[Feature], zoom: int, x: int, y: int) -> bytes:
    """One vector tile. A shape is cut by moving what lies far outside to the margin: all of them are boxes or have short sides."""
    layers: dict[str, Layer] = {}
    for feature in features:
        if zoom < feature.min_zoom:
            continue
        points = [_mercator(point, zoom) for point in feature.points]
        columns, rows = [column - x for column, _ in points], [row - y for _, row in points]
        if max(columns) < 0 or min(columns) > 1 or max(rows) < 0 or min(rows) > 1:
            continue
        drawn = [(_inside(column), _inside(row)) for column, row in zip(columns, rows, strict=True)]
        _add(layers.setdefault(feature.layer, Layer()), feature, [point for point, _ in groupby(drawn)])
    return b"".join(_bytes(3, _encoded(name, layer)) for name, layer in layers.items())


def _inside(place: float) -> int:
    return round(max(-MARGIN, min(1 + MARGIN, place)) * EXTENT)


def _add(layer: Layer, feature: Feature, points: list[tuple[int, int]]) -> None:
    tags = []
    for key, value in feature.tags.items():
        tags += [layer.keys.setdefault(key, len(layer.keys)), layer.values.setdefault(value, len(layer.values))]
    geometry, here = [9], (0, 0)  # 9: move once
    for n, point in enumerate(points):
        if n == 1:
            geometry.append(2 | (len(points) - 1) << 3)  # a line to each further point
        geometry += [_zigzag(point[0] - here[0]), _zigzag(point[1] - here[1])]
        here = point
    if feature.kind == POLYGON:
        geometry.append(15)  # close
    layer.features.append(_bytes(2, _varints(tags)) + _number(3, feature.kind) + _bytes(4, _varints(geometry)))


def _encoded(name: str, layer: Layer) -> bytes:
    values = (_number(4, value) if isinstance(value, int) else _bytes(1, value.encode()) for value in layer.values)
    return b"".join(
        (
            _number(15, 2),  # version of the specification
            _bytes(1, name.encode()),
            *(_bytes(2, feature) for feature in layer.features),
            *(_bytes(3, key.encode()) for key in layer.keys),
            *(_bytes(4, value) for value in values),
            _number(5, EXTENT),
        )
    )


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def _varints(values: Iterable[int]) -> bytes:
    return b"".join(_varint(value) for value in values)


def _number(place: int, value: int) -> bytes:
    return _varint(place << 3) + _varint(value)


def _bytes(place: int, content: bytes) -> bytes:
    return _varint(place << 3 | 2) + _varint(len(content)) + content


def _tile_id(zoom: int, x: int, y: int) -> int:
    """The tile's place on the Hilbert curve, after all tiles of the zooms above."""
    number: int = (4**zoom - 1) // 3
    size = 2 ** (zoom - 1)
    while size:
        right, below = int(bool(x & size)), int(bool(y & size))
        number += size * size * ((3 * right) ^ below)
        if not below:
            if right:
                x, y = 2 * size - 1 - (x & (2 * size - 1)), 2 * size - 1 - (y & (2 * size - 1))
            x, y = y, x
        size //= 2
    return number


def _archive(tiles: dict[int, bytes]) -> bytes:
    packed = {number: gzip.compress(tiles[number], mtime=0) for number in sorted(tiles)}
    numbers, lengths = list(packed), [len(tile) for tile in packed.values()]
    offsets = [1] + [0] * (len(packed) - 1)  # 0: right after the tile before
    steps = [number - before for number, before in zip(numbers, [0, *numbers], strict=False)]
    directory = gzip.compress(_varints([len(packed), *steps, *([1] * len(packed)), *lengths, *offsets]), mtime=0)
    names = ("earth", "landuse", "water", "roads", "buildings", "places")
    about = {"name": "invented city", "attribution": "© OpenStreetMap", "vector_layers": [{"id": name, "fields": {}} for name in names]}
    metadata = gzip.compress(json.dumps(about).encode(), mtime=0)
    data = b"".join(packed.values())
    return _header(len(directory), len(metadata), len(data), len(packed)) + directory + metadata + data


def _header(directory_bytes: int, metadata_bytes: int, data_bytes: int, tiles: int) -> bytes:
    """127 bytes; gzip inside and for the tiles (2), vector tiles (1)."""
    metadata_at = 127 + directory_bytes
    data_at = metadata_at + metadata_bytes
    sections = (127, directory_bytes, metadata_at, metadata_bytes, data_at, 0, data_at, data_bytes, tiles, tiles, tiles)
    half_m = STREETS * BLOCK_M / 2
    south, west = at(-half_m, -half_m)
    north, east = at(half_m, half_m)
    corners = [round(degrees * 1e7) for degrees in (west, south, east, north)]
    middle = [round(degrees * 1e7) for degrees in (CENTRE_LON_DEG, CENTRE_LAT_DEG)]
    kinds = (1, 2, 2, 1, ZOOMS[0], ZOOMS[-1])  # clustered, gzip, gzip, vector tiles, zooms
    return b"PMTiles\x03" + struct.pack("<11Q", *sections) + struct.pack("<6B4iB2i", *kinds, *corners, 13, *middle)
