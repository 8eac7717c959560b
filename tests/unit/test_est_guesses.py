"""Wrong codes: ten a minute from one address, and no address is remembered for ever."""

from __future__ import annotations

from provisioning.est.guesses import ADDRESSES, ALLOWED, Guesses


def guessed(address: str, times: int = ALLOWED, *, since_s: float = 0.0) -> Guesses:
    guesses = Guesses()
    for number in range(times):
        guesses.wrong(address, since_s + number)
    return guesses


def test_ten_wrong_codes_within_a_minute_are_enough() -> None:
    assert not guessed("192.0.2.1", ALLOWED - 1).enough("192.0.2.1", 10.0)
    assert guessed("192.0.2.1").enough("192.0.2.1", 10.0)


def test_a_minute_later_one_may_try_again() -> None:
    assert not guessed("192.0.2.1").enough("192.0.2.1", 60.0)


def test_another_address_is_not_made_to_wait() -> None:
    assert not guessed("192.0.2.1").enough("192.0.2.2", 10.0)


def test_all_addresses_of_one_ipv6_household_count_together() -> None:
    assert guessed("2001:db8::1").enough("2001:db8::ffff", 10.0)
    assert not guessed("2001:db8::1").enough("2001:db8:0:1::1", 10.0)


def test_ipv4_addresses_at_a_socket_for_both_are_no_household() -> None:
    assert not guessed("::ffff:192.0.2.1").enough("::ffff:192.0.2.2", 10.0)
    assert guessed("::ffff:192.0.2.1").enough("::ffff:192.0.2.1", 10.0)


def test_a_crowd_of_strangers_fills_no_memory() -> None:
    guesses = Guesses()
    for number in range(ADDRESSES + 100):
        guesses.wrong(f"10.0.{number // 256}.{number % 256}", 0.0)
    assert len(guesses._wrong) == ADDRESSES
