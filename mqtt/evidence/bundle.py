"""A proof to hand over: everything that a stranger needs to check one record, in one zip file, and nothing that runs by itself."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from mqtt.evidence import EvidenceError
from mqtt.evidence.canonical import jcs, read_canonical
from mqtt.evidence.chain import Signed, encode
from mqtt.messages import SignedReceipt

MAX_BYTES = 256 * 1024 * 1024  # of a bundle, and of everything in it
MAX_TEXT_BYTES = 4 * 1024 * 1024  # a record is 500,000 characters at most, each of up to four bytes, and escaped in chain/
MAX_ENTRIES = 64
NEIGHBOURS = 2
NEEDED = ("record.json", "record.jws", "receipt.json", "receipt.jws", "unit.pem", "issuing.pem", "receiver.pem")
NAMES = (*NEEDED, "after.json", "after.jws", "verify-openssl.sh", "README.txt")
FOLDERS = ("att/", "chain/")  # zip programs write such entries when a folder is packed anew
ATTACHMENT = re.compile(r"att/([0-9a-f]{64})\.([a-z0-9]{1,8})")
NEIGHBOUR = re.compile(r"chain/([1-9][0-9]{0,15})\.json")
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/svg+xml": "svg", "application/json": "json"}
MADE = (1980, 1, 1, 0, 0, 0)  # the same contents make the same bytes
LOCAL_HEADER_BYTES, END_BYTES = 30, 22  # APPNOTE 4.3.7, 4.3.16
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others take memory without a limit, and not every program has them
ZIP64, TIMES = 0x0001, {0x000A, 0x5455, 0x5855, 0x7855, 0x7875}  # extra fields, APPNOTE 4.5.2: sizes, times and owners
DESCRIPTOR_BYTES = (12, 16)  # APPNOTE 4.3.9: follows an entry whose flag bit 3 is set


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a bundle; certificates as PEM.

    `neighbours`: the records before and after by their number, those that are held and that the same certificate signed.
    `after`: the receipt that the record names in `t.after`, when it is held and the same receiver certificate signed it.
    """

    record: Signed
    receipt: SignedReceipt
    unit: bytes
    issuing: bytes
    receiver: bytes
    attachments: dict[str, tuple[str, bytes]] = {}  # by SHA-256 of the bytes: (extension, bytes)
    neighbours: dict[int, Signed] = {}
    after: SignedReceipt | None = None


def extension(mime: str) -> str:
    """What an attachment's file name ends in."""
    return EXTENSIONS.get(mime, "bin")


def write(path: Path, contents: Contents) -> None:
    """Write the bundle to a file; OSError as the disk says it."""
    path.write_bytes(pack(contents))


def pack(contents: Contents) -> bytes:
    """The bundle as a zip file, the same bytes for the same contents; nothing is checked."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in _entries(contents).items():
            info = zipfile.ZipInfo(name, MADE)
            info.external_attr = (stat.S_IFREG | (0o755 if name.endswith(".sh") else 0o644)) << 16
            info.compress_type = zipfile.ZIP_STORED if name.startswith("att/") else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return held.getvalue()


def unpack(data: bytes) -> Contents:
    """What is in a bundle, its names, sizes and shape checked and nothing else; EvidenceError says what is wrong with them."""
    held = _read_zip(data)
    texts = {name: _text(name, found) for name, found in held.items() if name in NAMES}
    missing = [name for name in NEEDED if name not in held]
    if missing:
        raise EvidenceError(f"{missing[0]} is missing from it")
    if ("after.json" in held) != ("after.jws" in held):
        raise EvidenceError("after.json and after.jws belong together: one of them is missing from it")
    neighbours = [match for match in map(NEIGHBOUR.fullmatch, held) if match]
    if len(neighbours) > NEIGHBOURS:
        raise EvidenceError(f"chain/ holds {len(neighbours)} records: one record has {NEIGHBOURS} neighbours at most")
    return Contents(
        record=Signed(rec=texts["record.json"], jws=texts["record.jws"]),
        receipt=SignedReceipt(rc=texts["receipt.json"], jws=texts["receipt.jws"]),
        unit=held["unit.pem"],
        issuing=held["issuing.pem"],
        receiver=held["receiver.pem"],
        attachments=_attachments(held),
        neighbours={int(match[1]): _neighbour(match[0], held[match[0]]) for match in neighbours},
        after=SignedReceipt(rc=texts["after.json"], jws=texts["after.jws"]) if "after.json" in held else None,
    )


def script() -> bytes:
    """verify-openssl.sh, as it is put into every bundle."""
    return files("mqtt.evidence").joinpath("verify-openssl.sh").read_bytes()


def _entries(contents: Contents) -> dict[str, bytes]:
    entries = {
        "record.json": encode(contents.record.rec),
        "record.jws": encode(contents.record.jws),
        "receipt.json": encode(contents.receipt.rc),
        "receipt.jws": encode(contents.receipt.jws),
        "unit.pem": contents.unit,
        "issuing.pem": contents.issuing,
        "receiver.pem": contents.receiver,
    }
    if contents.after:
        entries |= {"after.json": encode(contents.after.rc), "after.jws": encode(contents.after.jws)}
    entries |= {f"att/{sha256}.{ending}": data for sha256, (ending, data) in sorted(contents.attachments.items())}
    entries |= {f"chain/{n}.json": jcs(msgspec.to_builtins(signed)) for n, signed in sorted(contents.neighbours.items())}
    readme = files("mqtt.evidence").joinpath("README.txt").read_bytes()
    return entries | {"verify-openssl.sh": script(), "README.txt": readme}


def _read_zip(data: bytes) -> dict[str, bytes]:
    """Every entry by its name; EvidenceError for anything that two zip programs could read differently."""
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB: no bundle is")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            _check_layout(data, entries, archive.start_dir)
            return {entry.filename: _read(archive, entry) for entry in entries if entry.filename not in FOLDERS}
    except EvidenceError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError, LookupError):
        raise EvidenceError("it is no zip file, or a damaged one: ask for it again") from None


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_ENTRIES:
        raise EvidenceError(f"it has {len(entries)} files in it: {MAX_ENTRIES} at most belong into a bundle")
    names = [entry.filename for entry in entries]
    for entry in entries:
        name = entry.filename
        known = name in NAMES or name in FOLDERS or ATTACHMENT.fullmatch(name) or NEIGHBOUR.fullmatch(name)
        if not known or entry.orig_filename != name:
            raise EvidenceError(f"{name[:80]!r} does not belong into a bundle")
        if names.count(name) > 1:
            raise EvidenceError(f"{name} is in it twice")
        if stat.S_ISLNK(entry.external_attr >> 16) or entry.flag_bits & 1:
            raise EvidenceError(f"{name} is a link or encrypted: neither belongs into a bundle")
        if entry.compress_type not in METHODS:
            raise EvidenceError(f"{name} is packed in a way that not every zip program reads: pack the files anew")
        if entry.file_size > (0 if name in FOLDERS else MAX_BYTES if name.startswith("att/") else MAX_TEXT_BYTES):
            raise EvidenceError(f"{name} is too large")
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise EvidenceError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB when it is unpacked: no bundle is")


def _check_layout(data: bytes, entries: list[zipfile.ZipInfo], directory: int) -> None:
    """That entries fill the file from its first byte to its directory: nothing before, between, behind, and none inside another."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        at = entry.header_offset
        if at != end:
            raise EvidenceError("it hides something between its files")
        flags, method, name_bytes, extra_bytes = (int.from_bytes(data[at + low : at + low + 2], "little") for low in (6, 8, 26, 28))
        end = at + LOCAL_HEADER_BYTES + name_bytes
        if (flags, method) != (entry.flag_bits, entry.compress_type) or not {
            *_extra_fields(entry.extra), *_extra_fields(data[end : end + extra_bytes])
        } <= {ZIP64, *TIMES}:  # fmt: skip
            raise EvidenceError(f"{entry.filename} is described twice, and not alike: two zip programs could read two files")
        end += extra_bytes + entry.compress_size
        if entry.flag_bits & 8:
            end += DESCRIPTOR_BYTES[data[end : end + 4] == b"PK\x07\x08"]
    tail = data[-END_BYTES:]
    if end != directory or tail[:4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        raise EvidenceError("it hides something between or behind its files")


def _extra_fields(extra: bytes) -> Iterator[int]:
    """What kinds there are: one of them gives a file a second name, which some programs take."""
    while extra:
        yield int.from_bytes(extra[:2], "little")
        extra = extra[4 + int.from_bytes(extra[2:4], "little") :]


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as file:
        data = file.read(entry.file_size + 1)  # never more than its directory says, whatever the compressed stream holds
    if len(data) != entry.file_size:
        raise EvidenceError(f"{entry.filename} is not as long as the bundle says")
    return data


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise EvidenceError(f"{name} is not UTF-8 text") from None


def _attachments(held: dict[str, bytes]) -> dict[str, tuple[str, bytes]]:
    found: dict[str, tuple[str, bytes]] = {}
    for match in filter(None, map(ATTACHMENT.fullmatch, held)):
        if match[1] in found:
            raise EvidenceError(f"the attachment {match[1]} is in it under two names")
        found[match[1]] = (match[2], held[match[0]])
    return found


def _neighbour(name: str, data: bytes) -> Signed:
    try:
        value: Any = read_canonical(data)
        return msgspec.convert(value, Signed)
    except (EvidenceError, msgspec.ValidationError) as error:
        raise EvidenceError(f"{name}: {error}") from None
