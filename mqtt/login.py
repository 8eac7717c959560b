"""How to reach the broker and who one is there: the settings, the password, the certificates."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from mqtt.pair import Pair
from mqtt.session import LinkError, LinkState

if TYPE_CHECKING:
    from paho.mqtt.client import Client

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the broker."""

    host: Annotated[str, Meta(min_length=1, description="name or address of the MQTT 5 broker")]
    port: Annotated[int, Meta(ge=1, le=65_535, description="its port; 8883 is MQTT over TLS, 1883 without")] = 8883
    tls: Annotated[bool, Meta(description="encrypt and check the broker's certificate; false only for a broker on the same machine")] = True
    tls_ca: Annotated[
        str | None, Meta(description="file with the certificate authority to trust; the system's authorities when absent")
    ] = None
    tls_cert: Annotated[
        str | None,
        Meta(
            description="file with this side's certificate, where the broker asks for one; without tls_key its private key is in it too,"
            " and a renewed one is taken from the file of this name with .next behind it"
        ),
    ] = None
    tls_key: Annotated[str | None, Meta(description="file with the certificate's private key, where that is a file of its own")] = None
    username: Annotated[str | None, Meta(description="user name at the broker; on a unit the unit's name")] = None
    password_file: Annotated[str | None, Meta(description="file whose first line is the password")] = None
    # Twice the 60 s between live positions: at the same 60 s a ping went out with nearly each of them.
    keepalive_s: Annotated[int, Meta(ge=5, le=600, description="seconds of silence after which the line is tried with a ping")] = 120

    def __post_init__(self) -> None:
        if not self.tls and self.host not in LOOPBACK:
            raise ValueError(
                f"tls = false is for a broker on this very machine, and {self.host} is not: leave it out, and name the authority in tls_ca"
            )


def pair_of(settings: BrokerSettings) -> Pair | None:
    """The one file with key and certificate, which may be renewed beside it; None where there is no such file."""
    return Pair(Path(settings.tls_cert)) if settings.tls and settings.tls_cert and not settings.tls_key else None


def password(path: str) -> str:
    """The first line of a password file; LinkError names the file that cannot be read."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LinkError(LinkState.AUTH, f"cannot read the password in {path}: {reason(error)}; check password_file") from None
    return lines[0].strip() if lines else ""


def secure(client: Client, settings: BrokerSettings) -> None:
    """Give a client of paho's what it logs in with; LinkError names the file that cannot be used."""
    if settings.username is not None:
        client.username_pw_set(settings.username, password(settings.password_file) if settings.password_file else None)
    if settings.tls:
        client.tls_set_context(tls_context(settings))


def tls_context(settings: BrokerSettings) -> ssl.SSLContext:
    """What TLS needs; LinkError names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
    except OSError as error:  # ssl.SSLError is one too
        raise LinkError(LinkState.TLS, f"cannot use the authority in {settings.tls_ca}: {reason(error)}; check tls_ca") from None
    context.sslsocket_class = _TidySocket
    if settings.tls_cert:
        try:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
        except OSError as error:
            told = f"cannot use the certificate in {settings.tls_cert}: {reason(error)}; check tls_cert and tls_key"
            raise LinkError(LinkState.TLS, told) from None
    return context


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho leaves it open then."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:  # TLS errors and time-outs are OSErrors
            self.close()
            raise


def reason(error: Exception) -> str:
    """Why it failed, in the system's words."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
