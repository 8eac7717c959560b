"""PINs and badges checked without a network, and the pause after five wrong ones. Pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from msgspec import Meta

from firmware.day.progress import Tries
from firmware.day.work import Moment
from mqtt.run import Secret

Pin = Annotated[str, Meta(pattern=r"^[0-9]{1,16}$(?!\n)")]
MOST_TRIES = 5
LOCK_MS = 30_000  # makes all 10,000 PINs of four digits a matter of seventeen hours
COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}  # as mqtt/run.py says: 16 MiB


def matches(secret: Secret, text: str) -> bool:
    """Whether it is the secret; takes the same time whichever digit is wrong."""
    return hmac.compare_digest(digest(text, secret.salt), secret.hash)


def digest(text: str, salt: str) -> str:
    """The hash of a secret, 64 hexadecimal digits, for a salt of 32."""
    return hashlib.scrypt(text.encode(), salt=bytes.fromhex(salt), maxmem=2**26, **COST).hex()


def locked_ms(tries: Tries, moment: Moment) -> int:
    """How long no PIN is taken any more; after a restart of the system the pause counts from its start."""
    if tries.wrong < MOST_TRIES:
        return 0
    since_ms = tries.mono_ms if tries.boot == moment.boot else 0
    return max(0, min(LOCK_MS, since_ms + LOCK_MS - moment.mono_ms))


def count_wrong(tries: Tries, moment: Moment) -> Tries:
    """One more wrong PIN; after a pause the count begins anew."""
    wrong = 1 if tries.wrong >= MOST_TRIES else tries.wrong + 1
    return Tries(wrong=wrong, mono_ms=moment.mono_ms, boot=moment.boot)


def tries_left(tries: Tries, moment: Moment) -> int:
    """How many wrong PINs are left before the pause."""
    if tries.wrong >= MOST_TRIES:
        return 0 if locked_ms(tries, moment) else MOST_TRIES
    return MOST_TRIES - tries.wrong
