"""Structured garbage: what real receivers send, damaged as lines, cables and baud rates damage it; the same for a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta

from drivers.gnss.ubx import SYNC, Frame
from drivers.sim.nmea import burst as van_burst
from drivers.sim.van import VirtualVan
from tests.nmea import START, gga, gll, gsa, rmc, sentence, void_gga, void_rmc, vtg, zda

SOUNDS = (b"$", b"*", b"$$", b"\r\n", b"\n", b",", b"*00", b"$GPGGA,", b"$GNRMC,,", b"\xb5\x62", b"\x00" * 40, b"," * 300, b"$" * 50)
Damage = Callable[[random.Random, bytearray], bytes]


def garbage(seed: int, total_bytes: int) -> Iterator[bytes]:
    """Chunks of 1 to 4,096 bytes, together at least as many as asked for."""
    chance = random.Random(seed)
    stream, made = bytearray(), 0
    bursts = _bursts(chance)
    while made < total_bytes:
        damage = chance.choice(DAMAGES)
        stream += damage(chance, bytearray(next(bursts)))
        while len(stream) >= 4_096:
            size = chance.choice((1, 7, 64, 4_096))
            yield bytes(stream[:size])
            del stream[:size]
            made += size


def _bursts(chance: random.Random) -> Iterator[bytes]:
    """Bursts of several makers' habits; times jump now and then, and some sentences hold impossible values."""
    van, second = VirtualVan(chance.randrange(1_000)), 0.0
    while True:
        second += chance.choice((0, 0.1, 1, 1, 1, 1, 1, 2, 30, 3_600, -3_600, 86_400, 7_168 * 86_400))
        when = START + timedelta(seconds=second % 2e9)
        yield van_burst(van.step())
        yield rmc(when) + gga(when) + gsa(chance.randrange(1, 4))
        yield b"".join(chance.sample([zda(when), gll(when), vtg(chance.uniform(0, 2_000)), void_rmc(when), void_gga(when), gsa()], 4))
        yield sentence(",".join(chance.choice(WORDS) for _ in range(chance.randrange(1, 25))))
        yield Frame((chance.randrange(256), chance.randrange(256)), chance.randbytes(chance.randrange(600))).encoded()


WORDS = (
    "GPRMC", "GNGGA", "GPGSV", "GNGSA", "GNGNS", "GPZDA", "GPTXT", "GPVTG", "PUBX", "A", "V", "N", "E", "S", "W", "", "", "", "0", "9",
    "99", "120000.00", "235960.999", "250000", "9000.0000", "18000.0000", "5103.00001", "00343.2", "010124", "310299", "1e309", "nan", "-1",
    "²", "x" * 90,
)  # fmt: skip


def _whole(_: random.Random, data: bytearray) -> bytes:
    return bytes(data)


def _flipped(chance: random.Random, data: bytearray) -> bytes:
    for _ in range(chance.randrange(1, 12)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _dropped(chance: random.Random, data: bytearray) -> bytes:
    for _ in range(chance.randrange(1, 8)):
        if data:
            del data[chance.randrange(len(data))]
    return bytes(data)


def _torn(chance: random.Random, data: bytearray) -> bytes:
    start = chance.randrange(len(data))
    del data[start : start + chance.randrange(1, 200)]
    return bytes(data)


def _shuffled(chance: random.Random, data: bytearray) -> bytes:
    lines = bytes(data).split(b"$")
    chance.shuffle(lines)
    return b"$".join(lines)


def _mixed(chance: random.Random, data: bytearray) -> bytes:
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data))
        data[at:at] = chance.choice(SOUNDS)
    return bytes(data)


def _at_the_wrong_speed(chance: random.Random, data: bytearray) -> bytes:
    return bytes(byte ^ 0xFF if chance.random() < 0.5 else byte | 0x80 for byte in data)


def _noise(chance: random.Random, data: bytearray) -> bytes:
    return chance.randbytes(len(data)) + SYNC


DAMAGES: tuple[Damage, ...] = (_whole, _whole, _flipped, _flipped, _dropped, _torn, _shuffled, _mixed, _at_the_wrong_speed, _noise)
