"""Where a private key may lie: in a file, in a token behind PKCS#11, in a Raspberry Pi's one-time-programmable memory.

Settings and commands name it by one text: the path of a file, `pkcs11:...` (RFC 7512), or `rpi-otp:1`.
"""

from __future__ import annotations

from pathlib import Path

from mqtt.evidence.certificates import load
from mqtt.evidence.keys import otp, uri
from mqtt.evidence.keys.file import FileKey, FileSigner, read_certificate, read_private
from mqtt.evidence.keys.key import Key, KeySigner, check_belongs
from mqtt.evidence.keys.otp import OtpKey
from mqtt.evidence.keys.token import TokenKey
from mqtt.evidence.keys.uri import TokenUri

__all__ = [
    "FileKey",
    "FileSigner",
    "Key",
    "KeySigner",
    "OtpKey",
    "TokenKey",
    "is_file",
    "new_key",
    "open_key",
    "open_signer",
    "read_private",
]


def is_file(where: str) -> bool:
    """Whether a key is named that lies in a file."""
    return not where.startswith((uri.SCHEME, otp.SCHEME))


def open_key(where: str) -> Key:
    """The key that is there; EvidenceError says why it cannot be used."""
    if where.startswith(uri.SCHEME):
        return TokenKey(TokenUri.parse(where))
    if where.startswith(otp.SCHEME):
        return OtpKey(OtpKey.parse(where))
    return FileKey.read(Path(where))


def new_key(where: str, *, burn: bool = False) -> Key:
    """A key made there; in one-time-programmable memory the one that is there already, and a new one only with `burn`.

    It is on the card, or in the token, when this returns. EvidenceError when there is one already, or none can be made.
    """
    if where.startswith(uri.SCHEME):
        return TokenKey.make(TokenUri.parse(where))
    if where.startswith(otp.SCHEME):
        return OtpKey.make(OtpKey.parse(where), burn=burn)
    return FileKey.make(Path(where))


def open_signer(where: str, certificate: Path) -> KeySigner:
    """A key and its certificate; EvidenceError names what cannot be used, and why."""
    if is_file(where):
        return FileSigner.load(Path(where), certificate)
    found, key = load(read_certificate(certificate), "signing"), open_key(where)
    check_belongs(key, found, f"the key in {key.describe()}", certificate)
    return KeySigner(key, found)
