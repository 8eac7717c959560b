"""The enrolment card: one text, and everything that is nearly it is told what is wrong."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.card import CardError, Wifi, is_card, is_wifi, read_card, read_wifi
from tests.cards import CARD, CODE, FINGERPRINT, TEXT


def told(text: str) -> str:
    with pytest.raises(CardError) as refused:
        read_card(text)
    assert CODE not in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_card_is_its_text_and_back() -> None:
    assert CARD.text == TEXT
    assert read_card(TEXT) == CARD


@pytest.mark.parametrize("typed", ["K7PQ-2345-ABCD-EFGH", "k7pq2345abcdefgh", "k7pq 2345-abcd efgh"])
def test_a_code_that_was_typed_from_paper_is_the_same_code(typed: str) -> None:
    assert read_card(f"  rp1:est.example.org:8443|van-017|{typed}|{FINGERPRINT.lower()}\n") == CARD


@pytest.mark.parametrize("host", ["[2001:db8::1]", "192.0.2.7"])
def test_the_authority_may_be_an_address(host: str) -> None:
    card = read_card(f"RP1:{host}:8443|van-017|{CODE}|{FINGERPRINT}")
    assert card.host == host.strip("[]")
    assert read_card(card.text) == card


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "begins with RP1:"),
        ("RP2:est.example.org:8443|van-017|x|y", "begins with RP1:"),
        ("(00)340123450000000017", "begins with RP1:"),
        (TEXT[:40], "cut off"),
        (TEXT + "|more", "has something behind it"),
        (TEXT.replace("van-017", "Van 17"), "names no unit"),
        (TEXT.replace("van-017", "svc-receiver"), "names no unit"),
        (TEXT.replace("van-017", "../../etc"), "names no unit"),
        (TEXT.replace(":8443", ":0"), "no address of an authority"),
        (TEXT.replace(":8443", ":99999"), "no address of an authority"),
        (TEXT.replace("est.example.org", "est example"), "no address of an authority"),
        (TEXT.replace("est.example.org", "a@b"), "no address of an authority"),
        (TEXT.replace(CODE, CODE[:-1]), "one-time code on the card is misread"),
        (TEXT.replace(CODE, CODE[:-1] + "1"), "one-time code on the card is misread"),
        (TEXT.replace(FINGERPRINT, FINGERPRINT + "A"), "fingerprint on the card is misread"),
    ],
)
def test_what_is_no_card_is_told_why(text: str, wrong: str) -> None:
    assert wrong in told(text)


@given(st.text(max_size=200))
def test_any_text_is_a_card_or_a_sentence(text: str) -> None:
    for begin in ("", "RP1:", "RP1:h:1|"):
        try:
            card = read_card(begin + text)
        except CardError:
            continue
        assert read_card(card.text) == card


@given(st.text(max_size=200))
def test_any_text_is_a_network_or_a_sentence(text: str) -> None:
    try:
        network = read_wifi("WIFI:" + text)
    except CardError:
        return
    assert network.ssid
    assert network.ssid.isprintable()


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("WIFI:T:WPA;S:Depot;P:secret;;", Wifi(ssid="Depot", password="secret")),
        ("wifi:S:Depot;T:WPA;P:secret;H:true;;", Wifi(ssid="Depot", password="secret", hidden=True)),
        ("WIFI:T:nopass;S:Open;;", Wifi(ssid="Open")),
        (r"WIFI:T:WPA;S:a\;b\:c\\d;P:p\;q;;", Wifi(ssid=r"a;b:c\d", password="p;q")),
    ],
)
def test_a_network_s_code_is_read_as_phones_do(text: str, network: Wifi) -> None:
    assert is_wifi(text)
    assert not is_card(text)
    assert read_wifi(text) == network


@pytest.mark.parametrize(
    "text", ["WIFI:", "WIFI:T:WPA;S:;P:x;;", "WIFI:T:WPA;S:Depot;;", "WIFI:S:--ask;P:x;;", "WIFI:S:a\x07;P:x;;", "WIFI:S:" + "é" * 17]
)
def test_what_names_no_network_is_told(text: str) -> None:
    with pytest.raises(CardError):
        read_wifi(text)


def test_a_card_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        CARD.unit = "van-018"  # type: ignore[misc]
    assert msgspec.structs.replace(CARD, port=1).port == 1
