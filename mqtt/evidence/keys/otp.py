"""The key in a Raspberry Pi's one-time-programmable memory: its firmware signs with it, through the program rpi-fw-crypto.

Source: raspberrypi/utils, rpifwcrypto (README.md, main.c, rpifwcrypto.c). It keeps the key from programs, not from root, who may read it
until `lock_device_private_key=1` stands in config.txt. What is signed goes over in memory: nothing of it touches the card.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mqtt.evidence import EvidenceError
from mqtt.evidence.keys.key import check_made, raw_signature

SCHEME = "rpi-otp:"
PROGRAM = "rpi-fw-crypto"
WHERE = "the OTP of this Raspberry Pi"
PATIENCE_S = 10.0  # the firmware signs in some milliseconds; a stuck mailbox must not hold the driver for ever
LARGEST_BYTES = 4_096  # of an answer: rpifwcrypto.h allows 1,024
NAME = re.compile(SCHEME + r"(\d{1,2})")


class OtpKey:
    """The firmware's key of one number; 1 is the device's own. EvidenceError for whatever keeps it out of reach."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = threading.Lock()  # one mailbox
        self.public_key = _public_half(number)

    @classmethod
    def parse(cls, text: str) -> int:
        """The key's number in `rpi-otp:1`; EvidenceError when it is none."""
        if not (found := NAME.fullmatch(text)):
            raise EvidenceError(f"{text} names no key of the firmware: write {SCHEME}1")
        return int(found[1])

    @classmethod
    def make(cls, number: int, *, burn: bool) -> OtpKey:
        """The key that is there; where there is none, and `burn`, one made by the firmware, for ever. EvidenceError where there is none."""
        with suppress(_NoKeyError):
            return cls(number)
        if not burn:
            raise EvidenceError(
                f"{WHERE} holds no key {number} yet: making one cannot be undone, and no other one can be made after it;"
                " add --burn when you want that"
            )
        _run("genkey", "--key-id", str(number), "--alg", "ec")
        return cls(number)

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r then s, over the SHA-256 of the message."""
        with self._lock, _in_memory(message) as given, _in_memory() as answer:
            _run("sign", "--in", _path(given), "--key-id", str(self._number), "--alg", "ec", "--out", _path(answer), files=(given, answer))
            der = _content(answer)
        try:
            raw = raw_signature(der)
        except ValueError:  # it ends well also where the firmware refused: nobody looks at the status of its answer
            raise EvidenceError(
                f"{WHERE} signed nothing with key {self._number}: look at `{PROGRAM} get-key-status {self._number}`"
            ) from None
        return check_made(raw, message, self.public_key, WHERE)

    def describe(self) -> str:
        """Where it lies, for people."""
        return WHERE.removeprefix("the ")


class _NoKeyError(EvidenceError):
    """The firmware works, and has no key of this number."""


def _public_half(number: int) -> ec.EllipticCurvePublicKey:
    with _in_memory() as answer:
        _run("pubkey", "--key-id", str(number), "--out", _path(answer), files=(answer,))
        der = _content(answer)
    if not any(der):
        raise _NoKeyError(f"{WHERE} holds no key {number}: enrol the unit with --burn to make one, for ever")
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EvidenceError(f"key {number} in {WHERE} is no P-256 key: it was written as a plain random number, and cannot sign")
    return key


def _run(*words: str, files: Sequence[int] = ()) -> None:
    """Let the program do one thing; EvidenceError says what it said."""
    try:
        subprocess.run([PROGRAM, *words], check=True, capture_output=True, timeout=PATIENCE_S, pass_fds=files, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise EvidenceError(f"there is no {PROGRAM} here: apt install raspi-utils, on a Raspberry Pi") from None
    except subprocess.TimeoutExpired:
        raise EvidenceError(f"{WHERE} did not answer within {PATIENCE_S:.0f} s: restart the unit") from None
    except subprocess.CalledProcessError as error:
        raise _refused(words[0], error.stderr.decode(errors="replace")) from None
    except OSError as error:
        raise EvidenceError(f"{PROGRAM} cannot be started: {(error.strerror or str(error)).lower()}") from None


def _refused(word: str, told: str) -> EvidenceError:
    said = "; ".join(line.strip() for line in told.splitlines() if line.strip()) or "it does not say why"
    if "/dev/vcio" in told:
        return EvidenceError(f"the firmware cannot be asked ({said}): the user needs the group video, and the unit's service /dev/vcio")
    if "Key not set" in told or "Key not found" in told:
        return _NoKeyError(f"{WHERE} holds no such key ({said}): enrol the unit with --burn to make one, for ever")
    return EvidenceError(f"{WHERE} does not {word} ({said})")


@contextmanager
def _in_memory(content: bytes = b"") -> Iterator[int]:
    """A file that is on no disk, for a program that wants files; its descriptor."""
    descriptor = os.memfd_create("key")
    try:
        os.write(descriptor, content)
        yield descriptor
    finally:
        os.close(descriptor)


def _path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, LARGEST_BYTES, 0)
