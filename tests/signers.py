"""A small fleet of signers for tests of evidence: an authority, two units, a receiver, and certificates that nobody should accept."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from msgspec import structs

from mqtt.evidence.bundle import Contents
from mqtt.evidence.certificates import DOCUMENT_SIGNING, role_uri, usage
from mqtt.evidence.chain import Head, Sealed, Signed, first_head, seal_record
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.receipt import link_of_receipt, sign_receipt
from mqtt.evidence.record import Attachment, Item, Recipient, Record, When, Where
from mqtt.messages import SignedReceipt
from provisioning.authority import bench

UNIT = "u-aaaaaa"
BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
PHOTO = b"\xff\xd8 a door, a parcel, a hand " * 40
STROKES = b'{"strokes":[[1,2,3]]}'


class Fleet:
    """Keys and certificates below one authority, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bench.make_root(folder / "ca", now=BEGAN)
        bench.issue_unit(folder / "ca", UNIT, folder / "unit", now=BEGAN)
        bench.issue_unit(folder / "ca", "u-bbbbbb", folder / "other", now=BEGAN)
        bench.issue_receiver(folder / "ca", "hq", folder / "receiver", now=BEGAN)
        self.root, self.issuing = self.pem("ca/root.pem"), self.pem("ca/issuing.pem")
        self.unit_pem, self.other_pem, self.receiver_pem = (
            self.pem("unit/unit.pem"),
            self.pem("other/unit.pem"),
            self.pem("receiver/receiver.pem"),
        )
        self.unit, self.other = self.signer("unit/unit"), self.signer("other/unit")
        self.receiver = self.signer("receiver/receiver")

    def pem(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def signer(self, name: str) -> FileSigner:
        return FileSigner.load(self.folder / f"{name}.key", self.folder / f"{name}.pem")

    def issue(self, *, curve: ec.EllipticCurve | None = None, **odd: Any) -> tuple[FileSigner, bytes]:
        """A leaf by the fleet's own issuing authority, as odd as asked for, and its key."""
        key = ec.generate_private_key(curve or ec.SECP256R1())
        pem = self.certificate(key.public_key(), **odd)
        return FileSigner(key, x509.load_pem_x509_certificate(pem)), pem

    def certificate(
        self,
        key: ec.EllipticCurvePublicKey,
        *,
        cn: str = UNIT,
        uris: tuple[str, ...] = (role_uri("unit", UNIT),),
        eku: tuple[ObjectIdentifier, ...] = (DOCUMENT_SIGNING,),
        ca: bool = False,
        began: datetime = BEGAN,
        days: int = 900,
        critical: x509.ExtensionType | None = None,
    ) -> bytes:
        """The leaf for a key that lies somewhere else."""
        issuing = x509.load_pem_x509_certificate(self.issuing)
        issuing_key = private(self.pem("ca/issuing.key"))
        builder = (
            x509.CertificateBuilder(issuing.subject, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)]), key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(began)
            .not_valid_after(began + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing_key.public_key()), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage(signing=not ca), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(eku)), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris]), critical=False)
        )
        if critical is not None:
            builder = builder.add_extension(critical, critical=True)
        return builder.sign(issuing_key, hashes.SHA256()).public_bytes(Encoding.PEM)


def private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def attachment(kind: Any, mime: str, data: bytes) -> Attachment:
    name = hashlib.sha256(data).hexdigest()
    return Attachment(kind=kind, mime=mime, sha256=name, len=len(data), enc_sha256="ab" * 32, enc_len=len(data) + 48)


def record(number: int = 1, **changes: Any) -> Record:
    """What a driver might prove at a door, at a time of its own for each number."""
    said = Record(
        unit=UNIT,
        boot="7f1c2d",
        id=f"11111111-2222-4333-8444-{number:012d}",
        job="order-7",
        stop=f"stop-{number}",
        outcome="delivered_to_third_party",
        reason=None,
        recipient=Recipient(name='Zoë "\\" Ωmega\n', relation="neighbour", signature_state="signed"),
        driver="d-1",
        items=(Item(code="00340123450000000018", sym="code128", line_id="l-1", state="scanned", qty=1, qty_fact=1, reason=None),),
        t=When(wall=wall(number), mono_ms=1000 * number, src="gnss", err_ms=50, after=None),
        pos=Where(lat_e7=525_006_000, lon_e7=134_000_000, acc_m=4, fix=3, sats=11, age_ms=300),
        att=(),
        fw="1.4.0",
    )
    return structs.replace(said, **changes)


def wall(number: int, second: int = 0) -> str:
    """The time of a test record; its receipt comes a little later."""
    return f"2026-05-04T08:{number:02d}:{second:02d}.000Z"


def chain(signer: FileSigner, count: int, **changes: Any) -> list[Sealed]:
    """That many records of one unit, from the first on."""
    head = first_head(signer.certificate_der)
    made: list[Sealed] = []
    for number in range(1, count + 1):
        made.append(seal_record(record(number, **changes), head, signer))
        head = made[-1].head
    return made


def plain(sealed: Signed) -> Signed:
    return Signed(rec=sealed.rec, jws=sealed.jws)


def receipt(fleet: Fleet, sealed: Sealed, received: str, **changes: Any) -> SignedReceipt:
    said: dict[str, Any] = {"unit": UNIT, "seq": sealed.head.seq, "link": sealed.link, "received": received, "signer": fleet.receiver}
    return sign_receipt(**{**said, **changes})


class Story:
    """Three records in a row, the middle one with photo, signature and both receipts: what a good bundle is made of."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.first = seal_record(record(1), first_head(fleet.unit.certificate_der), fleet.unit)
        self.after = receipt(fleet, self.first, wall(1, 20))
        self.said = record(
            2,
            t=When(wall=wall(2), mono_ms=2000, src="gnss", err_ms=50, after=link_of_receipt(self.after)),
            att=(attachment("photo", "image/jpeg", PHOTO), attachment("signature", "application/json", STROKES)),
        )
        self.second = seal_record(self.said, self.first.head, fleet.unit)
        self.third = seal_record(record(3), self.second.head, fleet.unit)
        self.receipt = receipt(fleet, self.second, wall(2, 20))

    def contents(self, **changes: Any) -> Contents:
        """The good bundle, or one that differs in something."""
        photo, strokes = self.said.att
        good = Contents(
            record=plain(self.second),
            receipt=self.receipt,
            unit=self.fleet.unit_pem,
            issuing=self.fleet.issuing,
            receiver=self.fleet.receiver_pem,
            attachments={photo.sha256: ("jpg", PHOTO), strokes.sha256: ("json", STROKES)},
            neighbours={1: plain(self.first), 3: plain(self.third)},
            after=self.after,
        )
        return structs.replace(good, **changes)

    def again(self, signer: FileSigner | None = None, head: Head | None = None, **changes: Any) -> Sealed:
        """The middle record, signed anew and perhaps otherwise."""
        return seal_record(structs.replace(self.said, **changes), head or self.first.head, signer or self.fleet.unit)

    def live(self, sealed: Sealed, **changes: Any) -> Contents:
        """A bundle of a forgery that was sent in time, so that the receiver gave it a genuine receipt."""
        return self.contents(**{"record": plain(sealed), "receipt": receipt(self.fleet, sealed, wall(2, 20)), "neighbours": {}, **changes})
