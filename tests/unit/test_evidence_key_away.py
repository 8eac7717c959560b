"""A key in hardware that is out of reach for a while: no proof is lost by it, and none is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.evidence.book import UNSEALED, EvidenceBook
from firmware.journal import Journal
from mqtt.evidence import EvidenceError
from mqtt.evidence.jws import Signer
from tests.journals import BOOT, open_journal
from tests.proofs import UNIT, Keys, diary_of, keys_of_the_session, pods_of, proof, write


class Token:
    """A signer that can be pulled out."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.is_plugged = True
        self.certificate_der = signer.certificate_der

    def sign(self, message: bytes) -> bytes:
        if not self.is_plugged:
            raise EvidenceError("there is no token roadproof: plug it in, or correct the name")
        return self._signer.sign(message)


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


@pytest.fixture
def token(keys: Keys) -> Token:
    return Token(keys.signer)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = open_journal(tmp_path)
    yield made
    made.close()


def book_of(journal: Journal, keys: Keys, token: Token) -> EvidenceBook:
    return EvidenceBook(
        unit=UNIT, boot=BOOT, firmware="1", signer=token, authorities=keys.authorities, journal=journal, diary=diary_of(journal)
    )


def test_a_proof_made_without_the_key_is_signed_with_the_next_one(journal: Journal, keys: Keys, token: Token) -> None:
    book = book_of(journal, keys, token)
    early, late, last = proof(), proof(), proof()
    token.is_plugged = False
    write(journal, book, early)
    assert pods_of(journal) == []
    assert list(journal.work(UNSEALED)) == [UNSEALED + early.id]
    token.is_plugged = True
    write(journal, book, late)
    write(journal, book, last)
    assert [made.id in pod.rec for made, pod in zip((early, late, last), pods_of(journal), strict=True)] == [True] * 3
    assert journal.work(UNSEALED) == {}


def test_it_is_remembered_over_a_restart(journal: Journal, keys: Keys, token: Token) -> None:
    early, late = proof(), proof()
    token.is_plugged = False
    write(journal, book_of(journal, keys, token), early)
    token.is_plugged = True
    write(journal, book_of(journal, keys, token), late)
    assert [made.id in pod.rec for made, pod in zip((early, late), pods_of(journal), strict=True)] == [True] * 2


def test_it_is_told_once_while_the_key_stays_away(journal: Journal, keys: Keys, token: Token) -> None:
    book = book_of(journal, keys, token)
    token.is_plugged = False
    early, late = proof(), proof()
    assert [refused for refused, _ in book.write([early]).refused] == [early.id]
    write(journal, book, early)
    assert [refused for refused, _ in book.write([late]).refused] == [late.id]
