"""One parcel, one name, however its code was written, printed or typed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BarcodeError
from drivers.gs1 import GS, Gs1, identity, mod10_holds, parse, s10_holds

SSCC = "340123450000000017"


@pytest.mark.parametrize(
    ("text", "aim"),
    [
        (f"00{SSCC}", "]C1"),
        (f"00{SSCC}", None),
        (SSCC, None),
        (f"]C100{SSCC}", None),
        (f"{GS}00{SSCC}", "]d2"),
        (f"(00){SSCC}", None),
        ("(00) 3 4012345 000000001 7", None),
        (f"https://id.gs1.org/00/{SSCC}", None),
        (f"]Q1https://depot.example.com/box/00/{SSCC}?mode=in", None),
        (f"00{SSCC}10LOT7", "]C1"),
        (f"  00{SSCC}\r\n", None),
    ],
)
def test_every_way_of_writing_an_sscc_is_the_same_parcel(text: str, aim: str | None) -> None:
    assert identity(text, "CODE128", aim) == f"sscc:00{SSCC}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("4006381333931", "gtin:04006381333931"),
        ("]E04006381333931", "gtin:04006381333931"),
        ("036000291452", "gtin:00036000291452"),
        ("0036000291452", "gtin:00036000291452"),
        ("(01)09506000134352(21)12345", "gtin:09506000134352:12345"),
        (f"]d2010950600013435221AB{GS}10L1", "gtin:09506000134352:AB"),
        ("010950600013435221AB", "gtin:09506000134352:AB"),
        ("https://example.com/01/9506000134352/21/12%2F45", "gtin:09506000134352:12/45"),
        ("(01)09506000134352(10)LOT", "gtin:09506000134352"),
    ],
)
def test_goods_are_their_number_and_their_serial_number_where_there_is_one(text: str, name: str) -> None:
    assert identity(text) == name


@pytest.mark.parametrize("text", ["RR473124829FI", "rr 4731 2482 9 fi", "RR-473124829-FI"])
def test_a_posts_number_is_the_same_with_spaces_and_in_small_letters(text: str) -> None:
    assert identity(text) == "s10:RR473124829FI"


@pytest.mark.parametrize(
    "text", ["RR473124828FI", "JD014600006281", "1Z999AA10123456784", "00340123450000000018", "https://t.example.com/p/12"]
)
def test_what_is_no_identifier_with_a_right_check_digit_is_its_own_text(text: str) -> None:
    assert identity(text) == f"raw:{text}"


def test_the_name_does_not_depend_on_the_symbology_which_the_fleets_list_does_not_have() -> None:
    assert identity("4006381333931", "CODE128", "]C0") == identity("4006381333931", "EAN13", "]E0") == identity("4006381333931")


def test_all_fields_of_a_label_are_told() -> None:
    assert parse(f"010950600013435217270131{GS}10LOT7{GS}21S1", "]d2") == Gs1(
        gtin="09506000134352", lot="LOT7", expiry="2027-01-31", serial="S1"
    )


def test_a_wrong_check_digit_is_named_and_the_identifier_absent() -> None:
    found = parse("00340123450000000018", "]C1")
    assert found.sscc is None
    assert not found.identifies
    assert "Expected 7, got 8" in found.faults[0]


def test_an_ordinary_web_address_has_no_fields() -> None:
    assert parse("https://example.com/foo") == Gs1()
    assert parse("http://[broken/01/9506000134352") == Gs1()


def test_a_message_that_breaks_off_is_a_fault_not_an_error() -> None:
    assert parse("0034012345", "]C1").faults


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AB\x04CD", r"U\+0004"),
        ("AB\x7f", r"U\+007F"),
        ("A\x1eB", r"U\+001E"),
        ("", "empty"),
        (GS * 3, "empty"),
        ("7" * 4_297, "4297 characters"),
    ],
)
def test_what_no_label_holds_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(BarcodeError, match=said):
        identity(text)
    with pytest.raises(BarcodeError, match=said):
        parse(text)


@pytest.mark.parametrize(
    ("text", "holds"), [("RR473124829FI", True), ("RR473124820FI", False), ("EE000000005US", True), ("RR47312482FI", False), ("", False)]
)
def test_the_posts_check_digit(text: str, holds: bool) -> None:
    assert s10_holds(text) is holds


@given(st.text(alphabet="0123456789", min_size=1, max_size=20), st.integers(0, 19), st.integers(1, 9))
def test_one_changed_digit_breaks_the_check(payload: str, place: int, by: int) -> None:
    digits = next(payload + check for check in "0123456789" if mod10_holds(payload + check))
    at = place % len(digits)
    assert not mod10_holds(digits[:at] + str((int(digits[at]) + by) % 10) + digits[at + 1 :])


@given(st.text(max_size=60), st.sampled_from([None, "]C1", "]d2", "]Q1", "]E0", "]C0"]))
def test_whatever_is_scanned_has_a_name_or_a_sentence(text: str, aim: str | None) -> None:
    try:
        name = identity(text, "", aim)
    except BarcodeError:
        return
    assert name.split(":")[0] in {"sscc", "gtin", "s10", "raw"}
    assert identity(text, "QRCODE", aim) == name


def checked(payload: str) -> str:
    return next(payload + check for check in "0123456789" if mod10_holds(payload + check))


DIGITS = st.text(alphabet="0123456789", min_size=17, max_size=17)
SERIALS = st.text(alphabet="ABCxyz0123456789-/_.", min_size=1, max_size=20)
ELEMENTS = st.lists(
    st.one_of(
        SERIALS.map(lambda text: f"21{text}{GS}"),
        SERIALS.map(lambda text: f"10{text}{GS}"),
        st.sampled_from(["17270131", "11260101", f"37{12}{GS}", "3103001250", "4109506000134352", f"42012345{GS}", "2001"]),
    ),
    max_size=4,
)


@given(st.one_of(DIGITS.map(lambda text: "00" + checked(text)), DIGITS.map(lambda text: "01" + checked(text[:13]))), ELEMENTS)
def test_the_quick_reader_and_the_thorough_one_agree(first: str, others: list[str]) -> None:
    message = (first + "".join(others)).strip(GS)
    found = parse(message, "]C1")
    if found.faults or not found.identifies:  # what the library refuses as a whole has no fields to compare
        return
    name = f"sscc:00{found.sscc}" if found.sscc else f"gtin:{found.gtin}" + (f":{found.serial}" if found.serial else "")
    assert identity(message, "CODE128", "]C1") == identity(message) == name


@pytest.mark.parametrize("body", ["0100", "01095060001343521", "010950600013435A21AB", "0109506000134352AB", "xx", "00\u0663" * 9])
def test_a_broken_message_is_its_own_text(body: str) -> None:
    assert identity(body, "CODE128", "]C1") == f"raw:{body}"


def test_a_name_costs_the_terminal_no_library() -> None:
    asked = "g.identity('(01)09506000134352(21)A'), g.identity(']d2010950600013435221A')"
    program = f"import sys, drivers.gs1 as g; print({asked}, 'biip' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["gtin:09506000134352:A"] * 2 + ["False"]
