"""The track's columns: what goes in comes out, little of it goes over the air, and no payload can do harm."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from statistics import fmean
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gnss.fix import Epoch
from drivers.sim.nmea import NO_COURSE_BELOW_MPS
from drivers.sim.van import VanEpoch, VirtualVan
from firmware.driving.track import to_point
from mqtt import codec
from mqtt.codec import TrackPoint
from mqtt.messages import MessageError, Track, encode

HOUR = 3600  # fixes at 1 Hz
BATCH = 60
LIMIT_BYTES = 10.0  # a fix, of the payload, at 60 a batch: issue 2, section 5
CREEPING_CMS = 100
GIGABYTE = 2**30

optional = st.none() | st.integers(-(10**6), 10**6)
fields = st.tuples(st.integers(1, 50), st.integers(0, 2**43), st.integers(-9 * 10**8, 9 * 10**8), st.integers(-18 * 10**8, 18 * 10**8))


@st.composite
def batches(draw: Callable[[st.SearchStrategy[Any]], Any]) -> list[TrackPoint]:
    points, tseq = [], 0
    for ahead, *position in draw(st.lists(fields, max_size=20)):
        tseq += ahead
        points.append(TrackPoint(tseq, *position, *(draw(optional) for _ in range(5))))
    return points


def track(points: Sequence[TrackPoint], **changes: Any) -> Track:
    first = points[0].tseq if points else 1
    span = points[-1].tseq - first + 1 if points else 1
    made = Track(unit="van-017", boot="6f1c0b5ad2e4", log="0a1b2c3d", tseq=first, span=span, cols=codec.to_columns(points))
    return msgspec.structs.replace(made, **changes)


def point(tseq: int, **values: int | None) -> TrackPoint:
    return msgspec.structs.replace(TrackPoint(tseq, 1_772_433_000_000 + 1000 * tseq, 510_529_917, 37_400_502), **values)


def deflated(columns: Any) -> bytes:
    """A payload with columns that `pack` would not make."""
    message = json.loads(encode(track([point(1), point(2)])))
    return zlib.compress(json.dumps({**message, "cols": columns}).encode())


# --- what goes in comes out


@given(batches())
def test_points_come_back_as_they_were(points: list[TrackPoint]) -> None:
    assert codec.from_columns(codec.unpack(codec.pack(track(points))).cols) == points


@given(batches())
def test_all_columns_of_a_batch_have_the_same_length(points: list[TrackPoint]) -> None:
    assert {len(column) for column in codec.to_columns(points).values()} == {len(points)}


def test_a_column_in_which_no_fix_has_a_value_is_left_out() -> None:
    assert codec.to_columns([point(1), point(2, sats=7)]).keys() == {*codec.REQUIRED, "sats"}


def test_a_value_that_is_absent_is_passed_over() -> None:
    assert codec.to_columns([point(1, alt_m=12), point(2), point(3, alt_m=15)])["alt_m"] == [12, None, 3]


def test_a_steady_drive_leaves_nothing_but_zeros() -> None:
    steady = [TrackPoint(7 + n, 1000 * n, 510_000_000 + 1200 * n, 37_000_000 - 40 * n) for n in range(6)]
    columns = codec.to_columns(steady)
    assert [column[2:] for column in columns.values()] == [[0] * 4] * 4
    assert columns["lon_e7"][:2] == [37_000_000, -40]


def test_a_batch_without_a_fix_accounts_for_its_numbers() -> None:
    empty = track([], tseq=60_001, span=300)
    assert codec.unpack(codec.pack(empty)) == empty
    assert codec.from_columns(empty.cols) == []


def test_a_column_of_a_newer_version_is_passed_over() -> None:
    columns = codec.to_columns([point(1), point(2)])
    assert codec.from_columns({**columns, "tilt_cdeg": [1, 2, 3]}) == [point(1), point(2)]


# --- what is wrong is refused

WRONG_COLUMNS = [
    ({}, "column tseq is missing"),
    ({"tseq": [1], "t_ms": [1], "lat_e7": [1]}, "column lon_e7 is missing"),
    ({"tseq": [1, 1], "t_ms": [1], "lat_e7": [1, 0], "lon_e7": [1, 0]}, "column t_ms has 1 values where tseq has 2"),
    ({"tseq": [1], "t_ms": [1], "lat_e7": [1], "lon_e7": [1], "sats": []}, "column sats has 0 values where tseq has 1"),
    ({"tseq": [1], "t_ms": [None], "lat_e7": [1], "lon_e7": [1]}, "column t_ms has a gap"),
    ({"tseq": [1, 0], "t_ms": [1, 1], "lat_e7": [1, 0], "lon_e7": [1, 0]}, "do not rise"),
    ({"tseq": [1, 1, -2], "t_ms": [1, 1, 0], "lat_e7": [1, 0, 0], "lon_e7": [1, 0, 0]}, "do not rise"),
    ({"tseq": [3], "t_ms": [1], "lat_e7": [1], "lon_e7": [1]}, "outside 1 to 2"),
    ({"tseq": [0], "t_ms": [1], "lat_e7": [1], "lon_e7": [1]}, "outside 1 to 2"),
    ({"tseq": [1.5], "t_ms": [1], "lat_e7": [1], "lon_e7": [1]}, r"\$.cols"),
    ({"tseq": "1", "t_ms": [1], "lat_e7": [1], "lon_e7": [1]}, r"\$.cols"),
    ([1], r"\$.cols"),
]


@pytest.mark.parametrize(("columns", "told"), WRONG_COLUMNS)
def test_columns_that_cannot_be_fixes_are_refused(columns: Any, told: str) -> None:
    with pytest.raises(MessageError, match=told):
        codec.unpack(deflated(columns))


def test_a_payload_cut_short_is_refused_at_every_length() -> None:
    payload = codec.pack(track([point(1), point(2, sats=9)]))
    for length in range(len(payload)):
        with pytest.raises(MessageError):
            codec.unpack(payload[:length])


def test_what_follows_the_deflated_data_is_refused() -> None:
    with pytest.raises(MessageError, match="5 bytes follow"):
        codec.unpack(codec.pack(track([point(1)])) + b"extra")


@pytest.mark.parametrize("payload", [b"", b"{}", b"\x1f\x8b\x08", encode(track([point(1)]))], ids=["nothing", "json", "gzip", "plain"])
def test_what_is_not_deflated_is_refused(payload: bytes) -> None:
    with pytest.raises(MessageError, match=r"not deflated|cut off"):
        codec.unpack(payload)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_breaks_anything(noise: bytes) -> None:
    for payload in (noise, zlib.compress(noise)):
        with pytest.raises(MessageError):
            codec.unpack(payload)


def test_a_bomb_of_a_gigabyte_is_refused_in_a_few_megabytes() -> None:
    bomb = gigabyte_of_spaces()
    tracemalloc.start()
    try:
        with pytest.raises(MessageError, match="larger than"):
            codec.unpack(bomb)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * codec.UNPACKED_LIMIT_BYTES


def gigabyte_of_spaces() -> bytes:
    """A gigabyte, deflated to one megabyte: a block of it once, and then a thousand times."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = deflater.compress(b" " * 2**20) + deflater.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + block * (GIGABYTE // 2**20)


def test_a_number_with_a_million_digits_is_refused() -> None:
    message = encode(track([point(1)])).replace(b'"t_ms":[', b'"t_ms":[' + b"9" * 900_000)
    with pytest.raises(MessageError):
        codec.unpack(zlib.compress(message))


# --- and little goes over the air


def fixes(seed: int) -> list[TrackPoint]:
    """An hour of a van's round, as the recorder writes it: noisy, through streets, a ring road, lights and doors."""
    epochs = (epoch for epoch in islice(VirtualVan(seed), HOUR) if not epoch.in_tunnel)
    return [msgspec.structs.replace(to_point(seen(epoch, number)), tseq=number) for number, epoch in enumerate(epochs, 1)]


def seen(epoch: VanEpoch, number: int) -> Epoch:
    """What a receiver makes of it: satellites come and go, a standing van has no course."""
    return Epoch(
        at=epoch.at,
        mode=3,
        lat_deg=epoch.lat_deg,
        lon_deg=epoch.lon_deg,
        alt_msl_m=epoch.alt_msl_m,
        speed_mps=epoch.speed_mps,
        course_deg=epoch.course_deg if epoch.speed_mps >= NO_COURSE_BELOW_MPS else None,
        hdop=0.9 if number % 23 else 1.1,
        sats_used=10 + (number // 17) % 3,
    )


def bytes_a_fix(seeds: Sequence[int], *, moving: bool, batch: int = BATCH) -> list[float]:
    return [len(codec.pack(track(points))) / len(points) for seed in seeds for points in driven(fixes(seed), moving=moving, batch=batch)]


def driven(points: Sequence[TrackPoint], *, moving: bool, batch: int) -> Iterator[Sequence[TrackPoint]]:
    for start in range(0, len(points) - batch + 1, batch):
        some = points[start : start + batch]
        if not moving or all((one.speed_cms or 0) > CREEPING_CMS for one in some):
            yield some


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_vans_round_costs_ten_bytes_a_fix_at_most(seed: int) -> None:
    assert fmean(bytes_a_fix([seed], moving=False)) <= LIMIT_BYTES


def test_so_does_the_driving_alone() -> None:
    costs = bytes_a_fix([1, 2, 3, 4], moving=True)
    assert len(costs) > 10
    assert fmean(costs) <= LIMIT_BYTES


def test_a_backlog_sent_by_three_hundred_costs_less() -> None:
    assert fmean(bytes_a_fix([1], moving=False, batch=300)) < fmean(bytes_a_fix([1], moving=False))
