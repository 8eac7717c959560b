"""Photos and signatures on the card: sealed at once, whole or not there, gone when told."""

from __future__ import annotations

import errno
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from firmware.evidence.attachments import LEFT_BYTES, AttachmentError, Attachments

PHOTO = b"\xff\xd8" + b"p" * 5_000


def seal(plain: bytes) -> bytes:
    return b"sealed " + os.urandom(8) + bytes(byte ^ 0x55 for byte in plain)


@pytest.fixture
def kept(tmp_path: Path) -> Attachments:
    return Attachments(tmp_path / "attachments", seal)


def test_an_attachment_is_on_the_card_under_the_hash_of_its_sealed_bytes(kept: Attachments, tmp_path: Path) -> None:
    stored = kept.keep(PHOTO)
    content = (tmp_path / "attachments" / stored.enc_sha256).read_bytes()
    assert (stored.sha256, stored.len) == (sha256(PHOTO).hexdigest(), len(PHOTO))
    assert (stored.enc_sha256, stored.enc_len) == (sha256(content).hexdigest(), len(content))
    assert kept.names() == [stored.enc_sha256]
    assert kept.is_whole(stored.enc_sha256)


def test_nothing_plain_reaches_the_card(kept: Attachments, tmp_path: Path) -> None:
    kept.keep(PHOTO)
    assert not any(PHOTO[2:20] in path.read_bytes() for path in (tmp_path / "attachments").iterdir())


def test_the_file_and_its_name_are_synced_before_keep_returns(kept: Attachments, monkeypatch: pytest.MonkeyPatch) -> None:
    acts = list[str]()
    real_sync, real_replace = os.fsync, Path.replace

    def sync(descriptor: int) -> None:
        acts.append("sync")
        real_sync(descriptor)

    def rename(path: Path, to: Path) -> Path:
        acts.append("rename")
        return real_replace(path, to)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)
    kept.keep(PHOTO)
    assert acts == ["sync", "rename", "sync"]


def test_chunks_put_together_are_the_file(kept: Attachments) -> None:
    stored = kept.keep(PHOTO)
    parts = [kept.chunk(stored.enc_sha256, offset, 1_000) for offset in range(0, stored.enc_len, 1_000)]
    assert sha256(b"".join(parts)).hexdigest() == stored.enc_sha256
    assert kept.chunk(stored.enc_sha256, stored.enc_len, 1_000) == b""


def test_a_picture_leaves_the_proofs_room_on_a_nearly_full_card(kept: Attachments, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=LEFT_BYTES + 5_000))
    with pytest.raises(AttachmentError, match=r"^the card is nearly full, and what room is left is kept for the proofs themselves"):
        kept.keep(PHOTO)
    assert kept.names() == []
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=LEFT_BYTES + 6_000))
    assert kept.keep(PHOTO)


def test_a_removed_file_is_gone_and_may_be_removed_again(kept: Attachments) -> None:
    stored = kept.keep(PHOTO)
    kept.remove([stored.enc_sha256])
    kept.remove([stored.enc_sha256])
    assert kept.names() == []
    assert kept.size(stored.enc_sha256) is None
    assert not kept.is_whole(stored.enc_sha256)
    with pytest.raises(AttachmentError):
        kept.chunk(stored.enc_sha256, 0, 10)


def test_a_flipped_bit_is_seen(kept: Attachments, tmp_path: Path) -> None:
    stored = kept.keep(PHOTO)
    path = tmp_path / "attachments" / stored.enc_sha256
    image = bytearray(path.read_bytes())
    image[700] ^= 1
    path.write_bytes(image)
    assert not kept.is_whole(stored.enc_sha256)


def test_a_full_card_is_one_sentence_and_leaves_nothing_behind(kept: Attachments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AttachmentError) as refusal:
        kept.keep(PHOTO)
    assert str(refusal.value) == "the card does not take the picture: no space left on device; go on without it"
    assert list((tmp_path / "attachments").iterdir()) == []


def test_what_a_power_cut_left_half_written_is_swept_up(tmp_path: Path) -> None:
    folder = tmp_path / "attachments"
    folder.mkdir()
    (folder / f"{'a' * 64}.new").write_bytes(b"half")
    assert Attachments(folder, seal).names() == []
    assert list(folder.iterdir()) == []


def test_something_far_too_large_is_refused_before_it_fills_the_card(kept: Attachments) -> None:
    with pytest.raises(AttachmentError, match="more than the 2000000 that are kept"):
        kept.keep(bytes(2_000_001))


def test_only_the_daemon_may_read_the_folder(kept: Attachments, tmp_path: Path) -> None:
    stored = kept.keep(PHOTO)
    assert (tmp_path / "attachments").stat().st_mode & 0o077 == 0
    assert (tmp_path / "attachments" / stored.enc_sha256).stat().st_mode & 0o077 == 0
