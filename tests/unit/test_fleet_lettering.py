"""Strangers' words beside ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.lettering import JOINERS, direction, plain
from fleet.money import written


@given(st.text())
def test_whatever_was_written_steers_and_turns_nothing(text: str) -> None:
    shown = plain(text)
    assert all(letter.isprintable() or letter in JOINERS or letter.isspace() for letter in shown)
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f\u061c\r\n\u2028\x1b\x9b") & set(shown)
    assert plain(shown) == shown


@pytest.mark.parametrize("name", ["M. Kowalska-Łęcka", "محمد بن علي", "שָׁלוֹם", "Nguyễn Thị Hồng", "王小明", "क्षेत्रीय", "👩‍🚒"])
def test_a_name_in_any_script_stays_as_it_is(name: str) -> None:
    assert plain(name) == name


@pytest.mark.parametrize(("text", "wanted"), [("محمد 5", "rtl"), ("5 שלום x", "rtl"), ("x محمد", "ltr"), ("12", "ltr"), ("", "ltr")])
def test_a_paragraph_runs_as_its_first_letter_does(text: str, wanted: str) -> None:
    assert direction(text) == wanted


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (5, "EUR", "0.05 EUR"),
        (-1_250, "EUR", "-12.50 EUR"),
        (0, "JPY", "0 JPY"),
        (1_000_000, "KWD", "1,000.000 KWD"),
        (7, "CLF", "0.0007 CLF"),
    ],
)
def test_an_amount_has_its_currency_s_decimals(amount: int, currency: str, text: str) -> None:
    assert written(amount, currency) == text
