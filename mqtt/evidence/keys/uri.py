"""The name of a key in a token, RFC 7512: as much of it as one key needs."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

import msgspec

from mqtt.evidence import EvidenceError

SCHEME = "pkcs11:"
PATH_NAMES, QUERY_NAMES = ("token", "serial", "object", "id", "type"), ("module-path", "pin-source")
SHAPE = "pkcs11:token=NAME;object=NAME?module-path=/path/of/the/library.so&pin-source=file:/path/of/the/PIN"


class TokenUri(msgspec.Struct, frozen=True, kw_only=True):
    """Which key in which token, and how to get at it."""

    module: Path
    token: str | None = None  # the label
    serial: str | None = None
    object: str | None = None  # the label
    id: bytes | None = None
    pin_file: Path | None = None  # None: the token asks for none

    @classmethod
    def parse(cls, text: str) -> TokenUri:
        """Read one; EvidenceError says what is missing, or cannot be taken."""
        path, _, query = text.removeprefix(SCHEME).partition("?")
        named = _attributes(path, ";", PATH_NAMES) | _attributes(query, "&", QUERY_NAMES)
        if "module-path" not in named or not {"token", "serial"} & named.keys() or not {"object", "id"} & named.keys():
            raise EvidenceError(f"{text} does not say which library, token and key it means: write {SHAPE}")
        if named.get("type", "private") != "private":
            raise EvidenceError(f"{text} names no private key: leave type= out")
        token, serial, label, pin = (
            unquote(named[name]) if name in named else None for name in ("token", "serial", "object", "pin-source")
        )
        return cls(
            module=Path(unquote(named["module-path"])),
            token=token,
            serial=serial,
            object=label,
            id=unquote_to_bytes(named["id"]) if "id" in named else None,
            pin_file=Path(pin.removeprefix("file:")) if pin else None,
        )

    @property
    def token_name(self) -> str:
        """The token, for people."""
        return self.token or f"with number {self.serial}"

    @property
    def key_name(self) -> str:
        """The key, for people."""
        return self.object or f"with id {(self.id or b'').hex()}"


def _attributes(text: str, between: str, known: tuple[str, ...]) -> dict[str, str]:
    """The attributes of one part, still quoted; EvidenceError names one that is not known, or not whole."""
    named: dict[str, str] = {}
    for part in filter(None, text.split(between)):
        name, _, value = part.partition("=")
        if name == "pin-value":
            raise EvidenceError(
                "a PIN in the settings is read by whoever reads them: put it into a file for the daemon alone, pin-source=file:..."
            )
        if name not in known or not value or name in named:
            raise EvidenceError(f"{part!r} is not understood in a key's name: write {SHAPE}")
        named[name] = value
    return named
