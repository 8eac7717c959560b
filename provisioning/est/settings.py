"""What a unit must know besides its certificates: broker, authority, and for whom it seals. JSON, from the authority or from a file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mqtt.messages import UnitId
from provisioning.est.wire import WireError

Host = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")]
Pem = Annotated[str, Meta(max_length=16_384, pattern=r"^-----BEGIN ")]
Serial = Annotated[str, Meta(pattern=r"^[0-9a-f]{1,40}$")]  # of a certificate; RFC 5280 allows 20 bytes


class Place(msgspec.Struct, frozen=True):
    """Where a server answers."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65_535)]


class UnitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one unit."""

    v: Literal[1]
    unit: UnitId
    vehicle: Annotated[str, Meta(min_length=1, max_length=64)]
    broker: Place
    est: Place
    receivers: Annotated[list[Pem], Meta(min_length=1, max_length=16)]  # evidence certificates of those who may sign receipts
    seal_to: Pem  # the public key that attachments are sealed to
    withdrawn: Annotated[list[Serial], Meta(max_length=256)] = []  # receivers whose key is in wrong hands: believed no longer


def read_settings(body: bytes) -> UnitSettings:
    """Settings of their JSON; WireError names the field that is wrong."""
    try:
        return msgspec.json.decode(body, type=UnitSettings)
    except msgspec.ValidationError as error:
        raise WireError(f"the unit's settings are not as expected: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WireError("the unit's settings are no JSON") from None
