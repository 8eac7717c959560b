"""The way to the fleet: the broker, its certificates, and a record that comes back receipted."""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

from firmware.journal import JournalFullError, Series
from firmware.selftest.certificate import valid_until
from firmware.selftest.finding import Fact, Result, bad, ok, skipped, warn
from firmware.selftest.place import Place
from mqtt.link import BrokerLink
from mqtt.login import BrokerSettings, tls_context
from mqtt.session import LinkError, LinkState

RECEIPT_S = 30.0
HOPELESS_S = 3.0  # a link that is down for so long pauses longer than anybody waits here
SETTLE_S = 10.0  # for a link that has only just begun: right after a start
LOOK_S = 0.1
HANDSHAKE_S = 5.0
OWN_DAYS, BROKERS_DAYS = 60, 21  # renewal begins 133 days before the end, the fleet renews its broker's 30 days before
ON_THE_WAY = {LinkState.ONLINE, LinkState.CONNECTING}
# What to do, where the link's own sentence says only what is.
ADVICE = {
    LinkState.CONNECTING: "it has only just begun: test again in ten seconds.",
    LinkState.DNS: "no line with `default` in `ip route` means no network: modem or WLAN; else the broker's name is mistyped.",
    LinkState.TCP: "where ip route shows a network it is a firewall, the port, or the fleet's broker does not run: ask there.",
    LinkState.TIME: "the clock is wrong: antenna under open sky, or the clock's battery.",
    LinkState.TLS: "enrol this unit anew (roadproof enrol); never switch the check off.",
    LinkState.AUTH: "the fleet does not let this unit in: was it revoked? Ask there, with the unit's name; else roadproof enrol.",
    LinkState.ACL: "the broker's access rules do not know this unit: ask the fleet, with the unit's name.",
}


def broker(place: Place) -> Result:
    """Whether the broker lets this unit in, and for how long the certificates are good."""
    settings = place.config.broker
    state, sentence = _link(place)
    reached = state in {LinkState.ONLINE, LinkState.NO_RECEIVER}
    own, brokers = _days(settings.tls_cert), _brokers_days(settings) if reached else None
    facts: dict[str, Fact] = {
        "broker": f"{settings.host}:{settings.port}",
        "link": state.value,
        "tls": settings.tls,
        "own_certificate_days": own,
        "brokers_certificate_days": brokers,
    }
    if not reached:
        return bad(f"{_capital(sentence.partition('; ')[0] or 'no session yet')}. {_capital(ADVICE[state])}", **facts)
    if own is not None and own < OWN_DAYS:
        return warn(f"This unit's certificate ends in {own} days and was not renewed: sudo roadproof renew says why.", **facts)
    if brokers is not None and brokers < BROKERS_DAYS:
        return warn(
            f"The broker's certificate ends in {brokers} days, then no unit gets in: tell the fleet (roadproof fleet access).", **facts
        )
    if state is LinkState.NO_RECEIVER:
        return warn(
            "The broker lets this unit in, but the fleet's receiver does not run: tell the fleet; records wait here, none is lost.", **facts
        )
    days = f", certificates good for {min(day for day in (own, brokers) if day is not None)} days" if own or brokers else ""
    return ok(f"The broker {facts['broker']} lets this unit in{days}.", **facts)


def record(place: Place) -> Result:
    """Write a record, and wait until the fleet's receiver says that it holds it."""
    unit = place.daemon
    if unit is None:
        return skipped("The daemon sends the test record: sudo systemctl start roadproof, then sudo roadproof selftest record.")
    begun_s = time.monotonic()
    try:
        number = unit.journal.append(unit.boot, [unit.diary.draft("selftest.record")]).seqs[0]
    except JournalFullError as error:
        return bad(str(error))
    while not (held := unit.journal.receipted(Series.SEQ).covers(number, number)):
        waited_s, state = time.monotonic() - begun_s, LinkState(unit.status().link)
        if waited_s > RECEIPT_S or (waited_s > HOPELESS_S and state not in ON_THE_WAY) or place.wait(LOOK_S):
            break
    took_ms = round((time.monotonic() - begun_s) * 1000)
    facts: dict[str, Fact] = {"seq": number, "log": unit.journal.log, "receipted": held, "receipt_ms": took_ms}
    if not held:
        return bad(_not_receipted(place, unit.status().link, number, took_ms), **facts)
    if place.config.uplink.forget_on == "puback":
        return warn(
            f"The broker took record {number} after {took_ms} ms; whether the fleet stored it, this unit is set not to ask.", **facts
        )
    return ok(f"The fleet's receiver holds record {number}, and said so after {took_ms} ms.", **facts)


def _not_receipted(place: Place, link: str, number: int, took_ms: int) -> str:
    state = LinkState(link)
    kept = f"Record {number} is safe on the card, but"
    if state is LinkState.NO_RECEIVER:
        return f"{kept} the fleet's receiver does not run: tell the fleet; nothing is lost meanwhile."
    if state in {LinkState.AUTH, LinkState.ACL}:
        return f"{kept} {ADVICE[state]}"
    if state is not LinkState.ONLINE:
        return f"{kept} did not leave it: mend the line `broker` first."
    took = f"{took_ms / 1000:.0f} s"
    return (
        f"{kept} no receipt came in {took}: ask the fleet whether {place.config.unit} still belongs to it, and whether its receiver works."
    )


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _link(place: Place) -> tuple[LinkState, str]:
    """How the daemon's session is; without a daemon one is begun and ended."""
    if place.daemon is not None:
        end_s = time.monotonic() + SETTLE_S
        while (status := place.daemon.status()).link == LinkState.CONNECTING and time.monotonic() < end_s and not place.wait(LOOK_S):
            pass
        return LinkState(status.link), status.link_sentence
    link = BrokerLink(place.config.broker, place.config.unit, [])
    try:
        link.connect()
    except LinkError as error:
        return error.state, str(error)
    finally:
        link.close(orderly=True)
    return LinkState.ONLINE, ""


def _days(path: str | None) -> int | None:
    """Whole days for which the certificate in a file is good, negative when it is over; None without one."""
    if path is None:
        return None
    try:
        until = valid_until(Path(path).read_bytes())
    except OSError:
        return None
    return None if until is None else (until - datetime.now(UTC)).days


def _brokers_days(settings: BrokerSettings) -> int | None:
    """The same for the certificate that the broker shows; None where there is none to be seen."""
    if not settings.tls:
        return None
    try:
        context = tls_context(settings)
        with socket.create_connection((settings.host, settings.port), HANDSHAKE_S) as line:
            line.settimeout(HANDSHAKE_S)
            with context.wrap_socket(line, server_hostname=settings.host) as secured:
                shown = secured.getpeercert()
    except (LinkError, OSError, UnicodeError):
        return None
    ends = shown.get("notAfter") if shown else None
    return int((ssl.cert_time_to_seconds(ends) - time.time()) // 86_400) if isinstance(ends, str) else None
