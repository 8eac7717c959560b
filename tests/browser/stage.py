"""The real terminal on a card of its own behind the real server: what the driver touches changes the journal."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from firmware.kiosk.server import Web
from firmware.terminal.viewfinder import Viewfinder
from firmware.worker import Worker
from tests.benches import Bench
from tests.browser.rig import PANELS
from tests.proofs import Keys
from tests.terminals import Card, begun_card


class Stage:
    """A driver's place on the route, everything loaded, or as `card` says; `restart` is a power cut and a start at the same address."""

    def __init__(self, folder: Path, keys: Keys, card: Card | None = None) -> None:
        self._card: Card = card or begun_card(folder, keys)
        self._port = 0
        self._start()

    def _start(self) -> None:
        self.cabin = self._card.start()
        self.web = Web(
            terminal=self.cabin.terminal,
            viewfinder=Viewfinder(),
            inspection=Bench().inspection,
            status=self.cabin.status.snapshot,
            port=self._port,
            px_per_mm=PANELS[1].px_per_mm,
            version="0.1.0",
        )
        self._port = self.web.port
        self._stop = threading.Event()
        workers: list[Worker] = [self.web, self.cabin.terminal]
        self._threads = [threading.Thread(target=self._work, args=(worker,), name=worker.name, daemon=True) for worker in workers]
        for thread in self._threads:
            thread.start()

    def restart(self) -> None:
        """Start again from what is on the card."""
        self._end()
        self._start()

    def seq(self) -> int:
        """The newest view's number."""
        return self.cabin.terminal.seq

    def _end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        self._card.eject()

    def _work(self, worker: Worker) -> None:
        while not self._stop.is_set():
            worker.step(self._stop)
        worker.finish()

    def __enter__(self) -> Stage:  # noqa: PYI034  no heirs
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()
