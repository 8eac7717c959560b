"""The settings of a receiver: its broker and its store."""

from __future__ import annotations

import socket
from typing import Annotated

import msgspec
from msgspec import Meta

from mqtt.login import BrokerSettings

DEFAULT_STORE = "sqlite:///var/lib/roadproof-fleet/fleet.db"


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

    @property
    def client_id(self) -> str:
        """The name under which the broker keeps this receiver's session."""
        return self.name or f"receiver-{socket.gethostname()}"
