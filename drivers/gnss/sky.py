"""The satellites that the receiver sees, and what it says about its antenna."""

from __future__ import annotations

import msgspec

from drivers.gnss.sentences import Gsa, Gsv, SatelliteInView, Txt, Value

CONSTELLATIONS = {"GP": "GPS", "GL": "GLONASS", "GA": "Galileo", "GB": "BeiDou", "BD": "BeiDou", "GQ": "QZSS", "QZ": "QZSS", "GI": "NavIC"}
SYSTEM_IDS = {1: "GPS", 2: "GLONASS", 3: "Galileo", 4: "BeiDou", 5: "QZSS", 6: "NavIC"}
LASTS_S = 12.0  # some receivers send GSV every five seconds
RENEWED_S = 0.9  # satellites need no second look before: at 10 Hz most of what a receiver says is of them
GSV, PAGE = "GSV,", 9  # GPGSV,3,1: whose, of how many pages, which one
ENTRY_FIELDS = 4
MOST_PAGES = 64  # of all constellations and bands; more is damage
SBAS_NUMBERS = range(33, 65)  # in GPS sentences


class Satellite(msgspec.Struct, frozen=True):
    """One satellite in view; C/N0 is None while it is not tracked."""

    constellation: str
    number: int
    elevation_deg: int | None
    azimuth_deg: int | None
    cn0_dbhz: int | None
    used: bool


class Sky:
    """Collects GSV, GSA and TXT sentences into what is in view now."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], tuple[float, SatelliteInView]] = {}
        self._used: dict[tuple[str, int], float] = {}
        self._pages: dict[tuple[str, str], float] = {}  # when each page of GSV was last read
        self._shown: tuple[Satellite, ...] | None = None  # None: something changed since
        self._oldest_s = 0.0  # of what is shown
        self.antenna: str | None = None
        self.jamming: str | None = None

    def is_fresh(self, text: str, mono_s: float) -> bool:
        """Whether this is a page of satellites in view that was read a moment ago; if not, it counts as read now."""
        if text[2:6] != GSV:
            return False
        signal = text[-2:] if text.count(",") % ENTRY_FIELDS == 0 else ""  # after whole entries; two bands send a satellite twice
        page = (text[:PAGE], signal)
        if mono_s - self._pages.get(page, -RENEWED_S) < RENEWED_S:
            return True
        if len(self._pages) >= MOST_PAGES:
            self._pages.clear()
        self._pages[page] = mono_s
        return False

    def add(self, value: Value, mono_s: float) -> None:
        """Take a sentence; those about anything else change nothing."""
        if isinstance(value, Gsv):
            self._shown = None
            self._add_view(value, mono_s)
        elif isinstance(value, Gsa):
            self._shown = None
            for number in value.satellites:
                self._used[_constellation_in_use(value, number), number] = mono_s
        elif isinstance(value, Txt):
            self._add_notice(value.text)

    def satellites(self, mono_s: float) -> tuple[Satellite, ...]:
        """Return the satellites in view, by constellation and number; the same tuple again while nothing changed."""
        if self._shown is None or mono_s - self._oldest_s > LASTS_S:
            self._shown = self._in_view(mono_s)
            self._oldest_s = min([*(stamp for stamp, _ in self._seen.values()), *self._used.values()], default=mono_s)
        return self._shown

    def _in_view(self, mono_s: float) -> tuple[Satellite, ...]:
        for table in (self._seen, self._used):
            for key in [key for key, entry in table.items() if mono_s - _stamp(entry) > LASTS_S]:
                del table[key]
        return tuple(
            Satellite(constellation, number, view.elevation_deg, view.azimuth_deg, view.cn0_dbhz, (constellation, number) in self._used)
            for (constellation, number), (_, view) in sorted(self._seen.items(), key=lambda item: item[0])
        )

    def _add_view(self, gsv: Gsv, mono_s: float) -> None:
        constellation = CONSTELLATIONS.get(gsv.address[:2], "GNSS")
        for view in gsv.satellites:
            name = "SBAS" if constellation == "GPS" and view.number in SBAS_NUMBERS else constellation
            before = self._seen.get((name, view.number))
            # Receivers with two bands send a satellite once a signal: the stronger one is shown.
            fresh = before is not None and mono_s - before[0] < 1 and (before[1].cn0_dbhz or 0) > (view.cn0_dbhz or 0)
            self._seen[name, view.number] = before if fresh and before else (mono_s, view)

    def _add_notice(self, text: str) -> None:
        words = text.upper()
        if "ANTSTATUS" in words or words.startswith("ANTENNA"):
            self.antenna = text.split("=", 1)[-1].strip() if "=" in text else text[len("ANTENNA") :].strip()
        elif "JAM" in words or "INTERFER" in words:
            self.jamming = text


def _stamp(entry: float | tuple[float, SatelliteInView]) -> float:
    return entry if isinstance(entry, float) else entry[0]


def _constellation_in_use(gsa: Gsa, number: int) -> str:
    """Return whose satellite it is: by system id, else by the talker, else (GN) by NMEA's number ranges."""
    if gsa.system_id in SYSTEM_IDS:
        name = SYSTEM_IDS[gsa.system_id]
    else:
        name = CONSTELLATIONS.get(gsa.address[:2]) or ("GLONASS" if 65 <= number <= 99 else "GPS")  # noqa: PLR2004
    return "SBAS" if name == "GPS" and number in SBAS_NUMBERS else name
