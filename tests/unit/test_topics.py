"""The table of topics, and topics taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt import topics
from mqtt.topics import By, Keep

PLAIN = [channel for channel in topics.CHANNELS if channel is not topics.BLOB]
BAD_NAMES = ["", "Van-1", "-van", "van_1", "van/1", "van+", "#", "van 1", "van\n", "a" * 33]


@pytest.mark.parametrize("channel", PLAIN, ids=lambda one: one.name)
def test_a_topic_is_taken_apart_into_its_unit_and_its_row(channel: topics.Channel) -> None:
    address = topics.parse(channel.topic("van-017"))
    assert address is not None
    assert (address.unit, address.channel) == ("van-017", channel)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_no_topic_is_made_for_a_name_that_could_not_be_a_units(name: str) -> None:
    with pytest.raises(ValueError, match="small letters, digits and hyphens"):
        topics.EVENT.topic(name)
    assert topics.parse(f"rp/v1/{name}/up/event") is None


def test_a_piece_of_an_attachment_belongs_to_its_row() -> None:
    address = topics.parse(f"rp/v1/van-017/up/blob/{'a1' * 32}/8192")
    assert address is not None
    assert address.channel is topics.BLOB


@pytest.mark.parametrize("name", ["up/novelty", "dn/novelty", "up/blob", "up/blob/a1", "up/event/more"])
def test_what_a_newer_version_publishes_is_an_address_without_a_row(name: str) -> None:
    address = topics.parse(f"rp/v1/van-017/{name}")
    assert address == topics.Address("van-017", name)
    assert address is not None
    assert address.channel is None


@pytest.mark.parametrize(
    "topic", ["", "rp/v1/van-017", "rp/v2/van-017/up/event", "rp/v1/van-017/up/", "x/rp/v1/van-017/up/event", "rp/v1/van-017/side/event"]
)
def test_what_is_none_of_ours_is_no_address(topic: str) -> None:
    assert topics.parse(topic) is None


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    address = topics.parse(text)
    assert address is None or f"{topics.ROOT}/{address.unit}/{address.name}" == text


def test_the_receivers_filter_takes_every_units_messages_and_no_others() -> None:
    assert topics.receiver_filter() == "$share/roadproof/rp/v1/+/up/#"
    assert topics.receiver_filter("x7") == "$share/x7/rp/v1/+/up/#"


def test_a_unit_listens_to_its_own_topics_that_it_understands() -> None:
    assert topics.unit_filters("van-017") == ["rp/v1/van-017/dn/receipt", "rp/v1/van-017/dn/watch", "rp/v1/van-017/dn/run"]


def test_names_tell_who_publishes() -> None:
    assert all(channel.name.startswith("up/" if channel.by is By.UNIT else "dn/") for channel in topics.CHANNELS)
    assert all((channel.keep is Keep.NONE) == (channel.by is not By.UNIT) for channel in topics.CHANNELS)


def test_what_must_not_be_lost_is_acknowledged_and_never_grows_old_on_the_way() -> None:
    for channel in topics.CHANNELS:
        if channel.keep in {Keep.NEVER, Keep.KEEP, Keep.THIN} and channel is not topics.REPLY:  # a reply of yesterday answers nobody
            assert (channel.qos, channel.expiry_s) == (1, None), channel.name


def test_no_two_rows_have_one_name_or_one_kind() -> None:
    assert len(topics.BY_NAME) == len({channel.kind for channel in topics.CHANNELS}) == len(topics.CHANNELS)
