"""The attachment lane: one piece at a time, on from where the receiver stands, done with when it says so."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.evidence.attachments import Attachments
from firmware.uplink.blobs import RECEIPT_S, REFUSED_S, BlobLane, Chunk
from mqtt.messages import BlobHeld
from mqtt.topics import BLOB_CHUNK_BYTES

SIZE = 3 * BLOB_CHUNK_BYTES + 100


@pytest.fixture
def kept(tmp_path: Path) -> Attachments:
    return Attachments(tmp_path / "attachments", lambda plain: plain)


@pytest.fixture
def lane(kept: Attachments) -> BlobLane:
    """In a session in which the receiver has spoken before: of nothing that waits now."""
    lane = BlobLane(kept)
    lane.open(0.0, largest_bytes=None)
    lane._probing = False
    return lane


def photo(kept: Attachments, seed: int = 1, size: int = SIZE) -> str:
    return kept.keep(random.Random(seed).randbytes(size)).enc_sha256


def out(lane: BlobLane, now_s: float = 1.0) -> Chunk:
    chunk = lane.next(now_s)
    assert chunk is not None
    return chunk


def send_rest(lane: BlobLane, now_s: float = 1.0) -> list[Chunk]:
    sent = list[Chunk]()
    while chunk := lane.next(now_s):
        sent.append(chunk)
        lane.sent(len(sent), chunk, now_s)
        assert lane.taken(len(sent), now_s)
    return sent


def test_an_attachment_goes_in_pieces_of_8_kib_one_after_the_other(lane: BlobLane, kept: Attachments) -> None:
    name = photo(kept)
    lane.set_waiting([name])
    sent = send_rest(lane)
    assert [(one.name, one.offset, len(one.payload)) for one in sent] == [
        (name, 0, 8_192), (name, 8_192, 8_192), (name, 16_384, 8_192), (name, 24_576, 100)
    ]  # fmt: skip


def test_only_one_piece_is_under_way(lane: BlobLane, kept: Attachments) -> None:
    lane.set_waiting([photo(kept)])
    lane.sent(1, out(lane), 1.0)
    assert lane.next(1.0) is None
    assert not lane.taken(99, 1.0)
    assert lane.next(1.0) is None
    assert lane.taken(1, 1.0)
    assert out(lane).offset == BLOB_CHUNK_BYTES


def test_the_next_attachment_waits_until_the_receiver_holds_the_first_whole(lane: BlobLane, kept: Attachments) -> None:
    first, second = photo(kept, 1), photo(kept, 2)
    lane.set_waiting([first, second])
    assert {one.name for one in send_rest(lane)} == {first}
    assert lane.receipted({first: BlobHeld(upto=8_192)}, 2.0) == []
    assert lane.next(2.0) is None
    assert lane.receipted({first: BlobHeld(upto=SIZE, whole=True)}, 2.0) == [first]
    assert out(lane).name == second
    assert lane.waiting == 1


def test_after_a_cut_it_goes_on_where_the_receiver_stands(lane: BlobLane, kept: Attachments) -> None:
    name = photo(kept)
    lane.set_waiting([name])
    send_rest(lane)
    lane.receipted({name: BlobHeld(upto=2 * BLOB_CHUNK_BYTES)}, 2.0)
    lane.open(3.0, largest_bytes=None)
    assert out(lane).offset == 2 * BLOB_CHUNK_BYTES


def test_after_a_restart_the_first_receipt_tells_how_far_it_was(lane: BlobLane, kept: Attachments) -> None:
    name = photo(kept)
    lane.set_waiting([name])
    lane.sent(1, out(lane), 1.0)
    lane.receipted({name: BlobHeld(upto=3 * BLOB_CHUNK_BYTES)}, 1.0)
    assert lane.taken(1, 1.0)
    assert out(lane).offset == 3 * BLOB_CHUNK_BYTES


def test_in_a_new_session_the_first_piece_asks_how_far_the_receiver_is(kept: Attachments) -> None:
    lane, name = BlobLane(kept), photo(kept)
    lane.open(0.0, largest_bytes=None)
    lane.set_waiting([name])
    lane.sent(1, out(lane), 1.0)
    assert lane.taken(1, 1.0)
    assert lane.next(1.0) is None
    lane.receipted({name: BlobHeld(upto=3 * BLOB_CHUNK_BYTES)}, 2.0)
    assert out(lane).offset == 3 * BLOB_CHUNK_BYTES


def test_a_receiver_from_an_old_backup_gets_what_it_lost(lane: BlobLane, kept: Attachments) -> None:
    name = photo(kept)
    lane.set_waiting([name])
    send_rest(lane)
    lane.receipted({name: BlobHeld(upto=3 * BLOB_CHUNK_BYTES)}, 2.0)
    lane.receipted({name: BlobHeld(upto=BLOB_CHUNK_BYTES)}, 3.0)
    assert out(lane).offset == BLOB_CHUNK_BYTES


def test_a_receiver_that_says_nothing_is_asked_ever_more_patiently(lane: BlobLane, kept: Attachments) -> None:
    lane.set_waiting([photo(kept)])
    send_rest(lane, 0.0)
    asked = list[float]()
    for second in range(1_000):
        if lane.overdue(float(second)):
            asked.append(second)
            send_rest(lane, float(second))
    pauses = [b - a for a, b in pairwise(asked)]
    assert asked[0] == RECEIPT_S
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 160


def test_an_attachment_that_nobody_speaks_for_does_not_hold_up_the_others(lane: BlobLane, kept: Attachments) -> None:
    first, second = photo(kept, 1), photo(kept, 2)
    lane.set_waiting([first, second])
    send_rest(lane, 0.0)
    assert lane.overdue(RECEIPT_S)
    assert {one.name for one in send_rest(lane, RECEIPT_S)} == {second}


def test_one_that_arrived_and_does_not_fit_is_sent_all_over_again(lane: BlobLane, kept: Attachments) -> None:
    name = photo(kept)
    lane.set_waiting([name])
    send_rest(lane, 0.0)
    lane.receipted({name: BlobHeld(upto=SIZE, whole=False)}, 0.0)
    assert lane.overdue(RECEIPT_S)
    assert out(lane, RECEIPT_S).offset == 0


def test_a_refusal_pauses_the_lane_and_sends_the_piece_again(lane: BlobLane, kept: Attachments) -> None:
    lane.set_waiting([photo(kept)])
    chunk = out(lane)
    lane.sent(1, chunk, 1.0)
    assert lane.refused(1, 1.0)
    assert not lane.refused(1, 1.0)
    assert lane.next(1.0 + REFUSED_S - 0.1) is None
    assert lane.next(1.0 + REFUSED_S) == chunk


def test_a_broker_that_takes_little_gets_smaller_pieces(lane: BlobLane, kept: Attachments) -> None:
    lane.open(0.0, largest_bytes=2_000)
    lane.set_waiting([photo(kept)])
    assert len(out(lane).payload) == 1_800


def test_an_attachment_that_the_card_spoiled_is_given_up_and_told(lane: BlobLane, kept: Attachments, tmp_path: Path) -> None:
    spoiled, missing, good = photo(kept, 1), photo(kept, 2), photo(kept, 3)
    (tmp_path / "attachments" / spoiled).write_bytes(b"something else")
    (tmp_path / "attachments" / missing).unlink()
    lane.set_waiting([spoiled, missing, good])
    assert out(lane).name == good
    assert lane.lost == [spoiled, missing]
    lane.set_waiting([spoiled, missing, good])
    assert lane.waiting == 1


def test_what_the_receiver_says_of_others_attachments_changes_nothing(lane: BlobLane, kept: Attachments) -> None:
    lane.set_waiting([photo(kept)])
    assert lane.receipted({"f" * 64: BlobHeld(upto=5, whole=True)}, 1.0) == []
    assert out(lane).offset == 0


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_whatever_is_lost_on_the_way_the_receiver_ends_up_with_every_byte(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    chance = random.Random(seed)
    kept = Attachments(tmp_path_factory.mktemp("any"), lambda plain: plain)
    names = [photo(kept, n, chance.randrange(1, 40_000)) for n in range(3)]
    lane, now_s, stored = BlobLane(kept), 0.0, dict.fromkeys(names, b"")
    lane.open(now_s, largest_bytes=None)
    lane.set_waiting(names)
    for mid in range(2_000):
        now_s += 1.0
        lane.overdue(now_s)
        if not lane.waiting:
            break
        chunk = lane.next(now_s)
        if chunk is None:
            continue
        lane.sent(mid, chunk, now_s)
        if chance.random() < 0.2:
            lane.open(now_s, largest_bytes=None)  # a cut; the piece may have arrived all the same
        elif chance.random() < 0.1:
            lane.refused(mid, now_s)
            continue
        else:
            lane.taken(mid, now_s)
        if chance.random() < 0.7:
            have = stored[chunk.name]
            if chunk.offset <= len(have):
                stored[chunk.name] = have[: chunk.offset] + chunk.payload + have[chunk.offset + len(chunk.payload) :]
            size = kept.size(chunk.name)
            if chance.random() < 0.8:
                upto = len(stored[chunk.name])
                lane.receipted({chunk.name: BlobHeld(upto=upto, whole=upto == size)}, now_s)
    assert lane.waiting == 0
    assert all(kept.chunk(name, 0, 50_000) == content for name, content in stored.items())


def cut(lane: BlobLane, now_s: float = 1.0) -> Chunk:
    """A piece goes out and the link ends before the broker has it; the next session begins, and the receiver has spoken."""
    piece = out(lane, now_s)
    lane.sent(1, piece, now_s)
    lane.open(now_s, largest_bytes=None)
    lane._probing = False
    return piece


def test_a_piece_that_the_link_did_not_last_for_goes_again_in_halves(lane: BlobLane, kept: Attachments) -> None:
    lane.set_waiting([photo(kept)])
    sizes = [len(cut(lane).payload) for _ in range(5)]
    assert sizes == [8_192, 4_096, 2_048, 1_024, 1_024]
    assert out(lane).offset == 0


def test_pieces_grow_again_when_some_have_arrived_in_a_row(lane: BlobLane, kept: Attachments) -> None:
    lane.set_waiting([photo(kept, size=200_000)])
    cut(lane)
    sizes = [len(piece.payload) for piece in send_rest(lane)]
    assert sizes[:10] == [4_096] * 8 + [8_192] * 2
    assert max(sizes) == BLOB_CHUNK_BYTES


def test_what_the_broker_has_does_not_go_again_after_a_cut(lane: BlobLane, kept: Attachments) -> None:
    lane.set_waiting([photo(kept)])
    lane.sent(1, out(lane), 1.0)
    assert lane.taken(1, 1.0)
    lane.open(2.0, largest_bytes=None)
    assert out(lane, 2.0).offset == BLOB_CHUNK_BYTES


def test_what_the_broker_had_and_the_receiver_lacks_goes_again(lane: BlobLane, kept: Attachments) -> None:
    name = photo(kept)
    lane.set_waiting([name])
    lane.sent(1, out(lane), 1.0)
    assert lane.taken(1, 1.0)
    lane.open(2.0, largest_bytes=None)
    lane.sent(2, out(lane, 2.0), 2.0)
    assert lane.taken(2, 2.0)
    lane.receipted({name: BlobHeld(upto=0)}, 2.0)
    assert out(lane, 2.0).offset == 0
