"""What runs out when: said long before nobody gets in any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509

from provisioning.authority import files
from provisioning.authority.errors import FleetError
from provisioning.authority.receipts import Receipts
from provisioning.authority.register import UnitEntry
from provisioning.authority.servers import SERVERS, Servers

LIST_NOTICE = timedelta(days=20)  # a list lives for 30 days and is made new daily: ten days without are no accident
SERVER_NOTICE = timedelta(days=30)
RECEIPT_NOTICE = timedelta(days=240)  # the next one is made with a year left, and in use with ten months
UNIT_NOTICE = timedelta(days=60)  # a unit renews with 133 days left
LISTS = {"fleet.crl": "the units' revocation list", "services.crl": "the programs' revocation list"}
DO = "run `roadproof fleet renew-access`, and see why roadproof-authority.service does not do it every day"


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Something that ends by itself unless it is made new."""

    what: str
    until: datetime
    notice: timedelta

    def warning(self, now: datetime) -> str | None:
        """What to do about it, once it is near enough; None before."""
        if now < self.until - self.notice:
            return None
        left_days = (self.until - now).days
        told = f"ended on {self.until:%Y-%m-%d}: nobody gets in with it" if now >= self.until else f"ends in {left_days} days"
        return f"{self.what} {told}; {DO}"


def overdue(entry: UnitEntry, now: datetime) -> str | None:
    """What to do about a unit whose certificate ends although it renews by itself; None while it is well, or out of the fleet."""
    if entry.state != "enrolled" or entry.tls_until_s is None:
        return None
    left = datetime.fromtimestamp(entry.tls_until_s, UTC) - now
    if left > UNIT_NOTICE:
        return None
    if left > timedelta(0):
        return f"the certificate of {entry.unit} ends in {left.days} days, and it has not renewed it: let it reach the enrolment server"
    return f"the certificate of {entry.unit} ended on {now + left:%Y-%m-%d}: `roadproof fleet replace {entry.unit}` makes its successor"


def endings(folder: Path, servers: Servers, receipts: Receipts) -> Iterator[Ending]:
    """Everything that keeps the fleet out when it ends, and when; FleetError when one of them cannot be read."""
    for name, what in LISTS.items():
        path = folder / "broker" / name
        try:
            until = x509.load_pem_x509_crl(files.read(path)).next_update_utc
        except ValueError:
            raise FleetError(f"{path} holds no revocation list: write it anew with `roadproof fleet renew-access`") from None
        assert until is not None  # every list of ours has one
        yield Ending(what=what, until=until, notice=LIST_NOTICE)
    for server in SERVERS:
        yield Ending(what=f"the certificate of {server}", until=servers.until(server), notice=SERVER_NOTICE)
    yield Ending(what="the certificate that signs receipts", until=receipts.until(), notice=RECEIPT_NOTICE)
