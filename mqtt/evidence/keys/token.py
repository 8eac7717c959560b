"""Keys in a token behind PKCS#11: a TPM, a smart card, an HSM. The library is loaded when such a key is opened.

Named by a URI of RFC 7512: `pkcs11:token=roadproof;object=evidence?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/path`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec

from mqtt.evidence import EvidenceError
from mqtt.evidence.keys.file import read_private
from mqtt.evidence.keys.key import check_made
from mqtt.evidence.keys.uri import TokenUri

if TYPE_CHECKING:
    from pkcs11.types import Session, SignMixin, Token

CURVE = bytes.fromhex("06082a8648ce3d030107")  # the name of P-256 as a DER object identifier (RFC 5480, 2.1.1.1)
POINT_HEAD, POINT_BYTES = bytes.fromhex("0441"), 65  # an octet string of a point that is not compressed


class TokenKey:
    """A P-256 key pair in a token; it is reached again after the token was away. EvidenceError for whatever keeps it out of reach."""

    def __init__(self, uri: TokenUri) -> None:
        self._uri = uri
        self._lock = threading.Lock()
        self._private: SignMixin | None = None
        with _told(uri):
            session = _session(uri)
            self.public_key = _public_half(session, uri)
            self._private = _found(session, uri)
            self._model = str(session.token.model)

    @classmethod
    def make(cls, uri: TokenUri) -> TokenKey:
        """A new pair, made in the token, which hands nobody the private half; EvidenceError when there is one of this name already."""
        from pkcs11 import Attribute, KeyType, Mechanism

        with _told(uri), _session(uri, writing=True) as session:
            if any(session.get_objects(_template(uri))):
                raise EvidenceError(f"there is a key {uri.key_name} in the token {uri.token_name} already: choose another object=")
            curve = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: CURVE}, local=True)
            curve.generate_keypair(
                mechanism=Mechanism.EC_KEY_PAIR_GEN,
                id=uri.id or (uri.object or "").encode(),
                label=uri.object,
                store=True,
                private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
            )
        return cls(uri)

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r then s, over the SHA-256 of the message."""
        from pkcs11 import Mechanism, PKCS11Error

        with self._lock, _told(self._uri):
            if self._private is not None:
                with suppress(PKCS11Error):  # the token was pulled out, or its session ended: open it again
                    return self._checked(self._private.sign(sha256(message).digest(), mechanism=Mechanism.ECDSA), message)
            self._private = None
            self._private = _found(_session(self._uri), self._uri)
            return self._checked(self._private.sign(sha256(message).digest(), mechanism=Mechanism.ECDSA), message)

    def destroy(self) -> None:
        """Let the token forget both halves: nothing is signed with it again."""
        with self._lock, _told(self._uri), _session(self._uri, writing=True) as session:
            for half in list(session.get_objects(_template(self._uri))):
                half.destroy()
            self._private = None

    def describe(self) -> str:
        """Where it lies, for people."""
        return f"{self._model} token {self._uri.token_name}".strip()

    def _checked(self, raw: bytes, message: bytes) -> bytes:
        return check_made(raw, message, self.public_key, f"the token {self._uri.token_name}")


def _session(uri: TokenUri, *, writing: bool = False) -> Session:
    """A session on the token, logged in where the URI names a PIN."""
    from pkcs11 import UserAlreadyLoggedIn

    token = _token(uri)
    pin = read_private(uri.pin_file).decode(errors="replace").strip() if uri.pin_file else None
    try:
        return token.open(rw=writing, user_pin=pin)
    except UserAlreadyLoggedIn:  # another session of this process did: a login counts for all of them
        return token.open(rw=writing)


def _token(uri: TokenUri) -> Token:
    import pkcs11

    if not uri.module.is_file():
        raise EvidenceError(f"there is no PKCS#11 library at {uri.module}: install the token's software, or correct module-path")
    library = pkcs11.lib(str(uri.module))
    wanted = {"token_label": uri.token, "token_serial": uri.serial.encode() if uri.serial else None}
    return library.get_token(**{name: value for name, value in wanted.items() if value is not None})


def _template(uri: TokenUri) -> dict[Any, Any]:
    from pkcs11 import Attribute, KeyType

    named = {Attribute.LABEL: uri.object, Attribute.ID: uri.id}
    return {Attribute.KEY_TYPE: KeyType.EC, **{name: value for name, value in named.items() if value is not None}}


def _found(session: Session, uri: TokenUri) -> SignMixin:
    """The private half; pkcs11's own error when there is none, or more than one."""
    from pkcs11 import KeyType, ObjectClass
    from pkcs11.types import SignMixin

    found = session.get_key(ObjectClass.PRIVATE_KEY, KeyType.EC, label=uri.object, id=uri.id)
    assert isinstance(found, SignMixin)
    return found


def _public_half(session: Session, uri: TokenUri) -> ec.EllipticCurvePublicKey:
    """From the object beside the private key: a token tells it of no private one."""
    from pkcs11 import Attribute, KeyType, ObjectClass

    found = session.get_key(ObjectClass.PUBLIC_KEY, KeyType.EC, label=uri.object, id=uri.id)
    point = bytes(found[Attribute.EC_POINT])
    if found[Attribute.EC_PARAMS] != CURVE or len(point) != len(POINT_HEAD) + POINT_BYTES or not point.startswith(POINT_HEAD):
        raise EvidenceError(f"the key {uri.key_name} in the token {uri.token_name} is not on the curve P-256: make another one")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point.removeprefix(POINT_HEAD))


@contextmanager
def _told(uri: TokenUri) -> Iterator[None]:
    """Say in a sentence what PKCS#11 says in a class."""
    import pkcs11

    token, key = uri.token_name, uri.key_name
    sentences: dict[type[Exception], str] = {
        pkcs11.NoSuchToken: f"there is no token {token}: plug it in, or correct the name",
        pkcs11.MultipleTokensReturned: f"there is more than one token {token}: name it by its serial=",
        pkcs11.NoSuchKey: f"the token {token} holds no key {key}: correct object=, or enrol the unit to make one",
        pkcs11.MultipleObjectsReturned: f"the token {token} holds more than one key {key}: name it by its id= too",
        pkcs11.PinIncorrect: f"the PIN of the token {token} in {uri.pin_file} is wrong; tokens lock themselves after some tries",
        pkcs11.PinLocked: f"the token {token} is locked after wrong PINs: unlock it with its maker's tool",
        pkcs11.UserNotLoggedIn: f"the token {token} wants a PIN: name the file that holds it in pin-source=file:...",
    }
    try:
        yield
    except pkcs11.PKCS11Error as error:
        told = f": {error}" if str(error) else ""
        sentence = sentences.get(type(error), f"the token {token} did not answer as it should ({type(error).__name__}{told})")
        raise EvidenceError(sentence) from None
