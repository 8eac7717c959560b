"""A run on its way into the terminal: taken, merged, or refused once and in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.proofs import Keys, events_of, keys_of_the_session, pods_of
from tests.terminals import PIN, Cabin, Card, at_step, begun_card, hand_out, run_of, steps_at


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture
def card(tmp_path: Path, keys: Keys) -> Iterator[Card]:
    card = begun_card(tmp_path, keys)
    yield card
    card.eject()


@pytest.fixture
def cabin(card: Card) -> Cabin:
    return card.start()


def test_a_run_comes_in_and_the_driver_signs_in(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "fresh").mkdir()
    fresh = Card(tmp_path / "fresh", keys)
    cabin = fresh.start()
    cabin.tick()
    cabin.receive(run_of())
    cabin.done("session.pin", driver="d-1", pin=PIN)
    assert cabin.screen == "load"
    fresh.eject()


def test_a_broken_run_is_told_once_over_reconnections_and_restarts(card: Card) -> None:
    cabin = card.start()
    twice = msgspec.structs.replace(run_of(2).plan, stops=run_of(2, 1).plan.stops * 2)
    broken = msgspec.json.encode(msgspec.structs.replace(run_of(2), plan=twice))
    for _ in range(3):
        cabin.inbox.take(broken)
    cabin = card.start()
    cabin.inbox.take(broken)
    told = [data for name, data in events_of(cabin.journal) if name == "run.refused"]
    assert told == [{"n": 2, "faults": ["stop_id 's-1' is there 2 times", "barcode 'PARCEL-001' is there 2 times"], "more": 0}]
    assert cabin.terminal._work.run is not None
    assert cabin.terminal._work.run.n == 1


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"typ":"run"}', b"\xff\xfe", b"[" * 5_000])
def test_a_run_that_breaks_its_schema_is_told_and_the_one_before_stays(cabin: Cabin, payload: bytes) -> None:
    cabin.inbox.take(payload)
    cabin.inbox.take(payload)
    told = [data for name, data in events_of(cabin.journal) if name == "run.refused"]
    assert len(told) == 1
    assert told[0]["faults"][0].startswith("it breaks the contract: ")


def test_a_run_that_goes_back_in_version_is_refused_once(cabin: Cabin) -> None:
    cabin.receive(run_of(5))
    for _ in range(3):
        cabin.receive(run_of(4, stops=1))
    assert [name for name, _ in events_of(cabin.journal)].count("run.refused") == 1


def test_another_unit_s_run_is_refused(cabin: Cabin) -> None:
    cabin.receive(run_of(9, unit="van-2"))
    assert [data["faults"] for name, data in events_of(cabin.journal) if name == "run.refused"] == [["it is for unit van-2"]]


def test_the_same_run_again_writes_nothing(cabin: Cabin) -> None:
    issued, seq = len(events_of(cabin.journal)), cabin.terminal.seq
    cabin.receive(run_of())
    assert (len(events_of(cabin.journal)), cabin.terminal.seq) == (issued, seq)


def test_an_update_in_the_middle_of_a_proof_drops_nothing_of_it(cabin: Cabin) -> None:
    at_step(cabin, "pod.photo")
    cabin.receive(run_of(2, stops=5))
    assert cabin.screen == "sign"
    for name, data in steps_at(1)[5:]:
        assert cabin.do(name, data).ok
    cabin.done("run.accept")
    hand_out(cabin)
    assert len(pods_of(cabin.journal)) == 1
    assert cabin.terminal._work.run is not None
    assert len(cabin.terminal._work.run.plan.stops) == 5
