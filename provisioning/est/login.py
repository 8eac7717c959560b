"""Who asks: a unit's name with its one-time code, as HTTP Basic (RFC 7617)."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus

import msgspec
from starlette.requests import Request

from provisioning.card import SERVICE, UNIT
from provisioning.est.refusal import RefusedError

LONGEST_LETTERS = 200  # a name of 32, a code of 16 with hyphens, in base64


class Login(msgspec.Struct, frozen=True):
    """What was typed, not believed yet."""

    unit: str
    code: str


def typed(request: Request) -> Login:
    """The login of a request; RefusedError when there is none, or none of a unit."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "code_unknown", "a unit's name and its one-time code are wanted, as HTTP Basic")
    try:
        unit, colon, code = base64.b64decode(text[:LONGEST_LETTERS], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        unit = colon = code = ""
    if not colon or not UNIT.fullmatch(unit) or unit.startswith(SERVICE):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "code_unknown", "this login is not a unit's name with its code")
    request.state.asked = unit
    return Login(unit, code)
