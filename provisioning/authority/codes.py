"""One-time codes: 80 bits as 16 letters and digits that are not mistaken for one another on paper."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

CODE_BYTES = 10  # 80 bits: no rate of guessing finds one in the 15 minutes that it lives


def new_code() -> str:
    """A code that was never used, 16 signs of base32."""
    return base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()


def plain(typed: str) -> str:
    """A code as it was made: case, hyphens and blanks do not matter when it is typed."""
    return re.sub(r"[\s-]", "", typed).upper()


def grouped(code: str) -> str:
    """A code for paper: groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def digest(typed: str) -> str:
    """What is stored of a code: SHA-256, hexadecimal. It needs no salt, for nobody can try 80 bits."""
    return hashlib.sha256(plain(typed).encode()).hexdigest()
