"""The storing half of the unit, built as firmware/app.py and firmware/terminal/cab.py build it, on any folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from firmware.clock import Clock
from firmware.diary import Diary
from firmware.evidence.attachments import Attachments
from firmware.evidence.book import EvidenceBook
from firmware.evidence.orphans import settle_orphans
from firmware.evidence.receivers import Authorities
from firmware.journal import Journal
from firmware.status import Status, StatusBoard
from firmware.uplink.post import ProofPost
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.sealing import Seal
from provisioning.authority import bench

UNIT = "van-1"
BOOT = "0a1b2c3d4e5f"
FIRMWARE = "faults"
BEGAN_S = 1_797_000_000.0  # December 2026
QUOTA_BYTES = 50_000_000
KEEP_MS = 300_000  # receipted records go after five minutes of the day, so that it sees them go


class Keys(msgspec.Struct, frozen=True):
    """What signs and is checked by, for one unit and its receiver."""

    unit: FileSigner
    receiver: FileSigner
    authorities: Authorities
    unit_pem: bytes
    seal: Seal


def make_keys(folder: Path) -> None:
    """An authority, one unit and one receiver, in folders of their own."""
    bench.make_keys(folder, UNIT)


def load_keys(folder: Path) -> Keys:
    """Read what `make_keys` made."""
    unit, receiver = folder / "unit", folder / "receiver"
    return Keys(
        unit=FileSigner.load(unit / "unit.key", unit / "unit.pem"),
        receiver=FileSigner.load(receiver / "receiver.key", receiver / "receiver.pem"),
        authorities=Authorities(
            receiver=(receiver / "receiver.pem").read_bytes(),
            issuing=(unit / "issuing.pem").read_bytes(),
            root=(unit / "root.pem").read_bytes(),
        ),
        unit_pem=(unit / "unit.pem").read_bytes(),
        seal=Seal((receiver / "seal.pub").read_bytes()),
    )


class Now:
    """A clock of the day's own, in seconds since 1970: it goes on when it is told to."""

    def __init__(self, at_s: float = BEGAN_S) -> None:
        self.at_s = at_s

    def __call__(self) -> float:
        """What it shows."""
        return self.at_s


class Unit:
    """Opened as at the daemon's start; orphans are left until `settle`. `close` when done with it."""

    def __init__(
        self,
        folder: Path,
        keys: Keys,
        now: Callable[[], float],
        *,
        journal: Callable[..., Journal] = Journal,
        attachments: Callable[..., Attachments] = Attachments,
    ) -> None:
        clock, status = Clock(utc_s=now, mono_s=now), StatusBoard(Status(unit=UNIT))
        self.diary = Diary(unit=UNIT, boot=BOOT, clock=clock, status=status)
        self.journal = journal(
            folder / "journal.db",
            quota_bytes=QUOTA_BYTES,
            keep_ms=KEEP_MS,
            utc_ms=lambda: clock.now().at_ms,
            tombstone=self.diary.tombstone,
        )
        try:
            self.diary.open(self.journal)
            self.attachments = attachments(folder / "attachments", keys.seal.seal)
            self.book = EvidenceBook(
                unit=UNIT,
                boot=BOOT,
                firmware=FIRMWARE,
                signer=keys.unit,
                authorities=keys.authorities,
                journal=self.journal,
                diary=self.diary,
            )
            self.post = ProofPost(
                boot=BOOT, journal=self.journal, attachments=self.attachments, evidence=self.book, diary=self.diary, status=status
            )
        except BaseException:
            self.journal.close()
            raise

    def settle(self) -> None:
        """Remove the attachments that nothing names, as the terminal does before the driver sees anything."""
        settle_orphans(BOOT, self.journal, self.attachments, self.journal.work())

    def close(self) -> None:
        """An orderly stop."""
        self.journal.close()
