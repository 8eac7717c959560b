"""Attachments of proofs at the fleet: held once, whole only when they are what was signed for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.intake import read
from fleet.proofs import Announced
from fleet.store import attachments
from mqtt.messages import BlobHeld, Health, JournalHealth, encode, utc_text
from tests.system.notaries import BOOT, LOG, UNIT, Desk, Pen, Sealer, World
from tests.system.stores import Place
from tests.system.van import ledgers


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def desk(world: World, place: Place) -> Iterator[Desk]:
    made = Desk(world, place)
    yield made
    made.store.close()


@pytest.fixture
def pen(world: World) -> Pen:
    return world.pen()


def test_an_attachment_is_whole_only_when_its_hash_fits(desk: Desk, pen: Pen) -> None:
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    *before, (name, payload) = photo.pieces
    for piece in before:
        (holding,) = desk.take(*piece).holdings
        assert holding.blobs[photo.sha].whole is False
    (holding,) = desk.take(name, payload).holdings
    assert (holding.blobs[photo.sha].upto, holding.blobs[photo.sha].whole) == (len(photo.sealed), True)
    assert desk.store.sealed_attachment(UNIT, photo.sha) == photo.sealed


def test_pieces_out_of_order_and_twice_leave_no_hole_and_cost_nothing(desk: Desk, pen: Pen) -> None:
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    first, *others = photo.pieces
    for piece in [*reversed(others), *others]:
        (holding,) = desk.take(*piece).holdings
        assert holding.blobs[photo.sha].upto == 0
    (holding,) = desk.take(*first).holdings
    assert holding.blobs[photo.sha].whole
    assert desk.take(*first).stored == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 2_999), st.integers(1, 900)), max_size=12))
def test_pieces_of_any_length_that_overlap_anyhow_make_the_attachment(desk: Desk, pen: Pen, cuts: list[tuple[int, int]]) -> None:
    photo = Sealer(pen.seal, "photo", "image/jpeg", b"0123456789" * 300)
    desk.proof(pen.pod(pen.head.seq + 1, pen.record("s1", photo)))
    for at, length in [*cuts, *((at, 500) for at in range(0, len(photo.sealed), 500))]:
        (holding,) = desk.take(f"up/blob/{photo.sha}/{at}", photo.sealed[at : at + length]).holdings
    assert holding.blobs[photo.sha].whole
    assert desk.store.sealed_attachment(UNIT, photo.sha) == photo.sealed


def test_an_attachment_that_came_before_its_record_is_whole_with_the_record(desk: Desk, pen: Pen) -> None:
    long = Sealer(pen.seal, "photo", "image/jpeg", b"x" * (3 * 8192 - 48))  # nothing in it tells which piece is the last
    photo = pen.photo(1)
    desk.proof(pen.pod(1, pen.record()))
    assert desk.send(photo).blobs[photo.sha].whole
    assert not desk.send(long).blobs[long.sha].whole
    assert desk.proof(pen.pod(2, pen.record("s2", long))).blobs[long.sha].whole


def test_other_bytes_at_a_place_that_is_held_are_refused_and_counted(desk: Desk, pen: Pen) -> None:
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    (name, payload), *_ = photo.pieces
    desk.take(name, payload)
    assert desk.take(name, payload[:-1] + b"?").refused == 1
    assert desk.take(name.removesuffix("/0") + "/100", payload[:50]).refused == 1
    assert desk.take(f"{name.removesuffix('/0')}/{len(photo.sealed) - 1}", b"xy").refused == 1
    assert {row.reason.split(" ")[0] for row in desk.store.refused()} == {"other", "the"}
    assert desk.send(photo).blobs[photo.sha].whole


def test_a_whole_attachment_of_another_hash_is_dropped_and_asked_for_again(desk: Desk, pen: Pen) -> None:
    photo = pen.photo()
    desk.proof(pen.pod(1, pen.record("s1", photo)))
    (name, payload), *others = photo.pieces
    desk.take(name, b"?" + payload[1:])
    for piece in others:
        (holding,) = desk.take(*piece).holdings
    assert (holding.blobs[photo.sha].upto, holding.blobs[photo.sha].whole) == (0, False)
    assert desk.send(photo).blobs[photo.sha].whole


def test_a_forged_record_cannot_say_how_long_an_attachment_is(desk: Desk, pen: Pen) -> None:
    photo = pen.photo()
    wrong = pen.record("s1", photo)
    forged = pen.pod(1, wrong).replace(b'\\"enc_len\\":%d' % len(photo.sealed), b'\\"enc_len\\":1')
    assert b'\\"enc_len\\":1' in forged
    assert desk.proof(forged).proofs == ()
    assert desk.send(photo).blobs[photo.sha].whole


def test_a_unit_is_told_at_its_health_how_far_its_attachments_are_held_until_they_are_whole(desk: Desk, pen: Pen) -> None:
    photo, other = pen.photo(), pen.photo(1)
    desk.proof(pen.pod(1, pen.record("s1", photo, other)))
    desk.send(other)
    first, *rest = photo.pieces
    desk.take(*first)
    assert {sha: (held.upto, held.whole) for sha, held in asked(desk, at_ms=1).items()} == {photo.sha: (len(first[1]), False)}
    for piece in rest:
        desk.take(*piece)
    assert asked(desk, at_ms=2) == {}


def test_attachments_that_will_never_come_do_not_stand_before_the_others_for_ever(
    desk: Desk, pen: Pen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "ASKED_LIMIT", 2)
    lost = {digit * 64 for digit in "02468ace"}
    desk.proof(pen.pod(1, pen.record()))
    for sha in lost:
        attachments.announce(desk.store._db, UNIT, Announced(sha=sha, sealed_bytes=1, sha256=sha, mime="image/jpeg"))
    told = [asked(desk, at_ms=at_ms) for at_ms in range(40)]
    assert {len(one) for one in told} == {2}
    assert set().union(*told) == lost


def asked(desk: Desk, *, at_ms: int) -> dict[str, BlobHeld]:
    """What the receipt of a health says of attachments."""
    journal = JournalHealth(used_bytes=1, quota_bytes=2, disk_free_bytes=3)
    health = Health(
        unit=UNIT, boot=BOOT, log=LOG, t=utc_text(at_ms), src="gnss", uptime_s=1, ledger=ledgers(), journal=journal, link="online"
    )  # fmt: skip
    (holding,) = desk.store.keep(read(f"rp/v1/{UNIT}/up/health", encode(health), at_ms), at_ms).holdings
    return holding.blobs
