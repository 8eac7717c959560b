"""The register of a fleet: which units there are, which codes wait for them, and every certificate that was issued. The only SQL here.

A commit is durable before anything is answered (WAL, synchronous FULL). Several threads and programs may use one register.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
from cryptography import x509

from provisioning.authority import codes
from provisioning.authority.errors import CodeError, FleetError
from provisioning.authority.register_schema import SCHEMA, VERSION
from provisioning.est import wire
from provisioning.est.wire import Purpose

State = Literal["expected", "enrolled", "revoked"]
CODE_FOR = timedelta(minutes=15)
REPEAT_FOR = timedelta(hours=24)  # a power cut in the middle, and a technician who went home: the same key may ask again
BUSY_S = 10.0  # another program that writes has this long to finish
UNITS = """SELECT unit, vehicle, made_s, enrolled_s, revoked_s, reason, replaces,
    (SELECT max(until_s) FROM certificate c WHERE c.unit = u.unit AND purpose = 'tls' AND c.revoked_s IS NULL) AS tls_until_s,
    (SELECT max(until_s) FROM certificate c WHERE c.unit = u.unit AND purpose = 'evidence' AND c.revoked_s IS NULL) AS evidence_until_s
    FROM unit u"""


class UnitEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the register; times in seconds since 1970, UTC."""

    unit: str
    vehicle: str
    made_s: int  # when its first code was made
    enrolled_s: int | None  # when it had both its certificates
    revoked_s: int | None
    reason: str | None
    replaces: str | None
    tls_until_s: int | None  # of the certificates that stand
    evidence_until_s: int | None

    @property
    def state(self) -> State:
        """Where the unit is in its life."""
        if self.revoked_s is not None:
            return "revoked"
        return "expected" if self.enrolled_s is None else "enrolled"


class CertificateEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate that was issued."""

    serial: str  # hexadecimal
    holder: str  # a unit, or one of the fleet's own programs and servers
    purpose: str
    key_sha256: str
    issued_s: int
    until_s: int
    revoked_s: int | None
    pem: bytes  # with the issuing certificate behind it

    @property
    def number(self) -> int:
        """The serial number as certificates and revocation lists hold it."""
        return int(self.serial, 16)


class Register:
    """Opens the register in a file, and makes it where there is none; FleetError when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            try:
                for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
                    self._db.execute(f"PRAGMA {setting}")
                self._prepare()
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise FleetError(f"the register {path} cannot be used: {error}; check the file and its rights, or restore your copy") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def new_code(self, vehicle: str, unit: str, now: datetime, *, replaces: str | None = None) -> str:
        """A new code for a unit, which enters the register with its first one; codes made for it before are void.

        What a half-finished enrolment was given does not stand any longer. FleetError for a unit that is enrolled or revoked.
        """
        code, now_s = codes.new_code(), _seconds(now)
        with self._writing():
            entry = self.unit(unit)
            if entry is None:
                self._db.execute("INSERT INTO unit (unit, vehicle, made_s, replaces) VALUES (?, ?, ?, ?)", (unit, vehicle, now_s, replaces))
            elif entry.state != "expected":
                raise FleetError(f"{unit} is {entry.state}: a name is given once; `roadproof fleet replace {unit}` makes the next unit")
            self._db.execute("UPDATE code SET void = 1 WHERE unit = ?", (unit,))
            self._db.execute("UPDATE certificate SET revoked_s = ? WHERE unit = ? AND revoked_s IS NULL", (now_s, unit))
            row = (codes.digest(code), unit, now_s, now_s + int(CODE_FOR.total_seconds()))
            self._db.execute("INSERT INTO code (sha256, unit, made_s, until_s) VALUES (?, ?, ?, ?)", row)
        return code

    def claim(self, unit: str, code: str, purpose: Purpose, key_sha256: str, now: datetime) -> None:
        """Bind a code to the first key that it saw for this purpose; CodeError when it is not to be taken.

        The same key may come again for 24 hours. Of many who come at once, one is first.
        """
        now_s, digest = _seconds(now), codes.digest(code)
        self._void_old(now_s)
        with self._writing():
            row = self._db.execute("SELECT unit, made_s, until_s, void FROM code WHERE sha256 = ?", (digest,)).fetchone()
            if row is None:
                raise CodeError("unknown", "there is no such enrolment code: type it again, or make a new one in the office")
            if row["unit"] != unit:
                raise CodeError("other_unit", "the enrolment code is for another unit: use the card that was made for this one")
            if self.is_revoked(unit):
                raise CodeError("revoked", f"{unit} was taken out of the fleet: ask the office for the code of a new unit")
            held = self._db.execute("SELECT key_sha256 FROM claim WHERE code = ? AND purpose = ?", (digest, purpose)).fetchone()
            if held is not None and held["key_sha256"] != key_sha256:
                raise CodeError("used", "the enrolment code was used already, with another key: make a new one in the office")
            if row["void"] or now_s >= (row["made_s"] + REPEAT_FOR.total_seconds() if held else row["until_s"]):
                raise CodeError(
                    "expired", "the enrolment code has run out, or a newer one was made: use the newest, or make one in the office"
                )
            self._db.execute("INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?)", (digest, purpose, key_sha256, now_s))

    def _void_old(self, now_s: int) -> None:
        """What has run out once stays so, when the clock goes back."""
        with self._writing():
            question = """UPDATE code SET void = 1
                WHERE NOT void AND (made_s <= ? OR until_s <= ? AND sha256 NOT IN (SELECT code FROM claim))"""
            self._db.execute(question, (now_s - int(REPEAT_FOR.total_seconds()), now_s))

    def claimed(self, unit: str, code: str, now: datetime) -> bool:
        """Whether a code is this unit's, was used by it, and could still be used by the same keys."""
        question = """SELECT 1 FROM code JOIN claim ON claim.code = code.sha256 JOIN unit USING (unit)
            WHERE sha256 = ? AND unit = ? AND NOT void AND code.made_s > ? AND unit.revoked_s IS NULL"""
        since_s = _seconds(now) - int(REPEAT_FOR.total_seconds())
        with self._reading():
            return self._db.execute(question, (codes.digest(code), unit, since_s)).fetchone() is not None

    def record(self, pem_chain: bytes, holder: str, purpose: str, now: datetime) -> None:
        """Keep a certificate that was issued; FleetError when its unit was taken out meanwhile, and it must not be handed out.

        A unit with both of its certificates is enrolled from now on.
        """
        leaf = x509.load_pem_x509_certificates(pem_chain)[0]
        until_s = int(leaf.not_valid_after_utc.timestamp())
        row = (f"{leaf.serial_number:x}", holder, purpose, wire.key_sha256(wire.public_p256(leaf)), _seconds(now), until_s, pem_chain)
        names = "serial, unit, purpose, key_sha256, issued_s, until_s, pem"
        with self._writing():
            if self.is_revoked(holder):
                raise FleetError(f"{holder} was taken out of this fleet: make a new unit with `roadproof fleet enrol`")
            self._db.execute(f"INSERT INTO certificate ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608  no input in it
            entry = self.unit(holder)
            if entry and entry.enrolled_s is None and entry.tls_until_s and entry.evidence_until_s:
                self._db.execute("UPDATE unit SET enrolled_s = ? WHERE unit = ?", (_seconds(now), holder))

    def certificate_for(self, unit: str, purpose: Purpose, key_sha256: str) -> bytes | None:
        """The newest certificate that stands for this very key, so that whoever asks twice gets the same one."""
        question = """SELECT pem FROM certificate WHERE unit = ? AND purpose = ? AND key_sha256 = ? AND revoked_s IS NULL
            ORDER BY issued_s DESC, rowid DESC"""
        with self._reading():
            row = self._db.execute(question, (unit, purpose, key_sha256)).fetchone()
        return None if row is None else bytes(row["pem"])

    def unit(self, name: str) -> UnitEntry | None:
        """One unit; None when it never had a code."""
        with self._reading():
            row = self._db.execute(f"{UNITS} WHERE unit = ?", (name,)).fetchone()
        return None if row is None else _unit(row)

    def units(self) -> list[UnitEntry]:
        """Every unit that ever had a code, by vehicle, the oldest first."""
        with self._reading():
            return [_unit(row) for row in self._db.execute(f"{UNITS} ORDER BY vehicle, made_s, rowid")]

    def certificates(self, holder: str) -> list[CertificateEntry]:
        """Every certificate that was issued to a unit, or to a program or server of the fleet's, the oldest first."""
        with self._reading():
            rows = self._db.execute("SELECT * FROM certificate WHERE unit = ? ORDER BY rowid", (holder,)).fetchall()
        return [_certificate(row) for row in rows]

    def is_revoked(self, unit: str) -> bool:
        """Whether a unit was taken out of the fleet."""
        entry = self.unit(unit)
        return entry is not None and entry.state == "revoked"

    def revoke(self, unit: str, reason: str, now: datetime) -> None:
        """Take a unit out of the fleet, with its codes and certificates; once is enough, FleetError when there is no such unit."""
        with self._writing():
            if self.unit(unit) is None:
                raise FleetError(f"there is no unit {unit} in this fleet; `roadproof fleet access` names them all")
            self._db.execute(
                "UPDATE unit SET revoked_s = ?, reason = ? WHERE unit = ? AND revoked_s IS NULL", (_seconds(now), reason, unit)
            )
            self._db.execute("UPDATE code SET void = 1 WHERE unit = ?", (unit,))
            self.revoke_certificates(unit, now)

    def revoke_certificates(self, holder: str, now: datetime) -> None:
        """Let nothing that was issued to this holder stand."""
        with self._writing():
            self._db.execute("UPDATE certificate SET revoked_s = ? WHERE unit = ? AND revoked_s IS NULL", (_seconds(now), holder))

    def replace(self, old: str, new: str, vehicle: str, now: datetime, reason: str = "replaced") -> str:
        """A code for the unit that follows an old one, which is taken out of the fleet: both or neither."""
        with self._writing():
            self.revoke(old, reason, now)
            return self.new_code(vehicle, new, now, replaces=old)

    def free_name(self, vehicle: str) -> str:
        """The name of a vehicle's next unit: its own, then with -2, -3 behind it; FleetError when that is too long for a name."""
        with self._reading():
            taken = {row["unit"] for row in self._db.execute("SELECT unit FROM unit")}
        names = (vehicle if number == 1 else f"{vehicle}-{number}" for number in range(1, len(taken) + 2))
        name = next(name for name in names if name not in taken)
        if len(name) > 32:  # noqa: PLR2004  mqtt.messages.UnitId
            raise FleetError(f"{name} is longer than the 32 signs that a unit's name may have: give the vehicle a shorter name")
        return name

    def revoked(self, now: datetime) -> list[CertificateEntry]:
        """What a revocation list must hold: revoked, and not run out by itself."""
        with self._reading():
            question = "SELECT * FROM certificate WHERE revoked_s IS NOT NULL AND until_s > ? ORDER BY rowid"
            return [_certificate(row) for row in self._db.execute(question, (_seconds(now),))]

    def next_list_number(self, now: datetime) -> int:
        """The number of the next revocation list: it only grows. Codes that have run out by `now` are void from here on."""
        self._void_old(_seconds(now))
        with self._writing():
            row = self._db.execute("UPDATE list SET number = number + 1 RETURNING number").fetchone()
        return int(row["number"])

    def _prepare(self) -> None:
        with self._writing():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise FleetError(f"the register {self._path} was written by a newer Roadproof: use that one")
            if version == 0:
                for statement in SCHEMA:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version={VERSION}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, durable at its end; inside another one it is part of that."""
        with self._reading():
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                raise FleetError(
                    f"the register {self._path} cannot be used: {error}; check the file, its rights and the room on the disk"
                ) from None


def _seconds(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())


def _unit(row: sqlite3.Row) -> UnitEntry:
    return UnitEntry(**dict(zip(row.keys(), row, strict=True)))


def _certificate(row: sqlite3.Row) -> CertificateEntry:
    held = dict(zip(row.keys(), row, strict=True))
    return CertificateEntry(holder=held.pop("unit"), **held)
