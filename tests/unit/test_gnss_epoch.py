from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from drivers.gnss.epoch import Assembler
from drivers.gnss.fix import Epoch
from drivers.gnss.sentences import parse
from tests.nmea import FLOOR, LAT_DEG, at, epochs, fixes, gga, gll, gsa, place, rmc, sentence, void_gga, void_rmc, vtg, zda


def burst(second: float, where: str | None = None) -> list[bytes]:
    return [rmc(at(second), where), gga(at(second), where), gsa()]


def drive(seconds: int, first: int = 0) -> list[bytes]:
    """One burst a second, 10 m further north each."""
    return [part for second in range(first, first + seconds) for part in burst(second, place(LAT_DEG + second * 9e-5))]


# What an epoch says


def test_an_epoch_joins_the_sentences_of_one_time() -> None:
    (epoch,) = epochs(burst(0))
    assert (epoch.at, epoch.mode, epoch.sats_used, epoch.hdop, epoch.alt_msl_m) == (at(0), 3, 8, 1.1, 10.5)
    assert epoch.speed_mps == pytest.approx(5.1444, abs=1e-4)
    assert epoch.lat_deg == pytest.approx(LAT_DEG, abs=1e-6)
    assert epoch.course_deg == 90.0


@pytest.mark.parametrize("alone", [rmc, gga, gll])
def test_any_positioned_sentence_opens_an_epoch(alone: type) -> None:
    found = epochs([rmc(at(0)), alone(at(1)), alone(at(2)), alone(at(3))])
    assert [epoch.at for epoch in found if epoch.has_fix] == [at(0), at(1), at(2), at(3)]


def test_times_two_milliseconds_apart_are_one_epoch() -> None:
    where = place()
    stream = [sentence(f"GPGLL,{where},120000.758,A"), sentence(f"GPGGA,120000.76,{where},1,06,2.1,176.0,M,,,,"), rmc(at(0.76))]
    assert [epoch.at for epoch in fixes(stream)] == [at(0.758)]


def test_a_void_receiver_reports_no_values() -> None:
    (epoch,) = epochs([void_rmc(at(0)), void_gga(at(0)), gsa(1)])
    assert (epoch.mode, epoch.lat_deg, epoch.speed_mps, epoch.alt_msl_m) == (1, None, None, None)


def test_a_receiver_without_a_time_reports_that_it_has_no_fix() -> None:
    found = epochs([sentence("GPRMC,,V,,,,,,,,,,N"), sentence("GPGGA,,,,,,0,00,99.99,,,,,,")] * 3)
    assert [(epoch.at, epoch.mode) for epoch in found] == [(None, 1)] * 3


def test_one_void_sentence_voids_the_epoch() -> None:
    (epoch,) = epochs([rmc(at(0)), void_gga(at(0))])
    assert epoch.mode == 1


def test_void_sentences_without_a_time_do_not_spoil_the_fix_before_them() -> None:
    found = epochs([*drive(3), rmc(at(3)), sentence("GPGGA,,,,,,0,00,99.99,,,,,,")])
    assert [epoch.mode for epoch in found] == [3, 3, 3, 3, 1]


def test_a_fix_does_not_join_void_sentences_without_a_time() -> None:
    found = epochs([sentence("GPGLL,,,,,,V,N"), rmc(at(0)), gga(at(0))])
    assert [epoch.mode for epoch in found] == [1, 3]


def test_two_or_three_dimensions_come_from_gsa() -> None:
    stream = [rmc(at(0)), gga(at(0)), gsa(2), rmc(at(1)), gga(at(1)), gsa(2), rmc(at(2)), gga(at(2)), gsa(3)]
    assert [epoch.mode for epoch in epochs(stream)] == [2, 2, 3]


def test_a_gsa_every_five_seconds_holds_for_those_between() -> None:
    stream = [part for second in range(10) for part in ([rmc(at(second)), gsa(3)] if second % 5 == 0 else [rmc(at(second))])]
    assert [epoch.mode for epoch in epochs(stream)] == [3] * 10


def test_without_gsa_an_altitude_makes_three_dimensions() -> None:
    assert [epoch.mode for epoch in epochs([rmc(at(0)), gga(at(0))])] == [3]
    assert [epoch.mode for epoch in epochs([rmc(at(0)), rmc(at(1))])] == [2, 2]


def test_a_lost_gga_does_not_make_a_fix_two_dimensional() -> None:
    stream = [rmc(at(0)), gga(at(0)), *(rmc(at(second)) for second in range(1, 5))]
    assert [epoch.mode for epoch in epochs(stream)] == [3, 3, 3, 2, 2]


def test_under_three_satellites_is_no_fix_unless_gsa_says_otherwise() -> None:
    assert [epoch.mode for epoch in epochs([gga(at(0), sats="02")])] == [1]
    assert [epoch.mode for epoch in epochs([gga(at(0), sats="02"), gsa(2)])] == [2]


def test_the_same_gga_time_twice_is_a_frozen_receiver() -> None:
    found = epochs([*drive(3), gga(at(2)), gga(at(2))])
    assert [epoch.mode for epoch in found] == [3, 3, 3, 1, 1]


def test_vtg_stands_in_for_the_speed_of_a_lost_rmc() -> None:
    found = fixes([*drive(2), gga(at(2)), vtg(4.0)])
    assert found[-1].speed_mps == pytest.approx(2.058, abs=0.001)


def test_where_no_rmc_comes_the_vtg_is_waited_for() -> None:
    stream = [zda(at(0)), *(part for second in range(6) for part in (gll(at(second)), vtg(10.0 + second)))]
    found = fixes(stream)
    assert [round((epoch.speed_mps or 0) * 3600 / 1852) for epoch in found] == [10, 11, 12, 13, 14, 15]
    assert {epoch.speed_age_s for epoch in found} == {0.0}


def test_a_vtg_before_the_first_timed_sentence_belongs_to_the_coming_epoch() -> None:
    steady = [part for second in range(3) for part in (rmc(at(second), knots="4.0"), vtg(4.0), gga(at(second)))]
    found = fixes([*steady, vtg(8.0), gga(at(3))])
    assert found[-1].speed_mps == pytest.approx(4.116, abs=0.001)


def test_a_lost_rmc_is_bridged_with_the_last_speed_and_says_how_old_it_is() -> None:
    found = fixes([*drive(3), gga(at(3)), gsa(), *drive(2, 4)])
    assert [(epoch.speed_age_s, epoch.speed_mps) for epoch in found[2:5]] == [
        (0.0, found[0].speed_mps),
        (1.0, found[0].speed_mps),
        (0.0, found[0].speed_mps),
    ]


def test_speed_is_not_bridged_for_long() -> None:
    found = fixes([*drive(2), *(part for second in range(2, 6) for part in (gga(at(second)), gsa()))])
    assert [epoch.speed_mps is None for epoch in found] == [False, False, False, False, True, True]


def test_a_speed_that_no_vehicle_reaches_is_believed_only_when_it_stays() -> None:
    stream = [rmc(at(second), knots="200.0" if second in {3, 5, 6} else "10.0") for second in range(8)]
    assert [round(epoch.speed_mps or 0) for epoch in epochs(stream)] == [5, 5, 5, 5, 5, 5, 103, 103]


# When it is published


def published(stream: list[bytes]) -> list[int]:
    return [epoch.offset_bytes for epoch in epochs(stream)]


def ends(stream: list[bytes], every: int) -> list[int]:
    """Offsets after the checksum of each burst's last sentence."""
    return [len(b"".join(stream[: count + every])) - 2 for count in range(0, len(stream), every)]


def test_after_the_first_burst_an_epoch_is_published_inside_its_own() -> None:
    stream = drive(6)
    assert published(stream)[1:] == ends(stream, 3)[1:]


def test_an_epoch_does_not_wait_for_what_comes_now_and_then() -> None:
    stream, complete = b"", []
    for second in range(12):
        stream += b"".join(burst(second))
        complete.append(len(stream) - 2)
        stream += gll(at(second)) + zda(at(second)) if second % 5 == 0 else b""
    assert published([stream])[1:] == complete[1:]


def test_a_lost_last_sentence_delays_its_epoch_only_until_the_next_burst() -> None:
    stream = [*drive(4), *burst(4)[:2], *burst(5)]
    assert published(stream)[4] == len(b"".join(stream[:15])) - 2


def test_sentences_at_two_rates_do_not_delay_the_faster() -> None:
    stream = []
    for tenth in range(0, 60, 2):
        stream += [rmc(at(tenth / 10))] if tenth % 10 == 0 else []
        stream += [gga(at(tenth / 10))]
    assert published(stream)[-6:] == [len(b"".join(stream[:count])) - 2 for count in (30, 32, 33, 34, 35, 36)]


def test_every_epoch_is_published_once() -> None:
    found = epochs(drive(50))
    assert [epoch.at for epoch in found] == [at(second) for second in range(50)]


# Damage that a checksum does not see


def test_a_single_sentence_with_another_time_makes_no_epoch() -> None:
    stream = [*drive(3), rmc(at(4_000)), *drive(3, 3)]
    assert [epoch.at for epoch in epochs(stream)] == [at(second) for second in range(6)]


def test_a_time_that_really_jumped_loses_no_epoch() -> None:
    later = 1_800
    stream = [*drive(3), *burst(later), *burst(later + 1)]
    assert [epoch.at for epoch in fixes(stream)] == [at(0), at(1), at(2), at(later), at(later + 1)]


def test_an_outage_that_our_own_clock_confirms_costs_no_second_sentence() -> None:
    assembler = Assembler(FLOOR)

    def hear(sentence: bytes, mono_s: float) -> list[Epoch]:
        value = parse(sentence[1:-5].decode())
        assert value is not None
        return assembler.add(value, 0, mono_s)

    heard = [*hear(rmc(at(0)), 100.0), *hear(rmc(at(1)), 101.0), *hear(rmc(at(601)), 701.2)]
    assert [epoch.at for epoch in heard] == [at(0), at(1), at(601)]


def test_a_receiver_that_reports_every_ten_seconds_is_believed() -> None:
    stream = [rmc(at(second)) for second in range(0, 100, 10)]
    assert [epoch.at for epoch in epochs(stream)][:9] == [at(second) for second in range(0, 90, 10)]


def test_the_first_epoch_keeps_its_date_when_its_rmc_was_lost() -> None:
    first, second = [epoch for epoch in epochs([gga(at(0)), gsa(), *drive(2, 1)]) if epoch.has_fix][:2]
    assert (first.at, second.at) == (at(0), at(1))
    assert (first.speed_mps, first.speed_age_s) == (second.speed_mps, -1.0)


def test_without_any_date_epochs_come_out_undated() -> None:
    found = epochs([gga(at(second)) for second in range(10)])
    assert [(epoch.at, epoch.mode) for epoch in found] == [(None, 3)] * 10


# Dates


def test_midnight_is_passed_by_receivers_that_send_gga_before_rmc() -> None:
    midnight = datetime(2024, 5, 2, tzinfo=UTC)
    moments = [midnight + timedelta(seconds=second) for second in range(-3, 3)]
    stream = [part for moment in moments for part in (gga(moment), rmc(moment))]
    assert [epoch.at for epoch in epochs(stream)] == moments


def test_midnight_is_passed_without_any_date() -> None:
    midnight = datetime(2025, 1, 1, tzinfo=UTC)
    moments = [midnight + timedelta(seconds=second) for second in range(-3, 3)]
    stream = [rmc(moments[0]), *(gga(moment) for moment in moments)]
    assert [epoch.at for epoch in epochs(stream)] == moments


def test_a_leap_second_is_an_epoch_of_its_own() -> None:
    stream = [
        sentence(f"GPRMC,{time},A,{place()},0.0,,{day},,,A")
        for time, day in (("235959.00", "311224"), ("235960.00", "311224"), ("000000.00", "010125"), ("000001.00", "010125"))
    ]
    new_year = datetime(2025, 1, 1, tzinfo=UTC)
    assert [epoch.at for epoch in epochs(stream)] == [
        new_year - timedelta(seconds=1),
        new_year,
        new_year,
        new_year + timedelta(seconds=1),
    ]


def test_a_receiver_1024_weeks_behind_is_put_right() -> None:
    behind = [at(second) - timedelta(weeks=1024) for second in range(3)]
    assert [epoch.at for epoch in epochs([rmc(moment) for moment in behind])] == [at(second) for second in range(3)]


def test_the_floor_is_the_earliest_day_that_is_believed() -> None:
    day = datetime(FLOOR.year, FLOOR.month, FLOOR.day, 12, tzinfo=UTC)
    assert [epoch.at for epoch in epochs([rmc(day)])] == [day]
    before = day - timedelta(days=1)
    assert [epoch.at for epoch in epochs([rmc(before)])] == [before + timedelta(weeks=1024)]


def test_a_date_stated_without_a_fix_does_not_outlive_it() -> None:
    guess = datetime(2024, 1, 5, 12, 0, 0, tzinfo=UTC)
    found = epochs([void_rmc(guess), rmc(at(1)), rmc(at(2))])
    assert [epoch.at for epoch in found] == [guess, at(1), at(2)]
