"""NMEA sentences for the tests: written here, so that the reader is not judged by its own writer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from drivers.gnss.decode import decode
from drivers.gnss.fix import Epoch

FLOOR = date(2024, 1, 1)
START = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
LAT_DEG, LON_DEG = 51.05, 3.72


def sentence(body: str) -> bytes:
    """`$body*hh` with its line end."""
    checksum = 0
    for byte in body.encode("latin-1"):
        checksum ^= byte
    return f"${body}*{checksum:02X}\r\n".encode("latin-1")


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def clock(when: datetime) -> str:
    return when.strftime("%H%M%S.") + f"{when.microsecond // 10_000:02d}"


def place(lat_deg: float = LAT_DEG, lon_deg: float = LON_DEG) -> str:
    lat, lon = abs(lat_deg), abs(lon_deg)
    lat_field = f"{int(lat):02d}{lat % 1 * 60:08.5f},{'N' if lat_deg >= 0 else 'S'}"
    return f"{lat_field},{int(lon):03d}{lon % 1 * 60:08.5f},{'E' if lon_deg >= 0 else 'W'}"


def rmc(when: datetime, where: str | None = None, *, status: str = "A", knots: str = "10.0", tail: str = ",,A") -> bytes:
    return sentence(f"GNRMC,{clock(when)},{status},{where or place()},{knots},90.0,{when:%d%m%y},{tail}")


def void_rmc(when: datetime) -> bytes:
    return sentence(f"GNRMC,{clock(when)},V,,,,,,,{when:%d%m%y},,,N")


def gga(when: datetime, where: str | None = None, *, quality: str = "1", sats: str = "08") -> bytes:
    return sentence(f"GNGGA,{clock(when)},{where or place()},{quality},{sats},1.1,10.5,M,45.0,M,,")


def void_gga(when: datetime) -> bytes:
    return sentence(f"GNGGA,{clock(when)},,,,,0,00,99.99,,,,,,")


def gll(when: datetime, where: str | None = None) -> bytes:
    return sentence(f"GNGLL,{where or place()},{clock(when)},A,A")


def zda(when: datetime) -> bytes:
    return sentence(f"GNZDA,{clock(when)},{when:%d,%m,%Y},00,00")


def gsa(mode: int = 3) -> bytes:
    return sentence(f"GNGSA,A,{mode},02,05,07,16,21,26,,,,,,,1.9,1.1,1.5")


def vtg(knots: float) -> bytes:
    return sentence(f"GNVTG,90.0,T,,M,{knots:.1f},N,{knots * 1.852:.1f},K,A")


def epochs(stream: Iterable[bytes], not_before: date = FLOOR) -> list[Epoch]:
    """What the reader makes of a capture."""
    return list(decode([b"".join(stream)], not_before))


def fixes(stream: Iterable[bytes], not_before: date = FLOOR) -> list[Epoch]:
    return [epoch for epoch in epochs(stream, not_before) if epoch.has_fix]
