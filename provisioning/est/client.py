"""A unit asks an EST server for its certificates, and believes nobody whom the fingerprint on its card does not vouch for."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provisioning.est import wire
from provisioning.est.anchors import Anchors, issued
from provisioning.est.errors import EstError, refused, understood
from provisioning.est.settings import UnitSettings, read_settings
from provisioning.est.wire import Purpose, WireError

__all__ = ["Anchors", "Est", "EstError", "UnitSettings"]

PORT = 8443
TIMEOUT_S = 10.0  # of each step on the line
DEADLINE_S = 30.0  # of a whole request, against a server that sends a byte now and then
ANSWER_LIMIT_BYTES = 64 * 1024


class Est:
    """One EST server. Until `pin`, or with anchors from an earlier day, it is asked for nothing but its certificates."""

    def __init__(self, host: str, port: int = PORT, *, anchors: Anchors | None = None) -> None:
        self._host, self._port = host, port
        self.anchors = anchors

    @classmethod
    def at(cls, url: str) -> Est:
        """The server of `https://host[:port]`; EstError when the URL is of another form."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 443
        except ValueError:
            raise _no_address(url) from None
        if not host or parts.scheme != "https" or parts.username or parts.query or parts.path.rstrip("/") not in {"", wire.ROOT}:
            raise _no_address(url)
        return cls(host, port)

    @property
    def place(self) -> str:
        """The server as people write it."""
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    def fetch_cacerts(self) -> list[x509.Certificate]:
        """What the server says its authority is: believed only after `pin`, over a line that anybody may answer. Nothing secret is sent."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with self._understood():
            return wire.read_certs(self._ask(context, "GET", f"{wire.ROOT}/cacerts"))

    def pin(self, certificates: Sequence[x509.Certificate], fingerprint: str) -> Anchors:
        """Trust the root that the card names, and the authority below it, from now on; EstError `wrong_root` when they are not there."""
        self.anchors = Anchors.among(certificates, fingerprint, self.place)
        return self.anchors

    def enrol(self, purpose: Purpose, csr: bytes, unit: str, code: str) -> bytes:
        """The unit's certificate for the request's key, as PEM: the leaf alone. The same key with the same code gives the same again."""
        login = base64.b64encode(f"{unit}:{code}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": wire.PKCS10}
        with self._understood():
            body = self._ask(self._verified(), "POST", f"{wire.ROOT}/{purpose}/simpleenroll", csr, headers)
            return self._leaf(body, csr, unit)

    def reenrol(self, purpose: Purpose, csr: bytes, tls: Path) -> bytes:
        """A new certificate for the holder of the one in `tls` (key, leaf and issuing in one file), as PEM: the leaf alone."""
        context, unit = self._logged_in(tls)
        with self._understood():
            body = self._ask(context, "POST", f"{wire.ROOT}/{purpose}/simplereenroll", csr, {"Content-Type": wire.PKCS10})
            return self._leaf(body, csr, unit)

    def unit_settings(self, tls: Path) -> UnitSettings:
        """Broker, receivers and sealing key of the holder of the certificate in `tls`."""
        context, unit = self._logged_in(tls)
        with self._understood():
            found = read_settings(self._ask(context, "GET", wire.SETTINGS))
            if found.unit != unit:
                raise WireError(f"the settings are those of {found.unit}, not of {unit}")
            return found

    def _understood(self) -> AbstractContextManager[None]:
        return understood(self._host, self.place)

    def _verified(self) -> ssl.SSLContext:
        assert self.anchors is not None, "pin comes first"
        trusted = self.anchors.root_pem + self.anchors.issuing_pem
        context = ssl.create_default_context(cadata=trusted.decode())
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _logged_in(self, tls: Path) -> tuple[ssl.SSLContext, str]:
        """A context that shows the certificate, and the name in it."""
        context = self._verified()
        try:
            context.load_cert_chain(tls)
            certificate = x509.load_pem_x509_certificate(tls.read_bytes())
        except (OSError, ValueError):  # ssl.SSLError is an OSError
            raise EstError("tls", f"{tls} holds no key with its certificate that can be used: enrol the unit again") from None
        if certificate.not_valid_after_utc < datetime.now(UTC):
            told = f"this unit's certificate ran out on {certificate.not_valid_after_utc:%Y-%m-%d}"
            raise EstError("time", f"{told}: check the clock; if it is right, enrol the unit again with a new code")
        return context, _name(certificate)

    def _leaf(self, body: bytes, csr: bytes, unit: str) -> bytes:
        """The certificate in an answer that is for our key, in our name, and from our authority."""
        assert self.anchors is not None
        wanted = wire.key_sha256(wire.read_csr(csr))
        leaf = next((one for one in wire.read_certs(body) if wire.key_sha256(wire.public_p256(one)) == wanted), None)
        if leaf is None:
            raise WireError("the answer holds no certificate for the key that was sent")
        if not issued(leaf, self.anchors.issuing) or _name(leaf) != unit:
            raise WireError(f"the certificate that came is not one of the fleet's for {unit}")
        return leaf.public_bytes(Encoding.PEM)

    def _ask(
        self, context: ssl.SSLContext, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        line = http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT_S, context=context)
        try:
            with _until(DEADLINE_S, line):
                line.request(method, path, body, headers or {})
                answer = line.getresponse()
                said = answer.read(ANSWER_LIMIT_BYTES)
        finally:
            line.close()
        if answer.length:  # read gives what came when the line breaks, and says nothing
            if len(said) < ANSWER_LIMIT_BYTES:
                raise http.client.IncompleteRead(said, answer.length)
            raise WireError("the answer is too long")
        if answer.status != HTTPStatus.OK:
            refused(answer, said, self.place)
        return said


@contextmanager
def _until(seconds: float, line: http.client.HTTPSConnection) -> Iterator[None]:
    """Cut the line when it is not done by then."""

    def cut() -> None:
        if line.sock is not None:
            with suppress(OSError):  # closed already, as wanted
                socket.socket.shutdown(line.sock, socket.SHUT_RDWR)

    alarm = threading.Timer(seconds, cut)
    alarm.daemon = True
    alarm.start()
    try:
        yield
    finally:
        alarm.cancel()


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def _no_address(url: str) -> EstError:
    return EstError("protocol", f"{url} is no address of an EST server: write https://host:port, with the labels tls and evidence there")
