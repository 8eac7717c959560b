"""A session with the broker in words: where the way ends, what was granted, what happens in it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

NO_SUBSCRIBER = 16
FAILURE = 128
DENIED = 135
REFUSED_LOGIN = {
    128: "unspecified",
    133: "client id refused",
    134: "user name or password is wrong",
    135: "not authorised",
}
NO_MQTT_5 = 132
BUSY = {136: "server unavailable", 137: "server busy", 151: "quota exceeded", 159: "too many connections"}


class LinkState(StrEnum):
    """Where the way to the receiver ends."""

    ONLINE = "online"
    CONNECTING = "connecting"
    DNS = "dns"  # the broker's name has no address
    TCP = "tcp"  # nobody answers there
    TLS = "tls"  # no trusted certificate
    TIME = "time"  # the certificate's dates do not fit this unit's clock
    AUTH = "auth"  # the broker refuses the login
    ACL = "acl"  # the broker refuses a topic
    NO_RECEIVER = "no_receiver"  # the broker is there, nobody stores


class LinkError(Exception):
    """No session; `state` says at which step it ended, the text says it to a technician."""

    def __init__(self, state: LinkState, sentence: str) -> None:
        super().__init__(sentence)
        self.state = state


class Session(msgspec.Struct, frozen=True):
    """What the broker granted."""

    receive_maximum: int  # QoS 1 publishes that may be under way at once
    maximum_packet_bytes: int | None  # None: no limit named
    topic_aliases: int


class Delivery(msgspec.Struct, frozen=True):
    """A message that came in; `mid` is what `acknowledge` wants."""

    topic: str
    payload: bytes
    qos: int
    mid: int
    retained: bool


class Published(msgspec.Struct, frozen=True):
    """The broker's answer to a QoS 1 publish: 0 taken, 16 nobody subscribes, 128 and above refused. A QoS 0 publish: 0 when it left."""

    mid: int
    reason: int


class Lost(msgspec.Struct, frozen=True):
    """The session is over."""

    sentence: str
    by_broker: bool = False  # it said so; False: the connection ended, and nobody knows why
    objected: bool = False  # what was sent brought it about


class Refused(msgspec.Struct, frozen=True):
    """The broker refuses a subscription."""

    sentence: str


class Nudge(msgspec.Struct, frozen=True):
    """Somebody of this process says that there is something to send."""


Happening = Delivery | Published | Lost | Refused | Nudge


class Will(msgspec.Struct, frozen=True):
    """What the broker says for us when we fall silent."""

    topic: str
    payload: bytes
    delay_s: int


def refusal(place: str, reason: int, told: str) -> LinkError:
    """Why the broker does not take us, told apart by its reason code."""
    if reason in BUSY:
        return LinkError(LinkState.TCP, f"{place} takes nobody now: {BUSY[reason]}; look at the broker's load and limits")
    if reason == NO_MQTT_5:
        return LinkError(LinkState.TCP, f"{place} does not speak MQTT 5; use a broker that does, mosquitto 2 for one")
    told = REFUSED_LOGIN.get(reason, told)
    return LinkError(LinkState.AUTH, f"{place} refuses the login: {told}; check username, password_file or tls_cert")


def hung_up(place: str, *, shown_certificate: bool) -> LinkError:
    """Why the connection ended before an answer: with TLS 1.3 a broker looks at a certificate only after the handshake."""
    if shown_certificate:
        told = "it was revoked or has run out: ask the fleet what `roadproof fleet access` says of it"
        return LinkError(LinkState.AUTH, f"{place} hangs up on this side's certificate; {told}")
    return LinkError(LinkState.TCP, f"{place} closed the connection before it answered; is it an MQTT 5 broker?")
