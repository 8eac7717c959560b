"""A unit's keys, its book of evidence, and proofs to put into it."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from firmware.clock import Clock
from firmware.day.proof import Attachment, Item, Proof, Recipient, Where
from firmware.diary import Diary
from firmware.evidence.book import EvidenceBook
from firmware.evidence.receivers import Authorities
from firmware.journal import Journal, Series
from firmware.status import Status, StatusBoard
from mqtt.evidence.chain import Signed, link_of
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.receipt import sign_receipt
from mqtt.messages import Pod, SignedReceipt
from mqtt.ranges import Ranges
from provisioning.authority import bench
from tests.journals import BOOT, START_MS

UNIT = "van-1"
RECEIVED = "2026-12-11T08:00:00.000Z"


KEPT = TemporaryDirectory(prefix="roadproof-keys-")


class Keys:
    """An authority, one unit and one receiver in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path) -> Keys:
        bench.make_keys(folder, UNIT)
        return cls(folder)

    @property
    def signer(self) -> FileSigner:
        return FileSigner.load(self.folder / "unit/unit.key", self.folder / "unit/unit.pem")

    @property
    def receiver_signer(self) -> FileSigner:
        return FileSigner.load(self.folder / "receiver/receiver.key", self.folder / "receiver/receiver.pem")

    @property
    def authorities(self) -> Authorities:
        return Authorities(
            receiver=(self.folder / "receiver/receiver.pem").read_bytes(),
            issuing=(self.folder / "unit/issuing.pem").read_bytes(),
            root=(self.folder / "unit/root.pem").read_bytes(),
        )

    def receipt(self, pod: Pod | Signed, *, unit: str = UNIT, by_unit: bool = False) -> SignedReceipt:
        """The receiver's word for a record; by the unit itself, where a test wants a forgery."""
        told = msgspec.json.decode(pod.rec)
        signer = self.signer if by_unit else self.receiver_signer
        return sign_receipt(unit, told["seq"], link_of(pod.rec, pod.jws), RECEIVED, signer)


@cache
def keys_of_the_session() -> Keys:
    """One authority for every test: making keys takes time."""
    return Keys.make(Path(KEPT.name))


def diary_of(journal: Journal) -> Diary:
    diary = Diary(unit=UNIT, boot=BOOT, clock=Clock(), status=StatusBoard(Status(unit=UNIT)))
    diary.open(journal)
    return diary


def book_of(journal: Journal, keys: Keys, firmware: str = "1.4.0") -> EvidenceBook:
    return EvidenceBook(
        unit=UNIT, boot=BOOT, firmware=firmware, signer=keys.signer, authorities=keys.authorities, journal=journal, diary=diary_of(journal),
    )  # fmt: skip


def proof(**changes: Any) -> Proof:
    """A delivery of one parcel."""
    told: dict[str, Any] = {
        "id": str(uuid.uuid4()), "stop_id": "s-4", "job": "o-9", "service": "delivery", "run_n": 3, "outcome": "delivered_to_recipient",
        "reason": None, "recipient": Recipient(name="M. Kowalska", relation="recipient", signature_state="signed"), "driver": "d-1",
        "items": (Item(code="JD01408812", sym="code128", line_id="l-1", state="scanned", qty=1, qty_fact=1),), "at_ms": START_MS,
        "mono_ms": 5_000, "boot": BOOT, "src": "gnss", "err_ms": 50, "place_m": 12,
        "position": Where(lat_deg=51.0543210, lon_deg=3.7250000, accuracy_m=3.4, sats=11),
    }  # fmt: skip
    return Proof(**{**told, **changes})


def attachment(plain: str = "1", kind: str = "photo") -> Attachment:
    return msgspec.convert(
        {"kind": kind, "mime": "image/jpeg", "sha256": plain * 64, "len": 5, "enc_sha256": plain * 64, "enc_len": 53}, Attachment
    )


def pods_of(journal: Journal) -> list[Pod]:
    """The signed records that wait, in order."""
    rows = journal.waiting(Series.SEQ, Ranges(), 10_000)
    return [msgspec.json.decode(row.payload, type=Pod) for row in rows if row.kind == "pod"]


def events_of(journal: Journal) -> list[tuple[str, dict[str, Any]]]:
    rows = journal.waiting(Series.SEQ, Ranges(), 10_000)
    told = [msgspec.json.decode(row.payload) for row in rows if row.kind == "event"]
    return [(event["event"], event["data"]) for event in told]


def write(journal: Journal, book: EvidenceBook, *proofs: Proof) -> None:
    """As the terminal does it: sign, commit, note."""
    entry = book.write(proofs)
    journal.append(BOOT, entry.drafts, work=entry.work)
    book.written(entry)
