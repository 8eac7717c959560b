"""Every message that a released version published can be read, for ever; and what differs from one in a wrong way is refused."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from mqtt import codec, messages, schema, topics
from mqtt.messages import Message, MessageError, Track
from tests.contract import golden_messages
from tests.contract.golden_messages import Golden

Json = dict[str, Any]
Place = tuple[str | int, ...]

GOLDEN = golden_messages.every()
WRONG: tuple[Any, ...] = ([[]], {"a": 1}, "\u0661 wrong", -1.5, None, True)
NEEDED_COLUMNS = {("cols", name) for name in codec.REQUIRED}  # the schema knows no column by name
A_FEW = 2  # values of a list stand for all of them


@pytest.fixture(params=GOLDEN, ids=lambda one: one.name)
def golden(request: pytest.FixtureRequest) -> Golden:
    one: Golden = request.param
    return one


def kind_of(golden: Golden) -> type[Message]:
    assert golden.channel.message is not None
    return golden.channel.message


def decoded(golden: Golden, message: Any) -> Message:
    return messages.decode(json.dumps(message).encode(), kind_of(golden))


def faults(golden: Golden, message: Any) -> list[str]:
    text = json.dumps(message).encode()
    return schema.check(golden.topic, zlib.compress(text) if golden.channel is topics.TRACK else text)


def validator(golden: Golden) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema.json_schema(kind_of(golden)))


def parts(message: Any, above: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value in a message with its place."""
    named_parts = message.items() if isinstance(message, dict) else enumerate(message[:A_FEW]) if isinstance(message, list) else ()
    for name, value in named_parts:
        yield (*above, name), value
        yield from parts(value, (*above, name))


def changed(golden: Golden, place: Place, value: Any, *, remove: bool = False) -> Any:
    """The message with another value at a place, or without that place."""
    message = json.loads(golden.text)
    inner = message
    for name in place[:-1]:
        inner = inner[name]
    if remove:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return message


def named(place: Place, told: list[str]) -> bool:
    """Whether a sentence names the innermost key of a place (a list's items, and columns, are named by what holds them)."""
    keys = [name for name in place if isinstance(name, str)]
    return any(re.search(rf"\b{key}\b", sentence) for sentence in told for key in keys[-2:])


def test_each_kind_of_the_contract_has_a_golden_message() -> None:
    assert {one.channel.name for one in GOLDEN} == {channel.name for channel in topics.CHANNELS if channel.message}


def test_it_validates_against_the_newest_schema(golden: Golden) -> None:
    assert list(validator(golden).iter_errors(json.loads(golden.text))) == []


def test_it_keeps_the_contract(golden: Golden) -> None:
    assert schema.check(golden.topic, golden.payload) == []


def test_it_is_written_again_as_it_was_read(golden: Golden) -> None:
    """A later minor version may only add keys to what an earlier one wrote."""
    written = messages.encode(messages.decode(golden.text, kind_of(golden)))
    assert json.loads(written).items() >= json.loads(golden.text).items()
    assert written == golden.text or not golden.name.startswith(f"{messages.CONTRACT}/")


@pytest.mark.parametrize("golden", [one for one in GOLDEN if one.channel is topics.TRACK], ids=lambda one: one.name, indirect=True)
def test_a_track_unpacks_to_its_text(golden: Golden) -> None:
    track = codec.unpack(golden.payload)
    assert messages.encode(track) == golden.text
    assert codec.unpack(codec.pack(track)) == track
    assert codec.to_columns(codec.from_columns(track.cols)) == track.cols


def test_keys_of_a_newer_version_are_passed_over(golden: Golden) -> None:
    message = json.loads(golden.text)
    grown = {**message, "of_tomorrow": {"a": [1, None]}}
    assert faults(golden, grown) == []
    assert decoded(golden, grown) == decoded(golden, message)
    assert list(validator(golden).iter_errors(grown)) == []


def test_each_key_that_the_schema_demands_is_needed_and_named_when_absent(golden: Golden) -> None:
    demanded = []
    for place, _ in parts(json.loads(golden.text)):
        broken = changed(golden, place, None, remove=True)
        if validator(golden).is_valid(broken) and place not in NEEDED_COLUMNS:
            continue
        demanded.append(place)
        assert named(place, faults(golden, broken)), f"{place} may be left out"
    assert ("unit",) in demanded
    assert {("cols", name) for name in codec.REQUIRED} <= set(demanded) or golden.channel is not topics.TRACK


def test_a_value_of_a_wrong_type_is_refused_with_its_place(golden: Golden) -> None:
    for place, value in parts(json.loads(golden.text)):
        if place[0] == "data":
            continue  # an event's data is its own affair
        broken = [changed(golden, place, wrong) for wrong in WRONG if type(wrong) is not type(value)]
        refused = [message for message in broken if not validator(golden).is_valid(message)]
        assert refused, f"{place} may be anything"
        for message in refused:
            assert named(place, faults(golden, message)), f"{place} is not named in {faults(golden, message)}"


def test_a_message_of_another_unit_is_refused(golden: Golden) -> None:
    assert faults(golden, {**json.loads(golden.text), "unit": "van-018"}) == [
        f"{golden.channel.name}: the payload is of unit van-018, the topic of van-017"
    ]


def test_a_name_with_a_line_end_behind_it_is_refused(golden: Golden) -> None:
    message = json.loads(golden.text)
    for key in {"unit", "log", "boot", "t", "received", "event"} & message.keys():
        if message[key] is not None:
            broken = {**message, key: message[key] + "\n"}
            assert faults(golden, broken), key
            assert not validator(golden).is_valid(broken), key


def test_a_time_that_no_calendar_has_is_refused() -> None:
    event = next(one for one in GOLDEN if one.channel is topics.EVENT)
    assert "2026-02-30" in faults(event, {**json.loads(event.text), "t": "2026-02-30T06:30:00.000Z"})[0]


def test_a_payload_cut_short_anywhere_is_refused(golden: Golden) -> None:
    for length in range(len(golden.payload)):
        assert schema.check(golden.topic, golden.payload[:length])


def test_a_track_is_no_event() -> None:
    track = next(one for one in GOLDEN if one.channel is topics.TRACK)
    with pytest.raises(MessageError, match=r"\$\.typ"):
        messages.decode(track.text, messages.Event)
    assert isinstance(messages.decode(track.text, Track), Track)
