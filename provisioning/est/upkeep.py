"""What must be done every day so that nobody is shut out: new revocation lists, new certificates for servers, and a word in good time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from provisioning.authority import FleetError
from provisioning.authority.folder import Fleet
from provisioning.est.server import Server

log = logging.getLogger(__name__)

DAY_S = 86_400.0
LOOK_S = 3_600.0  # how long to wait after a day that failed; and how late what a command changed by hand is seen


class Upkeep:
    """The authority's daily work; `mono_s` is a clock that never jumps."""

    def __init__(self, fleet: Fleet, server: Server, mono_s: Callable[[], float]) -> None:
        self._fleet, self._server, self._mono_s = fleet, server, mono_s
        self._done_s: float | None = None

    def step(self) -> None:
        """Do what is due, and say what will be; what fails is told and tried again at the next step."""
        if self._done_s is None or self._mono_s() - self._done_s >= DAY_S:
            self._done_s = self._mono_s() if _done(self._renew) else None
            _done(self._warn)
        _done(self._server.take_certificate)

    def _renew(self) -> None:
        for name in self._fleet.renew_access():
            log.info("new certificate for %s", name)

    def _warn(self) -> None:
        for warning in self._fleet.warnings(datetime.now(UTC)):
            log.warning("%s", warning)


def _done(work: Callable[[], None]) -> bool:
    """Whether it could be done; the log says why not."""
    try:
        work()
    except FleetError as error:
        log.error("%s", error)  # noqa: TRY400  a sentence, not a traceback
        return False
    return True
