"""Pictures at the terminal: small, sealed, kept while a proof or the fleet needs them, and no longer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from firmware.journal import Series
from mqtt.messages import BlobHeld, Receipt
from mqtt.messages import Held as HeldNumbers
from tests.proofs import RECEIVED, Keys, events_of, keys_of_the_session, pods_of
from tests.terminals import Cabin, Card, at_step, begun_card, hand_out


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


def picture(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((width, height), 80).save(out, "JPEG", quality=60)
    return out.getvalue()


def test_a_camera_that_was_unplugged_is_a_sentence_and_the_proof_goes_on(cabin: Cabin) -> None:
    at_step(cabin, "scan")
    cabin.camera.state = "unplugged"
    answer = cabin.tap("pod.photo")
    assert (answer.key, answer.args) == ("photo.no_camera", {"sentence": "the camera was unplugged; plug it in"})
    cabin.done("pod.photo_skip", reason="camera")
    assert cabin.screen == "sign"


def test_a_picture_given_instead_of_the_camera_s_is_made_small(cabin: Cabin) -> None:
    at_step(cabin, "scan")
    assert cabin.terminal.photo(picture(1_600, 1_200)).ok
    (name,) = cabin.attachments.names()
    assert (cabin.attachments.size(name) or 10**9) <= 300_100


def test_a_50_megapixel_picture_is_refused_with_a_sentence(cabin: Cabin) -> None:
    at_step(cabin, "scan")
    out = io.BytesIO()
    Image.new("L", (8_700, 5_800)).save(out, "PNG")
    answer = cabin.terminal.photo(out.getvalue())
    assert (answer.key, answer.ok) == ("photo.unreadable", False)
    assert answer.args["sentence"] == "the picture has 50 megapixels and 25 is the limit; take it at a lower resolution"
    assert cabin.terminal.photo(b"GIF89a no").key == "photo.unreadable"
    assert cabin.attachments.names() == []


def test_a_picture_that_nobody_asked_for_leaves_no_file(cabin: Cabin) -> None:
    assert not cabin.terminal.photo(picture(320, 240)).ok
    assert cabin.attachments.names() == []


def test_a_photo_taken_again_replaces_the_first(cabin: Cabin) -> None:
    at_step(cabin, "pod.photo")
    (before,) = cabin.attachments.names()
    cabin.done("pod.back")
    cabin.done("pod.photo")
    assert len(cabin.attachments.names()) == 1
    assert cabin.attachments.names() != [before]


def test_what_a_cut_left_between_file_and_commit_is_removed_at_the_start(card: Card) -> None:
    cabin = card.start()
    at_step(cabin, "pod.photo")
    (kept,) = cabin.attachments.names()
    cabin.attachments.keep(b"the power goes before the commit")
    assert card.start().attachments.names() == [kept]


def test_after_damage_pictures_that_nobody_names_are_sent_rather_than_removed(card: Card, tmp_path: Path) -> None:
    cabin = card.start()
    found = cabin.attachments.keep(b"a photo whose proof was on the damaged page").enc_sha256
    card.eject()
    with (tmp_path / "journal.db").open("r+b") as file:
        file.write(bytes(4_096))
    again = card.start()
    assert again.journal.salvaged is not None
    assert f"blob:{found}" in again.journal.work()


# --- receipts


def receipt(cabin: Cabin, keys: Keys, **blobs: BlobHeld) -> Receipt:
    held = HeldNumbers(upto=cabin.journal.issued(Series.SEQ))
    proofs = [keys.receipt(pod) for pod in pods_of(cabin.journal)]
    return Receipt(unit="van-1", log=cabin.journal.log, received=RECEIVED, seq=held, tseq=HeldNumbers(upto=0), proofs=proofs, blobs=blobs)


def test_a_picture_leaves_the_card_when_the_receiver_holds_it_whole(cabin: Cabin, keys: Keys, card: Card) -> None:
    cabin.deliver(1)
    hand_out(cabin)
    assert cabin.post.next(0.0) is not None
    photo, signature = cabin.attachments.names()
    size = cabin.attachments.size(photo) or 0
    cabin.post.take(receipt(cabin, keys, **{photo: BlobHeld(upto=size)}), 1.0)
    assert cabin.attachments.names() == [photo, signature]
    cabin.post.take(receipt(cabin, keys, **{photo: BlobHeld(upto=size, whole=True)}), 1.0)
    assert cabin.attachments.names() == [signature]
    assert list(cabin.journal.work("blob:")) == [f"blob:{signature}"]
    assert cabin.status.snapshot().blobs_waiting == 1
    assert card.start().attachments.names() == [signature]


def test_a_picture_that_the_card_spoiled_is_told_to_the_fleet(cabin: Cabin, tmp_path: Path) -> None:
    cabin.deliver(1)
    hand_out(cabin)
    photo, _ = cabin.attachments.names()
    (tmp_path / "attachments" / photo).write_bytes(b"spoiled")
    chunk = cabin.post.next(0.0)
    assert chunk is not None
    assert chunk.name != photo
    assert ("attachment.lost", {"attachments": [photo]}) in events_of(cabin.journal)
    assert f"blob:{photo}" not in cabin.journal.work()
