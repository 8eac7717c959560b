"""The recordings of this folder and what is true in them: `python -m tests.replay.captures` writes them anew.

Each pair is NAME.nmea (raw bytes of a serial line) and NAME.jsonl (the floor of the dates, then one line for each epoch). The
epochs are written from the drive, not from what the reader made of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.nmea import clock, place, sentence, void_gga, void_rmc

HERE = Path(__file__).parent
KNOT_MPS = 1852 / 3600
M_PER_DEG = 111_195.0


class Moment(msgspec.Struct, frozen=True):
    """Where the van truly is, rounded to what a sentence can say."""

    at: datetime
    place: str
    lat_deg: float
    lon_deg: float
    knots: float
    course_deg: float
    alt_m: float
    mode: int = 3

    @property
    def expected(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "mode": self.mode,
            "lat_deg": round(self.lat_deg, 8),
            "lon_deg": round(self.lon_deg, 8),
            "alt_msl_m": self.alt_m,
            "speed_mps": round(self.knots * KNOT_MPS, 4),
            "course_deg": self.course_deg,
        }


def without_fix(at: datetime | None) -> dict[str, Any]:
    said = at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
    return {"at": said, "mode": 1} | dict.fromkeys(("lat_deg", "lon_deg", "alt_msl_m", "speed_mps", "course_deg"))


def drive(start: datetime, count: int, period_s: float = 1.0, lat_deg: float = 51.05, lon_deg: float = 3.72) -> Iterator[Moment]:
    """A van that speeds up, turns right and goes on."""
    for number in range(count):
        mps = min(15.0, 1.5 * number * period_s)
        course_deg = min(90.0, max(0.0, (number - count / 2) * 6.0))
        lat_deg += mps * period_s * math.cos(math.radians(course_deg)) / M_PER_DEG
        lon_deg += mps * period_s * math.sin(math.radians(course_deg)) / M_PER_DEG / math.cos(math.radians(lat_deg))
        yield Moment(
            at=start + timedelta(seconds=number * period_s),
            place=place(lat_deg, lon_deg),
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            knots=round(mps / KNOT_MPS, 3),
            course_deg=round(course_deg, 1),
            alt_m=round(12 + number * 0.1, 1),
        )


def rmc(moment: Moment, at: datetime | None = None) -> bytes:
    at = at or moment.at
    return sentence(f"GNRMC,{clock(at)},A,{moment.place},{moment.knots:.3f},{moment.course_deg:.1f},{at:%d%m%y},,,A,V")


def gga(moment: Moment, at: datetime | None = None) -> bytes:
    return sentence(f"GNGGA,{clock(at or moment.at)},{moment.place},1,09,0.9,{moment.alt_m:.1f},M,45.0,M,,")


def gsa(moment: Moment) -> bytes:
    return sentence(f"GNGSA,A,{moment.mode},02,05,07,13,16,21,26,29,,,,,1.6,0.9,1.3,1")


def ublox(moment: Moment) -> bytes:
    """Factory order of a u-blox receiver."""
    vtg = sentence(f"GNVTG,{moment.course_deg:.1f},T,,M,{moment.knots:.3f},N,{moment.knots * 1.852:.3f},K,A")
    gsv = sentence("GPGSV,1,1,02,05,61,214,44,07,18,046,39,1")
    gll = sentence(f"GNGLL,{moment.place},{clock(moment.at)},A,A")
    return rmc(moment) + vtg + gga(moment) + gsa(moment) + gsv + gll


def tunnel() -> tuple[date, bytes, list[dict[str, Any]]]:
    """A u-blox receiver that starts without a fix, drives through a tunnel and comes out again in two dimensions."""
    start = datetime(2026, 11, 14, 8, 15, 0, tzinfo=UTC)
    stream, truth = b"", []
    for number, moment in enumerate(drive(start, 40)):
        if number < 3:
            stream += sentence("GNRMC,,V,,,,,,,,,,N,V") + sentence("GNGGA,,,,,,0,00,99.99,,,,,,") + sentence("GNGLL,,,,,,V,N")
            truth.append(without_fix(None))
        elif 15 <= number < 22:
            stream += void_rmc(moment.at) + void_gga(moment.at) + sentence(f"GNGLL,,,,,{clock(moment.at)},V,N")
            truth.append(without_fix(moment.at))
        else:
            seen = msgspec.structs.replace(moment, mode=2 if 22 <= number < 25 else 3)
            stream += ublox(seen)
            truth.append(seen.expected)
    return date(2026, 11, 1), stream, truth


def midnight() -> tuple[date, bytes, list[dict[str, Any]]]:
    """A SiRF receiver, GGA before RMC, over New Year's midnight south of the equator and west of Greenwich."""
    moments = list(drive(datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC), 20, lat_deg=-23.5, lon_deg=-46.6))
    return date(2026, 11, 1), b"".join(gga(moment) + gsa(moment) + rmc(moment) for moment in moments), [m.expected for m in moments]


def rollover() -> tuple[date, bytes, list[dict[str, Any]]]:
    """An old receiver that lives 1024 weeks in the past."""
    moments = list(drive(datetime(2027, 3, 1, 12, 0, 0, tzinfo=UTC), 15))
    behind = timedelta(weeks=1024)
    return date(2026, 11, 1), b"".join(rmc(m, m.at - behind) + gga(m, m.at - behind) for m in moments), [m.expected for m in moments]


def frozen() -> tuple[date, bytes, list[dict[str, Any]]]:
    """A receiver that lost its satellites and repeats its last sentences."""
    moments = list(drive(datetime(2026, 11, 14, 9, 0, 0, tzinfo=UTC), 8))
    stream = b"".join(rmc(moment) + gga(moment) + gsa(moment) for moment in moments)
    last = rmc(moments[-1]) + gga(moments[-1]) + gsa(moments[-1])
    return date(2026, 11, 1), stream + last * 3, [m.expected for m in moments] + [without_fix(moments[-1].at)] * 3


def noisy_line() -> tuple[date, bytes, list[dict[str, Any]]]:
    """Five bursts a second with binary frames between; one RMC, one GGA and one whole burst are damaged."""
    moments = list(drive(datetime(2026, 11, 14, 10, 0, 0, tzinfo=UTC), 30, 0.2))
    frame = b"\xb5b\x01\x07\x08\x00$GNRMC,\r\n$\x84\x21"
    stream, truth = b"", []
    for number, moment in enumerate(moments):
        first, second = rmc(moment), gga(moment)
        seen = moment.expected
        if number in {10, 20}:
            first = first.replace(b",A,", b",A.", 1)
            # As the speed grows steadily at 1.5 m/s2 until 10 s are over, the bridged speed is the true one, the course the last.
            seen |= {"course_deg": moments[number - 1].course_deg}
        if number in {15, 20}:
            second = second[:30] + second[41:]
            seen |= {"alt_msl_m": None}
        stream += frame + first + frame + second
        truth += [] if number == 20 else [seen]
    return date(2026, 11, 1), stream, truth


CAPTURES = {maker.__name__: maker for maker in (tunnel, midnight, rollover, frozen, noisy_line)}


def write() -> None:
    """Write every pair anew."""
    for name, maker in CAPTURES.items():
        not_before, stream, truth = maker()
        (HERE / f"{name}.nmea").write_bytes(stream)
        lines = [{"not_before": not_before.isoformat()}, *truth]
        (HERE / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


if __name__ == "__main__":
    write()
