from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from firmware.clock import Clock
from firmware.config import UplinkSettings
from firmware.diary import Diary
from firmware.journal import Journal, Series
from firmware.selftest import fleet
from firmware.selftest.fleet import broker, record
from firmware.selftest.place import Place, Running
from firmware.status import Status, StatusBoard
from mqtt.login import BrokerSettings
from mqtt.ranges import Ranges
from mqtt.session import LinkState
from tests.journals import BOOT, open_journal
from tests.selftests import place


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(tmp_path)
    yield opened
    opened.close()


def running(folder: Path, journal: Journal, link: str, told: str = "", wait: Callable[[float], bool] = lambda _: False) -> Place:
    """A unit whose link is so."""
    diary = Diary(unit="van-1", boot=BOOT, clock=Clock(), status=StatusBoard())
    diary.open(journal)
    status = Status(link=link, link_sentence=told)
    return place(folder, daemon=Running(status=lambda: status, journal=journal, diary=diary, boot=BOOT), wait=wait)


def with_broker(unit: Place, **settings: object) -> Place:
    changed = msgspec.structs.replace(unit.config, broker=BrokerSettings(**settings))  # type: ignore[arg-type]
    return msgspec.structs.replace(unit, config=changed)


@pytest.mark.parametrize(
    ("link", "state", "words"),
    [
        ("online", "ok", "The broker 127.0.0.1:1 lets this unit in."),
        ("no_receiver", "warn", "the fleet's receiver does not run: tell the fleet"),
        ("dns", "bad", "No session because of this. No line with `default`"),
        ("tcp", "bad", "Where ip route shows a network"),
        ("tls", "bad", "never switch the check off"),
        ("time", "bad", "The clock is wrong"),
        ("auth", "bad", "was it revoked?"),
        ("acl", "bad", "with the unit's name"),
        ("connecting", "bad", "test again in ten seconds"),
    ],
)
def test_each_state_of_the_link_says_what_to_do(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, *, link: str, state: str, words: str
) -> None:
    monkeypatch.setattr(fleet, "SETTLE_S", 0.0)
    found = broker(running(tmp_path, journal, link, "no session because of this; check that"))
    assert (found.state, words in found.sentence, found.facts["link"]) == (state, True, link), found.sentence


def test_a_link_that_has_only_just_begun_is_waited_for(tmp_path: Path, journal: Journal) -> None:
    unit = running(tmp_path, journal, "connecting")
    assert unit.daemon is not None
    states = iter(["connecting", "connecting", "online", "online"])
    begun = msgspec.structs.replace(unit.daemon, status=lambda: Status(link=next(states)))
    assert broker(msgspec.structs.replace(unit, daemon=begun)).state == "ok"


def test_every_state_has_its_advice() -> None:
    assert set(LinkState) - set(fleet.ADVICE) == {LinkState.ONLINE, LinkState.NO_RECEIVER}


def test_the_test_record_is_receipted(tmp_path: Path, journal: Journal) -> None:
    def receipt(_: float) -> bool:
        journal.acknowledge(Series.SEQ, Ranges([(1, 1)]))
        return False

    found = record(running(tmp_path, journal, "online", wait=receipt))
    assert (found.state, found.facts["seq"], found.facts["receipted"]) == ("ok", 1, True)
    row = journal.waiting(Series.SEQ, Ranges(), 5)
    assert not row


def test_a_unit_that_believes_the_broker_does_not_claim_a_receipt(tmp_path: Path, journal: Journal) -> None:
    def receipt(_: float) -> bool:
        journal.acknowledge(Series.SEQ, Ranges([(1, 1)]))
        return False

    unit = running(tmp_path, journal, "online", wait=receipt)
    trusting = msgspec.structs.replace(unit.config, uplink=UplinkSettings(forget_on="puback"))
    found = record(msgspec.structs.replace(unit, config=trusting))
    assert (found.state, "whether the fleet stored it" in found.sentence) == ("warn", True)


@pytest.mark.parametrize(
    ("link", "words"),
    [("online", "no receipt came in"), ("no_receiver", "the fleet's receiver does not run"), ("tcp", "mend the line `broker` first")],
)
def test_a_record_without_a_receipt_says_that_it_is_safe_and_who_is_to_act(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, link: str, words: str
) -> None:
    monkeypatch.setattr(fleet, "RECEIPT_S", 0.0)
    found = record(running(tmp_path, journal, link))
    assert (found.state, found.sentence.startswith("Record 1 is safe on the card, but")) == ("bad", True)
    assert words in found.sentence
    assert journal.waiting_count(Series.SEQ) == 1


def test_without_the_daemon_nobody_sends_a_test_record(tmp_path: Path) -> None:
    assert record(place(tmp_path)).state == "skipped"
