"""The settings of a receiver: its broker, its store, and what it needs to check and countersign proofs."""

from __future__ import annotations

import socket
from typing import Annotated

import msgspec
from msgspec import Meta

from mqtt.login import BrokerSettings
from mqtt.topics import RECEIVER_GROUP

DEFAULT_STORE = "sqlite:///var/lib/roadproof-fleet/fleet.db"


class EvidenceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What proofs of delivery are checked against, and the keys of this receiver."""

    root: Annotated[
        str, Meta(min_length=1, description="file with the certificate of the authority that all units and receivers come from")
    ]
    units_folder: Annotated[
        str,
        Meta(min_length=1, description="folder with the certificate of each unit as UNIT.pem; one that was replaced stays as UNIT.1.pem"),
    ]
    issuing: Annotated[
        str | None, Meta(description="file with the certificate between root and units, where the units' own files do not hold it")
    ] = None
    certificate: Annotated[str | None, Meta(description="file with this receiver's certificate; without it no receipt is signed")] = None
    key: Annotated[
        str | None,
        Meta(
            description="the certificate's private key: a file for the receiver alone, or pkcs11:token=NAME;object=NAME?module-path=FILE"
            "&pin-source=file:FILE in a token"
        ),
    ] = None
    seal_key: Annotated[
        str | None, Meta(description="file with the private key that opens photos and signatures; only the commands that show them need it")
    ] = None


class FleetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The file that `roadproof fleet receive --config FILE` reads."""

    broker: BrokerSettings
    store: Annotated[
        str,
        Meta(
            pattern=r"^(sqlite:.+|postgres(ql)?://.*)$",
            description="where records are kept: sqlite:///absolute/path.db, or postgresql://user@host/database",
        ),
    ] = DEFAULT_STORE
    name: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{0,64}$",
            description="this receiver's client id at the broker; each receiver needs its own; receiver-HOSTNAME when empty",
        ),
    ] = ""
    group: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._-]{1,64}$",
            description="the group in which receivers share the load, one for the fleet; a unit that knew it could delay messages",
        ),
    ] = RECEIVER_GROUP
    evidence: Annotated[
        EvidenceSettings | None,
        Meta(description="without this section proofs are stored unchecked, and checked later by fleet pods --recheck"),
    ] = None

    @property
    def client_id(self) -> str:
        """The name under which the broker keeps this receiver's session."""
        return self.name or f"receiver-{socket.gethostname()}"
