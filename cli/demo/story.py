"""What happens to the van, and when: a tunnel, a dead zone, a pulled plug; unless somebody plays the driver."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.demo.act import Act, Watcher, nothing
from cli.demo.guest import Guest
from cli.demo.keys import Keys
from cli.demo.stage import Stage

LOOK_S = 0.25


ACTS = (
    Act(0.0, "driving", "The van sets off: each fix goes to the journal, the broker, the receiver, and is receipted.", nothing),
    Act(0.14, "tunnel", "Tunnel: no satellites. No position is better than a wrong one.", lambda stage: stage.drive.enter_tunnel()),
    Act(0.26, "out of the tunnel", "Out of the tunnel: the fix is back.", lambda stage: stage.drive.leave_tunnel()),
    Act(0.36, "dead zone", "Dead zone: no network. The van drives on, the journal fills.", lambda stage: stage.radio.cut()),
    Act(0.54, "network", "The network is back: first where the van is now, then the backlog.", lambda stage: stage.radio.restore()),
    Act(0.72, "pulled plug", "Pulled plug: the daemon dies in the middle of its work (kill -9).", lambda stage: stage.pull_the_plug()),
    Act(0.78, "power", "Power is back: only what was still in memory is gone, 10 s at most.", lambda stage: stage.start_unit()),
    Act(1.0, "end", "The van parks. What is left is sent, and everything is counted.", nothing),
)


class Story:
    """The acts over a given time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def due(self, passed_s: float, done: int) -> Act | None:
        """The next act, when its time has come."""
        return ACTS[done] if done < len(ACTS) and passed_s >= ACTS[done].part * self.seconds else None

    @property
    def length(self) -> int:
        """How many acts there are."""
        return len(ACTS)


class Nobody:
    """Watches without a word, for programs."""

    def tell(self, act: Act) -> None:
        """Say nothing."""

    def look(self, passed_s: float) -> None:
        """Draw nothing."""


def play(story: Story, stage: Stage, watcher: Watcher, keys: Keys, stopped: Callable[[], bool]) -> None:
    """Play to the end, or until it is stopped, and then to an orderly end. A guest ends it by signing out."""
    guest = Guest(stage, watcher, keys)
    began_s = looked_s = time.monotonic()
    passed_s, done = 0.0, 0
    while not stopped() and not guest.left and (guest.plays or done < story.length):
        guest.look()
        now_s = time.monotonic()
        passed_s += 0.0 if guest.plays else now_s - looked_s  # the story waits while a guest tells his own
        looked_s = now_s
        act = None if guest.plays else story.due(passed_s, done)
        if act is not None:
            watcher.tell(act)
            act.do(stage)
            done += 1
        else:
            watcher.look(now_s - began_s)
            time.sleep(LOOK_S)
    stage.finish(lambda: watcher.look(time.monotonic() - began_s))
    guest.look_for_proofs()
