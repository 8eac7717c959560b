"""A small world of evidence: an authority, a receiver's keys, and units that sign proofs and seal attachments as real ones do."""

from __future__ import annotations

import hashlib
import io
import json
import time
import uuid
from pathlib import Path
from typing import Literal

from msgspec import structs
from PIL import Image

from fleet.config import EvidenceSettings
from fleet.intake import SignedRecord, read
from fleet.notary import Notary
from fleet.proofs import Storable
from fleet.rows import Holding, Kept
from fleet.store import Store
from fleet.strokes import MIME
from mqtt.evidence.chain import Head, Sealed, first_head, seal_record
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.record import Attachment, Item, Recipient, Record, When, Where
from mqtt.evidence.sealing import Seal
from mqtt.messages import Pod, encode, utc_text
from mqtt.topics import BLOB_CHUNK_BYTES
from provisioning.authority import bench
from tests.system.stores import Place, opened

UNIT, BOOT, LOG = "van-12", "abcdef01", "0000a001"
MADE_MS = 1_790_000_000_000  # 2026-09-21
STROKES = {"v": 1, "unit": "px/4", "width": 600, "height": 200, "fields": ["x", "y"], "strokes": [[10, 400, 200, -300, 400, 200]]}


def jpeg(seed: int = 0) -> bytes:
    """A photo whose bytes need several pieces."""
    noise = Image.effect_noise((160, 160), 90 + seed)
    held = io.BytesIO()
    noise.save(held, "JPEG", quality=95)
    return held.getvalue()


class Sealer:
    """An attachment as a unit makes it."""

    def __init__(self, seal: Seal, kind: Literal["photo", "signature", "defect"], mime: str, plain: bytes) -> None:
        self.plain = plain
        self.sealed = seal.seal(plain)
        self.sha = hashlib.sha256(self.sealed).hexdigest()
        self.told = Attachment(
            kind=kind, mime=mime, sha256=hashlib.sha256(plain).hexdigest(), len=len(plain), enc_sha256=self.sha, enc_len=len(self.sealed)
        )

    @property
    def pieces(self) -> list[tuple[str, bytes]]:
        """Topic below the unit, and payload."""
        offsets = range(0, len(self.sealed), BLOB_CHUNK_BYTES)
        return [(f"up/blob/{self.sha}/{at}", self.sealed[at : at + BLOB_CHUNK_BYTES]) for at in offsets]


class Pen:
    """A unit's key and the head of its chain."""

    def __init__(self, unit: str, folder: Path, seal: Seal) -> None:
        self.unit, self.home = unit, folder
        self.signer = FileSigner.load(folder / "unit.key", folder / "unit.pem")
        self.head: Head = first_head(self.signer.certificate_der)
        self.seal = seal

    def photo(self, seed: int = 0) -> Sealer:
        return Sealer(self.seal, "photo", "image/jpeg", jpeg(seed))

    def signature(self) -> Sealer:
        return Sealer(self.seal, "signature", MIME, json.dumps(STROKES).encode())

    def record(self, stop: str = "s1", *attached: Sealer, **changes: object) -> Record:
        at_ms = MADE_MS + 60_000 * (self.head.seq + 1)
        made = Record(
            unit=self.unit, boot=BOOT, id=str(uuid.uuid4()), job="j1", stop=stop, outcome="delivered_to_recipient", reason=None,
            recipient=Recipient(name="Ana Soto", relation="recipient", signature_state="signed"), driver="d1",
            items=(Item(code="00340123450000000017", sym="code128", line_id="l1", state="delivered", qty=1, qty_fact=1, reason=None),),
            t=When(wall=utc_text(at_ms), mono_ms=5, src="gnss", err_ms=50, after=None),
            pos=Where(lat_e7=524_000_000, lon_e7=134_000_000, acc_m=4, fix=3, sats=11, age_ms=300),
            att=tuple(one.told for one in attached), fw="1.4.0",
        )  # fmt: skip
        return structs.replace(made, **changes)

    def signed(self, record: Record) -> Sealed:
        sealed = seal_record(record, self.head, self.signer)
        self.head = sealed.head
        return sealed

    def pod(self, seq: int, record: Record) -> bytes:
        """The message of a record, as number `seq` of the journal."""
        return self.message(seq, self.signed(record))

    def message(self, seq: int, sealed: Sealed) -> bytes:
        return encode(Pod(unit=self.unit, boot=BOOT, log=LOG, seq=seq, rec=sealed.rec, jws=sealed.jws))


class World:
    """Authority, receiver and units in folders of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "authority" / "root.pem"
        self.units = folder / "units"
        self.units.mkdir()
        bench.make_root(folder / "authority")
        bench.issue_receiver(folder / "authority", "desk", folder / "desk")
        self.seal = Seal((folder / "desk" / "seal.pub").read_bytes())

    def pen(self, unit: str = "van-12", *, known: bool = True) -> Pen:
        """A unit; `known`: the receiver has its certificate."""
        home = self.folder / f"of-{unit}"
        bench.issue_unit(self.folder / "authority", unit, home)
        if known:
            self.introduce(unit)
        return Pen(unit, home, self.seal)

    def introduce(self, unit: str) -> None:
        (self.units / f"{unit}.pem").write_bytes((self.folder / f"of-{unit}" / "unit.pem").read_bytes())

    @property
    def settings(self) -> EvidenceSettings:
        desk = self.folder / "desk"
        return EvidenceSettings(
            root=str(self.root), units_folder=str(self.units), issuing=str(desk / "issuing.pem"), certificate=str(desk / "receiver.pem"),
            key=str(desk / "receiver.key"), seal_key=str(desk / "seal.key"),
        )  # fmt: skip

    def config(self, store: str, port: int = 1883) -> Path:
        """A settings file with all of it."""
        told = {key: value for key, value in structs.asdict(self.settings).items() if value}
        lines = [f'store = "{store}"', "[broker]", 'host = "127.0.0.1"', f"port = {port}", "tls = false", "[evidence]"]
        file = self.folder / "fleet.toml"
        file.write_text("\n".join([*lines, *(f"{key} = {json.dumps(value)}" for key, value in told.items()), ""]), encoding="utf-8")
        return file


class Desk:
    """A receiver without a broker: what comes is checked and kept as `fleet.receiver` does it."""

    def __init__(self, world: World, place: Place) -> None:
        self.notary = Notary(world.settings)
        self.store: Store = opened(place)
        self.config = str(world.config(place.url))  # for the commands

    def take(self, name: str, payload: bytes, unit: str = UNIT) -> Kept:
        at_ms = time.time_ns() // 1_000_000
        items: list[Storable] = [
            self.notary.check(item, at_ms) if isinstance(item, SignedRecord) else item
            for item in read(f"rp/v1/{unit}/{name}", payload, at_ms)
        ]
        return self.store.keep(items, at_ms)

    def proof(self, payload: bytes, unit: str = UNIT) -> Holding:
        (holding,) = self.take("up/pod", payload, unit).holdings
        return holding

    def send(self, attachment: Sealer) -> Holding:
        for name, payload in attachment.pieces:
            kept = self.take(name, payload)
        (holding,) = kept.holdings
        return holding
