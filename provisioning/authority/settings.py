"""What a fleet was told at its beginning: its hosts, its ports, where its revocation list can be had, how the broker is told of changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from mqtt import settings
from provisioning.authority.errors import FleetError

FILE = "fleet-settings.toml"
Host = Annotated[str, Meta(pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$")]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Url = Annotated[str, Meta(pattern=r"^https?://[!-~]+$", max_length=500)]
TEXT = """# What `roadproof fleet init` was told. Edit it by hand, then run `roadproof fleet renew-access`.
name = {name}

# Where the revocation list can be had. The first one stands in every new certificate. Put a new one before the others and take none
# away: a list that does not name the address in a certificate does not count for it, and its unit is refused.
crl_urls = {crl_urls}

# Tells the broker to read its files again, as a list of words. Where roadproof-authority-reload.path is installed it waits for
# ["touch", "/run/roadproof-authority/reload"].
reload = {reload}

# How units reach the broker, and the port for the fleet's own programs.
[broker]
host = {broker_host}
port = {broker_port}
fleet_port = {fleet_port}

# How units reach this authority, to enrol and to renew their certificates.
[est]
host = {est_host}
port = {est_port}
"""


class BrokerPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The broker as units and the fleet's programs reach it."""

    host: Annotated[Host, Meta(description="name or address under which units reach the broker; its certificate says the same")]
    port: Annotated[Port, Meta(description="the broker's port for units")] = 8883
    fleet_port: Annotated[Port, Meta(description="the broker's port for the fleet's own programs")] = 8884

    def __post_init__(self) -> None:
        if self.port == self.fleet_port:
            raise ValueError(f"units and the fleet's own programs cannot both have port {self.port}: choose another for one of them")


class EstPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The authority as units reach it."""

    host: Annotated[Host, Meta(description="name or address under which units reach the authority; its certificate says the same")]
    port: Annotated[Port, Meta(description="the authority's port")] = 8443


class FleetPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The file fleet-settings.toml."""

    name: Annotated[str, Meta(min_length=1, max_length=40, description="the fleet's name, as its certificates say it")]
    crl_urls: Annotated[tuple[Url, ...], Meta(min_length=1, max_length=8, description="addresses of the revocation list, the newest first")]
    reload: Annotated[tuple[str, ...], Meta(description="the command that tells the broker to read its files again")]
    broker: BrokerPlace
    est: EstPlace


def load(folder: Path) -> FleetPlace:
    """The settings of a fleet's folder; FleetError names every fault in them."""
    try:
        return settings.load(folder / FILE, FleetPlace)
    except settings.SettingsError as error:
        raise FleetError("; ".join(error.faults)) from None


def check(told: Mapping[str, object]) -> FleetPlace:
    """Settings from what was typed; SettingsError names every fault."""
    return settings.read(told, FleetPlace)


def text(place: FleetPlace) -> str:
    """The settings as a file for people."""
    return TEXT.format(
        name=toml(place.name),
        crl_urls=toml(list(place.crl_urls)),
        reload=toml(list(place.reload)),
        broker_host=toml(place.broker.host),
        broker_port=place.broker.port,
        fleet_port=place.broker.fleet_port,
        est_host=toml(place.est.host),
        est_port=place.est.port,
    )


def toml(value: str | list[str]) -> str:
    """A text or a list of texts in TOML: its basic strings are JSON's, where the control sign DEL is written out too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
