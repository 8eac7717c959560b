"""Where a card comes from: sticks with rubbish on them, codes that are none of ours, networks that cannot be joined."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from provisioning import source
from provisioning.card import Wifi
from provisioning.source import Sheet, SourceError
from tests.cards import CARD, TEXT

WIFI = "WIFI:T:WPA;S:Depot;P:secret;;"


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path / "enrol.txt"


@pytest.mark.parametrize("content", [TEXT, f"{TEXT}\n", f"\ufeff# van 17\r\n\r\n  {TEXT}\r\n"])
def test_a_text_file_with_the_code_is_a_card(content: str, stick: Path) -> None:
    stick.write_text(content, encoding="utf-8", newline="")
    assert source.read_stick(stick) == Sheet(card=CARD)
    assert source.read_stick(stick.parent) == Sheet(card=CARD)


def test_a_stick_may_name_the_network_too(stick: Path) -> None:
    stick.write_text(f"{WIFI}\n{TEXT}\n", encoding="utf-8")
    assert source.read_stick(stick) == Sheet(card=CARD, wifi=Wifi(ssid="Depot", password="secret"))


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "holds no enrolment code"),
        (b"hello\n", "holds no enrolment code"),
        (WIFI.encode(), "holds no enrolment code"),
        (TEXT[:32].encode(), "cut off"),
        (b"\xff\xfe\x00rubbish", "no text file"),
        (b"\x00" * 100, "no text file"),
        (b"x" * 100_000, "no text file"),
        (os.urandom(4_000), "no text file"),
    ],
    ids=["empty", "hello", "only a network", "half a card", "UTF-16", "zeros", "large", "random"],
)
def test_rubbish_on_a_stick_is_told(content: bytes, wrong: str, stick: Path) -> None:
    stick.write_bytes(content)
    with pytest.raises(SourceError, match=wrong) as refused:
        source.read_stick(stick)
    assert str(stick) in str(refused.value)


def test_what_is_no_file_is_not_opened(stick: Path, tmp_path: Path) -> None:
    os.mkfifo(stick)
    with pytest.raises(SourceError, match="is no file"):
        source.read_stick(stick)
    stick.unlink()
    (tmp_path / "secret").write_text(TEXT, encoding="utf-8")
    stick.symlink_to(tmp_path / "secret")
    with pytest.raises(SourceError, match="cannot be read"):
        source.read_stick(stick)
    with pytest.raises(SourceError, match="cannot be read"):
        source.read_stick(tmp_path / "nothing")


def test_only_mounted_sticks_of_the_usual_places_are_looked_at(tmp_path: Path) -> None:
    media = tmp_path / "media"
    for name in ("a stick", "disk", "empty"):
        (media / name).mkdir(parents=True)
    for name in ("a stick", "disk"):
        (media / name / "enrol.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "enrol.txt").write_text(TEXT, encoding="utf-8")
    spaced = str(media / "a stick").replace(" ", "\\040")
    lines = [
        f"/dev/sda1 {spaced} vfat ro 0 0",
        f"/dev/sdb1 {media}/disk ext4 rw 0 0",
        f"/dev/sdc1 {media}/empty vfat ro 0 0",
        f"/dev/sdd1 {tmp_path} vfat ro 0 0",
        "torn",
    ]
    mounts = tmp_path / "mounts"
    mounts.write_text("\n".join(lines), encoding="utf-8")
    assert list(source.sticks(mounts, [media])) == [media / "a stick" / "enrol.txt"]
    assert list(source.sticks(tmp_path / "nothing", [media])) == []


def test_other_codes_in_sight_are_passed_over() -> None:
    assert source.read_text("(00)340123450000000017") is None
    assert source.read_text("https://example.org") is None
    assert source.read_text(TEXT) == Sheet(card=CARD)
    with pytest.raises(SourceError):
        source.read_text(TEXT[:-1])


@pytest.fixture
def nmcli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that writes its arguments down, a line each, and ends as the file `end` says."""
    program = tmp_path / "nmcli"
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/said\ncat {tmp_path}/error >&2 2>/dev/null\nexit $(cat {tmp_path}/end)\n',
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "end").write_text("0", encoding="utf-8")
    (tmp_path / "error").write_text("", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_a_network_is_joined_with_its_name_and_password_as_words_of_their_own(nmcli: Path) -> None:
    source.join(Wifi(ssid="Depot; rm -rf /", password="a b'c", hidden=True))
    said = (nmcli / "said").read_text(encoding="utf-8").splitlines()
    assert said[2:] == ["device", "wifi", "connect", "Depot; rm -rf /", "password", "a b'c", "hidden", "yes"]


def test_an_open_network_has_no_password(nmcli: Path) -> None:
    source.join(Wifi(ssid="Open"))
    assert "password" not in (nmcli / "said").read_text(encoding="utf-8")


def test_a_network_that_refuses_is_told_without_its_password(nmcli: Path) -> None:
    (nmcli / "end").write_text("4", encoding="utf-8")
    (nmcli / "error").write_text("Error: Connection activation failed: secret is wrong.\n", encoding="utf-8")
    with pytest.raises(SourceError, match="Depot cannot be joined: Connection activation failed") as refused:
        source.join(Wifi(ssid="Depot", password="secret"))
    assert "secret" not in str(refused.value)


def test_a_box_without_networkmanager_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="no NetworkManager"):
        source.join(Wifi(ssid="Depot"))
