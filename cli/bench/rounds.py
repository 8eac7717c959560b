"""Everything that is measured, in the order in which it is shown."""

from __future__ import annotations

from cli.bench import measure, pictures, plugs, terminal
from cli.bench.figure import Round, Told

ROUNDS = (
    Round(
        "payload",
        (
            Told("payload", "bytes a fix", "up/track at 60 fixes a batch, a van in a town"),
            Told("payload, draining", "bytes a fix", "the same at 300 fixes a batch"),
        ),
        measure.payload,
    ),
    Round(
        "journal",
        (
            Told("journal", "bytes a fix", "in the database file, 1 Hz in commits of 10 s"),
            Told("offline", "days", "of 1 Hz, day and night, that 1 GB holds unthinned"),
        ),
        measure.kept,
    ),
    Round(
        "drain",
        (
            Told("drain", "fixes/s", "60,000 fixes: journal, broker, receiver's commit, receipt"),
            Told("drain, ratio", "x", "the same against a bare paho loop: batches packed before, nobody stores"),
            Told("live after reconnect", "s", "from connecting to the live position on air, while those 60,000 wait"),
        ),
        measure.drained,
    ),
    Round(
        "plugs",
        (
            Told("unplug seen", "s", "from the receiver's pulled plug to the status that says so"),
            Told("fix after replug", "s", "from the plug put in again to the status with a fix, a receiver of 1 Hz"),
        ),
        plugs.replugged,
        times=2,  # a run is the worst of two cycles, and mostly waits
    ),
    Round("pictures", pictures.FIGURES, pictures.ask),
    Round("terminal", terminal.FIGURES, terminal.ask, times=1),
)
