"""The picture of `roadproof gnss watch`: what a technician wants to see of a receiver, 80 columns wide."""

from __future__ import annotations

from collections import deque
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from drivers.gnss.fix import Epoch
from drivers.gnss.receiver import GnssStatus
from drivers.gnss.sky import Satellite

RATE_OVER_S = 5.0
CELLS_A_ROW = 4
BAR = 10
FULL_BAR_DBHZ = 50  # a clear sky gives 45 to 50; under 25 a satellite helps little
MODES = {2: "2D", 3: "3D"}
GOOD_ANTENNA = {"OK", "INIT"}


class Rates:
    """Sentences and bytes a second, over the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int, int]] = deque()

    def add(self, status: GnssStatus, now_s: float) -> None:
        """Take the counters of now."""
        self._seen.append((now_s, status.sentences_good, status.sentences_bad, status.bytes_read))
        while now_s - self._seen[0][0] > RATE_OVER_S:
            self._seen.popleft()

    @property
    def per_s(self) -> tuple[float, float, float]:
        """Good sentences, bad sentences and bytes a second."""
        if len(self._seen) < 2:  # noqa: PLR2004  a rate needs two
            return 0.0, 0.0, 0.0
        first, last = self._seen[0], self._seen[-1]
        span_s = last[0] - first[0]
        return (last[1] - first[1]) / span_s, (last[2] - first[2]) / span_s, (last[3] - first[3]) / span_s


def picture(status: GnssStatus, epoch: Epoch | None, rates: Rates) -> RenderableType:
    """Return the whole picture; `epoch` is the last one, None before the first."""
    parts: list[RenderableType] = [
        Text(f"{status.port} at {status.baud} baud", style="bold"),
        Text(status.state, style="red" if status.stale else "green"),
        Text(status.setup, style="dim"),
        Text(),
        _fix(epoch or Epoch(at=None, mode=0), status),
        Text(),
    ]
    for constellation, satellites in groupby(status.satellites, key=lambda satellite: satellite.constellation):
        parts += _constellation(constellation, list(satellites))
    if not status.satellites:
        parts.append(Text("The receiver has not said which satellites are in view.", style="dim"))
    return Group(*parts, Text(), _health(status), _line(status, rates))


def _fix(epoch: Epoch, status: GnssStatus) -> Table:
    table = Table.grid(padding=(0, 3))
    place = "-" if epoch.lat_deg is None or epoch.lon_deg is None else f"{epoch.lat_deg:.6f} {epoch.lon_deg:.6f}"
    motion = _value(epoch.speed_mps, ".1f", " m/s") + _value(epoch.course_deg, ".0f", "°", " towards ", absent="")
    table.add_row("Fix", MODES.get(epoch.mode, "none"), "last", _value(status.age_s, ".1f", " s ago", absent="never"))
    table.add_row("Time", f"{epoch.at:%Y-%m-%d %H:%M:%S}Z" if epoch.at else "-", "satellites", _value(epoch.sats_used, "d"))
    table.add_row("Place", place, "hdop", _value(epoch.hdop, ".1f"))
    table.add_row("Speed", motion, "height", _value(epoch.alt_msl_m, ".0f", " m"))
    return table


def _value(value: float | None, form: str, unit: str = "", before: str = "", *, absent: str = "-") -> str:
    return absent if value is None else f"{before}{value:{form}}{unit}"


def _constellation(name: str, satellites: list[Satellite]) -> list[RenderableType]:
    used = sum(satellite.used for satellite in satellites)
    rows = Table.grid(padding=(0, 1))
    cells = [_cell(satellite) for satellite in satellites]
    for start in range(0, len(cells), CELLS_A_ROW):
        rows.add_row(*cells[start : start + CELLS_A_ROW])
    return [Text(f"{name}: {used} of {len(satellites)} used", style="bold"), Padding(rows, (0, 0, 0, 1))]


def _cell(satellite: Satellite) -> Text:
    """Number, bar and C/N0 in dBHz: green where it is used, yellow where it is only tracked."""
    if not satellite.cn0_dbhz:
        return Text(f"{satellite.number:>3} {'·' * BAR}  -", style="dim")
    length = max(1, min(BAR, round(satellite.cn0_dbhz / FULL_BAR_DBHZ * BAR)))
    style = "green" if satellite.used else "yellow"
    return Text.assemble(f"{satellite.number:>3} ", ("█" * length, style), ("·" * (BAR - length), "dim"), f" {satellite.cn0_dbhz}")


def _health(status: GnssStatus) -> Text:
    antenna = status.antenna or "not told"
    bad = status.antenna is not None and status.antenna.upper() not in GOOD_ANTENNA
    return Text.assemble(
        "Antenna ", (antenna, "red" if bad else ""), "   Jamming ", (status.jamming or "none told", "red" if status.jamming else "")
    )


def _line(status: GnssStatus, rates: Rates) -> Text:
    good, bad, read = rates.per_s
    share = 100 * status.sentences_bad / max(1, status.sentences_good + status.sentences_bad)
    return Text(
        f"Sentences {good:.1f}/s good, {bad:.1f}/s bad ({share:.2f} % of all), {status.sentences_mended} mended   {read:.0f} bytes/s"
    )
