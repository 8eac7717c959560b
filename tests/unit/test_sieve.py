"""What goes out of each batch: enough to tell the rest, and not a number unaccounted for."""

from __future__ import annotations

from itertools import islice

from drivers.sim.van import VirtualVan
from firmware.uplink.sieve import Sieve
from mqtt import codec
from mqtt.codec import TrackPoint


def driven(count: int, *, seed: int = 1) -> list[TrackPoint]:
    return [
        TrackPoint(
            tseq=number,
            t_ms=round(epoch.at.timestamp() * 1000),
            lat_e7=round(epoch.lat_deg * 1e7),
            lon_e7=round(epoch.lon_deg * 1e7),
            speed_cms=round(epoch.speed_mps * 100),
        )
        for number, epoch in enumerate(islice(VirtualVan(seed), count), start=1)
    ]


def parked(count: int, first: int = 1) -> list[TrackPoint]:
    return [
        TrackPoint(number, number * 1_000, 510_000_000 + number % 7 * 50, 37_000_000, speed_cms=number % 20)
        for number in range(first, first + count)
    ]


def sifted(sieve: Sieve, points: list[TrackPoint]) -> list[TrackPoint]:
    rows = [codec.to_columns(points[at : at + 10]) for at in range(0, len(points), 10)]
    return codec.from_columns(sieve.sift(rows))


def test_a_bound_of_zero_sends_every_fix_as_it_is() -> None:
    points = driven(60)
    assert sifted(Sieve(0.0), points) == points


def test_what_goes_out_are_fixes_under_their_own_numbers() -> None:
    points = driven(600)
    sieve = Sieve(5.0)
    kept = [point for at in range(0, 600, 60) for point in sifted(sieve, points[at : at + 60])]
    assert 20 < len(kept) < 200
    assert set(kept) <= set(points)
    assert [point.tseq for point in kept] == sorted({point.tseq for point in kept})


def test_every_batch_of_a_drive_ends_with_its_newest_fix() -> None:
    points = driven(60)
    assert sifted(Sieve(5.0), points)[-1].tseq == points[-1].tseq


def test_a_parked_hour_is_a_heart_beat_every_five_minutes_in_one_place() -> None:
    sieve = Sieve(5.0)
    kept = [point for at in range(1, 3_601, 300) for point in sifted(sieve, parked(300, at))][5:]
    assert 8 <= len(kept) <= 12
    assert len({(point.lat_e7, point.lon_e7) for point in kept}) == 1


def test_a_heart_beat_carries_the_number_of_its_own_fix() -> None:
    sieve = Sieve(5.0)
    for at in range(1, 3_601, 300):
        kept = sifted(sieve, parked(300, at))
        assert all(at <= point.tseq < at + 300 for point in kept)


def test_a_batch_sent_again_is_the_same_as_one_sent_first() -> None:
    points = driven(120)
    again = Sieve(5.0)
    sifted(again, points)
    assert sifted(again, points[:60]) == sifted(Sieve(5.0), points[:60])


def test_rows_without_a_fix_are_a_message_without_one() -> None:
    assert sifted(Sieve(5.0), []) == []
