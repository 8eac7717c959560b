"""Which tests run beside each other when pytest-xdist runs them on several workers at once.

A file stays on one worker, in its order. Files that disturb each other share a lane, and a lane stays on one worker too: nothing
in it overlaps with anything else of it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# A network device that comes or goes makes every Chromium of this machine break off what it loads (ERR_NETWORK_CHANGED).
NETWORK = (
    "tests/browser",
    "tests/system/test_bench_network.py",
    "tests/system/test_faults_link.py",
    "tests/system/test_kiosk_browser.py",
    "tests/system/test_road.py",
)
# A root file system is made once, in one place, and systemd-nspawn lets one machine at a time have it.
MACHINES = ("tests/power",)
LANES = {"network": NETWORK, "machines": MACHINES}
LONG = ("network", "machines", "tests/system")  # handed out in this order; the short ones at the end fill what gaps are left


def lane(nodeid: str) -> str:
    """What a test shares a worker with: its lane, else its file."""
    path = nodeid.partition("::")[0]
    places = {path, *map(str, PurePosixPath(path).parents)}
    return next((name for name, members in LANES.items() if not places.isdisjoint(members)), path)


def turn(scope: str) -> int:
    """When a lane or a file is handed out; the smaller the sooner."""
    return next((n for n, name in enumerate(LONG) if scope == name or scope.startswith(f"{name}/")), len(LONG))


class Lanes(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands a lane or a file to each worker that has done what it had."""

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=turn), last=False)
        super()._assign_work_unit(node)
