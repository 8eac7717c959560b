"""A unit's identity: the folder that says who it is and lets it prove it. It is made beside its place and comes into it by one rename.

So there is never half of one. What a power cut left of a new one is gone on with when the same card comes again: the same keys, for which
the card's code still works; otherwise it is removed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from firmware import identity as settled
from mqtt.durable import give, sync_names, write_durably
from mqtt.evidence import EvidenceError
from mqtt.evidence.keys import Key, TokenKey, is_file, new_key, open_key, otp, uri
from mqtt.messages import UnitId
from provisioning.card import Card
from provisioning.est.settings import Place, UnitSettings

FOLDER, DRAFT = "identity", "identity.new"
PAPER = "identity.json"
TLS, EVIDENCE_KEY, EVIDENCE = "tls.pem", "evidence.key", "evidence.pem"
ROOT, ISSUING, RECEIVERS, SEAL = "root.pem", "issuing.pem", "receiver.pem", "seal.pub"
FILES = (PAPER, settled.SETTINGS, TLS, EVIDENCE, ROOT, ISSUING, RECEIVERS, SEAL)
IN_A_FILE = "file"  # how a command names a key that lies in the identity itself


class IdentityError(RuntimeError):
    """The identity cannot be made, read or renewed; the sentence says why and what to do."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """identity.json: who this unit is, for people and for the next renewal."""

    v: Literal[1] = 1
    unit: UnitId
    vehicle: str = ""
    est: Place  # where it is renewed
    fingerprint: str  # of the root, as the card names it
    key: str = IN_A_FILE  # where the evidence key lies
    card: str  # SHA-256 of the card's text: the same card goes on where it was cut off
    enrolled_at: str | None = None  # UTC; None while it is being made
    told_at: str | None = None  # UTC; when the fleet last said who its receivers are, None: at the enrolment


def read(folder: Path) -> Identity | None:
    """The identity in its place, None where there is none; IdentityError when it is damaged."""
    try:
        if not folder.exists():
            return None
        missing = [name for name in FILES if not (folder / name).exists()]
    except PermissionError:
        raise IdentityError(f"{folder} is not for this user's eyes: run the command with sudo") from None
    found = _paper(folder)
    if found is None or found.enrolled_at is None or missing:
        what = f"{missing[0]} is missing" if missing else f"{PAPER} cannot be read"
        raise IdentityError(f"the identity in {folder} is damaged, {what}: `roadproof wipe` removes it, then enrol the unit anew")
    return found


def fit(identity: Identity, card: Card) -> bool:
    """Whether an identity was made with this card."""
    return identity.card == _hash(card)


class Draft:
    """An identity being made, in `identity.new`."""

    def __init__(self, state: Path, paper: Identity) -> None:
        self._state = state
        self.folder = state / DRAFT
        self.paper = paper

    @classmethod
    def begin(cls, state: Path, card: Card, *, evidence_key: str = IN_A_FILE) -> Draft:
        """Go on with what the same card began, or begin anew; IdentityError where nothing can be written."""
        paper = Identity(
            unit=card.unit,
            est=Place(card.host, card.port),
            fingerprint=card.fingerprint,
            key=evidence_key,
            card=_hash(card),
        )
        draft = cls(state, paper)
        with _written(state):
            found = _paper(draft.folder)
            if found is None or (found.card, found.key) != (paper.card, paper.key):
                draft.remove()
                draft.folder.mkdir(mode=0o700, parents=True)
                give(draft.folder, state)  # at once: what root began, the daemon's user may have to go on with after a power cut
                sync_names(state)  # else a power cut may take the folder, and with it keys that were asked with
                draft.write(PAPER, msgspec.json.encode(paper))
        return draft

    def tls_key(self) -> Key:
        """The key that logs in, made now or before the cut."""
        return self._file_key(self.folder / TLS)

    def evidence_key(self, *, burn: bool = False) -> Key:
        """The key that signs proofs; EvidenceError when the part that holds it cannot be used."""
        if self.paper.key == IN_A_FILE:
            return self._file_key(self.folder / EVIDENCE_KEY)
        where, found = self.paper.key, None
        with suppress(EvidenceError):  # none there, or out of reach: making one says which
            found = open_key(where)
        if found is not None and (where.startswith(otp.SCHEME) or self._mark.exists()):  # burnt for good, or made before the cut
            return found
        if found is None:
            with _written(self.folder):
                self._mark.touch()
                sync_names(self.folder)
        return new_key(where, burn=burn)

    @property
    def _mark(self) -> Path:
        return self.folder / "key-asked-for"

    def _file_key(self, path: Path) -> Key:
        with _written(self.folder):
            if path.exists():
                try:
                    return open_key(str(path))
                except EvidenceError:
                    path.unlink()  # cut off while it was written: nobody was asked with it yet
            made = new_key(str(path))
            give(path, self._state)
            sync_names(self.folder)
        return made

    def write(self, name: str, content: bytes) -> None:
        """A file, whole and on the card when this returns."""
        with _written(self.folder):
            write_durably(self.folder / name, content, like=self._state)

    def add_certificates(self, *chain: bytes) -> None:
        """The login's key and its certificates become one file."""
        key = (self.folder / TLS).read_bytes().split(b"-----BEGIN CERTIFICATE-----")[0]
        self.write(TLS, key + b"".join(chain))

    def settle(self, told: UnitSettings, *, enrolled_at: str) -> Identity:
        """Write what the daemon reads, and put the whole into its place; durable when this returns."""
        self.write(settled.SETTINGS, settings_of(self.paper, self._state / FOLDER, told.broker))
        self.paper = msgspec.structs.replace(self.paper, vehicle=told.vehicle, est=told.est, enrolled_at=enrolled_at)
        self.write(PAPER, msgspec.json.encode(self.paper))
        with _written(self._state):
            self._mark.unlink(missing_ok=True)
            sync_names(self.folder)
            self.folder.rename(self._state / FOLDER)
            sync_names(self._state)
        return self.paper

    def remove(self) -> None:
        """Leave nothing of it, and no key in a token that was made for it."""
        left = _paper(self.folder)
        if left is not None and left.key.startswith(uri.SCHEME) and self._mark.exists():
            with suppress(EvidenceError):  # out of reach, or never made
                destroy_key(left.key)
        with _written(self._state):
            if self.folder.is_dir() and not self.folder.is_symlink():
                shutil.rmtree(self.folder)
            else:
                self.folder.unlink(missing_ok=True)


def settings_of(paper: Identity, folder: Path, place: Place) -> bytes:
    """settings.toml: what firmware/identity.py puts under the settings file."""
    key = str(folder / EVIDENCE_KEY) if paper.key == IN_A_FILE else paper.key
    broker = {"host": place.host, "port": place.port, "tls_ca": str(folder / ROOT), "tls_cert": str(folder / TLS)}
    files = {"certificate": EVIDENCE, "issuing": ISSUING, "root": ROOT, "receiver": RECEIVERS, "seal_to": SEAL}
    evidence = {"key": key, **{name: str(folder / file) for name, file in files.items()}}
    lines = ["# made by `roadproof enrol`; what stands in roadproof.toml is stronger", f"unit = {json.dumps(paper.unit)}"]
    for section, values in (("broker", broker), ("evidence", evidence)):
        lines += ["", f"[{section}]", *(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())]
    return "\n".join([*lines, ""]).encode()


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file of a finished identity, for the owner of its folder; whole and on the card when this returns."""
    with _written(path.parent):
        write_durably(path, content, like=path.parent)


def key_file(paper: Identity, folder: Path) -> str:
    """Where the evidence key lies, as mqtt.evidence.keys names it."""
    return str(folder / EVIDENCE_KEY) if paper.key == IN_A_FILE else paper.key


def destroy_key(where: str) -> bool:
    """Let a token forget a key; False for one that cannot be destroyed, or is a file. EvidenceError when the token cannot be reached."""
    if not where.startswith(uri.SCHEME):
        return False
    TokenKey(uri.TokenUri.parse(where)).destroy()
    return True


def hardware_key(where: str) -> str:
    """A key's place as a command names it, checked; IdentityError when it is a path: the identity's own file is called `file`."""
    if where != IN_A_FILE and is_file(where):
        raise IdentityError(f"--evidence-key {where} is none of file, pkcs11:... and rpi-otp:1")
    return where


def _paper(folder: Path) -> Identity | None:
    try:
        return msgspec.json.decode((folder / PAPER).read_bytes(), type=Identity)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _hash(card: Card) -> str:
    return sha256(card.text.encode()).hexdigest()


@contextmanager
def _written(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        told = (error.strerror or str(error)).lower()
        raise IdentityError(f"{where} cannot be written: {told}; check the card, and run the command with sudo") from None
