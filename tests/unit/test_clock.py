"""The time by the best source there is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.clock import AGREEING_FIXES, BUILD_DATE, GNSS_TRUST_S, Clock, boot_id

AT = datetime(2026, 11, 21, 8, 0, 0, 250_000, tzinfo=UTC)
AT_MS = 1_795_248_000_250
START_S = 1_000.0


class Hands:
    """The system's two clocks, in a test's hands; satellites' time is right unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.utc_s = AT.timestamp()
        self.mono_s = START_S
        self.mark = folder / "synchronized"
        self.clock = Clock(utc_s=lambda: self.utc_s, mono_s=lambda: self.mono_s, ntp_mark=self.mark)

    def fix(self, wrong_s: float = 0.0) -> int | None:
        """A fix a second after the last; by how much the clock stepped."""
        self.mono_s += 1.0
        return self.clock.observe(AT + timedelta(seconds=self.mono_s - START_S + wrong_s), self.mono_s)

    def fixes(self, count: int = AGREEING_FIXES, wrong_s: float = 0.0) -> list[int | None]:
        return [self.fix(wrong_s) for _ in range(count)]

    @property
    def error_ms(self) -> int:
        return self.clock.now().at_ms - AT_MS - round((self.mono_s - START_S) * 1_000)

    @property
    def src(self) -> str:
        return self.clock.now().src


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path)


def test_without_a_better_source_the_system_s_clock_counts_as_the_battery_s(hands: Hands) -> None:
    now = hands.clock.now()
    assert (now.at_ms, now.src, now.mono_ms, now.is_good) == (AT_MS, "rtc", 1_000_000, False)


def test_a_clock_set_by_the_network_says_so(hands: Hands) -> None:
    hands.mark.touch()
    assert hands.src == "ntp"
    assert hands.clock.now().is_good


@pytest.mark.parametrize("utc_s", [0.0, -5.0, datetime(1999, 8, 22, tzinfo=UTC).timestamp()])
def test_a_clock_before_the_build_date_is_not_believed(hands: Hands, utc_s: float) -> None:
    hands.utc_s = utc_s
    hands.mark.touch()
    now = hands.clock.now()
    assert now.src == "floor"
    assert datetime.fromtimestamp(now.at_ms / 1000, UTC).date() == BUILD_DATE


def test_three_fixes_that_agree_are_better_than_every_other_clock_and_run_on_in_monotonic_time(hands: Hands) -> None:
    hands.utc_s = 0.0
    assert [(hands.fix(), hands.src) for _ in range(AGREEING_FIXES)] == [(None, "floor"), (None, "floor"), (None, "gnss")]
    hands.mono_s += 10.5
    assert (hands.error_ms, hands.src) == (0, "gnss")


@pytest.mark.parametrize("when", range(AGREEING_FIXES))
def test_a_wild_date_among_the_first_fixes_only_costs_time(hands: Hands, when: int) -> None:
    hands.utc_s = 0.0
    hands.fixes(when)
    hands.fix(86_400.0 * 7_168)
    assert hands.src == "floor"
    hands.fixes()
    assert (hands.error_ms, hands.src) == (0, "gnss")


def test_fixes_before_the_build_date_are_never_believed(hands: Hands) -> None:
    before_s = -86_400.0 * 7_168  # a receiver whose week number rolled over
    assert hands.fixes(50, before_s) == [None] * 50
    assert hands.src == "rtc"
    assert not hands.clock.confirms(AT, hands.mono_s)


def test_a_receiver_that_repeats_one_time_is_not_believed(hands: Hands) -> None:
    for _ in range(50):
        hands.mono_s += 0.1
        hands.clock.observe(AT, hands.mono_s)
    assert hands.src == "rtc"


def test_an_old_fix_is_believed_for_an_hour_and_then_as_far_as_a_battery_clock(hands: Hands) -> None:
    hands.utc_s = 0.0
    hands.fixes()
    hands.mono_s += GNSS_TRUST_S - 1
    assert hands.src == "gnss"
    hands.mono_s += 1
    assert (hands.src, hands.error_ms) == ("rtc", 0)
    hands.utc_s = AT.timestamp() + 5
    hands.mark.touch()
    assert (hands.src, hands.clock.now().at_ms) == ("ntp", AT_MS + 5_000)


@pytest.mark.parametrize(("error_s", "told"), [(0.0, False), (1.9, False), (-1.9, False), (2.1, True), (-2.1, True), (86_400.0, True)])
def test_a_step_of_more_than_two_seconds_is_told_once_three_fixes_say_so(hands: Hands, error_s: float, told: bool) -> None:
    hands.fixes()
    assert hands.fixes(AGREEING_FIXES + 3, error_s) == [None, None, round(error_s * 1_000) if told else None, None, None, None]
    assert hands.error_ms == round(error_s * 1_000)


@pytest.mark.parametrize("wrong_s", [-86_400.0, -3.0, 3.0, 86_400.0, 86_400.0 * 7_168])
def test_one_or_two_wild_dates_do_not_move_a_clock_that_is_right(hands: Hands, wrong_s: float) -> None:
    hands.fixes()
    for count in (1, 2):
        assert hands.fixes(count, wrong_s) == [None] * count
        assert hands.error_ms == 0
        assert not hands.clock.confirms(AT + timedelta(seconds=hands.mono_s - START_S + wrong_s), hands.mono_s)
        hands.fixes(1)
    assert hands.error_ms == 0


def test_wild_dates_between_right_ones_never_add_up(hands: Hands) -> None:
    hands.fixes()
    for _ in range(20):
        hands.fixes(2, 500.0)
        hands.fixes(1)
    assert hands.error_ms == 0


@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, -86_400.0, 50.0, 1e8]), max_size=60))
def test_the_clock_is_only_ever_wrong_after_three_fixes_in_a_row_were_wrong_alike(wrongs: list[float]) -> None:
    hands = Hands(Path("/nonexistent"))
    allowed = {0.0}
    for n, wrong_s in enumerate(wrongs):
        hands.fix(wrong_s)
        if wrongs[max(0, n - 2) : n + 1] == [wrong_s] * 3:
            allowed = {0.0, wrong_s} | allowed
        if hands.src == "gnss":
            assert hands.error_ms / 1_000 in allowed


def test_a_long_tunnel_is_no_step(hands: Hands) -> None:
    hands.fixes()
    hands.mono_s += 9 * 3_600
    assert hands.fix() is None
    assert (hands.src, hands.error_ms) == ("gnss", 0)


def test_a_system_clock_that_jumps_moves_no_duration_and_no_trusted_time(hands: Hands) -> None:
    hands.fixes()
    before = hands.clock.now()
    hands.utc_s += 3_600
    assert hands.clock.now() == before


def test_what_the_system_s_clock_showed_at_a_fix_can_be_asked_later(hands: Hands) -> None:
    hands.fixes(1)
    hands.mono_s += 0.4
    hands.utc_s += 1.4
    assert hands.clock.system_s(hands.mono_s - 0.4) == pytest.approx(AT.timestamp() + 1.0)


def test_a_fix_is_confirmed_once_satellites_are_believed(hands: Hands) -> None:
    for told in (False, False, True, True):
        hands.fix()
        assert hands.clock.confirms(AT + timedelta(seconds=hands.mono_s - START_S), hands.mono_s) is told


def test_the_boot_has_the_contract_s_name() -> None:
    assert re.fullmatch("[0-9a-f]{12}", boot_id())
    assert boot_id() == boot_id()
