"""Times as the contract writes them, and payloads that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt import messages, topics
from mqtt.messages import Message, MessageError, utc_ms, utc_text

FIRST_MS = -62_135_596_800_000  # 0001-01-01
LAST_MS = 253_402_300_799_999  # 9999-12-31
KINDS: tuple[type[Message], ...] = get_args(messages.AnyMessage)


@given(st.integers(FIRST_MS, LAST_MS))
def test_a_time_is_read_as_it_was_written(at_ms: int) -> None:
    assert utc_ms(utc_text(at_ms)) == at_ms


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_772_433_000_001, "2026-03-02T06:30:00.001Z"),
        (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),  # 2100 has no 29 February
        (FIRST_MS, "0001-01-01T00:00:00.000Z"),
    ],
)
def test_times_are_written_as_the_calendar_has_them(at_ms: int, text: str) -> None:
    assert utc_text(at_ms) == text
    assert utc_ms(text) == at_ms


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_agrees_with_pythons_own_to_the_millisecond(at: datetime) -> None:
    at_ms = (at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000
    assert abs(utc_ms(at.isoformat()) - at_ms) <= 1


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00.000Z", "2100-02-29T00:00:00.000Z", "2026-01-01T24:01:00.000Z"])
def test_what_no_calendar_has_is_no_time(text: str) -> None:
    with pytest.raises(MessageError, match="is not a time"):
        utc_ms(text)


def test_a_time_that_does_not_say_that_it_is_utc_is_refused() -> None:
    with pytest.raises(MessageError, match="must end in Z"):
        utc_ms("2026-03-02T06:30:00.000")


@pytest.mark.parametrize("at_ms", [FIRST_MS - 1, LAST_MS + 1, 2**53])
def test_a_time_that_no_calendar_reaches_cannot_be_written(at_ms: int) -> None:
    with pytest.raises(OverflowError):
        utc_text(at_ms)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"typ":"' + b"\xf0" * 3 + b'"}', b"[" * 100_000, b'{"v":' + b"9" * 5_000 + b"}", b"{} {}"],
    ids=["nothing", "cut", "list", "null", "utf16", "bad utf8", "deep", "endless number", "two"],
)
def test_what_is_no_message_is_refused_with_a_sentence(payload: bytes, kind: type[Message]) -> None:
    with pytest.raises(MessageError) as refused:
        messages.decode(payload, kind)
    assert str(refused.value)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_never_breaks_anything(payload: bytes) -> None:
    with pytest.raises(MessageError):
        messages.decode(payload, messages.Event)


def test_the_messages_of_the_topics_are_all_there_are() -> None:
    assert {channel.message for channel in topics.CHANNELS if channel.message} == set(KINDS)


def test_a_message_is_not_taken_for_another_kind() -> None:
    watch = messages.encode(messages.Watch(unit="van-017"))
    with pytest.raises(MessageError, match="a watch where a receipt should be"):
        messages.decode(watch, messages.Receipt)
