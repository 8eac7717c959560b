"""Waiting longer after each failure."""

from __future__ import annotations

import random

from mqtt.backoff import Backoff


def waits(backoff: Backoff, count: int) -> list[float]:
    return [backoff.next_s() for _ in range(count)]


def test_no_wait_is_longer_than_the_limit_and_the_limit_doubles() -> None:
    for seed in range(200):
        limits = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]
        found = waits(Backoff(first_s=1.0, longest_s=300.0, chance=random.Random(seed)), len(limits))
        assert all(0.1 <= wait_s <= limit_s for wait_s, limit_s in zip(found, limits, strict=True))


def test_a_fleet_that_lost_its_broker_comes_back_spread_out() -> None:
    fifth = sorted(waits(Backoff(first_s=1.0, longest_s=300.0, chance=random.Random(seed)), 5)[-1] for seed in range(1_000))
    assert fifth[100] < 3
    assert fifth[900] > 13


def test_after_a_success_it_begins_again() -> None:
    backoff = Backoff(first_s=1.0, longest_s=300.0, chance=random.Random(1))
    waits(backoff, 20)
    backoff.reset()
    assert backoff.next_s() <= 1.0


def test_two_units_do_not_wait_alike() -> None:
    assert waits(Backoff(first_s=1.0, longest_s=60.0), 5) != waits(Backoff(first_s=1.0, longest_s=60.0), 5)
