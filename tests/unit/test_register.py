"""The register: a code belongs to the first key that it saw, a name is given once, and what is revoked stays so."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioning.authority import CodeError, FleetError, certificates, codes
from provisioning.authority.certificates import Pair, new_key, pem
from provisioning.authority.register import Register
from provisioning.est import wire

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
UNIT, KEY, OTHER_KEY = "van-017", "a" * 64, "b" * 64


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    one = Register(tmp_path / "register.db")
    yield one
    one.close()


@pytest.fixture(scope="module")
def issuer() -> Pair:
    return certificates.self_signed("Test", path_length=0, now=NOW)


def why(
    register: Register, code: str, key: str = KEY, *, unit: str = UNIT, at: datetime = NOW, purpose: wire.Purpose = "tls"
) -> str | None:
    """Why a code is not taken; None when it is."""
    try:
        register.claim(unit, code, purpose, key, at)
    except CodeError as error:
        return error.why
    return None


def enrol(register: Register, issuer: Pair, unit: str, at: datetime = NOW) -> dict[wire.Purpose, str]:
    """Both certificates of a unit; their keys."""
    code, made = register.new_code(unit, unit, at), dict[wire.Purpose, str]()
    for purpose in ("tls", "evidence"):
        key = new_key().public_key()
        made[purpose] = wire.key_sha256(key)
        register.claim(unit, code, purpose, made[purpose], at)
        register.record(pem(certificates.unit_tls(issuer, unit, key, now=at, crl_urls=())), unit, purpose, at)
    return made


def test_a_code_is_eighty_bits_in_sixteen_signs_and_never_the_same(register: Register) -> None:
    made = {register.new_code(UNIT, UNIT, NOW) for _ in range(5)}
    assert len(made) == 5
    assert all(len(code) == 16 and code.isascii() and code.isalnum() for code in made)


def test_a_code_is_typed_with_hyphens_and_small_letters(register: Register) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    assert why(register, codes.grouped(code).lower()) is None


def test_the_register_holds_no_code(register: Register, tmp_path: Path) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    register.close()
    assert code.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_code_belongs_to_the_first_key_it_saw(register: Register) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    assert [why(register, code, key) for key in (KEY, OTHER_KEY, KEY)] == [None, "used", None]


def test_each_purpose_has_a_key_of_its_own(register: Register) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    assert why(register, code, KEY, purpose="tls") is None
    assert why(register, code, OTHER_KEY, purpose="evidence") is None


@pytest.mark.parametrize(("later", "answer"), [(14 * MINUTE, None), (15 * MINUTE, "expired"), (-HOUR, None)])
def test_a_code_is_taken_for_a_quarter_of_an_hour(later: timedelta, answer: str | None, register: Register) -> None:
    assert why(register, register.new_code(UNIT, UNIT, NOW), at=NOW + later) == answer


def test_a_code_that_ran_out_once_stays_so_when_the_clock_goes_back(register: Register) -> None:
    asked, by_night = register.new_code(UNIT, UNIT, NOW), register.new_code("van-018", "van-018", NOW)
    assert why(register, asked, at=NOW + HOUR) == "expired"
    assert why(register, asked, at=NOW) == "expired"
    register.next_list_number(NOW + HOUR)  # the day's work, without anybody who asked
    with pytest.raises(CodeError, match="run out"):
        register.claim("van-018", by_night, "tls", "00", NOW)


@pytest.mark.parametrize(("later", "answer"), [(23 * HOUR, None), (24 * HOUR, "expired")])
def test_the_same_key_may_come_again_for_a_day(later: timedelta, answer: str | None, register: Register) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    assert why(register, code) is None
    assert why(register, code, at=NOW + later) == answer
    assert register.claimed(UNIT, code, NOW + later) == (answer is None)


def test_a_code_is_for_one_unit(register: Register) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    register.new_code("van-018", "van-018", NOW)
    assert why(register, code, unit="van-018") == "other_unit"
    assert not register.claimed("van-018", code, NOW)


def test_a_refusal_never_says_the_code(register: Register) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    with pytest.raises(CodeError) as refused:
        register.claim(UNIT, code, "tls", KEY, NOW + HOUR)
    assert code not in str(refused.value)


def test_a_guess_is_unknown(register: Register) -> None:
    register.new_code(UNIT, UNIT, NOW)
    assert why(register, codes.new_code()) == "unknown"


def test_a_newer_code_voids_the_older(register: Register) -> None:
    old, new = register.new_code(UNIT, UNIT, NOW), register.new_code(UNIT, UNIT, NOW)
    assert [why(register, code) for code in (old, new)] == ["expired", None]


def test_a_revoked_units_code_is_refused(register: Register) -> None:
    code = register.new_code(UNIT, UNIT, NOW)
    register.revoke(UNIT, "stolen", NOW)
    assert why(register, code) == "revoked"


def test_of_sixteen_keys_that_come_at_once_one_is_first(register: Register, tmp_path: Path) -> None:
    code, others, answers = register.new_code(UNIT, UNIT, NOW), [Register(tmp_path / "register.db") for _ in range(4)], []
    gate = threading.Barrier(16)

    def race(number: int) -> None:
        gate.wait(10)
        answers.append(why(others[number % 4], code, f"{number:064x}"))

    racers = [threading.Thread(target=race, args=(number,)) for number in range(16)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)
    for other in others:
        other.close()
    assert sorted(answers, key=str) == [None, *["used"] * 15]


def test_a_unit_is_enrolled_when_it_has_both_certificates(register: Register, issuer: Pair) -> None:
    code, key = register.new_code(UNIT, UNIT, NOW), new_key().public_key()
    register.claim(UNIT, code, "tls", wire.key_sha256(key), NOW)
    register.record(pem(certificates.unit_tls(issuer, UNIT, key, now=NOW, crl_urls=())), UNIT, "tls", NOW)
    entry = register.unit(UNIT)
    assert entry is not None
    assert entry.state == "expected"
    enrol(register, issuer, UNIT)
    entry = register.unit(UNIT)
    assert entry is not None
    assert (entry.state, entry.vehicle) == ("enrolled", UNIT)
    assert entry.tls_until_s == int((NOW - certificates.EARLIER + certificates.TLS_FOR).timestamp())


def test_whoever_asks_twice_with_one_key_gets_one_certificate(register: Register, issuer: Pair) -> None:
    keys = enrol(register, issuer, UNIT)
    held = register.certificate_for(UNIT, "tls", keys["tls"])
    assert held is not None
    assert held == next(entry.pem for entry in register.certificates(UNIT) if entry.purpose == "tls")
    assert register.certificate_for(UNIT, "tls", keys["evidence"]) is None
    assert register.certificate_for("van-018", "tls", keys["tls"]) is None


def test_a_new_code_takes_back_what_a_half_finished_enrolment_was_given(register: Register, issuer: Pair) -> None:
    code, key = register.new_code(UNIT, UNIT, NOW), new_key().public_key()
    register.claim(UNIT, code, "tls", wire.key_sha256(key), NOW)
    register.record(pem(certificates.unit_tls(issuer, UNIT, key, now=NOW, crl_urls=())), UNIT, "tls", NOW)
    register.new_code(UNIT, UNIT, NOW + MINUTE)
    assert register.certificate_for(UNIT, "tls", wire.key_sha256(key)) is None
    assert [entry.holder for entry in register.revoked(NOW + MINUTE)] == [UNIT]


def test_an_enrolled_units_name_gets_no_second_code(register: Register, issuer: Pair) -> None:
    enrol(register, issuer, UNIT)
    with pytest.raises(FleetError, match="fleet replace van-017"):
        register.new_code(UNIT, UNIT, NOW)


def test_a_revoked_unit_stays_revoked_with_its_first_reason(register: Register, issuer: Pair) -> None:
    keys = enrol(register, issuer, UNIT)
    register.revoke(UNIT, "stolen", NOW)
    register.revoke(UNIT, "found again", NOW + HOUR)
    entry = register.unit(UNIT)
    assert entry is not None
    assert (entry.state, entry.reason, entry.revoked_s) == ("revoked", "stolen", int(NOW.timestamp()))
    assert register.is_revoked(UNIT)
    assert register.certificate_for(UNIT, "tls", keys["tls"]) is None
    with pytest.raises(FleetError, match="given once"):
        register.new_code(UNIT, UNIT, NOW)


def test_a_certificate_made_while_its_unit_is_revoked_is_not_handed_out(register: Register, issuer: Pair) -> None:
    register.new_code(UNIT, UNIT, NOW)
    chain = pem(certificates.unit_tls(issuer, UNIT, new_key().public_key(), now=NOW, crl_urls=()))
    register.revoke(UNIT, "stolen", NOW)
    with pytest.raises(FleetError, match="taken out"):
        register.record(chain, UNIT, "tls", NOW)
    assert register.certificates(UNIT) == []


def test_what_has_run_out_leaves_the_revocation_list(register: Register, issuer: Pair) -> None:
    enrol(register, issuer, UNIT)
    register.revoke(UNIT, "stolen", NOW)
    assert len(register.revoked(NOW)) == 2
    assert register.revoked(NOW + certificates.TLS_FOR) == []


def test_replacing_is_all_or_nothing(register: Register, issuer: Pair) -> None:
    enrol(register, issuer, UNIT)
    enrol(register, issuer, "van-018")
    with pytest.raises(FleetError):
        register.replace(UNIT, "van-018", UNIT, NOW)
    assert not register.is_revoked(UNIT)
    code = register.replace(UNIT, "van-017-2", UNIT, NOW)
    assert register.is_revoked(UNIT)
    assert why(register, code, unit="van-017-2") is None
    entry = register.unit("van-017-2")
    assert entry is not None
    assert (entry.replaces, entry.vehicle) == (UNIT, UNIT)


def test_the_next_name_of_a_vehicle_is_a_free_one(register: Register) -> None:
    assert register.free_name(UNIT) == UNIT
    register.new_code(UNIT, UNIT, NOW)
    register.new_code("van-017-2", "van-017-2", NOW)  # another vehicle is called that
    assert register.free_name(UNIT) == "van-017-3"
    register.new_code("a" * 32, "a" * 32, NOW)
    with pytest.raises(FleetError, match="shorter name"):
        register.free_name("a" * 32)


def test_nobody_is_revoked_by_a_wrong_name(register: Register) -> None:
    with pytest.raises(FleetError, match="there is no unit van-016"):
        register.revoke("van-016", "stolen", NOW)


def test_numbers_of_revocation_lists_grow_over_restarts(register: Register, tmp_path: Path) -> None:
    first = register.next_list_number(NOW)
    register.close()
    again = Register(tmp_path / "register.db")
    assert again.next_list_number(NOW) == first + 1
    again.close()


def test_a_damaged_register_is_told(tmp_path: Path) -> None:
    (tmp_path / "register.db").write_bytes(b"rubbish" * 1000)
    with pytest.raises(FleetError, match="restore your copy"):
        Register(tmp_path / "register.db")


def test_a_newer_register_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "register.db") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(FleetError, match="newer Roadproof"):
        Register(tmp_path / "register.db")
