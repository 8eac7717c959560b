"""Everything that is measured, in the order in which it is shown."""

from __future__ import annotations

from cli.bench import backlog, drain, measure, network, peers, pictures, plugs, running, scan, terminal
from cli.bench.figure import Round, Told, at_most

ROUNDS = (
    Round(
        "payload",
        (
            Told("payload", "bytes a fix", "up/track at 60 fixes a batch, a van in a town", at_most(10)),
            Told("payload, draining", "bytes a fix", "the same at 300 fixes a batch"),
            Told("payload, OwnTracks", "bytes a fix", "the same drive in OwnTracks' JSON, one fix a publish"),
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
    Round("drain", drain.FIGURES, drain.ask),
    Round("peers", peers.FIGURES, peers.ask),
    Round("network", network.FIGURES, network.ask),
    Round("running", running.FIGURES, running.ask),
    Round("card", running.CARD_FIGURES, running.ask_card),
    Round("backlog", backlog.FIGURES, backlog.ask),
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
    Round("scan", scan.FIGURES, scan.ask, times=1),  # 120 different frames
    Round("terminal", terminal.FIGURES, terminal.ask, times=1),
)
