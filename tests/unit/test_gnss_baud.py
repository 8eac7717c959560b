from __future__ import annotations

import pytest

from drivers.gnss.baud import DWELL_S, LOST_BYTES, RATES, BaudHunt


def test_silence_and_noise_lead_to_the_next_rate() -> None:
    hunt = BaudHunt(0.0)
    assert not hunt.look(1.0, 0, 0)
    assert hunt.look(DWELL_S, 0, 0)
    assert hunt.baud == RATES[1]
    assert hunt.look(DWELL_S + 0.1, 5_000, 0)
    assert hunt.baud == RATES[2]


@pytest.mark.parametrize("rate", RATES)
def test_any_rate_is_found_within_ten_seconds(rate: int) -> None:
    hunt, now_s = BaudHunt(0.0), 0.0
    while not hunt.found:
        now_s += 0.05
        hunt.look(now_s, 0, 1 if hunt.baud == rate else 0)
    assert hunt.baud == rate
    assert now_s <= 10.0


def test_a_rate_that_was_right_is_kept_through_a_silent_night() -> None:
    hunt = BaudHunt(0.0)
    hunt.look(0.5, 100, 1)
    assert not hunt.look(50_000.0, 100, 1)
    assert not hunt.look(50_001.0, 100 + LOST_BYTES - 1, 1)
    assert (hunt.found, hunt.baud) == (True, RATES[0])


def test_a_receiver_that_was_reset_is_looked_for_again() -> None:
    hunt = BaudHunt(0.0)
    hunt.look(0.5, 100, 1)
    assert hunt.look(20.0, 100 + LOST_BYTES, 1)
    assert not hunt.found
    assert hunt.baud == RATES[1]
