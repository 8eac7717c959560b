"""The units of this checkout, booted: the real daemon with a simulated panel, so that a test may turn the key and pull the plug.

`python -P -m tests.power.bench` makes the root file system with a browser in it, which is too large for every run.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from cli.faults.power import checkout, tree
from cli.faults.power.block import DiskError
from cli.faults.power.booted import Machine
from drivers.sim.panel import PanelHands
from firmware import status as statuses
from firmware.status import Status
from firmware.status_file import STATUS_FILE
from tests.proofs import UNIT, keys_of_the_session

SYSTEMD = checkout.ROOT / "systemd"
UNITS = tuple(
    file for kind in ("service", "path", "timer") for file in sorted(SYSTEMD.glob(f"roadproof*.{kind}")) if "fleet" not in file.name
)
BROWSER = tree.Recipe(
    ("systemd-sysv", "python3", "libzbar0", "dbus", "cage", "xwayland", "chromium", "fonts-dejavu-core"), tree.bench().hooks
)
# A screen in memory, where no board has one.
HEADLESS = "[Service]\nEnvironment=WLR_BACKENDS=headless WLR_RENDERER=pixman LIBSEAT_BACKEND=noop\n"


class Bench:
    """A booted machine with the units of this checkout, started; what its daemon keeps is in `journal`."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.journal = folder / "kept"
        self.journal.mkdir()
        shown = {
            **{f"/etc/systemd/system/{file.name}": file for file in UNITS},
            **checkout.shown(folder, root, unit=UNIT, keys=keys_of_the_session().folder),
            **checkout.service("roadproof-kiosk.service", HEADLESS, folder),
            "/etc/systemd/system.conf.d/roadproof.conf": SYSTEMD / "system-roadproof.conf",
            "/etc/chromium/policies/managed/roadproof.json": SYSTEMD / "chromium-roadproof.json",
        }
        self.machine = Machine(root, shown, {"/var/lib/roadproof": self.journal}, folder / "console")

    def __enter__(self) -> Self:
        try:
            self.machine.wait_until_up()
            paths = [file.name for file in UNITS if file.suffix == ".path" and "authority" not in file.name]
            code, told = self.machine.told("systemctl", "start", "roadproof.service", *paths)
            assert code == 0, told + self.machine.told("journalctl", "-u", "roadproof", "-n", "30")[1]
        except BaseException:
            self.machine.end()
            raise
        self.files = self.machine.files
        self.hands = PanelHands(self.files / "run/roadproof/panel")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.hands.close()
        self.machine.end()

    def status(self) -> Status:
        """What the daemon last said of itself."""
        return statuses.read(self.files / "run/roadproof" / STATUS_FILE) or Status()

    def is_on(self) -> bool:
        """Whether its systemd still runs."""
        try:
            return self.machine.first_process > 0
        except DiskError:
            return False

    def property(self, unit: str, name: str) -> str:
        """What systemd says of a unit."""
        return self.machine.told("systemctl", "show", "--value", f"--property={name}", unit)[1]


def browser_tree() -> Path:
    """Where the root file system with a browser is kept."""
    return tree.default_folder("browser")


if __name__ == "__main__":
    print(tree.made(browser_tree(), BROWSER))
