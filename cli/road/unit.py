"""A unit on the road: journal, attachments, chain of proofs and uplink as the daemon builds them, on a thread, with no daemon around."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from firmware.clock import Clock, boot_id
from firmware.config import JournalSettings, UplinkSettings
from firmware.day.proof import Attachment, Item, Proof, Recipient, Where
from firmware.diary import Diary
from firmware.evidence.attachments import Attachments
from firmware.evidence.book import BLOB, EvidenceBook
from firmware.evidence.receivers import Authorities
from firmware.journal import Journal, Series
from firmware.status import PositionStatus, Status, StatusBoard
from firmware.uplink.post import ProofPost
from firmware.uplink.reports import Reports
from firmware.uplink.uplink import Uplink
from mqtt import topics
from mqtt.codec import TrackPoint
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.sealing import Seal
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings
from mqtt.topics import BLOB as PIECES

FIRMWARE = "road"
END_S = 60.0
HERE = Where(lat_deg=51.0543210, lon_deg=3.7250000, accuracy_m=3.4, sats=11)


class Piece(msgspec.Struct, frozen=True):
    """A piece of an attachment that was handed to the link."""

    name: str
    offset: int
    size: int


class Unit:
    """Sends while it is entered; at the end it takes leave as the daemon does. `keys` is the folder that a Town makes."""

    def __init__(self, name: str, folder: Path, keys: Path, broker: BrokerSettings, settings: UplinkSettings | None = None) -> None:
        self.name = name
        self.boot = boot_id()
        self.clock = Clock()
        here = PositionStatus(at_ms=self.clock.now().at_ms, mono_s=self.clock.mono_s(), lat_deg=HERE.lat_deg, lon_deg=HERE.lon_deg)
        self.status = StatusBoard(Status(unit=name, boot=self.boot, position=here))
        self.link = NotingLink(broker, name)
        self.diary = Diary(unit=name, boot=self.boot, clock=self.clock, status=self.status)
        self.journal = Journal(
            folder / "journal" / "journal.db",
            quota_bytes=JournalSettings().quota_mb * 1_000_000,
            keep_ms=0,
            utc_ms=lambda: self.clock.now().at_ms,
            tombstone=self.diary.tombstone,
        )
        self.diary.open(self.journal)
        self._open_post(folder, keys)
        self.uplink = Uplink(
            unit=name,
            boot=self.boot,
            link=self.link,
            journal=self.journal,
            reports=Reports(unit=name, boot=self.boot, firmware=FIRMWARE, journal=self.journal, clock=self.clock, status=self.status),
            diary=self.diary,
            clock=self.clock,
            status=self.status,
            settings=settings or UplinkSettings(),
            post=self._post,
        )
        self.failure: BaseException | None = None  # why the uplink's thread ended before it was told to
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"uplink of {name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(END_S)
        self.journal.close()

    @property
    def has_delivered(self) -> bool:
        """Whether every record is receipted, and every attachment is whole at the receiver and gone from here."""
        return not any(self.journal.waiting_count(series) for series in Series) and not self.journal.work(BLOB)

    def hand_over(self, photos: Sequence[bytes]) -> list[str]:
        """A signed proof with these photos, committed when this returns; the names of what is kept of them."""
        kept = [self.attachments.keep(photo) for photo in photos]
        entry = self._book.write(
            [
                self._proof(
                    tuple(
                        Attachment(
                            kind="photo", mime="image/jpeg", sha256=one.sha256, len=one.len, enc_sha256=one.enc_sha256, enc_len=one.enc_len
                        )
                        for one in kept
                    )
                )
            ]
        )
        self.journal.append(self.boot, entry.drafts, work=entry.work)
        self._book.written(entry)
        return [one.enc_sha256 for one in kept]

    def record(self, points: Sequence[TrackPoint]) -> None:
        """Fixes of a drive, committed when this returns."""
        self.journal.append(self.boot, [], list(points))

    def _proof(self, attachments: tuple[Attachment, ...]) -> Proof:
        now = self.clock.now()
        return Proof(
            id=str(uuid.uuid4()),
            stop_id="s-1",
            job=None,
            service="delivery",
            run_n=1,
            outcome="delivered_to_recipient",
            reason=None,
            recipient=Recipient(name="M. Kowalska", relation="recipient", signature_state="signed"),
            driver="d-1",
            items=(Item(code="JD01408812", sym="code128", line_id="l-1", state="scanned", qty=1, qty_fact=1),),
            at_ms=now.at_ms,
            mono_ms=now.mono_ms,
            boot=self.boot,
            src=now.src,
            err_ms=50,
            position=HERE,
            place_m=12,
            attachments=attachments,
        )

    def _open_post(self, folder: Path, keys: Path) -> None:
        own, receiver = keys / self.name, keys / "receiver"
        self.attachments = Attachments(folder / "journal" / "attachments", Seal((receiver / "seal.pub").read_bytes()).seal)
        self._book = EvidenceBook(
            unit=self.name,
            boot=self.boot,
            firmware=FIRMWARE,
            signer=FileSigner.load(own / "unit.key", own / "unit.pem"),
            authorities=Authorities(
                receiver=(receiver / "receiver.pem").read_bytes(),
                issuing=(own / "issuing.pem").read_bytes(),
                root=(own / "root.pem").read_bytes(),
            ),
            journal=self.journal,
            diary=self.diary,
        )
        self._post = ProofPost(
            boot=self.boot, journal=self.journal, attachments=self.attachments, evidence=self._book, diary=self.diary, status=self.status
        )

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.uplink.step(self._stop)
            self.uplink.finish()
        except Exception as error:  # noqa: BLE001  told by whoever looks at the unit: here nothing else would end
            self.failure = error


class NotingLink(BrokerLink):
    """The unit's link, which notes every piece of an attachment that goes out."""

    def __init__(self, broker: BrokerSettings, unit: str) -> None:
        super().__init__(broker, unit, topics.unit_filters(unit))
        self.pieces: list[Piece] = []

    def publish(
        self, topic: str, payload: bytes, qos: int, *, retain: bool = False, expiry_s: int | None = None, content_type: str | None = None
    ) -> int:
        """Publish, and note it."""
        address = topics.parse(topic)
        if address is not None and address.channel is PIECES:
            _, _, name, offset = address.name.split("/")
            self.pieces.append(Piece(name, int(offset), len(payload)))
        return super().publish(topic, payload, qos, retain=retain, expiry_s=expiry_s, content_type=content_type)

    @property
    def again_bytes(self) -> int:
        """How many bytes of attachments went out that had gone out before."""
        ends, again = dict[str, int](), 0
        for piece in list(self.pieces):
            known = ends.get(piece.name, 0)
            again += max(0, min(known, piece.offset + piece.size) - piece.offset)
            ends[piece.name] = max(known, piece.offset + piece.size)
        return again
