"""Canonical JSON (RFC 8785): one value has one spelling, so that what is signed is bytes.

Only what both the standard library and the RFC spell alike is let through: whole numbers below 2**53, ASCII keys, no floats.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mqtt.evidence import EvidenceError

LIMIT = 2**53  # from here on JavaScript, whose numbers RFC 8785 takes, cannot tell neighbours apart
DEPTH = 16
KEY = re.compile(r"[A-Za-z0-9_#-]{1,64}")  # without dots, quotes and backslashes: verify-openssl.sh writes paths with them


def jcs(value: Any) -> bytes:
    """The one canonical spelling of a JSON value; EvidenceError when it has none."""
    _check(value, 0)
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise EvidenceError("a text contains half a character (a lone surrogate)") from None


def read_canonical(data: bytes) -> Any:
    """The value that these bytes are the canonical spelling of; EvidenceError when they are not."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_object, parse_float=_no_float, parse_constant=_no_float)
    except UnicodeDecodeError:
        raise EvidenceError("it is not UTF-8 text") from None
    except RecursionError:
        raise EvidenceError("it is nested too deeply") from None
    except EvidenceError:
        raise
    except ValueError as error:
        raise EvidenceError(f"it is not JSON: {str(error)[:100]}") from None
    if jcs(value) != data:
        raise EvidenceError("it is not in canonical form: it was written anew after it was signed, or never was canonical")
    return value


def _check(value: Any, depth: int) -> None:
    if depth > DEPTH:
        raise EvidenceError("it is nested too deeply")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or not KEY.fullmatch(key):
                raise EvidenceError(f"{str(key)[:80]!r} cannot be a key: letters, digits, _, # and - of ASCII only")
            _check(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth + 1)
    elif isinstance(value, int):
        if not -LIMIT < value < LIMIT:
            raise EvidenceError("a number is too large: whole numbers below 2**53 only")
    elif not isinstance(value, str | None):
        raise EvidenceError(f"{type(value).__name__} has no canonical form: whole numbers, texts, true, false, null, lists, objects only")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EvidenceError("a key is there twice")
    return found


def _no_float(text: str) -> Any:
    raise EvidenceError(f"{text[:40]} is no whole number")
