"""What can go wrong between a unit and the authority, in sentences for a technician."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Literal, NoReturn, get_args

from provisioning.est import wire
from provisioning.est.wire import WireError

Kind = Literal[
    "dns", "tcp", "time", "tls", "wrong_root", "code_used", "code_expired", "code_unknown", "other_unit", "revoked", "busy", "protocol"
]
SAID_LETTERS = 200
NOT_NOW = {9, 10}  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
NOT_OURS = {2, 7, 18, 19, 20, 21}  # another issuer, a bad signature, a root of its own: X509_V_ERR_* as OpenSSL numbers them
NEW_CODE = "make a new one with `roadproof fleet enrol`"

# What a refusal means to the technician; our server names it in a header, another EST server by its status alone.
REFUSALS: dict[Kind, str] = {
    "code_used": f"this enrolment code was used already, by another box or with other keys: {NEW_CODE}",
    "code_expired": f"this enrolment code has expired, it is good for 15 minutes: {NEW_CODE}",
    "code_unknown": f"the authority does not know this enrolment code: scan or type it again, or {NEW_CODE}",
    "other_unit": "this enrolment code is for another unit: use the card that was made for this one",
    "revoked": "the fleet has revoked this unit, it stays out: make a new unit of the vehicle with `roadproof fleet replace`",
    "busy": "the authority is busy, or has seen too many wrong codes: wait a minute, then try again with the same code",
}
BY_STATUS: dict[int, Kind] = {
    HTTPStatus.UNAUTHORIZED: "code_unknown",
    HTTPStatus.TOO_MANY_REQUESTS: "busy",
    HTTPStatus.SERVICE_UNAVAILABLE: "busy",
    HTTPStatus.ACCEPTED: "busy",  # RFC 7030, 4.2.3: somebody must approve it first
}
# The server's alerts about the certificate that this end showed.
ALERTS = {
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "this unit's certificate has run out: enrol it again, with a new code",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "the fleet has revoked this unit's certificate",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "this certificate is not for logging in: use the unit's TLS certificate, not that of evidence",
    "SSLV3_ALERT_BAD_CERTIFICATE": "this unit's certificate is not as it should be: enrol the unit again",
    "TLSV1_ALERT_UNKNOWN_CA": "this unit's certificate comes from another authority: enrol the unit again, with a card of this fleet",
}


class EstError(Exception):
    """No certificate; `kind` says at which step it ended, the text says it to a technician."""

    def __init__(self, kind: Kind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


@contextmanager
def understood(host: str, place: str) -> Iterator[None]:
    """Faults of the line and of what came over it, as EstError."""
    try:
        yield
    except WireError as error:
        raise EstError("protocol", f"{place}: {error}") from None
    except socket.gaierror as error:
        raise EstError("dns", f"the name {host} has no address ({error.strerror}): check the network, and the name on the card") from None
    except UnicodeError:
        raise EstError("dns", f"{host} cannot be a name: check the address on the card") from None
    except ssl.SSLCertVerificationError as error:
        raise _distrust(error, place) from None
    except ssl.SSLEOFError:
        raise _broken("the other end closed it", place) from None
    except ssl.SSLError as error:
        reason = error.reason or str(error)
        told = ALERTS.get(reason, f"no TLS with {place}: {reason.lower().replace('_', ' ')}; is it the right port?")
        raise EstError("revoked" if "REVOKED" in reason else "tls", told) from None
    except http.client.IncompleteRead:
        raise _broken("the other end closed it", place) from None
    except OSError as error:
        raise _broken(error.strerror or str(error) or "the other end closed it", place) from None
    except http.client.HTTPException:
        raise EstError("protocol", f"{place} does not answer in HTTP: is it the right port?") from None


def refused(answer: http.client.HTTPResponse, said: bytes, place: str) -> NoReturn:
    """EstError for an answer that is none: its kind from our server's header, else from the status."""
    named = answer.getheader(wire.WHY)
    kind: Kind = next((kind for kind in get_args(Kind) if kind == named), BY_STATUS.get(answer.status, "protocol"))
    if kind in REFUSALS:
        raise EstError(kind, REFUSALS[kind])
    lines = said[: SAID_LETTERS * 4].decode("utf-8", "replace").splitlines() or [""]
    told = "".join(sign for sign in lines[0][:SAID_LETTERS] if sign.isprintable()) or answer.reason
    raise EstError(kind, f"{place} refuses ({answer.status}): {told}")


def _broken(why: str, place: str) -> EstError:
    return EstError("tcp", f"the line to {place} failed: {why.lower()}; check the network, then try again: the same code still works here")


def _distrust(error: ssl.SSLCertVerificationError, place: str) -> EstError:
    told = f"the certificate of {place} is not accepted: {error.verify_message}"
    if error.verify_code in NOT_NOW:
        now = datetime.now(UTC)
        return EstError("time", f"{told}; this machine's clock says {now:%Y-%m-%d %H:%M}: set it, then try again with the same code")
    if error.verify_code in NOT_OURS:
        return EstError("wrong_root", f"{told}; somebody else answers in this network, and no code was sent to them")
    return EstError("tls", f"{told}; check the address on the card: no code was sent")
