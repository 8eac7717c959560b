"""A stand-in for rpi-fw-crypto: its documented command line, its words and exit codes, and what the firmware behind it refuses.

Obeys main.c and rpifwcrypto.c of raspberrypi/utils: arguments in any order, usage is exit code 1, a refusal 255 with the firmware's last
error, a signature is written without a look at its status. `OTP_FOLDER` holds the fuses: a key is a file that is never overwritten.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_der_private_key

KEYS = 1  # slots
ERRORS = {3: "Key not found", 4: "Key is locked", 6: "Key not set (all zeros)", 10: "Key slot is not blank"}
FUSES = Path(os.environ["OTP_FOLDER"])


def refuse(code: int, told: str = "") -> NoReturn:
    if told:
        print(told.format(ERRORS[code]), file=sys.stderr)
    print(f"Last crypto error: {code} ({ERRORS[code]})", file=sys.stderr)
    sys.exit(255)


def usage() -> NoReturn:
    print("Usage: rpi-fw-crypto <command> [args]", file=sys.stderr)
    sys.exit(1)


def key(number: int, told: str) -> ec.EllipticCurvePrivateKey:
    if number > KEYS:
        refuse(3, told)
    if not (FUSES / str(number)).exists():
        refuse(6, told)
    found = load_der_private_key((FUSES / str(number)).read_bytes(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


def options(words: list[str]) -> dict[str, str]:
    names = ("--in", "--out", "--key-id", "--alg", "--outform")
    return {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in names}


def write(given: dict[str, str], data: bytes) -> None:
    if given.get("--outform") == "hex":
        data = data.hex().encode()
    if "--out" in given:
        Path(given["--out"]).write_bytes(data)
    else:
        sys.stdout.buffer.write(data)


def main() -> None:
    if not FUSES.exists():  # no firmware here
        print("Failed to open /dev/vcio: Permission denied", file=sys.stderr)
        sys.exit(255)
    word, given = sys.argv[1] if len(sys.argv) > 1 else "", options(sys.argv[2:])
    if word == "get-num-otp-keys":
        print(f"Number of OTP keys: {KEYS}")
        return
    if "--key-id" not in given or (word in {"sign", "genkey"} and "--alg" not in given) or (word == "sign" and "--in" not in given):
        usage()
    number = int(given["--key-id"])
    if word == "pubkey":
        found = key(number, "Failed to get public key: {}")
        write(given, found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    elif word == "sign":
        message = Path(given["--in"]).read_bytes()
        (FUSES / "signed").write_bytes(message)
        spoilt = FUSES / "spoilt"
        write(
            given, spoilt.read_bytes() if spoilt.exists() else key(number, "Failed to sign data").sign(message, ec.ECDSA(hashes.SHA256()))
        )
    elif word == "genkey":
        if (FUSES / str(number)).exists():
            refuse(10, "Failed to generate key: {}")
        made = ec.generate_private_key(ec.SECP256R1())
        (FUSES / str(number)).write_bytes(made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        print(f"Successfully generated ECDSA key in slot {number}")
    else:
        usage()


if __name__ == "__main__":
    main()
