"""Who belongs to the fleet: its certificates, its register of units, its one-time codes, and what the broker is told of them."""

from __future__ import annotations

from provisioning.authority.bench import fingerprint, issue_receiver, issue_unit, make_broker, make_root
from provisioning.authority.errors import AuthorityError, CodeError, FleetError

__all__ = ["AuthorityError", "CodeError", "FleetError", "fingerprint", "issue_receiver", "issue_unit", "make_broker", "make_root"]
