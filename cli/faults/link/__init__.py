"""`roadproof faults link`: proofs with photos over a road that is slow, loses packets and is cut, in every combination."""

from __future__ import annotations

import argparse

from rich.progress import Progress

from cli.errors import UsageError
from cli.faults.amount import count, number
from cli.faults.tally import Tally


def options(command: argparse.ArgumentParser) -> None:
    """What may be typed."""
    command.add_argument("--seed", type=int, default=1, metavar="N", help="of the photos and of the packets that are lost (default 1)")
    command.add_argument("--photos", type=count, default=1, metavar="N", help="proofs with a photo on each road (default 1)")
    command.add_argument("--photo-kb", type=count, default=300, metavar="KB", help="size of a photo (default 300)")
    command.add_argument(
        "--rate-kbit", type=number(0), default=64, metavar="KBIT", help="of a slow road, a second and each way (default 64)"
    )
    command.add_argument(
        "--loss", type=number(0, 90), default=30, metavar="PERCENT", help="of the packets, lost each way; 0 needs no root (default 30)"
    )
    command.add_argument("--cut-s", type=number(0), default=2, metavar="S", help="seconds between two cuts of all connections (default 2)")
    command.add_argument("--bad-s", type=number(0), default=60, metavar="S", help="seconds until the roads are mended (default 60)")
    command.add_argument(
        "--patience-s", type=number(1), default=600, metavar="S", help="after so long what has not arrived is lost (default 600)"
    )


def harm(arguments: argparse.Namespace, progress: Progress) -> Tally:
    """Send over each of the roads at once, and compare what the fleet holds."""
    from cli.faults.link import trial
    from cli.faults.link.roads import Badness

    worst = Badness(rate_bps=arguments.rate_kbit * 1000, loss=arguments.loss / 100, cut_every_s=arguments.cut_s)
    if not worst.combinations():
        raise UsageError("nothing is bad of this road; leave one of --rate-kbit, --loss and --cut-s above 0")
    load = trial.Load(
        photos=arguments.photos,
        photo_bytes=arguments.photo_kb * 1000,
        seed=arguments.seed,
        bad_s=arguments.bad_s,
        patience_s=arguments.patience_s,
    )
    return trial.run(worst, load, progress=progress)
