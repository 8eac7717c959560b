"""Files that a power cut leaves whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtt.durable import write_durably


def test_a_file_is_replaced_and_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    write_durably(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_who_else_may_read_it_is_said(tmp_path: Path) -> None:
    write_durably(tmp_path / "open", b"x", mode=0o644)
    assert (tmp_path / "open").stat().st_mode & 0o004


def test_a_full_card_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "kept"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
