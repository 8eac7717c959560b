"""What the daemon asks of the system: files that units of systemd wait for, so that it needs no right of its own to switch anything."""

from __future__ import annotations

from pathlib import Path

POWER_OFF = "power-off"  # roadproof-poweroff.path
RESTART_KIOSK = "restart-kiosk"  # roadproof-kiosk-restart.path
PAGE = "kiosk.env"  # roadproof-kiosk.path; beside the requests, because it is no request but stays


class Requests:
    """The daemon's requests, in its folder in memory. Every method raises OSError where that cannot be written."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self._folder = runtime / "requests"
        self._folder.mkdir(parents=True, exist_ok=True)

    def power_off(self) -> None:
        """Have the system shut down in order and the box switched off."""
        (self._folder / POWER_OFF).touch()

    def stay_on(self) -> None:
        """Take the request to switch off back; too late once the system goes down."""
        (self._folder / POWER_OFF).unlink(missing_ok=True)

    def restart_kiosk(self) -> None:
        """Have the browser started anew."""
        (self._folder / RESTART_KIOSK).touch()

    def show_page(self, url: str) -> None:
        """Say where the driver's page is; the browser starts once this is there."""
        show_page(self._runtime, url)


def show_page(runtime: Path, url: str) -> None:
    """Say in a folder in memory where the page is; the enrolment has one of its own. OSError where it cannot be written."""
    fresh = runtime / f"{PAGE}.new"
    fresh.write_text(f"ROADPROOF_PAGE={url}\n", encoding="ascii")
    fresh.replace(runtime / PAGE)
