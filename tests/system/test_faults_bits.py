"""`roadproof faults bits` in short; and for each thing that it watches, the product broken on purpose."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from cli.faults.bits import flips
from cli.faults.bits.card import Card, lived
from cli.faults.bits.flips import KINDS, Flip
from cli.faults.bits.notice import Notice
from cli.faults.power.day import DAY
from cli.faults.tally import Tally
from cli.main import main
from firmware.evidence.attachments import Attachments
from firmware.journal import database, numbers, wal
from firmware.journal.numbers import Numbers
from firmware.journal.row import Row, checked
from tests.proofs import keys_of_the_session

SEED = 5


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> tuple[Card, Card]:
    """One stopped in order, one killed."""
    folder, keys = tmp_path_factory.mktemp("cards"), keys_of_the_session().folder
    return lived(folder / "stopped", keys, SEED, DAY), lived(folder / "killed", keys, SEED, DAY, kill_after=0.97)


def flipped(card: Card, folder: Path, name: str, at: int, bit: int = 3) -> Tally:
    card.copy(folder / "damaged")
    Flip("", name, at, bit).do(folder / "damaged")
    return Notice(folder / "damaged", keys_of_the_session().folder, card.promise).tally()


def place_of(card: Card, name: str, content: bytes) -> int:
    return (card.folder / name).read_bytes().rindex(content)


def test_the_command_counts_nothing_that_must_not_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "bits", "--flips", "40", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["faults"], told["states"], told["lost"], told["corrupt"], told["numbers_reused"], told["tracebacks"]) == (
        40,
        40,
        0,
        0,
        0,
        0,
    )


def test_every_kind_of_file_is_hit(cards: tuple[Card, Card]) -> None:
    assert set(cards[0].files()) == set(KINDS) - {"log"}
    assert set(cards[1].files()) == set(KINDS)


def test_a_flipped_bit_that_changes_a_record_is_noticed(cards: tuple[Card, Card], tmp_path: Path) -> None:
    tally = flipped(cards[0], tmp_path, "journal.db", place_of(cards[0], "journal.db", b'"event":"ignition.on"') + 3)
    assert tally.is_clean, tally


def test_rows_without_a_hash_are_seen(cards: tuple[Card, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def believed(columns: tuple[object, ...]) -> tuple[Row, bool]:
        return checked(columns)[0], True

    monkeypatch.setattr(database, "checked", believed)
    assert flipped(cards[0], tmp_path, "journal.db", place_of(cards[0], "journal.db", b'"filling":"xxxx') + 13).corrupt


def test_attachments_that_are_sent_unlooked_at_are_seen(cards: tuple[Card, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = keys_of_the_session().folder
    card = cards[0]
    monkeypatch.setattr(Attachments, "is_whole", lambda *_: True)
    corrupt = 0
    for number, name in enumerate(card.files()["attachment"]):
        folder = tmp_path / str(number)
        card.copy(folder)
        Flip("attachment", name, 100, 2).do(folder)
        corrupt += Notice(folder, keys, card.promise).tally().corrupt or 0
    assert corrupt


def test_commits_that_the_log_loses_in_silence_are_seen(cards: tuple[Card, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "unread_commits", lambda *_: 0)
    tally = flipped(cards[1], tmp_path, "journal.db-wal", 4_200)
    assert tally.lost
    assert tally.numbers_reused


def test_numbers_that_start_anew_after_damage_are_seen(cards: tuple[Card, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = Numbers.start
    monkeypatch.setattr(Numbers, "start", lambda *given, **_: start(*given, damaged=False))
    assert flipped(cards[1], tmp_path, "journal.db-wal", 4_200).numbers_reused


def test_a_unit_that_does_not_start_on_a_damaged_card_is_seen(
    cards: tuple[Card, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strict(path: Numbers) -> None:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    monkeypatch.setattr(numbers.Numbers, "_read", strict)
    assert flipped(cards[0], tmp_path, "journal.db.numbers", 10, 7).tracebacks


def test_the_flips_are_the_same_for_the_same_seed(cards: tuple[Card, Card]) -> None:
    first, again = ([flips.chosen(cards[0], chance, KINDS) for _ in range(20)] for chance in (random.Random(1), random.Random(1)))
    assert first == again
    assert {flip.kind for flip in first} <= set(KINDS)
